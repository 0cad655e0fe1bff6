/* What the bridge says of itself: safety state, events, audit. */
#include "bridge_internal.h"

#include <assert.h>
#include <stdio.h>

#include <gantry/clock.h>

static_assert((int)ROBOT_SAFE == (int)ROBOT_FSM_STATE_SAFE, "state codes agree");
static_assert((int)STOP_CONFIG == (int)ROBOT_CAUSE_CONFIG, "cause codes agree");
static_assert((int)ZONE_CRITICAL == (int)ROBOT_ZONE_CRITICAL, "zone codes agree");

void bridge_fill_safety(const bridge_t *bridge, robot_safety_t *out) {
  const robot_t *robot = &bridge->robot;
  *out = (robot_safety_t){.state = (robot_fsm_state_t)robot->state,
                          .latched = robot->latched,
                          .cause = (robot_cause_t)robot->cause,
                          .phase = (robot_stop_phase_t)bridge->phase,
                          .estop_input = bridge->estop_input,
                          .zone = (robot_zone_t)bridge->verdict.zone,
                          .speed_factor = bridge->verdict.factor,
                          .motors_off = bridge->motors_off,
                          .reporting = bridge->reporting};
  (void)snprintf(out->detail, sizeof out->detail, "%s", robot->detail);
  out->has_clearance = bridge->verdict.clearance_m >= 0.0;
  out->clearance = out->has_clearance ? bridge->verdict.clearance_m : 0.0;
  out->has_stopped = robot->latched && bridge->stopped_wall_ns != 0;
  out->stopped = out->has_stopped ? bridge->stopped_wall_ns : 0;
  out->has_stop_ms = bridge->last_stop_ms >= 0.0;
  out->stop_ms = out->has_stop_ms ? bridge->last_stop_ms : 0.0;
  out->has_confirm_ms = bridge->last_confirm_ms >= 0.0;
  out->confirm_ms = out->has_confirm_ms ? bridge->last_confirm_ms : 0.0;
}

static void set_alert(bridge_t *bridge, const robot_safety_t *safety) {
  alerts_t *alerts = bridge->service->alerts;
  if (safety->latched)
    alerts_raise(alerts, "STOP-LATCHED", "robot", SYS_SEVERITY_CRITICAL, "the robot is stopped: %s",
                 safety->detail[0] ? safety->detail
                                   : desc_enum_text(&ROBOT_CAUSE_ENUM, (int)safety->cause));
  else
    alerts_clear(alerts, "STOP-LATCHED", "robot");
}

void bridge_publish_safety(bridge_t *bridge) {
  robot_safety_t safety;
  bridge_fill_safety(bridge, &safety);
  (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_SAFETY, NULL, &safety);
  set_alert(bridge, &safety);
}

void bridge_event(bridge_t *bridge, const char *id, sys_category_t category,
                  sys_severity_t severity, const char *subject, const char *message) {
  sys_event_t event = {.category = category, .severity = severity};
  (void)snprintf(event.id, sizeof event.id, "%s", id);
  (void)snprintf(event.subject, sizeof event.subject, "%s", subject);
  (void)snprintf(event.message, sizeof event.message, "%s", message);
  (void)bus_publish(bridge->service->bus, TOPIC_EVENT, bridge->service->name, &event);
}

void bridge_audit(bridge_t *bridge, const char *actor, const char *action, bool success,
                  const char *detail) {
  sys_audit_t audit = {.success = success, .resource = "robot"};
  (void)snprintf(audit.actor, sizeof audit.actor, "%s", actor[0] ? actor : "service:rs485-bridge");
  (void)snprintf(audit.action, sizeof audit.action, "%s", action);
  (void)snprintf(audit.detail, sizeof audit.detail, "%s", detail);
  (void)bus_publish(bridge->service->bus, TOPIC_AUDIT, bridge->service->name, &audit);
}

uint8_t bridge_unit(const bridge_t *bridge, const char *module) {
  const register_module_t *row = registers_module(bridge->profile, module);
  return row ? row->address : 0;
}
