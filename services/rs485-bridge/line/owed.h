/* Answers that are still owed. RTU carries no transaction number: after a time-out the late answer
   of a unit must not be taken for the next one's. The next read of that unit therefore has another
   length, and where no other is possible the unit rests until the late answer has come or cannot
   come any more. Pure: time is an argument. */
#ifndef BRIDGE_OWED_H
#define BRIDGE_OWED_H

#include "jobs.h"

#define OWED_MAX 32
#define OWED_NS  UINT64_C(500000000) /* an answer later than this does not come */

typedef struct owed_row {
  uint8_t unit;
  uint16_t count;
  bool doubtful;     /* it was answered by an exception that may have been another's */
  uint64_t until_ns; /* 0: free */
} owed_row_t;

typedef struct owed {
  owed_row_t rows[OWED_MAX];
  uint64_t full_ns; /* until then more is owed than there are rows: every unit rests */
} owed_t;

/* The read job was given up at now_ns, or (doubtful) its answer was perhaps another's. Writes owe
   nothing. */
void owed_add(owed_t *owed, const job_t *job, bool doubtful, uint64_t now_ns);
/* A late answer of count registers came from unit after all. False when none was owed. */
bool owed_settle(owed_t *owed, uint8_t unit, uint16_t count);
/* Whether unit owes anything beyond doubt: an exception that it answers may then stand for another
 * request. */
bool owed_has(const owed_t *owed, uint8_t unit, uint64_t now_ns);
/* Gives a read the length nearest to its own, within least and most, that no late answer can have.
   False when there is none: the unit rests. Writes pass. */
bool owed_shape(const owed_t *owed, job_t *job, uint64_t now_ns);

#endif
