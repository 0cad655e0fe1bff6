/* Decides what the next step is for, takes it, and rests four times as long as it took. */
#include "lifecycle.h"

#include <errno.h>
#include <gantry/clock.h>
#include <gantry/log.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "store_compact.h"
#include "store_erase.h"

#define STEP_US         6000u /* of a step; what began goes on for 2 ms more, and is committed */
#define REST_FACTOR     4u    /* the writer gives a fifth of its time at most */
#define REST_MIN_NS     (5ull * GANTRY_NS_PER_MS)
#define DISK_EVERY_NS   (2ull * GANTRY_NS_PER_S)
#define CHUNK_EVERY_NS  (60ull * GANTRY_NS_PER_S)
#define PASS_EVERY_NS   (600ull * GANTRY_NS_PER_S)
#define PURGE_FRESH_US  (600ull * 1000000u) /* never purged: the newest ten minutes */
#define PURGE_SHARES    32u                 /* a purge takes so much of what there is */
#define PURGE_WAIT_NS   (600ull * GANTRY_NS_PER_S)
#define FREE_KEPT_BYTES (16ull << 20) /* in the database, for what comes next */

void lifecycle_init(lifecycle_t *lifecycle, const lifecycle_settings_t *settings, uint64_t now_ns) {
  *lifecycle = (lifecycle_t){.settings = *settings,
                             .guard = {.limits = settings->limits},
                             .next_ns = now_ns,
                             .disk_ns = now_ns,
                             .chunk_ns = now_ns + CHUNK_EVERY_NS,
                             .pass_ns = now_ns + CHUNK_EVERY_NS};
  pthread_mutex_init(&lifecycle->lock, NULL);
}

void lifecycle_fini(lifecycle_t *lifecycle) {
  pthread_mutex_destroy(&lifecycle->lock);
}

uint64_t lifecycle_next_ns(const lifecycle_t *lifecycle) {
  return lifecycle->next_ns;
}

void lifecycle_wake(lifecycle_t *lifecycle) {
  if (lifecycle->phase == LIFECYCLE_RESTING) lifecycle->next_ns = 0;
}

bool lifecycle_read_only(const lifecycle_t *lifecycle) {
  return lifecycle->guard.level == DISK_READ_ONLY;
}

lifecycle_status_t lifecycle_get(lifecycle_t *lifecycle) {
  pthread_mutex_lock(&lifecycle->lock);
  lifecycle_status_t status = lifecycle->told;
  pthread_mutex_unlock(&lifecycle->lock);
  return status;
}

static void tell(lifecycle_t *lifecycle) {
  pthread_mutex_lock(&lifecycle->lock);
  lifecycle->told = lifecycle->status;
  pthread_mutex_unlock(&lifecycle->lock);
}

static void tell_level(const lifecycle_t *lifecycle, disk_level_t before) {
  disk_level_t level = lifecycle->guard.level;
  double used = lifecycle->status.used;
  if (level == before) return;
  if (level == DISK_READ_ONLY)
    log_error("DISK-FULL",
              "the disk of the database is full (%.1f %%): nothing is written until"
              " there is room",
              used);
  else if (level > before)
    log_warn("DISK-FILLING", "the disk of the database is %.1f %% full: %s", used,
             level == DISK_PURGING ? "the oldest stream data goes" : "make room");
  else
    log_info("DISK-ROOM", "the disk of the database is %.1f %% full: %s", used,
             disk_level_name(level));
}

/* Free pages within the database are room too. */
static void look_at_disk(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns) {
  struct statvfs disk;
  disk_level_t before = lifecycle->guard.level;
  lifecycle_status_t *status = &lifecycle->status;
  bool known = lifecycle->settings.on_disk[0] && statvfs(lifecycle->settings.on_disk, &disk) == 0;
  lifecycle->disk_ns = now_ns + DISK_EVERY_NS;
  if (before >= DISK_PURGING) store_checkpoint(store);
  status->disk_known = known;
  if (known) {
    double kept = (double)(disk.f_blocks - disk.f_bfree) * (double)disk.f_frsize;
    uint64_t open = (uint64_t)disk.f_bavail * disk.f_frsize;
    status->disk_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    status->room_bytes = open + store_free_bytes(store);
    double all = kept + (double)open;
    status->used = all > 0 ? 100 * (all - (double)status->room_bytes) / all : 0;
  }
  status->level = disk_guard_note(&lifecycle->guard, known ? status->used : 0, now_ns);
  tell(lifecycle);
  tell_level(lifecycle, before);
}

void lifecycle_note(lifecycle_t *lifecycle, store_t *store, gantry_err_t err, uint64_t now_ns) {
  if (err == GANTRY_OK || !store_is_full(store)) return;
  disk_level_t before = lifecycle->guard.level;
  disk_guard_full(&lifecycle->guard, now_ns);
  lifecycle->status.level = DISK_READ_ONLY;
  tell(lifecycle);
  tell_level(lifecycle, before);
}

/* Up to which time a purge goes: a share of what there is, beyond what the last one reached.
   False when only the newest is left. */
static bool aim_purge(lifecycle_t *lifecycle, store_t *store, uint64_t wall_us) {
  int64_t from_us = 0;
  if (store_oldest_stream(store, &from_us) != GANTRY_OK) return false;
  if (lifecycle->status.purged_to_us > from_us) from_us = lifecycle->status.purged_to_us;
  int64_t last_us = (int64_t)(wall_us - PURGE_FRESH_US);
  if (from_us >= last_us) return false;
  int64_t share_us = (last_us - from_us) / PURGE_SHARES;
  lifecycle->purge_us = from_us + (share_us > 60000000 ? share_us : 60000000);
  if (lifecycle->purge_us > last_us) lifecycle->purge_us = last_us;
  return true;
}

static void begin(lifecycle_t *lifecycle, lifecycle_phase_t phase) {
  lifecycle->phase = phase;
  lifecycle->sweep = (sweep_t){0};
}

/* What to do next, when nothing is under way; a purge goes before everything else. */
static void choose(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns, uint64_t wall_us) {
  bool narrow = lifecycle->guard.level >= DISK_PURGING;
  if (!narrow) lifecycle->status.purged_to_us = 0;
  if (narrow && now_ns >= lifecycle->purge_ns && lifecycle->phase != LIFECYCLE_PURGING) {
    lifecycle->purge_ns = now_ns + DISK_EVERY_NS;
    if (aim_purge(lifecycle, store, wall_us)) {
      begin(lifecycle, LIFECYCLE_PURGING);
      return;
    }
  }
  if (lifecycle->phase != LIFECYCLE_RESTING) return;
  if (store_is_erasing(store)) {
    begin(lifecycle, LIFECYCLE_ERASING);
  } else if (now_ns >= lifecycle->chunk_ns) {
    begin(lifecycle, LIFECYCLE_COMPACTING);
  } else if (now_ns >= lifecycle->pass_ns) {
    lifecycle->policy = store_retention(store, &lifecycle->settings.retention);
    begin(lifecycle, LIFECYCLE_DELETING);
  }
}

static gantry_err_t compact(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns,
                            uint64_t wall_us) {
  bool done;
  if (lifecycle->settings.compact_after_s > 0)
    store_set_compaction(store, lifecycle->settings.compact_scans_s,
                         lifecycle->settings.compact_after_s);
  GANTRY_TRY(store_compact_step(store, wall_us, STEP_US, &done));
  if (!done) return GANTRY_OK;
  lifecycle->chunk_ns = now_ns + CHUNK_EVERY_NS;
  begin(lifecycle, LIFECYCLE_RESTING);
  return GANTRY_OK;
}

static gantry_err_t sweep(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns,
                          uint64_t wall_us) {
  bool purging = lifecycle->phase == LIFECYCLE_PURGING, done;
  uint64_t deleted;
  retain_t retain = {.policy = &lifecycle->policy,
                     .now_us = wall_us,
                     .purge_us = purging ? lifecycle->purge_us : 0,
                     .budget_us = STEP_US};
  snprintf(lifecycle->status.table, sizeof lifecycle->status.table, "%s",
           store_sweeping(&lifecycle->sweep));
  GANTRY_TRY(store_retain(store, &retain, &lifecycle->sweep, &deleted, &done));
  lifecycle->deleted_now += deleted;
  *(purging ? &lifecycle->status.purged : &lifecycle->status.deleted) += deleted;
  if (!done) return GANTRY_OK;
  if (purging) {
    lifecycle->status.purged_to_us = lifecycle->purge_us;
    /* Where freed pages are not counted as room, the database's own cleaning has to come first. */
    lifecycle->purge_ns = now_ns + (store_counts_free(store) ? 0 : PURGE_WAIT_NS);
    lifecycle->disk_ns = now_ns;
  } else {
    lifecycle->pass_ns = now_ns + PASS_EVERY_NS;
    lifecycle->status.pass_us = wall_us;
  }
  begin(lifecycle, lifecycle->deleted_now ? LIFECYCLE_VACUUMING : LIFECYCLE_RESTING);
  lifecycle->deleted_now = 0;
  return GANTRY_OK;
}

static gantry_err_t erase(lifecycle_t *lifecycle, store_t *store) {
  uint64_t deleted;
  bool done;
  snprintf(lifecycle->status.table, sizeof lifecycle->status.table, "session");
  GANTRY_TRY(store_erase_step(store, &lifecycle->sweep, STEP_US, &deleted, &done));
  lifecycle->deleted_now += deleted;
  lifecycle->status.deleted += deleted;
  if (!done) return GANTRY_OK;
  begin(lifecycle, lifecycle->deleted_now ? LIFECYCLE_VACUUMING : LIFECYCLE_RESTING);
  lifecycle->deleted_now = 0;
  return GANTRY_OK;
}

static gantry_err_t vacuum(lifecycle_t *lifecycle, store_t *store) {
  bool done = true;
  uint64_t kept = lifecycle->guard.level >= DISK_WARNING ? 0 : FREE_KEPT_BYTES;
  GANTRY_TRY(store_give_back(store, &lifecycle->sweep, kept, STEP_US, &done));
  if (!done) return GANTRY_OK;
  store_checkpoint(store);
  begin(lifecycle, LIFECYCLE_RESTING);
  return GANTRY_OK;
}

static gantry_err_t work(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns,
                         uint64_t wall_us) {
  switch (lifecycle->phase) {
  case LIFECYCLE_COMPACTING:
    return compact(lifecycle, store, now_ns, wall_us);
  case LIFECYCLE_DELETING:
  case LIFECYCLE_PURGING:
    return sweep(lifecycle, store, now_ns, wall_us);
  case LIFECYCLE_ERASING:
    return erase(lifecycle, store);
  case LIFECYCLE_VACUUMING:
    return vacuum(lifecycle, store);
  case LIFECYCLE_RESTING:
    break;
  }
  return GANTRY_OK;
}

static uint64_t sooner(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

void lifecycle_step(lifecycle_t *lifecycle, store_t *store, uint64_t now_ns, uint64_t wall_us) {
  if (now_ns < lifecycle->next_ns) return;
  uint64_t begun_ns = clock_mono_ns();
  if (now_ns >= lifecycle->disk_ns) look_at_disk(lifecycle, store, now_ns);
  choose(lifecycle, store, now_ns, wall_us);
  gantry_err_t err = work(lifecycle, store, now_ns, wall_us);
  uint64_t took_ns = clock_mono_ns() - begun_ns, rest_ns = REST_FACTOR * took_ns;
  lifecycle->status.phase = lifecycle->phase;
  lifecycle->status.steps++;
  if (took_ns / 1000 > lifecycle->status.step_us)
    lifecycle->status.step_us = (uint32_t)(took_ns / 1000);
  tell(lifecycle);
  lifecycle_note(lifecycle, store, err, now_ns);
  if (lifecycle->phase == LIFECYCLE_RESTING)
    lifecycle->next_ns =
        sooner(lifecycle->disk_ns, sooner(lifecycle->chunk_ns, lifecycle->pass_ns));
  else
    lifecycle->next_ns = now_ns + (rest_ns > REST_MIN_NS ? rest_ns : REST_MIN_NS);
  if (err != GANTRY_OK) lifecycle->next_ns = now_ns + DISK_EVERY_NS;
}
