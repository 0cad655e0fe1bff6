/* store.backup*: begun and told of on the loop, made on the job's thread. */
#ifndef STORAGE_BACKUP_SERVE_H
#define STORAGE_BACKUP_SERVE_H

#include <gantry/service.h>

#include "backup_job.h"

/* job is borrowed and outlives the service's requests. */
gantry_err_t backup_serve(service_t *service, backup_job_t *job);
/* Whether that request is served here, and not by the writer. */
bool backup_serves(const request_t *request);

#endif
