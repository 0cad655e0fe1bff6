/* DATA/recording: the session as it was last said, as JSON, so that a restart goes on with it. It
   is replaced as a whole by a thread of its own, and synced. */
#ifndef SENSOR_SESSION_FILE_H
#define SENSOR_SESSION_FILE_H

#include <gantry/loop.h>
#include <messages.h>

typedef struct session_file session_file_t;

/* The outcome of the newest write: GANTRY_OK when it is on the disk. From the loop. */
typedef void (*session_file_fn)(gantry_err_t err, void *arg);

/* Reads DATA/recording, blocking: an idle session when there is none, or when it was damaged; then
   it is set aside as DATA/recording.bad, and fault names it (else fault->err is GANTRY_OK). */
gantry_err_t session_file_open(const char *folder, loop_t *loop, session_file_fn fn, void *arg,
                               session_session_t *found, session_file_t **out,
                               gantry_fault_t *fault);
/* Ends the thread, what was wished last is kept. fn is not called any more. NULL-safe. */
void session_file_close(session_file_t **self);
/* Wishes the file to say that. Does not block; fn tells how it went. */
void session_file_set(session_file_t *file, const session_session_t *session);

#endif
