/* The requests of backup. */
#include "backup_serve.h"

#include <gantry/clock.h>

static void on_backup(rpc_context_t *call, const void *takes, void *arg) {
  const store_backup_t *wanted = takes;
  store_backup_state_t state;
  gantry_fault_t fault = {0};
  if (backup_job_start(arg, wanted->file, wanted->key_file, clock_wall_ns(), &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  backup_job_get(arg, &state);
  rpc_reply(call, &state);
}

static void on_state(rpc_context_t *call, const void *takes, void *arg) {
  store_backup_state_t state;
  (void)takes;
  backup_job_get(arg, &state);
  rpc_reply(call, &state);
}

static void on_cancel(rpc_context_t *call, const void *takes, void *arg) {
  backup_job_cancel(arg);
  on_state(call, takes, arg);
}

bool backup_serves(const request_t *request) {
  return request == REQUEST_STORE_BACKUP || request == REQUEST_STORE_BACKUP_STATE ||
         request == REQUEST_STORE_BACKUP_CANCEL;
}

gantry_err_t backup_serve(service_t *service, backup_job_t *job) {
  backup_job_seal_by(job, config_text(service->config, "backup_key_file"));
  GANTRY_TRY(rpc_serve(service->server, REQUEST_STORE_BACKUP, on_backup, job));
  GANTRY_TRY(rpc_serve(service->server, REQUEST_STORE_BACKUP_STATE, on_state, job));
  return rpc_serve(service->server, REQUEST_STORE_BACKUP_CANCEL, on_cancel, job);
}
