/* What happens to the data by itself: packing into chunks, deletion by age, the guard of the disk
   and the giving back of freed pages; on the writer's thread, in steps of a few milliseconds with
   rests between them. Status may be read from any thread. */
#ifndef STORAGE_LIFECYCLE_H
#define STORAGE_LIFECYCLE_H

#include <pthread.h>

#include "disk_guard.h"
#include "store_lifecycle.h"

typedef enum lifecycle_phase {
  LIFECYCLE_RESTING,
  LIFECYCLE_COMPACTING,
  LIFECYCLE_DELETING,
  LIFECYCLE_PURGING, /* stream data before its age, to make room */
  LIFECYCLE_VACUUMING,
  LIFECYCLE_ERASING, /* readings of deleted sessions */
} lifecycle_phase_t;

typedef struct lifecycle_settings {
  retention_t retention;
  disk_limits_t limits;
  double compact_scans_s,
      compact_after_s; /* ages at which readings are packed; 0: the store's own */
  char on_disk[1344]; /* a file or folder there, of which is told how full it is; "": not watched */
} lifecycle_settings_t;

typedef struct lifecycle_status {
  lifecycle_phase_t phase;
  char table[32]; /* at work on */
  disk_level_t level;
  bool disk_known;
  uint64_t disk_bytes;  /* size of the file system */
  uint64_t room_bytes;  /* free there, and within the database */
  double used;          /* percent */
  uint64_t deleted;     /* rows by age since the start */
  uint64_t purged;      /* rows before their age since the start */
  int64_t purged_to_us; /* stream data before that went, 0 never */
  uint64_t pass_us;     /* wall time at which the last pass of deletion ended, 0 never */
  uint64_t steps;
  uint32_t step_us; /* longest step since the start */
} lifecycle_status_t;

typedef struct lifecycle {
  lifecycle_settings_t settings;
  disk_guard_t guard;
  lifecycle_phase_t phase;
  sweep_t sweep;
  retention_t policy;   /* of the running pass */
  int64_t purge_us;     /* target of the running purge */
  uint64_t next_ns;     /* of the next step */
  uint64_t disk_ns;     /* of the next look at the disk */
  uint64_t chunk_ns;    /* of the next compaction */
  uint64_t pass_ns;     /* of the next pass of deletion */
  uint64_t purge_ns;    /* of the next purge */
  uint64_t deleted_now; /* rows since the last vacuum */
  lifecycle_status_t status;
  pthread_mutex_t lock;
  lifecycle_status_t told; /* the status after the last step, for other threads: under the lock */
} lifecycle_t;

/* now_ns: monotonic. The first pass begins a minute later. */
void lifecycle_init(lifecycle_t *lifecycle, const lifecycle_settings_t *settings, uint64_t now_ns);
void lifecycle_fini(lifecycle_t *lifecycle);
/* When the next step is due, monotonic ns. */
uint64_t lifecycle_next_ns(const lifecycle_t *lifecycle);
/* One step, if due; no transaction may be open. wall_us: wall time, us since 1970. */
void lifecycle_step(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns, uint64_t wall_us);
/* There is something to do that cannot wait for the next step. */
void lifecycle_wake(lifecycle_t *lifecycle);
/* A write ended in err: it may be that there is no room. */
void lifecycle_note(lifecycle_t *lifecycle, store_t *store, gantry_err_t err, uint64_t now_ns);
/* Whether writing has stopped for want of room. The writer's thread. */
bool lifecycle_read_only(const lifecycle_t *lifecycle);
/* As the last step left it. Any thread. */
lifecycle_status_t lifecycle_get(lifecycle_t *lifecycle);

#endif
