/* A thread with one thing to do, which it does whenever it is asked: for what may block, away from
   the loop. What is asked while it is at it is done once more behind; however often it was asked.
 */
#ifndef GANTRY_CHORE_H
#define GANTRY_CHORE_H

#include <gantry/err.h>

typedef struct chore chore_t;
typedef void (*chore_fn)(void *arg); /* runs in the thread */

/* Starts the thread. arg outlives it. */
gantry_err_t chore_new(chore_fn fn, void *arg, chore_t **out);
/* Does what was asked for, ends the thread. */
void chore_destroy(chore_t **self);
/* What the caller did before, fn sees. Any thread; does not block. */
void chore_ask(chore_t *chore);

#endif
