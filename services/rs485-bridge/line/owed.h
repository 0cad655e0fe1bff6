/* Answers that are still owed. RTU carries no transaction number: after a time-out the late answer
   of a unit must not be taken for the next one's. The next read of that unit therefore has another
   length, and where no other is possible the unit rests until the late answer has come or cannot
   come any more. A write is sent all the same, but an echo that may be an earlier one's is no
   acknowledgement. Pure: time is an argument. */
#ifndef BRIDGE_OWED_H
#define BRIDGE_OWED_H

#include "rtu.h"

#define OWED_MAX        32
#define OWED_WRITES_MAX 16
#define OWED_NS         UINT64_C(500000000) /* an answer later than this does not come */

typedef struct owed_row {
  rtu_mark_t mark;
  bool doubtful;     /* it was answered by an exception that may have been another's */
  uint64_t since_ns; /* of writes: the oldest that is owed this echo */
  uint64_t until_ns; /* 0: free */
} owed_row_t;

typedef struct owed {
  owed_row_t rows[OWED_MAX];          /* reads */
  owed_row_t writes[OWED_WRITES_MAX]; /* one a mark; of more the oldest is forgotten */
  uint64_t full_ns; /* until then more is owed than there are rows: every unit rests */
} owed_t;

/* The job was given up at now_ns, or (doubtful, reads) its answer was perhaps another's. */
void owed_add(owed_t *owed, const job_t *job, bool doubtful, uint64_t now_ns);
/* A late answer with that mark came after all. False when none was owed. */
bool owed_settle(owed_t *owed, const rtu_mark_t *mark, uint64_t now_ns);
/* Whether job's unit owes an answer of its function beyond doubt: an exception may then stand for
   another request. */
bool owed_has(const owed_t *owed, const job_t *job, uint64_t now_ns);
/* Whether the echo of the write job may be that of one given up before began_ns, when it was first
   sent. */
bool owed_echoes(const owed_t *owed, const job_t *job, uint64_t began_ns, uint64_t now_ns);
/* Gives a read the length nearest to its own, within least and most, that no late answer can have.
   False when there is none: the unit rests. Writes pass. */
bool owed_shape(const owed_t *owed, job_t *job, uint64_t now_ns);

#endif
