/* The publisher's own book: which numbers it may use, and which were acknowledged to it. Text, a
   line an entry, written before it counts:  N readings events  numbers below these may have been
   used; R first count  readings acknowledged;  E number  event acknowledged. It outlives the
   process, not the machine: no test cuts its power, and a sync would make the publisher wait for
   the witness's disk and call that the outbox's time. */
#ifndef GANTRY_STORE_LEDGER_H
#define GANTRY_STORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct store_ledger {
  int fd;
  uint64_t readings, events; /* next numbers: never used before, also not by a process that died */
  uint64_t readings_end, events_end; /* booked up to here */
  char *lines;                       /* owned, not yet written */
  uint32_t len;
} store_ledger_t;

/* Opens or creates; goes on behind what an earlier process has booked. False: see errno. */
bool store_ledger_open(store_ledger_t *ledger, const char *path);
void store_ledger_close(store_ledger_t *ledger);
/* Gives that many numbers, the first one in *first; false when the book cannot be written. */
bool store_ledger_readings(store_ledger_t *ledger, uint32_t count, uint64_t *first);
bool store_ledger_event(store_ledger_t *ledger, uint64_t *number);
/* Notes an acknowledgement; it counts after the next store_ledger_write. */
void store_ledger_note_readings(store_ledger_t *ledger, uint64_t first, uint32_t count);
void store_ledger_note_event(store_ledger_t *ledger, uint64_t number);
/* Writes what was noted. */
bool store_ledger_write(store_ledger_t *ledger);

#endif
