/* Looks at its folder, at the clock, and at the job it began. */
#include "backup_daily.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_S   86400u
#define RETRY_S 600u
#define STAMP   "gantry-%Y%m%dT%H%M%SZ"

/* The newest time at which one should have been made. */
static uint64_t last_turn_s(uint64_t now_s, int hour) {
  uint64_t turn_s = now_s / DAY_S * DAY_S + (uint64_t)hour * 3600;
  return turn_s <= now_s ? turn_s : turn_s - DAY_S;
}

bool backup_is_due(uint64_t now_s, int hour, uint64_t last_s) {
  return hour >= 0 && last_s < last_turn_s(now_s, hour);
}

uint64_t backup_next_s(uint64_t now_s, int hour, uint64_t last_s) {
  return backup_is_due(now_s, hour, last_s) ? now_s : last_turn_s(now_s, hour) + DAY_S;
}

uint64_t backup_stamp_s(const char *name, const char *suffix) {
  struct tm utc = {0};
  const char *end = strptime(name, STAMP, &utc);
  if (!end || end[0] != '.' || strcmp(end + 1, suffix) != 0) return 0;
  return (uint64_t)timegm(&utc);
}

static void remove_backup(int folder, const char *name) {
  char manifest[300];
  snprintf(manifest, sizeof manifest, "%s.manifest", name);
  if (unlinkat(folder, name, 0) == 0) log_info("BACKUP-REMOVED", "%s: past its age", name);
  (void)unlinkat(folder, manifest, 0);
}

/* Finds the newest; removes those that were made before cutoff_s, but not the newest. */
static void look(backup_daily_t *daily, uint64_t cutoff_s) {
  DIR *folder = opendir(daily->folder);
  if (!folder) return;
  for (struct dirent *each; (each = readdir(folder)) != NULL;) {
    uint64_t stamp_s = backup_stamp_s(each->d_name, daily->suffix);
    if (stamp_s > daily->last_s) {
      daily->last_s = stamp_s;
      snprintf(daily->last_file, sizeof daily->last_file, "%s", each->d_name);
    }
  }
  rewinddir(folder);
  for (struct dirent *each; (each = readdir(folder)) != NULL;) {
    uint64_t stamp_s = backup_stamp_s(each->d_name, daily->suffix);
    if (stamp_s && stamp_s < cutoff_s && stamp_s < daily->last_s)
      remove_backup(dirfd(folder), each->d_name);
  }
  closedir(folder);
}

void backup_daily_init(backup_daily_t *daily, service_t *service, backup_job_t *job,
                       db_kind_t kind) {
  const char *folder = config_text(service->config, "backup_folder");
  *daily = (backup_daily_t){.service = service,
                            .job = job,
                            .hour = (int)config_int(service->config, "backup_hour"),
                            .keep_days = config_real(service->config, "backup_keep_days"),
                            .key_file = config_text(service->config, "backup_key_file"),
                            .suffix = kind == DB_SQLITE ? "db" : "dump"};
  if (folder[0])
    snprintf(daily->folder, sizeof daily->folder, "%s", folder);
  else
    snprintf(daily->folder, sizeof daily->folder, "%.1000s/backups",
             config_text(service->config, "data"));
  look(daily, 0);
}

static void note(backup_daily_t *daily, const char *fault, uint64_t now_s) {
  snprintf(daily->fault, sizeof daily->fault, "%s", fault);
  daily->retry_s = fault[0] ? now_s + RETRY_S : 0;
  if (fault[0])
    alerts_raise(daily->service->alerts, "BACKUP-FAILED", daily->service->name,
                 SYS_SEVERITY_WARNING, "the daily backup failed: %.140s", fault);
  else
    alerts_clear(daily->service->alerts, "BACKUP-FAILED", daily->service->name);
}

static void start(backup_daily_t *daily, uint64_t now_ns) {
  char file[1200], name[64];
  struct tm utc;
  gantry_fault_t fault = {0};
  time_t now_s = (time_t)(now_ns / GANTRY_NS_PER_S);
  gmtime_r(&now_s, &utc);
  strftime(name, sizeof name, STAMP, &utc);
  snprintf(file, sizeof file, "%s/%s.%s", daily->folder, name, daily->suffix);
  if (mkdir(daily->folder, 0750) != 0 && errno != EEXIST)
    fault_set(&fault, GANTRY_E_UNAVAILABLE, "backup_folder", "%.100s: %s", daily->folder,
              strerror(errno));
  else if (backup_job_start(daily->job, file, daily->key_file, now_ns, &fault) == GANTRY_OK)
    daily->running = true;
  if (!daily->running) note(daily, fault.detail, (uint64_t)now_s);
}

void backup_daily_tick(backup_daily_t *daily, uint64_t now_ns) {
  store_backup_state_t state;
  uint64_t now_s = now_ns / GANTRY_NS_PER_S;
  if (daily->hour < 0) return;
  if (daily->running) {
    backup_job_get(daily->job, &state);
    if (state.running) return;
    daily->running = false;
    note(daily, state.failed, now_s);
    double kept_s = daily->keep_days * DAY_S;
    if (!state.failed[0]) look(daily, kept_s < (double)now_s ? now_s - (uint64_t)kept_s : 0);
    return;
  }
  if (now_s >= daily->retry_s && backup_is_due(now_s, daily->hour, daily->last_s))
    start(daily, now_ns);
}

void backup_daily_tell(const backup_daily_t *daily, uint64_t now_ns, store_state_t *out) {
  out->has_backup_last = daily->last_s != 0;
  out->backup_last = daily->last_s * GANTRY_NS_PER_S;
  snprintf(out->backup_file, sizeof out->backup_file, "%s", daily->last_file);
  snprintf(out->backup_fault, sizeof out->backup_fault, "%s", daily->fault);
  out->has_backup_next = daily->hour >= 0;
  if (daily->hour >= 0)
    out->backup_next =
        backup_next_s(now_ns / GANTRY_NS_PER_S, daily->hour, daily->last_s) * GANTRY_NS_PER_S;
}
