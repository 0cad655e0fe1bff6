/* Sits on the line between bridge and simulator and lies about the travel motor, with good
   checksums: what no honest device does and a broken one might. */
#ifndef GANTRY_TEST_LIAR_H
#define GANTRY_TEST_LIAR_H

#include <pthread.h>
#include <stdatomic.h>

#include "pty_pair.h"

typedef enum lie {
  LIAR_HONEST,
  LIAR_OTHER_ECHO,   /* a write is acknowledged for another register */
  LIAR_STILL_ON,     /* motors read back enabled and turning, whatever they are */
  LIAR_SECOND_MUTE,  /* requests for the second motor are swallowed */
  LIAR_NO_ECHO,      /* writes arrive, their acknowledgements do not */
  LIAR_NO_READ_BACK, /* writes are acknowledged, reads of what was written are not answered */
  LIAR_OLD_ANSWER    /* a write is acknowledged by the bytes of a read */
} lie_t;

typedef struct liar {
  pty_pair_t pair; /* pair.path is the bridge's device */
  int line;        /* the simulator's */
  atomic_int lie;
  atomic_int reads_left; /* > 0: of the motors, before it is honest again */
  atomic_bool ended;
  pthread_t thread;
} liar_t;

/* Makes the bridge's device; nothing is on it yet. */
void liar_open(liar_t *liar);
/* Goes between it and the simulator's. */
void liar_join(liar_t *liar, const char *simulator);
void liar_tell(liar_t *liar, lie_t lie);
/* Honest again after that many answers to reads of the motors. */
void liar_tell_for(liar_t *liar, lie_t lie, int reads);
void liar_close(liar_t *liar);

#endif
