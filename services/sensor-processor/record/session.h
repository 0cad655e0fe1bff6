/* Session: starts and ends recording sessions, keeps the present one over a restart, and tells of
   it: session.changed whenever it begins or ends, session.status each second. Storage being away
   stops nothing of that. */
#ifndef SENSOR_SESSION_H
#define SENSOR_SESSION_H

#include <gantry/service.h>

#include "recorder.h"

typedef struct session session_t;

/* A session has begun (true) or ended; also when a restart goes on with one, out of session_open.
 */
typedef void (*session_fn)(bool recording, void *arg);

/* Serves session.start, stop, reset and status, and goes on with what DATA/recording says. service
   and recorder are borrowed; recorder outlives the session. */
gantry_err_t session_open(service_t *service, recorder_t *recorder, session_fn fn, void *arg,
                          session_t **out, gantry_fault_t *fault);
/* Ends the telling, not the session: the next start goes on with it. NULL-safe. */
void session_close(session_t **self);

bool session_is_recording(const session_t *session);
/* Borrowed; its id is empty when there was none. */
const session_session_t *session_now(const session_t *session);
/* Whether the simulated bench sensors run: for session.status. */
void session_set_bench(session_t *session, bool runs);

#endif
