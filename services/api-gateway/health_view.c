/* Six services judged by their own word and by their silence. */
#include "health_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <gantry/clock.h>

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

/* ---- load of the machine */

/* proc(5): user nice system idle iowait irq softirq steal, in jiffies. */
static bool read_cpu(load_sample_t *out) {
  unsigned long long part[8] = {0};
  FILE *file = fopen("/proc/stat", "re");

  if (!file) return false;
  int count = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &part[0], &part[1],
                     &part[2], &part[3], &part[4], &part[5], &part[6], &part[7]);
  fclose(file);
  if (count != 8) return false;
  *out = (load_sample_t){0};
  for (int i = 0; i < 8; i++)
    out->total += part[i];
  out->busy = out->total - part[3] - part[4];
  return true;
}

static double read_memory(void) {
  char line[128];
  unsigned long long total = 0, available = 0;
  FILE *file = fopen("/proc/meminfo", "re");

  while (file && fgets(line, sizeof line, file)) {
    (void)sscanf(line, "MemTotal: %llu", &total);
    if (sscanf(line, "MemAvailable: %llu", &available) == 1) break;
  }
  if (file) fclose(file);
  return total ? 100.0 * (double)(total - available) / (double)total : 0;
}

static double percent(double part, double whole) {
  double share = whole > 0 ? 100 * part / whole : 0;

  return share < 0 ? 0 : share > 100 ? 100 : share;
}

/* The disk that fills up is the database's, wherever that lies. */
static bool stored_disk_usage(const latest_t *latest, double *out) {
  const latest_service_t *storage = latest_find_service(latest, "storage");
  for (uint32_t i = 0; storage && i < storage->metrics.metrics_count; i++) {
    const sys_metric_t *metric = &storage->metrics.metrics[i];
    if (strcmp(metric->name, "gantry_store_disk_used_percent") != 0) continue;
    *out = percent(metric->value, 100);
    return metric->value > 0; /* 0: storage does not watch a disk */
  }
  return false;
}

void health_load(load_sample_t *before, const latest_t *latest, const char *data,
                 http_system_load_t *out) {
  load_sample_t now;
  struct statvfs disk;

  *out = (http_system_load_t){.memory_usage = read_memory()};
  if (read_cpu(&now)) {
    out->cpu_usage =
        percent((double)(now.busy - before->busy), (double)(now.total - before->total));
    *before = now;
  }
  if (!stored_disk_usage(latest, &out->disk_usage) && statvfs(data, &disk) == 0)
    out->disk_usage = percent((double)(disk.f_blocks - disk.f_bavail), (double)disk.f_blocks);
}
