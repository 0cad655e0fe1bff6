/* From options to ages and limits. */
#include "lifecycle_settings.h"

#include <stdio.h>

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
  /* The file itself, which may be a link to another disk. */
  snprintf(settings.on_disk, sizeof settings.on_disk, "%s", folder[0] ? folder : file);
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
