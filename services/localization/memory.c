/* What storage remembers for localization: tags and settings. A setting comes into force when
   storage has acknowledged it. */
#include <stdio.h>
#include <string.h>

#include "localization_self.h"

static void enforce(localization_t *self) {
  rules_t rules = settings_rules(&self->settings);
  fusion_set_rule(&self->fusion, &rules.fusion);
  recovery_set_rule(&self->recovery, &rules.recovery);
  self->rail_rule = rules.rail;
  self->along_m2_per_m = rules.fusion.noise.along_m2_per_m;
}

static void on_tags(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                    const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const store_tags_t *stored = reply;
  (void)fault, (void)header;
  self->tags_asked = false;
  if (err != GANTRY_OK) {
    self->tags_known = false; /* asked again at the next tick */
    return;
  }
  landmarks_clear(&self->fusion.landmarks);
  for (uint32_t i = 0; i < stored->tags_count; i++) {
    const store_tag_t *tag = &stored->tags[i];
    if (!tag->active) continue;
    landmark_t row = {.x_m = tag->x,
                      .y_m = tag->y,
                      .has_orientation = tag->has_orientation,
                      .orientation_rad = tag->orientation};
    snprintf(row.tag, sizeof row.tag, "%s", tag->tag);
    landmarks_put(&self->fusion.landmarks, &row);
  }
  log_info("TAGS-LOADED", "%u active tags", self->fusion.landmarks.count);
}

static void on_configs(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const store_configs_t *stored = reply;
  (void)fault, (void)header;
  self->settings_asked = false;
  if (err != GANTRY_OK) {
    self->settings_known = false;
    return;
  }
  memset(self->settings.values, 0, sizeof self->settings.values);
  for (uint32_t i = 0; i < stored->configs_count; i++) {
    const loc_config_row_t *row = &stored->configs[i];
    gantry_fault_t wrong;
    if (!row->active) continue;
    if (settings_check(row->key, row->value, &wrong) == GANTRY_OK)
      settings_put(&self->settings, row->key, row->value);
    else
      log_warn("SETTING-SKIPPED", "stored setting %s: %s %s", row->key, wrong.field, wrong.detail);
  }
  enforce(self);
}

/* What is asked for counts as known at once: a change told while the answer is on its way makes it
   unknown again. */
void memory_tick(localization_t *self) {
  sys_empty_t nothing = {0};
  rpc_client_t *client = self->service->client;
  if (!self->tags_known && !self->tags_asked)
    self->tags_known = self->tags_asked =
        rpc_call(client, REQUEST_STORE_TAGS, NULL, NULL, &nothing, 0, on_tags, self) == GANTRY_OK;
  if (!self->settings_known && !self->settings_asked)
    self->settings_known = self->settings_asked =
        rpc_call(client, REQUEST_STORE_CONFIG_LIST, NULL, NULL, &nothing, 0, on_configs, self) ==
        GANTRY_OK;
}

static void on_store_changed(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const store_changed_t *changed = body;
  (void)frame;
  if (changed->table == STORE_TABLE_TAGS) self->tags_known = false;
  if (changed->table == STORE_TABLE_CONFIGS) self->settings_known = false;
  memory_tick(self);
}

static config_call_t *take_call(localization_t *self, rpc_context_t *context) {
  for (int i = 0; i < LOCALIZATION_CALLS; i++)
    if (!self->calls[i].call) {
      self->calls[i].localization = self;
      self->calls[i].call = context;
      return &self->calls[i];
    }
  rpc_fail(context, GANTRY_E_UNAVAILABLE, "", "%d settings already wait for storage",
           LOCALIZATION_CALLS);
  return NULL;
}

static void finish(config_call_t *waiting, gantry_err_t err, const gantry_fault_t *fault,
                   const loc_config_row_t *row) {
  localization_t *self = waiting->localization;
  rpc_context_t *context = waiting->call;
  waiting->call = NULL;
  if (err == GANTRY_E_TIMEOUT || err == GANTRY_E_UNAVAILABLE) {
    rpc_fail(context, GANTRY_E_UNAVAILABLE, "",
             "storage did not take the setting; nothing was changed");
    return;
  }
  if (err != GANTRY_OK) {
    rpc_fail_fault(context, fault);
    return;
  }
  if (settings_put(&self->settings, row->key, row->active ? row->value : NULL)) enforce(self);
  log_info("SETTING-CHANGED", "%s is now %s", row->key, row->active ? row->value : "its default");
  rpc_reply(context, row);
}

static void on_stored(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  (void)header;
  finish(arg, err, fault, reply);
}

static void on_config_set(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  const loc_config_set_t *takes = body;
  gantry_fault_t fault;
  cause_t cause = rpc_cause(call);
  if (settings_check(takes->key, takes->value, &fault) != GANTRY_OK ||
      settings_check_names(takes->key, takes->value, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  config_call_t *waiting = take_call(self, call);
  if (!waiting) return;
  waiting->set = *takes;
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_CONFIG_PUT, NULL, &cause,
                              &waiting->set, 0, on_stored, waiting);
  if (err != GANTRY_OK) finish(waiting, GANTRY_E_UNAVAILABLE, &fault, NULL);
}

static void on_config_delete(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  gantry_fault_t fault = {0};
  cause_t cause = rpc_cause(call);
  config_call_t *waiting = take_call(self, call);
  if (!waiting) return;
  waiting->key = *(const loc_config_key_t *)body;
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_CONFIG_DELETE, NULL, &cause,
                              &waiting->key, 0, on_stored, waiting);
  if (err != GANTRY_OK) finish(waiting, GANTRY_E_UNAVAILABLE, &fault, NULL);
}

gantry_err_t memory_start(localization_t *self) {
  rpc_server_t *server = self->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_LOC_CONFIG_SET, on_config_set, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_LOC_CONFIG_DELETE, on_config_delete, self));
  GANTRY_TRY(
      bus_subscribe(self->service->bus, TOPIC_STORE_CHANGED, NULL, 0, on_store_changed, self));
  memory_tick(self);
  return GANTRY_OK;
}
