/* The storage service: opens the database, wires bus and requests to the writer. */
#include "storage.h"

#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_daily.h"
#include "backup_serve.h"
#include "db_lock.h"
#include "intake.h"
#include "lifecycle_settings.h"
#include "lifecycle_watch.h"
#include "requests.h"
#include "store_source.h"
#include "writer.h"

#define METRICS_MS 1000u

typedef struct storage {
  service_t *service;
  writer_t *writer;
  intake_t *intake;
  requests_t *requests;
  backup_job_t *backup;
  backup_daily_t daily;
  store_source_t source;
  int lock; /* on its file; -1: none */
  int timer;
  bool failing;
  lifecycle_watch_t watch;
  writer_stats_t counted; /* as the metrics have them */
  metric_t *rows, *failed, *repeated, *refused, *dropped, *queue, *batch_ms;
} storage_t;

static const option_t OPTIONS[] = {
    {"backend", OPTION_CHOICE, "sqlite", 0, 0, "sqlite|postgres", "what keeps the data"},
    {"database", OPTION_TEXT, "", 0, 1023, NULL,
     "database file; empty: gantry.db in the data folder"},
    {"dsn", OPTION_TEXT, "", 0, 1023, NULL,
     "PostgreSQL server, e.g. host=/run/postgresql dbname=gantry user=gantry; no password here"},
    {"dsn_file", OPTION_TEXT, "", 0, 1023, NULL,
     "secret file that holds the dsn with its password; instead of dsn"},
    {"queue_rows", OPTION_INT, "4096", 64, 65536, NULL, "rows that may wait for the writer"},
    {"batch_rows", OPTION_INT, "20000", 1, 1000000, NULL, "rows of one commit, more or less"},
    {"batch_ms", OPTION_INT, "200", 1, 5000, NULL, "longest wait of a row for its commit"},
    {"pose_rate_hz", OPTION_REAL, "1", 0, 20, NULL, "poses kept per second outside mapping"},
    {"module_rate_hz", OPTION_REAL, "0.1", 0, 10, NULL,
     "battery and module states kept per second"},
    {"map_versions_kept", OPTION_INT, "10", 1, 100, NULL, "versions of each map that stay"},
    {"pin_sessions", OPTION_BOOL, "true", 0, 0, NULL,
     "recorded sessions stay until they are deleted, whatever their age"},
    {"compact_scans_s", OPTION_REAL, "120", 1, 1e9, NULL, "age at which sweeps are packed"},
    {"compact_after_s", OPTION_REAL, "600", 1, 1e9, NULL,
     "age at which all other readings are packed; the view sensor_readings shows what is not"},
    {"keep_readings_days", OPTION_REAL, "30", 0.01, 36500, NULL, "age at which readings go"},
    {"keep_scans_days", OPTION_REAL, "1", 0.01, 36500, NULL, "age at which sweeps go"},
    {"keep_poses_days", OPTION_REAL, "7", 0.01, 36500, NULL,
     "age at which all but one pose a second go"},
    {"keep_thin_poses_days", OPTION_REAL, "30", 0.01, 36500, NULL, "age at which all poses go"},
    {"keep_events_days", OPTION_REAL, "90", 0.01, 36500, NULL, "age at which events and alerts go"},
    {"keep_safety_days", OPTION_REAL, "365", 0.01, 36500, NULL, "age at which the safety log goes"},
    {"keep_commands_days", OPTION_REAL, "30", 0.01, 36500, NULL, "age at which commands go"},
    {"keep_minute_rollups_days", OPTION_REAL, "90", 0.01, 36500, NULL,
     "age at which roll-ups of a minute go"},
    {"keep_hour_rollups_days", OPTION_REAL, "365", 0.01, 36500, NULL,
     "age at which roll-ups of an hour go"},
    {"keep_day_rollups_days", OPTION_REAL, "365", 0.01, 36500, NULL,
     "age at which roll-ups of a day go"},
    {"keep_marks_days", OPTION_REAL, "30", 1, 36500, NULL,
     "age at which it is forgotten what a boot of a producer delivered; never of its newest"},
    {"keep_audit_days", OPTION_REAL, "0", 0, 36500, NULL,
     "age at which audit entries go; 0: they never go"},
    {"disk_folder", OPTION_TEXT, "", 0, 1023, NULL,
     "folder whose disk is watched; empty: that of the database file, none for postgres"},
    {"disk_warning_percent", OPTION_REAL, "85", 10, 100, NULL, "a disk so full is warned of"},
    {"disk_purge_percent", OPTION_REAL, "92", 10, 100, NULL,
     "from here on the oldest readings and poses outside of sessions go"},
    {"disk_read_only_percent", OPTION_REAL, "97", 10, 100, NULL,
     "from here on nothing is written until there is room"},
    {"backup_hour", OPTION_INT, "-1", -1, 23, NULL,
     "hour of the daily backup, UTC; one that was missed is made at once; -1: none"},
    {"backup_folder", OPTION_TEXT, "", 0, 1000, NULL,
     "where daily backups go; empty: backups in the data folder"},
    {"backup_keep_days", OPTION_REAL, "365", 1, 36500, NULL, "age at which daily backups go"},
    {"backup_key_file", OPTION_TEXT, "", 0, 1023, NULL,
     "key that seals daily backups; empty: none"},
};

static writer_settings_t read_settings(const config_t *config, const char *file) {
  return (writer_settings_t){.queue = (uint32_t)config_int(config, "queue_rows"),
                             .batch_rows = (uint32_t)config_int(config, "batch_rows"),
                             .batch_ms = (uint32_t)config_int(config, "batch_ms"),
                             .map_versions = (uint32_t)config_int(config, "map_versions_kept"),
                             .pin_sessions = config_bool(config, "pin_sessions"),
                             .lifecycle = lifecycle_settings_read(config, file)};
}

static void on_metrics(void *arg) {
  storage_t *self = arg;
  writer_stats_t stats = writer_get_stats(self->writer);
  metric_add(self->rows, (double)(stats.rows - self->counted.rows));
  metric_add(self->failed, (double)(stats.failed - self->counted.failed));
  metric_add(self->repeated, (double)(stats.repeated - self->counted.repeated));
  metric_add(self->refused, (double)(stats.refused - self->counted.refused));
  metric_add(self->dropped, (double)(stats.dropped - self->counted.dropped));
  lifecycle_watch_tick(&self->watch, self->writer);
  backup_daily_tick(&self->daily, clock_wall_ns());
  metric_set(self->queue, (double)stats.queued);
  if (stats.batches != self->counted.batches) metric_observe(self->batch_ms, stats.batch_ms);
  if (stats.dropped != self->counted.dropped)
    log_warn("STORE-BEHIND", "%llu rows found the queue full",
             (unsigned long long)(stats.dropped - self->counted.dropped));
  self->counted = stats;
  self->failing = stats.failing;
}

static void register_metrics(storage_t *self, metrics_t *metrics) {
  self->rows =
      metrics_counter(metrics, "gantry_store_rows_total", "", "Rows committed to the database.");
  self->failed = metrics_counter(metrics, "gantry_store_rows_failed_total", "",
                                 "Rows the database did not take.");
  self->repeated =
      metrics_counter(metrics, "gantry_store_rows_repeated_total", "", "Rows it already had.");
  self->refused = metrics_counter(metrics, "gantry_store_records_refused_total", "",
                                  "Records of outboxes that cannot be stored.");
  self->dropped = metrics_counter(metrics, "gantry_store_rows_dropped_total", "",
                                  "Rows that found the writer's queue full.");
  self->queue = metrics_gauge(metrics, "gantry_store_queue_rows", "", "Rows and requests waiting.");
  self->batch_ms =
      metrics_summary(metrics, "gantry_store_commit_ms", "", "Longest commit of each second, ms.");
}

static void storage_stop(void **self) {
  storage_t *storage = *self;
  if (!storage) return;
  if (storage->timer) loop_cancel(storage->service->loop, storage->timer);
  intake_destroy(&storage->intake);
  if (storage->writer) writer_stop(storage->writer);
  requests_destroy(&storage->requests);
  writer_destroy(&storage->writer);
  backup_job_destroy(&storage->backup);
  db_unlock(storage->source.file, &storage->lock);
  free(storage);
  *self = NULL;
}

/* One storage at a time writes to a file. */
static gantry_err_t lock_source(storage_t *self, gantry_fault_t *fault) {
  if (self->source.kind == DB_PG) return GANTRY_OK;
  self->lock = db_lock(self->source.file, fault);
  if (self->lock >= 0) return GANTRY_OK;
  return fault->err = GANTRY_E_INVALID;
}

static void tell_state(void *arg, store_state_t *state) {
  storage_t *self = arg;
  lifecycle_status_t status = writer_lifecycle(self->writer);
  lifecycle_tell(&status, state);
  backup_daily_tell(&self->daily, clock_wall_ns(), state);
}

static gantry_err_t wire(storage_t *self, service_t *service, gantry_fault_t *fault) {
  store_t *store = NULL;
  store_source_t *source = &self->source;
  GANTRY_TRY(store_source_read(service->config, source, fault));
  writer_settings_t settings = read_settings(service->config, source->file);
  GANTRY_TRY(lifecycle_settings_check(&settings.lifecycle, fault));
  GANTRY_TRY(lock_source(self, fault));
  /* What cannot be opened is a setting to put right, except a server that is away: the writer waits
     for it, and outboxes hold what comes meanwhile. */
  gantry_err_t err = store_source_open(source, &store, fault);
  if (err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE) return err;
  if (store) store_keep_map_versions(store, settings.map_versions);
  if (store) store_pin_sessions(store, settings.pin_sessions);
  err = writer_new(source, store, &settings, &self->writer);
  if (err == GANTRY_OK)
    err = backup_job_new(source->kind, source->kind == DB_PG ? source->dsn : source->file,
                         config_text(service->config, "data"), &self->backup);
  if (err == GANTRY_OK) err = backup_serve(service, self->backup);
  if (err == GANTRY_OK)
    err = requests_new(service, self->writer, tell_state, self, &self->requests);
  if (err == GANTRY_OK) err = intake_new(service, self->writer, &self->intake);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "storage cannot start its parts");
  backup_daily_init(&self->daily, service, self->backup, source->kind);
  self->timer = loop_every(service->loop, METRICS_MS, on_metrics, self);
  return GANTRY_OK;
}

static gantry_err_t storage_start(service_t *service, void **out, gantry_fault_t *fault) {
  storage_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  self->service = service;
  self->lock = -1;
  register_metrics(self, service->metrics);
  lifecycle_watch_init(&self->watch, service);
  gantry_err_t err = wire(self, service, fault);
  *out = self;
  if (err != GANTRY_OK) storage_stop(out);
  return err;
}

static void storage_health(void *self, sys_health_t *out) {
  const storage_t *storage = self;
  if (lifecycle_watch_health(&storage->watch, out) || !storage->failing) return;
  out->status = SYS_STATUS_DEGRADED;
  snprintf(out->detail, sizeof out->detail, "%s", storage->counted.trouble);
}

const service_def_t STORAGE = {
    .name = "storage",
    .doc = "Keeps everything that outlives a process, and answers for it.",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
    .start = storage_start,
    .stop = storage_stop,
    .health = storage_health,
};
