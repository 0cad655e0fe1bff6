/* The tray: one file, and memory for what the file does not take. A write is one transaction: what
   was delivered goes, what memory holds comes, what is new comes, the oldest stream data goes. */
#include "outbox_tray.h"

#include <gantry/clock.h>
#include <gantry/log.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_S = 5, TIDY_MS = 1000 };

static void set_aside(tray_t *tray) {
  static const char *const SUFFIXES[] = {"", "-wal"};
  box_close(&tray->file);
  for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
    char from[344], to[352];
    snprintf(from, sizeof from, "%s%s", tray->path, SUFFIXES[i]);
    snprintf(to, sizeof to, "%s.bad%s", tray->path, SUFFIXES[i]);
    if (rename(from, to) != 0 && errno != ENOENT)
      log_error("OUTBOX-BAD", "%s cannot be set aside: %s", from, strerror(errno));
  }
  log_error("OUTBOX-BAD", "%s is damaged; it is set aside as %s.bad, and a new one is begun",
            tray->path, tray->path);
}

/* What lies in a file that could not be opened before goes behind what has been numbered meanwhile:
   two batches of one id would be delivered, and deleted, as one. */
static gantry_err_t join_ids(tray_t *tray, gantry_fault_t *fault) {
  uint64_t last = box_last_id(tray->file);
  gantry_err_t err = GANTRY_OK;
  if (last > 0 && tray->next_id > 1) {
    uint64_t by = last > tray->next_id ? last : tray->next_id;
    err = box_shift(tray->file, by);
    last += by;
  }
  if (err == GANTRY_OK && last >= tray->next_id) tray->next_id = last + 1;
  if (err == GANTRY_OK) return err;
  fault_set(fault, err, "outbox", "%s: %s", tray->path, box_message(tray->file));
  box_close(&tray->file);
  return err;
}

static gantry_err_t open_file(tray_t *tray, gantry_fault_t *fault) {
  if (tray->file) return GANTRY_OK;
  if (mkdir(tray->folder, 0750) != 0 && errno != EEXIST)
    return fault_set(fault, GANTRY_E_UNAVAILABLE, "data", "%s: %s", tray->folder, strerror(errno));
  gantry_err_t err = box_open(tray->path, &tray->file, fault);
  if (err == GANTRY_E_INVALID) {
    set_aside(tray);
    err = box_open(tray->path, &tray->file, fault);
  }
  if (err == GANTRY_OK) err = join_ids(tray, fault);
  if (err == GANTRY_OK) tray->unread = false;
  return err;
}

void tray_init(tray_t *tray, const outbox_settings_t *settings, tray_lost_fn lost, void *arg) {
  gantry_fault_t fault = {0};
  *tray = (tray_t){.folder = settings->folder,
                   .boot = settings->boot,
                   .limit_bytes = settings->limit_bytes,
                   .lost = lost,
                   .arg = arg,
                   .next_id = 1};
  snprintf(tray->path, sizeof tray->path, "%s/%s.outbox", settings->folder, settings->service);
  tray->unread = access(tray->path, F_OK) == 0 && open_file(tray, &fault) != GANTRY_OK;
  if (tray->unread) log_warn("OUTBOX-MEMORY", "%s", fault.detail);
}

void tray_fini(tray_t *tray) {
  uint64_t lost = tray->memory ? box_get_totals(tray->memory).records : 0;
  if (lost > 0)
    log_error("OUTBOX-LOST", "%llu records are lost: no disk has taken them, and the process ends",
              (unsigned long long)lost);
  box_close(&tray->file);
  box_close(&tray->memory);
}

static void note_trouble(tray_t *tray, const char *detail, uint64_t now_ns) {
  bool was_well = tray->retry_ns == 0;
  tray->retry_ns = now_ns + RETRY_S * GANTRY_NS_PER_S;
  snprintf(tray->trouble, sizeof tray->trouble,
           "kept in memory only, free space, repair the disk or end who else has the file: %.90s",
           detail);
  if (was_well) log_error("OUTBOX-MEMORY", "%s", tray->trouble);
}

static void note_working(tray_t *tray) {
  if (tray->retry_ns != 0) log_info("OUTBOX-WORKING", "%s takes records again", tray->path);
  tray->retry_ns = 0;
  tray->trouble[0] = '\0';
}

/* tell: what goes was on no disk, and somebody may wait for it. */
static gantry_err_t make_room(tray_t *tray, box_t *box, uint64_t limit, bool tell) {
  while (box_get_totals(box).bytes > limit) {
    batch_t gone;
    gantry_err_t err = box_drop(box, &gone);
    if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
    GANTRY_TRY(err);
    tray->dropped += gone.records;
    if (tell) tray->lost(gone.first, gone.last, tray->arg);
  }
  return GANTRY_OK;
}

static gantry_err_t move_memory(tray_t *tray) {
  batch_t batch = {0};
  if (!tray->memory) return GANTRY_OK;
  gantry_err_t err;
  while ((err = box_next(tray->memory, batch.id, &batch)) == GANTRY_OK)
    GANTRY_TRY(box_insert(tray->file, &batch));
  if (err != GANTRY_E_NOT_FOUND) return err;
  uint64_t dropped = box_dropped(tray->memory, tray->boot);
  return dropped > 0 ? box_add_dropped(tray->file, tray->boot, dropped) : GANTRY_OK;
}

static gantry_err_t fill_file(tray_t *tray, const batch_t *batches, size_t count) {
  if (tray->delivered > tray->deleted) GANTRY_TRY(box_delete(tray->file, tray->delivered));
  GANTRY_TRY(move_memory(tray));
  for (size_t i = 0; i < count; i++)
    GANTRY_TRY(box_insert(tray->file, &batches[i]));
  return make_room(tray, tray->file, tray->limit_bytes, false);
}

static gantry_err_t write_file(tray_t *tray, const batch_t *batches, size_t count,
                               gantry_fault_t *fault) {
  uint64_t dropped = tray->dropped;
  gantry_err_t err = box_begin(tray->file);
  if (err == GANTRY_OK) err = fill_file(tray, batches, count);
  if (err == GANTRY_OK) err = box_commit(tray->file);
  if (err == GANTRY_OK) {
    tray->deleted = tray->delivered;
    box_close(&tray->memory);
    note_working(tray);
    return GANTRY_OK;
  }
  fault_set(fault, err, "outbox", "%s: %s", tray->path, box_message(tray->file));
  tray->dropped = dropped;
  box_rollback(tray->file);
  return err;
}

/* Tries the file; a damaged one is replaced and tried once more. */
static gantry_err_t try_file(tray_t *tray, const batch_t *batches, size_t count,
                             gantry_fault_t *fault) {
  GANTRY_TRY(open_file(tray, fault));
  gantry_err_t err = write_file(tray, batches, count, fault);
  if (err != GANTRY_E_INVALID) return err;
  set_aside(tray);
  GANTRY_TRY(open_file(tray, fault));
  return write_file(tray, batches, count, fault);
}

static gantry_err_t fill_memory(tray_t *tray, const batch_t *batches, size_t count) {
  gantry_fault_t fault;
  if (!tray->memory) GANTRY_TRY(box_open(":memory:", &tray->memory, &fault));
  GANTRY_TRY(box_begin(tray->memory));
  for (size_t i = 0; i < count; i++)
    GANTRY_TRY(box_insert(tray->memory, &batches[i]));
  GANTRY_TRY(make_room(tray, tray->memory, TRAY_MEMORY_BYTES, true));
  return box_commit(tray->memory);
}

void tray_put(tray_t *tray, batch_t *batches, size_t count, uint64_t now_ns) {
  gantry_fault_t fault = {0};
  bool waits = tray->retry_ns != 0 && now_ns < tray->retry_ns;
  /* Opened before ids are given: they follow those of an earlier boot. */
  gantry_err_t err = waits ? GANTRY_E_UNAVAILABLE : open_file(tray, &fault);
  for (size_t i = 0; i < count; i++)
    batches[i].id = tray->next_id++;
  if (err == GANTRY_OK) err = try_file(tray, batches, count, &fault);
  if (err == GANTRY_OK) return;
  if (!waits) note_trouble(tray, fault.detail, now_ns);
  if (fill_memory(tray, batches, count) == GANTRY_OK) return;
  if (tray->memory) box_rollback(tray->memory);
  for (size_t i = 0; i < count; i++)
    tray->lost(batches[i].first, batches[i].last, tray->arg);
}

gantry_err_t tray_next(tray_t *tray, uint64_t id, batch_t *out) {
  batch_t other;
  if (id < tray->delivered) id = tray->delivered;
  gantry_err_t err = tray->file ? box_next(tray->file, id, out) : GANTRY_E_NOT_FOUND;
  if (err == GANTRY_E_INVALID) set_aside(tray);
  if (err == GANTRY_E_INVALID) err = GANTRY_E_NOT_FOUND;
  if (!tray->memory || (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND)) return err;
  gantry_err_t err_of_memory = box_next(tray->memory, id, &other);
  if (err_of_memory != GANTRY_OK) return err == GANTRY_OK ? err : err_of_memory;
  if (err != GANTRY_OK || other.id < out->id) *out = other;
  return GANTRY_OK;
}

void tray_delivered(tray_t *tray, uint64_t id) {
  if (id <= tray->delivered) return;
  tray->delivered = id;
  if (!tray->memory || box_begin(tray->memory) != GANTRY_OK) return;
  gantry_err_t err = box_delete(tray->memory, id);
  if (err != GANTRY_OK || box_commit(tray->memory) != GANTRY_OK) box_rollback(tray->memory);
}

void tray_tidy(tray_t *tray, uint64_t now_ns) {
  gantry_fault_t fault = {0};
  bool dirty = tray->file && tray->delivered > tray->deleted;
  bool waits = tray->retry_ns != 0 && now_ns < tray->retry_ns;
  if (waits || (!dirty && !tray->memory)) return;
  if (try_file(tray, NULL, 0, &fault) != GANTRY_OK) note_trouble(tray, fault.detail, now_ns);
}

void tray_checkpoint(tray_t *tray) {
  if (tray->file) box_checkpoint(tray->file);
}

uint64_t tray_due_ns(const tray_t *tray, uint64_t now_ns) {
  if (tray->retry_ns != 0) return tray->retry_ns;
  bool dirty = tray->file && tray->delivered > tray->deleted;
  return dirty ? now_ns + (uint64_t)TIDY_MS * GANTRY_NS_PER_MS : 0;
}

uint64_t tray_dropped(tray_t *tray, uint64_t boot) {
  uint64_t dropped = tray->file ? box_dropped(tray->file, boot) : 0;
  return dropped + (tray->memory ? box_dropped(tray->memory, boot) : 0);
}

box_totals_t tray_totals(const tray_t *tray) {
  box_totals_t totals = tray->file ? box_get_totals(tray->file) : (box_totals_t){0};
  box_totals_t more = tray->memory ? box_get_totals(tray->memory) : (box_totals_t){0};
  totals.bytes += more.bytes;
  totals.kept_bytes += more.kept_bytes;
  totals.records += more.records;
  return totals;
}

uint64_t tray_limit(const tray_t *tray) {
  if (!tray->memory) return tray->limit_bytes;
  uint64_t on_disk = tray->file ? box_get_totals(tray->file).bytes : 0;
  uint64_t limit = on_disk + TRAY_MEMORY_BYTES;
  return limit < tray->limit_bytes ? limit : tray->limit_bytes;
}
