/* From options to ages and limits. */
#include "lifecycle_settings.h"

#include <stdio.h>
#include <string.h>

static void folder_of(const char *file, char *out, size_t size) {
  const char *slash = strrchr(file, '/');
  if (!file[0])
    out[0] = '\0';
  else if (!slash)
    snprintf(out, size, ".");
  else
    snprintf(out, size, "%.*s", slash == file ? 1 : (int)(slash - file), file);
}

lifecycle_settings_t lifecycle_settings_read(const config_t *config, const char *file) {
  const char *folder = config_text(config, "disk_folder");
  lifecycle_settings_t settings = {
      .retention = {.readings_days = config_real(config, "keep_readings_days"),
                    .scans_days = config_real(config, "keep_scans_days"),
                    .minutes_days = config_real(config, "keep_minute_rollups_days"),
                    .hours_days = config_real(config, "keep_hour_rollups_days"),
                    .days_days = config_real(config, "keep_day_rollups_days"),
                    .poses_days = config_real(config, "keep_poses_days"),
                    .poses_thin_days = config_real(config, "keep_thin_poses_days"),
                    .events_days = config_real(config, "keep_events_days"),
                    .safety_days = config_real(config, "keep_safety_days"),
                    .commands_days = config_real(config, "keep_commands_days"),
                    .marks_days = config_real(config, "keep_marks_days"),
                    .audit_days = config_real(config, "keep_audit_days")},
      .limits = {.warning = config_real(config, "disk_warning_percent"),
                 .purge = config_real(config, "disk_purge_percent"),
                 .read_only = config_real(config, "disk_read_only_percent")},
      .compact_scans_s = config_real(config, "compact_scans_s"),
      .compact_after_s = config_real(config, "compact_after_s")};
  if (folder[0])
    snprintf(settings.folder, sizeof settings.folder, "%s", folder);
  else
    folder_of(file, settings.folder, sizeof settings.folder);
  return settings;
}

gantry_err_t lifecycle_settings_check(const lifecycle_settings_t *settings, gantry_fault_t *fault) {
  const disk_limits_t *limits = &settings->limits;
  if (limits->warning <= limits->purge && limits->purge <= limits->read_only) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "disk_purge_percent",
                   "the levels of the disk must rise: disk_warning_percent %g, disk_purge_percent"
                   " %g, disk_read_only_percent %g",
                   limits->warning, limits->purge, limits->read_only);
}
