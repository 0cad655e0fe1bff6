/* The copy is renewed when storage says that it changed; until storage has answered once, defaults
   hold. */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "feed.h"
#include "version_tag.h"
#include "view.h"

#define SETTING "robot.settings"

enum { ASK_AGAIN_MS = 2000, TRIES = 5 };

uint32_t settings_estop_ms(const gateway_t *gateway) {
  const robot_settings_t *given = &gateway->settings.given;

  return given->has_emergency_stop_timeout ? given->emergency_stop_timeout
                                           : REQUEST_ROBOT_ESTOP->timeout_ms;
}

double settings_hot_c(const gateway_t *gateway) {
  const robot_settings_t *given = &gateway->settings.given;

  return given->has_safety_temperature_threshold ? given->safety_temperature_threshold
                                                 : VIEW_BATTERY_HOT_C;
}

/* ---- our copy */

static bool read_setting(const store_setting_t *setting, robot_settings_t *out) {
  gantry_fault_t fault = {0};

  if (setting->info.version == 0) return false;
  if (json_read(&ROBOT_SETTINGS_DESC, setting->data, strlen(setting->data), false, out, &fault) ==
      GANTRY_OK)
    return true;
  log_warn("SETTINGS-SKIPPED", "version %u of %s cannot be used: %s %s", setting->info.version,
           SETTING, fault.field, fault.detail);
  return false;
}

static void hold(gateway_t *gateway, const robot_settings_t *given,
                 const store_setting_info_t *info) {
  gateway->settings.given = *given;
  gateway->settings.info = *info;
  gateway->latest->hot_c = settings_hot_c(gateway);
}

static void hold_none(gateway_t *gateway) {
  hold(gateway, &(robot_settings_t){0}, &(store_setting_info_t){0});
}

static void take(gateway_t *gateway, const store_setting_t *setting) {
  robot_settings_t given = {0};

  if (read_setting(setting, &given)) hold(gateway, &given, &setting->info);
}

static void ask(void *arg);

static void on_setting(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  gateway_t *gateway = arg;
  settings_copy_t *copy = &gateway->settings;

  (void)fault, (void)header;
  copy->asked = false;
  if (err == GANTRY_OK) take(gateway, reply);
  if (err == GANTRY_E_NOT_FOUND) hold_none(gateway);
  bool again = copy->stale || (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND);
  if (again && copy->alarm)
    loop_set(gateway->service->loop, copy->alarm, copy->stale ? 0 : ASK_AGAIN_MS);
}

static void ask(void *arg) {
  gateway_t *gateway = arg;
  settings_copy_t *copy = &gateway->settings;
  store_setting_key_t key = {.kind = SETTING};

  copy->stale = copy->asked; /* what is under way may be older than the change */
  if (copy->asked) return;
  copy->asked = rpc_call(gateway->service->client, REQUEST_STORE_SETTING_GET, NULL, NULL, &key, 0,
                         on_setting, gateway) == GANTRY_OK;
  if (!copy->asked) loop_set(gateway->service->loop, copy->alarm, ASK_AGAIN_MS);
}

static void on_changed(const frame_t *frame, const void *body, void *arg) {
  const store_changed_t *changed = body;

  (void)frame;
  if (changed->table == STORE_TABLE_SETTINGS && !strcmp(changed->key, SETTING)) ask(arg);
}

gantry_err_t settings_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {{TOPIC_STORE_CHANGED, on_changed}};

  gateway->latest->hot_c = settings_hot_c(gateway);
  gateway->settings.alarm = loop_alarm(gateway->service->loop, ask, gateway);
  if (!gateway->settings.alarm) return GANTRY_E_INTERNAL;
  GANTRY_TRY(feed_subscribe(gateway, ROWS, 1, fault));
  ask(gateway);
  return GANTRY_OK;
}

void settings_stop(gateway_t *gateway) {
  if (gateway->settings.alarm) loop_cancel(gateway->service->loop, gateway->settings.alarm);
  gateway->settings.alarm = 0;
}

/* ---- a change: the bridge says what it can, storage what there is, then a new version */

typedef struct change {
  robot_settings_t patch;
  robot_in_force_t before;
  settings_kept_fn on_kept;
  uint32_t version; /* that it is made over; 0: none */
  uint32_t tries;
  char why[96];
} change_t;

static change_t *change_of(exchange_t *x) {
  return (change_t *)(void *)x->scratch.data;
}

static void overlay(const robot_settings_t *patch, robot_settings_t *out) {
#define OVER(name)                                                                                 \
  if (patch->has_##name) {                                                                         \
    out->has_##name = true;                                                                        \
    out->name = patch->name;                                                                       \
  }
  OVER(robot_speed_limit)
  OVER(emergency_stop_timeout)
  OVER(telemetry_interval)
  OVER(safety_temperature_threshold)
  OVER(max_battery_discharge)
  OVER(telemetry_collected)
#undef OVER
}

static void read_present(exchange_t *x);

static void on_kept(exchange_t *x, const void *reply) {
  take(x->gateway, reply);
  change_of(x)->on_kept(x, &change_of(x)->before);
}

/* Somebody else was quicker. Who has not said what he has read changes what there is now. */
static void on_unkept(exchange_t *x, const gantry_fault_t *fault) {
  uint32_t version;
  bool changed = !strcmp(fault->code, "VERSION_CHANGED") && !version_tag_asked(x, &version);

  if (changed && ++change_of(x)->tries < TRIES)
    read_present(x);
  else
    version_tag_failed(x, fault);
}

/* Whether the client has read another version than there is; answered then. */
static bool is_behind(exchange_t *x) {
  gantry_fault_t fault = {0};
  uint32_t version;

  if (!version_tag_asked(x, &version) || version == change_of(x)->version) return false;
  fault_set(&fault, GANTRY_E_CONFLICT, "",
            SETTING " has version %u by now: read it, and change that one", change_of(x)->version);
  snprintf(fault.code, sizeof fault.code, "VERSION_CHANGED");
  version_tag_failed(x, &fault);
  return true;
}

static void put_over(exchange_t *x, robot_settings_t settings) {
  change_t *change = change_of(x);
  store_setting_put_t put = {
      .kind = SETTING, .has_if_version = true, .if_version = change->version};
  buf_t data = {.limit = sizeof put.data - 1};

  if (is_behind(x)) return;
  overlay(&change->patch, &settings);
  (void)json_write(&ROBOT_SETTINGS_DESC, &settings, &data);
  snprintf(put.data, sizeof put.data, "%s", buf_text(&data));
  snprintf(put.comment, sizeof put.comment, "%s", change->why);
  buf_fini(&data);
  exchange_call(x, REQUEST_STORE_SETTING_PUT, &put, on_kept, on_unkept);
}

/* What is read here renews our copy too: a database that was put back tells nobody. */
static void on_there(exchange_t *x, const void *reply) {
  const store_setting_t *setting = reply;
  robot_settings_t settings = {0};

  change_of(x)->version = setting->info.version;
  if (read_setting(setting, &settings))
    hold(x->gateway, &settings, &setting->info);
  else
    memset(&settings, 0, sizeof settings);
  put_over(x, settings);
}

static void on_none_there(exchange_t *x, const gantry_fault_t *fault) {
  robot_settings_t none = {0};

  change_of(x)->version = 0;
  if (fault->err != GANTRY_E_NOT_FOUND) {
    exchange_fail_fault(x, fault);
    return;
  }
  hold_none(x->gateway);
  put_over(x, none);
}

static void read_present(exchange_t *x) {
  store_setting_key_t key = {.kind = SETTING};

  exchange_call(x, REQUEST_STORE_SETTING_GET, &key, on_there, on_none_there);
}

static void on_in_force(exchange_t *x, const void *reply) {
  change_t *change = change_of(x);
  const robot_settings_t *patch = &change->patch;

  change->before = *(const robot_in_force_t *)reply;
  if (patch->has_robot_speed_limit && patch->robot_speed_limit > change->before.configured_speed) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "robot_speed_limit",
                  "at most %g m/s, the option max_speed of rs485-bridge",
                  change->before.configured_speed);
    return;
  }
  read_present(x);
}

void settings_change(exchange_t *x, const robot_settings_t *patch, const char *why,
                     settings_kept_fn on_kept_then) {
  static const sys_empty_t NOTHING = {0};
  change_t change = {.patch = *patch, .on_kept = on_kept_then};

  snprintf(change.why, sizeof change.why, "%s", why);
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &change, sizeof change);
  if (buf_err(&x->scratch) == GANTRY_OK)
    exchange_call(x, REQUEST_ROBOT_SETTINGS, &NOTHING, on_in_force, NULL);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}
