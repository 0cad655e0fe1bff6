/* Inside of the outbox: what its loop side and its thread share. */
#ifndef GANTRY_OUTBOX_INTERNAL_H
#define GANTRY_OUTBOX_INTERNAL_H

#include "outbox_tray.h"

#include <gantry/buf.h>
#include <gantry/mailbox.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
  OUTBOX_RUNS = 1024,            /* of the group being gathered */
  OUTBOX_RUN_BYTES = 256 << 10,  /* a longer run is ended */
  OUTBOX_STREAM_BYTES = 4 << 20, /* gathered; more stream data is refused */
  OUTBOX_GROUP_BYTES = 8 << 20,  /* gathered; more is refused */
  OUTBOX_LINGER_MS = 50,
  OUTBOX_WAITERS = 8192,
  OUTBOX_NOTES = 1024,
  OUTBOX_RECORD_HEAD = 18, /* number u64, topic u16, header u32, body u32 */
};

/* What has come since the thread last took it. */
typedef struct group {
  buf_t bytes;               /* of all runs, one behind the other */
  batch_t runs[OUTBOX_RUNS]; /* consecutive records of one class; bytes are set when written */
  uint32_t run_count;
  uint64_t kept_bytes;
  bool urgent;
  uint64_t since_ns; /* when its first record came */
} group_t;

/* To the thread. */
typedef enum order_kind {
  ORDER_LOOK,
  ORDER_DELIVER,
  ORDER_DELIVERED,
  ORDER_REWIND,
  ORDER_STOP
} order_kind_t;
typedef struct order {
  order_kind_t kind;
  uint64_t number; /* id of a parcel, or a generation */
} order_t;

/* To the loop. */
typedef enum note_kind { NOTE_SYNCED, NOTE_LOST, NOTE_PARCEL } note_kind_t;
typedef struct note {
  note_kind_t kind;
  uint64_t first, last; /* SYNCED: all up to last; LOST: from first to last */
  outbox_parcel_t parcel;
} note_t;

typedef struct waiter {
  uint64_t number;
  outbox_done_fn fn; /* NULL: answered */
  void *arg;
} waiter_t;

struct outbox {
  char folder[256], service[33];
  uint64_t boot, limit_bytes;
  pthread_t thread;
  mailbox_t *in, *out;
  pthread_mutex_t mutex; /* guards gathering and trouble */
  group_t *gathering;
  char trouble[192];
  /* Written by the thread. */
  atomic_uint_fast64_t bytes, kept_bytes, records, dropped, limit_now, sync_max_us;
  atomic_bool in_memory, opened;
  atomic_bool left; /* by one of the two */
  /* The loop's alone. */
  loop_t *loop;
  uint64_t next; /* number of the next record */
  uint64_t refused;
  waiter_t *waiters; /* ring of OUTBOX_WAITERS, in order of number */
  uint32_t waiter_head, waiter_count;
  outbox_parcel_fn fn;
  void *arg;
  /* The thread's alone. */
  group_t *taken;
  tray_t tray;
  bool delivering, stopping;
  uint64_t written;                /* number of the last record that was taken, to disk or memory */
  uint64_t told;                   /* the last one that the loop knows to be on disk */
  uint64_t cursor;                 /* the last batch that was handed out */
  uint64_t parcels[OUTBOX_WINDOW]; /* ids under way, in order */
  uint32_t under_way;
  bool hampered; /* something waits to be handed out that could not be: tried again soon */
  uint64_t handed_boot, handed_last;
  uint32_t generation;
  uint64_t lost_first, lost_last; /* not told yet, as the mailbox was full; 0: none */
};

void *outbox_run(void *arg);

/* The last that the loop's side and the thread do with it, each once: the second one frees it. A
   close does not wait longer than a second for the thread. */
void outbox_leave(outbox_t *outbox);

#endif
