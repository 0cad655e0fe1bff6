/* The life of a service, as a component test and a process share it: bus bound, start, health,
   loop, draining, end. */
#include "service_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static gantry_err_t open_bus(service_run_t *run, void *context, gantry_fault_t *fault) {
  service_t *service = &run->service;
  bus_settings_t settings = {.service = service->name,
                             .robot = config_text(service->config, "robot"),
                             .base = config_text(service->config, "bus"),
                             .context = context};
  gantry_err_t err = bus_new(&settings, service->loop, &service->bus, fault);
  if (err == GANTRY_OK) err = rpc_server_new(service->bus, &service->server, fault);
  if (err == GANTRY_OK) return GANTRY_OK;
  return err == GANTRY_E_INTERNAL ? err : GANTRY_E_INVALID;
}

/* Two of a kind on one data folder would write over one another's files, also where each has a bus
   of its own. A folder that cannot be written, or locks nothing, does not keep a service down. */
static gantry_err_t lock_data(service_run_t *run, gantry_fault_t *fault) {
  const char *folder = config_text(run->service.config, "data");
  char path[512];
  snprintf(path, sizeof path, "%s/%s.running", folder, run->service.name);
  (void)mkdir(folder, 0750);
  run->data_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (run->data_lock < 0 || flock(run->data_lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "data",
                   "another %s keeps its files in %s: stop it or choose another folder",
                   run->service.name, folder);
}

static gantry_err_t open_parts(service_run_t *run, void *context, gantry_fault_t *fault) {
  service_t *service = &run->service;
  fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory or descriptors");
  GANTRY_TRY(loop_new(&service->loop));
  GANTRY_TRY(metrics_new(&service->metrics));
  GANTRY_TRY(open_bus(run, context, fault));
  GANTRY_TRY(lock_data(run, fault));
  GANTRY_TRY(service_log_start(run));
  GANTRY_TRY(rpc_client_new(service->bus, &service->client));
  GANTRY_TRY(service_outbox_start(run));
  return service_sys_start(run);
}

gantry_err_t service_begin(const service_def_t *def, config_t *config, void *context,
                           service_run_t **out, gantry_fault_t *fault) {
  *out = NULL;
  service_run_t *run = calloc(1, sizeof *run);
  if (!run) {
    config_destroy(&config);
    return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  }
  run->def = def;
  run->service.name = def->name;
  run->service.config = config;
  run->data_lock = -1;
  health_start(&run->probe);
  gantry_err_t err = open_parts(run, context, fault);
  if (err == GANTRY_OK) {
    service_publish_health(run);
    *fault = (gantry_fault_t){0};
    err = def->start(&run->service, &run->self, fault);
  }
  if (err != GANTRY_OK) {
    service_close(&run);
    return err;
  }
  run->phase = PHASE_LIVING;
  service_publish_health(run);
  *out = run;
  return GANTRY_OK;
}

void service_drain(service_run_t *run) {
  if (run->phase == PHASE_DRAINING) return;
  run->phase = PHASE_DRAINING;
  if (run->service.bus) service_publish_health(run);
  if (run->service.client) rpc_client_abandon(run->service.client);
  if (run->def->stop) run->def->stop(&run->self);
}

gantry_err_t service_open(const service_def_t *def, const char *base, void *context,
                          const char *const *settings, service_run_t **out, gantry_fault_t *fault) {
  config_t *config = NULL;
  gantry_fault_t local;
  if (!fault) fault = &local;
  *out = NULL;
  GANTRY_TRY(config_load(def->name, def->options, def->option_count, NULL, &config, fault));
  gantry_err_t err = config_set(config, "bus", base, fault);
  for (size_t i = 0; err == GANTRY_OK && settings && settings[i]; i++) {
    char key[64];
    const char *equals = strchrnul(settings[i], '=');
    snprintf(key, sizeof key, "%.*s", (int)(equals - settings[i]), settings[i]);
    err = config_set(config, key, *equals ? equals + 1 : "", fault);
  }
  if (err != GANTRY_OK) {
    config_destroy(&config);
    return err;
  }
  return service_begin(def, config, context, out, fault);
}

service_t *service_of(service_run_t *run) {
  return &run->service;
}

void *service_self(service_run_t *run) {
  return run->self;
}

void service_close(service_run_t **self) {
  service_run_t *run = *self;
  if (!run) return;
  service_drain(run);
  service_sys_stop(run);
  service_outbox_stop(run);
  rpc_client_destroy(&run->service.client);
  delivery_destroy(&run->delivery);
  rpc_server_destroy(&run->service.server);
  service_log_stop(run);
  bus_destroy(&run->service.bus);
  metrics_destroy(&run->service.metrics);
  loop_destroy(&run->service.loop);
  if (run->data_lock >= 0) close(run->data_lock);
  config_destroy(&run->service.config);
  free(run);
  *self = NULL;
}
