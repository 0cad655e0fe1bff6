/* sensor.configure and sensor.calibrate, and what storage remembers of both. A setting comes into
   force when storage has acknowledged it, so that it cannot be lost. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "calibrating.h"
#include "configuration.h"
#include "requests.h"
#include "setup.h"

#define TYPE_SETTING "sensor.type_rule" /* its scope is the type's code */

static gantry_err_t check_configure(processor_t *self, const sensor_configure_t *configure,
                                    gantry_fault_t *fault) {
  sensor_pipeline_t pipeline;
  calibration_t calibration;
  if (registry_check_id(configure->sensor) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "sensor",
                     "`%s` is a reserved word and cannot be a sensor id", configure->sensor);
  const registry_entry_t *known = registry_find(&self->registry, configure->sensor);
  if (known && known->last_ns != 0 && (int)known->type != (int)configure->type)
    return fault_set(fault, GANTRY_E_INVALID, "type", "%s delivers as a sensor of type %s",
                     configure->sensor, desc_enum_text(&SENSOR_TYPE_ENUM, (int)known->type));
  GANTRY_TRY(setup_read(self, configure->sensor, configure->type, configure->configuration,
                        &pipeline, fault));
  if (!configure->has_calibration) return GANTRY_OK;
  return configuration_read_calibration(configure->calibration, &calibration, fault);
}

/* A calibration that is in force already leaves the filters alone. */
static void take_calibration(registry_entry_t *entry, const sensor_configure_t *configure) {
  gantry_fault_t fault;
  calibration_t given;
  if (!configure->has_calibration ||
      configuration_read_calibration(configure->calibration, &given, &fault) != GANTRY_OK ||
      calibration_equal(&given, &entry->calibration))
    return;
  entry->calibration = given;
  setup_calibrate(entry);
}

/* Puts a checked configuration in force. */
static void apply(processor_t *self, const sensor_configure_t *configure) {
  gantry_fault_t fault = {0};
  sensor_pipeline_t pipeline;
  registry_entry_t *entry =
      registry_add(&self->registry, configure->sensor, (registry_type_t)configure->type);
  gantry_err_t err = entry ? setup_read(self, configure->sensor, (sensor_type_t)entry->type,
                                        configure->configuration, &pipeline, &fault)
                           : GANTRY_E_TOO_LARGE;
  if (entry && err == GANTRY_OK) err = setup_apply(self, entry, &pipeline, &fault);
  if (err == GANTRY_OK) {
    take_calibration(entry, configure);
    entry->configured = true;
    return;
  }
  log_warn("SENSOR-CONFIG-SKIPPED", "the stored configuration of %s cannot be used: %s %s",
           configure->sensor, fault.field, fault.detail);
  if (entry && !entry->chains[0]) setup_apply(self, entry, NULL, &fault);
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
  gantry_fault_t fault = {0};
  cause_t cause = rpc_cause(call);
  if (check_configure(self, body, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  settings_call_t *waiting = take_call(self, call);
  if (!waiting) return;
  waiting->configure = *(const sensor_configure_t *)body;
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_SENSOR_PUT, NULL, &cause,
                              &waiting->configure, 0, on_configured, waiting);
  if (err != GANTRY_OK) on_configured(GANTRY_E_UNAVAILABLE, &fault, NULL, NULL, waiting);
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
  configuration_read_calibration(waiting->calibrate.calibration, &entry->calibration, &ignored);
  setup_calibrate(entry);
  calibrating_end(waiting->processor, waiting->guided);
  log_info("SENSOR-CALIBRATED", "%s", entry->id);
  rpc_reply(context, reply);
}

void settings_calibrate(processor_t *self, rpc_context_t *call, const sensor_calibrate_t *calibrate,
                        uint32_t guided) {
  gantry_fault_t fault = {0};
  calibration_t checked;
  cause_t cause = rpc_cause(call);
  if (!registry_find(&self->registry, calibrate->sensor)) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "sensor", "no sensor %s", calibrate->sensor);
    return;
  }
  if (configuration_read_calibration(calibrate->calibration, &checked, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  settings_call_t *waiting = take_call(self, call);
  if (!waiting) return;
  waiting->calibrate = *calibrate;
  waiting->guided = guided;
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_CALIBRATION_PUT, NULL, &cause,
                              &waiting->calibrate, 0, on_calibrated, waiting);
  if (err != GANTRY_OK) on_calibrated(GANTRY_E_UNAVAILABLE, &fault, NULL, NULL, waiting);
}

static void on_calibrate(rpc_context_t *call, const void *body, void *arg) {
  settings_calibrate(arg, call, body, 0);
}

static void on_stored(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  processor_t *self = arg;
  const store_sensor_configs_t *stored = reply;
  (void)fault, (void)header;
  self->stored_sensors.asked = false;
  if (err != GANTRY_OK) {
    self->stored_sensors.known = false; /* asked again at the next tick */
    return;
  }
  for (uint32_t i = 0; i < stored->sensors_count; i++)
    if (stored->sensors[i].active) apply(self, &stored->sensors[i].config);
  log_info("SETTINGS-LOADED", "%u sensor configurations from storage", stored->sensors_count);
}

static void ask_for_sensors(processor_t *self);

static void take_type(processor_t *self, const store_setting_t *setting) {
  gantry_fault_t fault;
  sensor_type_rule_t rule;
  gantry_err_t err =
      json_read(&SENSOR_TYPE_RULE_DESC, setting->data, strlen(setting->data), false, &rule, &fault);
  if (err == GANTRY_OK) err = types_put(&self->types, setting->info.scope, &rule, &fault);
  if (err != GANTRY_OK)
    log_warn("SENSOR-TYPE-SKIPPED", "the registered type %s cannot be used: %s %s",
             setting->info.scope, fault.field, fault.detail);
}

static void on_types(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                     const sys_header_t *header, void *arg) {
  processor_t *self = arg;
  const store_setting_list_t *stored = reply;
  (void)fault, (void)header;
  self->stored_types.asked = false;
  if (err != GANTRY_OK) {
    self->stored_types.known = false;
    ask_for_sensors(self);
    return;
  }
  types_reset(&self->types);
  for (uint32_t i = 0; i < stored->settings_count; i++)
    take_type(self, &stored->settings[i]);
  setup_renew(self);
  log_info("TYPES-LOADED", "%u registered types of sensors", stored->settings_count);
  self->stored_sensors.known = false; /* some may wait for a type */
  ask_for_sensors(self);
}

/* Known from here on: a change told while the answer is on its way makes it unknown again. */
static void ask(processor_t *self, stored_t *stored, const request_t *request, const void *takes,
                rpc_reply_fn fn) {
  if (stored->known || stored->asked) return;
  stored->asked =
      rpc_call(self->service->client, request, NULL, NULL, takes, 0, fn, self) == GANTRY_OK;
  stored->known = stored->asked;
}

static void ask_for_sensors(processor_t *self) {
  static const sys_empty_t NOTHING = {0};
  ask(self, &self->stored_sensors, REQUEST_STORE_SENSOR_LIST, &NOTHING, on_stored);
}

void settings_tick(processor_t *self) {
  static const store_setting_list_get_t TYPES = {.kind = TYPE_SETTING};
  ask(self, &self->stored_types, REQUEST_STORE_SETTING_LIST, &TYPES, on_types);
  /* A configuration may name a type: on_types asks for them. */
  if (!self->stored_types.asked) ask_for_sensors(self);
}

static void on_store_changed(const frame_t *frame, const void *body, void *arg) {
  processor_t *self = arg;
  const store_changed_t *changed = body;
  (void)frame;
  if (changed->table == STORE_TABLE_SENSORS) self->stored_sensors.known = false;
  if (changed->table == STORE_TABLE_SETTINGS && strcmp(changed->key, TYPE_SETTING) == 0)
    self->stored_types.known = false;
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
