/* The circumstances of a stop: how fast, where, how near. And what else it switches: the relays of
 * the safety module, if so configured. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

#define POSE_FRESH_NS    (1000 * (uint64_t)GANTRY_NS_PER_MS)
#define RELAY_RETRY_NS   (500 * (uint64_t)GANTRY_NS_PER_MS)
#define RELAY_TRIES_SAID 3

static void on_loc_pose(const frame_t *frame, const void *body, void *arg) {
  bridge_t *bridge = arg;
  const loc_pose_t *pose = body;
  (void)frame;
  bridge->trip.here = (bridge_place_t){
      .x_m = pose->x, .y_m = pose->y, .theta_rad = pose->theta, .known_ns = clock_mono_ns()};
}

gantry_err_t bridge_trip_start(bridge_t *bridge, gantry_fault_t *fault) {
  const config_t *config = bridge->service->config;
  bridge->trip.relays_off = (unsigned)config_int(config, "stop_relays_off");
  bridge->trip.relays_on = (unsigned)config_int(config, "stop_relays_on");
  if (bridge->trip.relays_off & bridge->trip.relays_on)
    return fault_set(fault, GANTRY_E_INVALID, "stop_relays_on",
                     "a stop cannot switch the same relay on and off; correct one of the settings");
  return bus_subscribe(bridge->service->bus, TOPIC_LOC_POSE, NULL, 0, on_loc_pose, bridge);
}

void bridge_trip_note(bridge_t *bridge, uint64_t now_ns) {
  bridge_trip_t *trip = &bridge->trip;
  const motion_t *motion = &bridge->motion;
  const bridge_place_t *here = &trip->here;
  trip->located = here->known_ns != 0 && now_ns - here->known_ns <= POSE_FRESH_NS;
  trip->place = *here;
  if (!trip->located)
    trip->place =
        (bridge_place_t){.x_m = motion->x_m, .y_m = motion->y_m, .theta_rad = motion->theta_rad};
  trip->speed_mps = motion->known ? motion->speed_mps : bridge->drive.setpoint_mps;
  trip->zone = bridge->verdict.zone;
}

void bridge_trip_words(const bridge_t *bridge, double stop_ms, double confirm_ms, char *out,
                       size_t size) {
  static const char *const zones[] = {"none", "early warning", "caution", "warning", "critical"};
  const bridge_trip_t *trip = &bridge->trip;
  (void)snprintf(
      out, size,
      "%s; first acknowledged frame sent after %.1f ms, read back after %.1f ms; at %.2f m/s, "
      "zone %s, %s %.2f %.2f m %.2f rad",
      stop_cause_name(bridge->robot.cause), stop_ms, confirm_ms, trip->speed_mps, zones[trip->zone],
      trip->located ? "pose" : "odometry", trip->place.x_m, trip->place.y_m, trip->place.theta_rad);
}

static void write_relay(bridge_t *bridge, unsigned index, bool on, uint64_t now_ns) {
  relay_run_t *relay = &bridge->trip.relays[index];
  char name[16];
  (void)snprintf(name, sizeof name, "relay_%u", index + 1);
  const register_module_t *safety = registers_module(bridge->profile, "safety");
  const register_row_t *row = safety ? registers_find(safety, name) : NULL;
  if (!row) return;
  job_t job = bridge_register_job(TAG_RELAY + index, safety->address, row, LINE_WRITE_ONE, on);
  if (!port_submit(bridge->port, &job)) return;
  relay->asked_ns = now_ns;
  relay->asked = on;
}

/* After the motors' frames, never before them. What a stop has switched is switched back by the
 * reset. */
void bridge_switch_relays(bridge_t *bridge, uint64_t now_ns) {
  bridge_trip_t *trip = &bridge->trip;
  bool latched = bridge->robot.latched;
  if (!bridge->port || (latched && !bridge_stop_sent(bridge))) return;
  for (unsigned i = 0; i < RELAYS; i++) {
    relay_run_t *relay = &trip->relays[i];
    if (!((trip->relays_off | trip->relays_on) >> i & 1u)) continue;
    bool on = (trip->relays_on >> i & 1u) == (latched ? 1u : 0u);
    bool rests = relay->done ? relay->is == on : !latched && relay->asked_ns == 0;
    if (rests) continue;
    if (relay->asked_ns == 0 || now_ns - relay->asked_ns >= RELAY_RETRY_NS || relay->asked != on)
      write_relay(bridge, i, on, now_ns);
  }
}

void bridge_on_relay_result(bridge_t *bridge, const port_result_t *result) {
  relay_run_t *relay = &bridge->trip.relays[result->job.tag - TAG_RELAY];
  char text[96];
  if (result->outcome == RTU_OK) {
    relay->is = result->job.values[0] != 0;
    relay->done = true;
    relay->failed = 0;
    return;
  }
  relay->done = false;
  if (++relay->failed != RELAY_TRIES_SAID) return;
  (void)snprintf(text, sizeof text, "relay %u of the safety module does not switch; still trying",
                 result->job.tag - TAG_RELAY + 1);
  log_error("RELAY-NOT-SWITCHED", "%s", text);
  bridge_event(bridge, "RELAY-NOT-SWITCHED", SYS_CATEGORY_STATE, SYS_SEVERITY_ERROR, "safety",
               text);
}
