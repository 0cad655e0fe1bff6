/* Keeps the latch on disk from a thread of its own: neither a stop nor the loop waits for a disk.
   What is wanted last is what is kept; an older wish that has not begun is passed over. */
#ifndef BRIDGE_LATCH_KEEPER_H
#define BRIDGE_LATCH_KEEPER_H

#include <gantry/err.h>

#include "robot_state.h"

typedef struct latch_keeper latch_keeper_t;

/* Starts the thread. path is copied. */
gantry_err_t latch_keeper_new(const char *path, latch_keeper_t **out);
/* Keeps the last wish, ends the thread. */
void latch_keeper_destroy(latch_keeper_t **self);
/* Wishes the file to say cause and detail; STOP_NONE: that nothing is latched. Does not block. */
void latch_keeper_set(latch_keeper_t *keeper, stop_cause_t cause, const char *detail);
/* Wishes the same again: it has failed, and the disk may have room now. */
void latch_keeper_repeat(latch_keeper_t *keeper);
/* Readable once a wish has been fulfilled or has failed. */
int latch_keeper_fd(const latch_keeper_t *keeper);
/* The outcome of the newest wish that was tried; err is GANTRY_OK when it is on the disk. False
   when nothing has been tried since the last call. */
bool latch_keeper_receive(latch_keeper_t *keeper, stop_cause_t *cause, gantry_err_t *err);

#endif
