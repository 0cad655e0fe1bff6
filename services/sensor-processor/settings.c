/* sensor.configure and sensor.calibrate, and what storage remembers of both. A setting comes into
   force when storage has acknowledged it, so that it cannot be lost. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "requests.h"

/* What a configuration and a calibration say, read and checked. */
typedef struct settings {
  bool has_limit;
  limit_t limit;
  uint32_t filter_window; /* 0: the common one */
} settings_t;

static gantry_err_t check_object(const char *text, const char *field, gantry_fault_t *fault) {
  /* A key that nobody gives: not found in an object, and an error where there is no object. */
  double ignored;
  if (text[0] == '{' && json_get_number(text, "\x01", &ignored) == GANTRY_E_NOT_FOUND)
    return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, field, "must be a JSON object");
}

/* The number at parent.key, when there is one; it stays as it was when not. */
static gantry_err_t number(const char *text, const char *parent, const char *key, double min,
                           double max, double *out, bool *given, gantry_fault_t *fault) {
  char field[80];
  double value = 0;
  gantry_err_t err = json_get_number(text, key, &value);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  snprintf(field, sizeof field, "%s.%s", parent, key);
  if (err != GANTRY_OK) return fault_set(fault, GANTRY_E_INVALID, field, "must be a number");
  if (!(value >= min && value <= max))
    return fault_set(fault, GANTRY_E_INVALID, field, "%.6g is not within %.6g to %.6g", value, min,
                     max);
  *out = value;
  if (given) *given = true;
  return GANTRY_OK;
}

static gantry_err_t read_settings(const char *text, settings_t *out, gantry_fault_t *fault) {
  bool has_min = false, has_max = false;
  double window = 0;
  *out = (settings_t){.limit = {-1e12, 1e12, 0}};
  GANTRY_TRY(check_object(text, "configuration", fault));
  GANTRY_TRY(number(text, "configuration", "min", -1e12, 1e12, &out->limit.min, &has_min, fault));
  GANTRY_TRY(number(text, "configuration", "max", -1e12, 1e12, &out->limit.max, &has_max, fault));
  GANTRY_TRY(number(text, "configuration", "max_rate", 0, 1e12, &out->limit.per_second,
                    &out->has_limit, fault));
  GANTRY_TRY(
      number(text, "configuration", "filter_window", 1, FILTER_WINDOW_MAX, &window, NULL, fault));
  if (out->limit.min > out->limit.max)
    return fault_set(fault, GANTRY_E_INVALID, "configuration.min", "is above configuration.max");
  out->has_limit |= has_min || has_max;
  out->filter_window = (uint32_t)window;
  return GANTRY_OK;
}

static gantry_err_t read_calibration(const char *text, calibration_t *out, gantry_fault_t *fault) {
  *out = calibration_identity();
  GANTRY_TRY(check_object(text, "calibration", fault));
  for (int i = 0; i < CALIBRATION_KEY_COUNT; i++) {
    const char *key = calibration_key_name((calibration_key_t)i);
    double value = 0;
    bool given = false;
    GANTRY_TRY(number(text, "calibration", key, -1e12, 1e12, &value, &given, fault));
    if (!given || calibration_set(out, (calibration_key_t)i, value)) continue;
    char field[64];
    snprintf(field, sizeof field, "calibration.%s", key);
    return fault_set(fault, GANTRY_E_INVALID, field, "%.6g is out of bounds", value);
  }
  return GANTRY_OK;
}

static gantry_err_t check_configure(const sensor_configure_t *configure, gantry_fault_t *fault) {
  settings_t settings;
  calibration_t calibration;
  if (registry_check_id(configure->sensor) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "sensor",
                     "`%s` is a word of the API and cannot be a sensor id", configure->sensor);
  GANTRY_TRY(read_settings(configure->configuration, &settings, fault));
  if (!configure->has_calibration) return GANTRY_OK;
  return read_calibration(configure->calibration, &calibration, fault);
}

/* Puts a checked configuration in force. */
static void apply(processor_t *self, const sensor_configure_t *configure) {
  gantry_fault_t fault;
  settings_t settings;
  registry_entry_t *entry =
      registry_add(&self->registry, configure->sensor, (registry_type_t)configure->type);
  if (!entry || read_settings(configure->configuration, &settings, &fault) != GANTRY_OK) {
    log_warn("SENSOR-CONFIG-SKIPPED", "the stored configuration of %s cannot be used",
             configure->sensor);
    return;
  }
  entry->configured = true;
  entry->has_limit = settings.has_limit;
  entry->limit = settings.limit;
  entry->filter_window = settings.filter_window;
  if (configure->has_calibration)
    read_calibration(configure->calibration, &entry->calibration, &fault);
  registry_reset_filters(&self->registry, entry);
}

static settings_call_t *take_call(processor_t *self, rpc_context_t *context) {
  for (int i = 0; i < SETTINGS_CALLS; i++)
    if (!self->calls[i].call) {
      self->calls[i].processor = self;
      self->calls[i].call = context;
      return &self->calls[i];
    }
  rpc_fail(context, GANTRY_E_UNAVAILABLE, "", "%d settings already wait for storage",
           SETTINGS_CALLS);
  return NULL;
}

/* Answers the waiting request with storage's fault; false when there was none. */
static bool failed(rpc_context_t *context, gantry_err_t err, const gantry_fault_t *fault) {
  if (err == GANTRY_OK) return false;
  if (err == GANTRY_E_TIMEOUT || err == GANTRY_E_UNAVAILABLE)
    rpc_fail(context, GANTRY_E_UNAVAILABLE, "",
             "storage did not take the setting; nothing was changed");
  else
    rpc_fail_fault(context, fault);
  return true;
}

static void on_configured(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                          const sys_header_t *header, void *arg) {
  settings_call_t *waiting = arg;
  rpc_context_t *context = waiting->call;
  (void)reply, (void)header;
  waiting->call = NULL;
  if (failed(context, err, fault)) return;
  apply(waiting->processor, &waiting->configure);
  log_info("SENSOR-CONFIGURED", "%s", waiting->configure.sensor);
  rpc_reply(context, &waiting->configure);
}

static void on_configure(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  gantry_fault_t fault;
  cause_t cause = rpc_cause(call);
  if (check_configure(body, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  settings_call_t *waiting = take_call(self, call);
  if (!waiting) return;
  waiting->configure = *(const sensor_configure_t *)body;
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_SENSOR_PUT, NULL, &cause,
                              &waiting->configure, 0, on_configured, waiting);
  if (err != GANTRY_OK) on_configured(err, &fault, NULL, NULL, waiting);
}

static void on_calibrated(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                          const sys_header_t *header, void *arg) {
  settings_call_t *waiting = arg;
  rpc_context_t *context = waiting->call;
  gantry_fault_t ignored;
  (void)header;
  waiting->call = NULL;
  if (failed(context, err, fault)) return;
  registry_entry_t *entry = registry_find(&waiting->processor->registry, waiting->calibrate.sensor);
  read_calibration(waiting->calibrate.calibration, &entry->calibration, &ignored);
  registry_reset_filters(&waiting->processor->registry, entry);
  log_info("SENSOR-CALIBRATED", "%s", entry->id);
  rpc_reply(context, reply);
}

static void on_calibrate(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  const sensor_calibrate_t *takes = body;
  gantry_fault_t fault;
  calibration_t checked;
  cause_t cause = rpc_cause(call);
  if (!registry_find(&self->registry, takes->sensor)) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "sensor", "no sensor %s", takes->sensor);
    return;
  }
  if (read_calibration(takes->calibration, &checked, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  settings_call_t *waiting = take_call(self, call);
  if (!waiting) return;
  waiting->calibrate = *takes;
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_CALIBRATION_PUT, NULL, &cause,
                              &waiting->calibrate, 0, on_calibrated, waiting);
  if (err != GANTRY_OK) on_calibrated(err, &fault, NULL, NULL, waiting);
}

static void on_stored(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  processor_t *self = arg;
  const store_sensor_configs_t *stored = reply;
  (void)fault, (void)header;
  self->settings_asked = false;
  if (err != GANTRY_OK) return; /* asked again at the next tick */
  for (uint32_t i = 0; i < stored->sensors_count; i++)
    if (stored->sensors[i].active) apply(self, &stored->sensors[i].config);
  if (!self->settings_known)
    log_info("SETTINGS-LOADED", "%u sensor configurations from storage", stored->sensors_count);
  self->settings_known = true;
}

void settings_tick(processor_t *self) {
  if (self->settings_known || self->settings_asked) return;
  sys_empty_t nothing = {0};
  self->settings_asked = rpc_call(self->service->client, REQUEST_STORE_SENSOR_LIST, NULL, NULL,
                                  &nothing, 0, on_stored, self) == GANTRY_OK;
}

static void on_store_changed(const frame_t *frame, const void *body, void *arg) {
  processor_t *self = arg;
  const store_changed_t *changed = body;
  (void)frame;
  if (changed->table != STORE_TABLE_SENSORS) return;
  self->settings_known = false;
  settings_tick(self);
}

gantry_err_t settings_start(processor_t *self) {
  rpc_server_t *server = self->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_SENSOR_CONFIGURE, on_configure, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SENSOR_CALIBRATE, on_calibrate, self));
  GANTRY_TRY(
      bus_subscribe(self->service->bus, TOPIC_STORE_CHANGED, NULL, 0, on_store_changed, self));
  settings_tick(self);
  return GANTRY_OK;
}
