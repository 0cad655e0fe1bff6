/* Keeps the latch on disk from threads of its own: neither a stop nor the loop waits for a disk.
   One hands what is wanted to the kernel, which keeps it when this process is killed; another waits
   until it is on the disk, where it survives a power cut. So no wish waits for the disk to be done
   with an older one. What is wanted last is what is kept; an older wish may be passed over. */
#ifndef BRIDGE_LATCH_KEEPER_H
#define BRIDGE_LATCH_KEEPER_H

#include <gantry/err.h>

#include "robot_state.h"

typedef struct latch_keeper latch_keeper_t;

/* Starts the threads. path is copied. */
gantry_err_t latch_keeper_new(const char *path, latch_keeper_t **out);
/* Keeps the last wish, ends the threads. */
void latch_keeper_destroy(latch_keeper_t **self);
/* Wishes the file to say cause and detail; STOP_NONE: that nothing is latched. Does not block. */
void latch_keeper_set(latch_keeper_t *keeper, stop_cause_t cause, const char *detail);
/* Wishes the same again: it has failed, and the disk may have room now. */
void latch_keeper_repeat(latch_keeper_t *keeper);
/* Whether the kernel has the newest wish, or it could not be written. Does not block. */
bool latch_keeper_is_handed(latch_keeper_t *keeper);
/* Readable once a wish has been handed over, is on the disk, or has failed. */
int latch_keeper_fd(const latch_keeper_t *keeper);
/* The newest outcome; err is GANTRY_OK when it is on the disk. False when there is none since the
   last call. Clears the descriptor. */
bool latch_keeper_receive(latch_keeper_t *keeper, stop_cause_t *cause, gantry_err_t *err);

#endif
