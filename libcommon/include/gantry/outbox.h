/* The outbox: what must not be lost on its way to storage. Records are numbered, grouped, written
   to one SQLite file a service (WAL, FULL sync) by a thread of the outbox's own, kept until storage
   has acknowledged its commit, and handed out again after any restart, oldest first. Nothing here
   blocks the loop; all calls come from the loop's thread. */
#ifndef GANTRY_OUTBOX_H
#define GANTRY_OUTBOX_H

#include <gantry/err.h>
#include <gantry/loop.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_PARCEL_BYTES ((size_t)512 << 10) /* of a parcel, unless one record is larger */
#define OUTBOX_WINDOW       4u                  /* parcels under way at once */

typedef struct outbox outbox_t;

typedef struct outbox_settings {
  const char *folder;   /* where SERVICE.outbox lies; made when something has to be kept */
  const char *service;  /* at most 32 bytes */
  uint64_t boot;        /* of this process */
  uint64_t limit_bytes; /* of records kept; beyond it the oldest stream data goes */
} outbox_settings_t;

typedef struct outbox_record {
  const char *topic;
  const void *header, *body; /* packed, as on the bus; copied */
  size_t header_len, body_len;
  bool kept; /* safety, audit, events, sessions: never dropped for room; false: stream data */
} outbox_record_t;

/* GANTRY_OK: the record is on disk, or committed by storage, whichever was first.
   GANTRY_E_UNAVAILABLE: it was given up. Called from the loop, once, never from inside
   outbox_add. */
typedef void (*outbox_done_fn)(gantry_err_t err, void *arg);

/* A run of records of one boot, on its way to storage; bytes as message store.append has them. */
typedef struct outbox_parcel {
  uint64_t id;                /* rises from parcel to parcel */
  uint64_t boot, first, last; /* numbers of its first and last record */
  uint64_t previous;          /* last record of that boot still under way before it; 0: none */
  uint64_t dropped;           /* records of that boot given up so far */
  uint32_t generation;        /* of outbox_rewind */
  size_t len;
  uint8_t *bytes; /* owned by the parcel */
} outbox_parcel_t;

/* Takes a parcel, which is freed when it returns. */
typedef void (*outbox_parcel_fn)(const outbox_parcel_t *parcel, void *arg);

typedef struct outbox_stats {
  bool opened;             /* what earlier boots left is counted; before, it may be missing */
  uint64_t bytes, records; /* kept now */
  uint64_t dropped;        /* stream records given up for room since the start */
  uint64_t refused;        /* records that were not taken since the start */
  double sync_ms;          /* longest write since the last call */
  bool in_memory;          /* the file takes nothing: see trouble */
  char trouble[192];       /* why, and what to do; or "" */
} outbox_stats_t;

/* Starts the thread. Never fails for the disk's sake: what cannot be written is kept in memory
   (at most 8 MiB) and said in the stats. */
gantry_err_t outbox_open(const outbox_settings_t *settings, loop_t *loop, outbox_t **out);
/* Writes what has come, ends the thread, answers who still waits. At most a second: a disk that
   takes longer is left alone. NULL-safe. */
void outbox_close(outbox_t **self);

/* Takes a record; fn may be NULL. Records somebody waits for, and kept ones, are written at once,
   others within 50 ms. GANTRY_E_UNAVAILABLE when there is no room (then fn is not called). */
gantry_err_t outbox_add(outbox_t *outbox, const outbox_record_t *record, outbox_done_fn fn,
                        void *arg);

/* Hands out parcels from now on, in order, OUTBOX_WINDOW at a time. */
void outbox_deliver(outbox_t *outbox, outbox_parcel_fn fn, void *arg);
/* That parcel, and all before it, are storage's. Its bytes are not looked at. */
void outbox_delivered(outbox_t *outbox, const outbox_parcel_t *parcel);
/* Hands out again, under that generation, whatever was not delivered. */
void outbox_rewind(outbox_t *outbox, uint32_t generation);

/* Records on disk, or in memory where there is no disk, that storage has not committed. */
uint64_t outbox_waiting(const outbox_t *outbox);
outbox_stats_t outbox_get_stats(outbox_t *outbox);

#endif
