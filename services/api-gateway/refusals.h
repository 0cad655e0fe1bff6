/* What strangers were refused, for the audit log, which is kept for ever: of what is like, the
   first is written, the rest of a window is counted and told by one row at its end. Pure. */
#ifndef GATEWAY_REFUSALS_H
#define GATEWAY_REFUSALS_H

#include <messages.h>

#define REFUSALS_MAX      128 /* kinds told apart in a window; the others are counted together */
#define REFUSALS_KEY_MAX  383
#define REFUSALS_WINDOW_S 60

typedef struct refusal {
  char key[REFUSALS_KEY_MAX + 1];
  sys_audit_t first;
  uint32_t more; /* like it, not written */
} refusal_t;

typedef struct refusals {
  refusal_t kinds[REFUSALS_MAX];
  uint32_t count;
  uint32_t told;   /* of those, looked at by refusals_next */
  uint32_t others; /* that found no room */
} refusals_t;

/* Whether so many are told apart that keys had better leave out where a request came from. */
bool refusals_is_crowded(const refusals_t *refusals);
/* Whether row is the first of what has this key (whose end is cut), and is to be written; otherwise
   it has been counted. */
bool refusals_is_first(refusals_t *refusals, const char *key, const sys_audit_t *row);
/* At the end of a window: the next row that tells what was counted. False when all are told: then
   nothing is known any more, and the next window may begin. */
bool refusals_next(refusals_t *refusals, sys_audit_t *out);

#endif
