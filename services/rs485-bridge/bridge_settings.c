/* Settings that storage keeps (robot.settings): read at the start and whenever they change, obeyed
   at once, a move under way too. While storage is away, what was known last holds. */
#include "bridge_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>

#define SETTING     "robot.settings"
#define INTERVAL_MS 1000

static void obey(bridge_t *bridge) {
  const robot_settings_t *given = &bridge->settings.given;
  const config_t *config = bridge->service->config;
  double max_mps = config_real(config, "max_speed");
  double battery = config_real(config, "battery_min");
  if (given->has_robot_speed_limit) max_mps = fmin(max_mps, given->robot_speed_limit);
  if (given->has_max_battery_discharge) battery = given->max_battery_discharge / 100.0;
  bridge->drive.cfg.max_mps = max_mps; /* the next ramp holds to it */
  bridge->commands.max_mps = max_mps;
  bridge->watch.supervisor.cfg.battery_min = battery;
  bridge_recorder_set(bridge,
                      given->has_telemetry_interval ? given->telemetry_interval : INTERVAL_MS,
                      given->has_telemetry_collected && !given->telemetry_collected);
}

static void take(bridge_t *bridge, const store_setting_t *setting) {
  gantry_fault_t fault = {0};
  robot_settings_t given;
  if (setting->info.version == 0) return;
  if (json_read(&ROBOT_SETTINGS_DESC, setting->data, strlen(setting->data), false, &given,
                &fault) != GANTRY_OK) {
    log_warn("SETTINGS-SKIPPED", "version %u of %s cannot be used: %s %s", setting->info.version,
             SETTING, fault.field, fault.detail);
    return;
  }
  if (bridge->settings.version == setting->info.version) return;
  bridge->settings.given = given;
  bridge->settings.version = setting->info.version;
  obey(bridge);
  bridge_publish_limits(bridge);
  log_info("SETTINGS-OBEYED", "version %u of %s: at most %.2f m/s, telemetry each %u ms",
           setting->info.version, SETTING, bridge->drive.cfg.max_mps, bridge->recorder.interval_ms);
}

static void on_setting(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  bridge_t *bridge = arg;
  (void)fault, (void)header;
  bridge->settings.asked = false;
  if (err == GANTRY_OK)
    take(bridge, reply);
  else if (err != GANTRY_E_NOT_FOUND)
    bridge->settings.known = false; /* asked again at the next tick */
}

/* What is asked for counts as known at once: a change told while the answer is on its way makes it
   unknown again. */
void bridge_settings_tick(bridge_t *bridge) {
  store_setting_key_t key = {.kind = SETTING};
  bridge_settings_t *settings = &bridge->settings;
  if (settings->known || settings->asked) return;
  settings->known = settings->asked =
      rpc_call(bridge->service->client, REQUEST_STORE_SETTING_GET, NULL, NULL, &key, 0, on_setting,
               bridge) == GANTRY_OK;
}

static void on_store_changed(const frame_t *frame, const void *body, void *arg) {
  bridge_t *bridge = arg;
  const store_changed_t *changed = body;
  (void)frame;
  if (changed->table != STORE_TABLE_SETTINGS || strcmp(changed->key, SETTING) != 0) return;
  bridge->settings.known = false;
  bridge_settings_tick(bridge);
}

static void on_settings(rpc_context_t *call, const void *takes, void *arg) {
  const bridge_t *bridge = arg;
  const bridge_settings_t *settings = &bridge->settings;
  const bridge_recorder_t *recorder = &bridge->recorder;
  (void)takes;
  robot_in_force_t in_force = {.version = settings->version,
                               .known = settings->known && !settings->asked,
                               .max_speed = bridge->drive.cfg.max_mps,
                               .configured_speed =
                                   config_real(bridge->service->config, "max_speed"),
                               .battery_min = bridge->watch.supervisor.cfg.battery_min,
                               .telemetry_interval = recorder->interval_ms,
                               .telemetry_collected = !recorder->stopped,
                               .samples = recorder->samples,
                               .unkept = recorder->unkept,
                               .has_newest = recorder->newest_wall_ns != 0,
                               .newest = recorder->newest_wall_ns};
  rpc_reply(call, &in_force);
}

gantry_err_t bridge_settings_start(bridge_t *bridge) {
  GANTRY_TRY(rpc_serve(bridge->service->server, REQUEST_ROBOT_SETTINGS, on_settings, bridge));
  GANTRY_TRY(
      bus_subscribe(bridge->service->bus, TOPIC_STORE_CHANGED, NULL, 0, on_store_changed, bridge));
  obey(bridge);
  bridge_settings_tick(bridge);
  return GANTRY_OK;
}
