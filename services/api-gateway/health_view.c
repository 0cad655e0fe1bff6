/* Six services judged by their own word and by their silence. */
#include "health_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <gantry/clock.h>

#include "load.h"

/* What one service is taken for. */
static void judge(const latest_service_t *row, const char *name, uint64_t started_ns,
                  uint64_t now_ns, http_service_health_t *out) {
  double since_start_s = clock_age_ms(now_ns, started_ns) / 1000;

  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "%s", name);
  if (!row || !row->health_at.known) {
    bool late = since_start_s > HEALTH_GRACE_S;
    out->status = late ? SYS_STATUS_DOWN : SYS_STATUS_STARTING;
    snprintf(out->detail, sizeof out->detail, "%s", late ? "never heard of" : "not heard of yet");
    return;
  }
  out->restarts = row->health.restarts;
  out->uptime = row->health.uptime;
  out->rss_bytes = row->health.rss_bytes;
  out->has_age = true;
  out->age = clock_age_ms(now_ns, row->health_at.heard_ns) / 1000;
  out->status = row->health.status;
  snprintf(out->detail, sizeof out->detail, "%s", row->health.detail);
  if (!latest_is_silent(&row->health_at, now_ns, LATEST_STATE_MS)) return;
  out->status = SYS_STATUS_DOWN;
  snprintf(out->detail, sizeof out->detail, "silent for %.1f s", out->age);
}

static const char *word_of(sys_status_t status) {
  if (status == SYS_STATUS_DOWN) return "unhealthy";
  return status == SYS_STATUS_READY ? "healthy" : "degraded";
}

static void name_fault(const http_service_health_t *process, http_health_t *out) {
  size_t len = strlen(out->error);

  out->has_error = true;
  snprintf(out->error + len, sizeof out->error - len, "%s%s: %s", len ? "; " : "", process->name,
           process->detail[0] ? process->detail
                              : desc_enum_text(&SYS_STATUS_ENUM, (int)process->status));
}

void health_view(const latest_t *latest, uint64_t started_ns, uint64_t now_ns, http_health_t *out) {
  bool down = false, partial = false;

  memset(out, 0, sizeof *out);
  snprintf(out->services.database, sizeof out->services.database, "unhealthy");
  snprintf(out->services.firmware, sizeof out->services.firmware, "unhealthy");
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT && out->processes_count < 8; i++) {
    const char *name = CATALOGUE_SERVICES[i];
    http_service_health_t *process = &out->processes[out->processes_count++];
    judge(latest_find_service(latest, name), name, started_ns, now_ns, process);
    down = down || process->status == SYS_STATUS_DOWN;
    partial = partial || process->status != SYS_STATUS_READY;
    if (process->status != SYS_STATUS_READY) name_fault(process, out);
    const char *word = word_of(process->status);
    if (!strcmp(name, "storage")) {
      snprintf(out->services.database, sizeof out->services.database, "%s", word);
    }
    if (!strcmp(name, "rs485-bridge")) {
      snprintf(out->services.firmware, sizeof out->services.firmware, "%s", word);
    }
  }
  snprintf(out->status, sizeof out->status, "%s",
           down      ? "unhealthy"
           : partial ? "degraded"
                     : "healthy");
  out->success = !partial;
  out->uptime = clock_age_ms(now_ns, started_ns) / 1000;
}

const char *health_word(const latest_t *latest, uint64_t started_ns, uint64_t now_ns) {
  bool partial = false;

  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    http_service_health_t process;
    const char *name = CATALOGUE_SERVICES[i];
    judge(latest_find_service(latest, name), name, started_ns, now_ns, &process);
    if (process.status == SYS_STATUS_DOWN) return "unhealthy";
    partial = partial || process.status != SYS_STATUS_READY;
  }
  return partial ? "degraded" : "healthy";
}

bool health_is_down(const latest_t *latest, const char *name, uint64_t started_ns,
                    uint64_t now_ns) {
  http_service_health_t process;

  judge(latest_find_service(latest, name), name, started_ns, now_ns, &process);
  return process.status == SYS_STATUS_DOWN;
}

void health_name_load(const char *what, double value, double limit, http_health_t *out) {
  size_t len = strlen(out->error);

  if (!(value > limit)) return;
  if (!strcmp(out->status, "healthy")) snprintf(out->status, sizeof out->status, "degraded");
  out->success = false;
  out->has_error = true;
  snprintf(out->error + len, sizeof out->error - len, "%s%s is used to %.0f %%", len ? "; " : "",
           what, value);
}

bool health_missing(const latest_t *latest, uint64_t now_ns, char *out, size_t size) {
  static const char *const NEEDED[] = {"storage", "rs485-bridge"};
  size_t len = 0;

  out[0] = '\0';
  for (size_t i = 0; i < sizeof NEEDED / sizeof NEEDED[0]; i++) {
    const latest_service_t *row = latest_find_service(latest, NEEDED[i]);
    bool known = row && row->health_at.known;
    if (known && !latest_is_silent(&row->health_at, now_ns, LATEST_STATE_MS)) continue;
    len += (size_t)snprintf(out + len, size - len, "%s%s %s", len ? ", " : "", NEEDED[i],
                            known ? "is silent" : "is not heard of yet");
  }
  return len > 0;
}

/* ---- the disk */

/* The disk that fills up is the database's, wherever that lies. */
static bool stored_disk_usage(const latest_t *latest, double *out) {
  const latest_service_t *storage = latest_find_service(latest, "storage");
  for (uint32_t i = 0; storage && i < storage->metrics.metrics_count; i++) {
    const sys_metric_t *metric = &storage->metrics.metrics[i];
    if (strcmp(metric->name, "gantry_store_disk_used_percent") != 0) continue;
    *out = load_percent(metric->value, 100);
    return metric->value > 0; /* 0: storage does not watch a disk */
  }
  return false;
}

double health_disk(const latest_t *latest, const char *data) {
  struct statvfs disk;
  double used = 0;

  if (!stored_disk_usage(latest, &used) && statvfs(data, &disk) == 0)
    used = load_percent((double)(disk.f_blocks - disk.f_bavail), (double)disk.f_blocks);
  return used;
}
