/* Inside of the outbox: where batches are kept. On disk while the disk takes them, else in memory,
   in one order. One thread; every call may block on the disk. */
#ifndef GANTRY_OUTBOX_TRAY_H
#define GANTRY_OUTBOX_TRAY_H

#include <gantry/outbox.h>

#include "outbox_box.h"

#define TRAY_MEMORY_BYTES (8u << 20)

/* Called for records of this boot that go from memory before anybody has them. */
typedef void (*tray_lost_fn)(uint64_t first, uint64_t last, void *arg);

typedef struct tray {
  const char *folder; /* borrowed */
  char path[320];
  uint64_t boot;
  uint64_t limit_bytes; /* of the file */
  tray_lost_fn lost;
  void *arg;
  box_t *file;      /* NULL until something is kept */
  box_t *memory;    /* NULL while the file takes everything */
  uint64_t next_id; /* of a batch */
  uint64_t deleted; /* delivered up to here, and gone */
  uint64_t delivered;
  uint64_t retry_ns; /* when the file is tried again; 0: no trouble */
  uint64_t dropped;  /* records, since the start */
  bool unread;       /* an earlier boot has left a file that does not open */
  char trouble[192];
} tray_t;

/* Opens what an earlier boot has left. Strings of settings are borrowed. */
void tray_init(tray_t *tray, const outbox_settings_t *settings, tray_lost_fn lost, void *arg);
void tray_fini(tray_t *tray);

/* Keeps batches (their ids are set here), making room among stream data. With tray->memory NULL
   afterwards they, and all that was put before, are on disk, but for those that were called lost.
 */
void tray_put(tray_t *tray, batch_t *batches, size_t count, uint64_t now_ns);
/* The first batch after id; bytes valid until the next call. GANTRY_E_NOT_FOUND: none. Another
   error means that the file cannot be read now: nothing behind it may be taken for the first. */
gantry_err_t tray_next(tray_t *tray, uint64_t id, batch_t *out);
/* Batches up to id are storage's; they go with the next write, or tray_tidy. */
void tray_delivered(tray_t *tray, uint64_t id);
/* Deletes what was delivered and tries the file again when it is time. */
void tray_tidy(tray_t *tray, uint64_t now_ns);
/* Keeps the file's log short: slow now and then, so behind all that somebody waits for. */
void tray_checkpoint(tray_t *tray);
/* When tray_tidy has something to do; 0: nothing. */
uint64_t tray_due_ns(const tray_t *tray, uint64_t now_ns);

uint64_t tray_dropped(tray_t *tray, uint64_t boot);
box_totals_t tray_totals(const tray_t *tray);
/* What all records together may take now, bytes. */
uint64_t tray_limit(const tray_t *tray);

#endif
