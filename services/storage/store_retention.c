/* How long what is kept, by the setting in force; what it leaves open is as the options say. */
#include "store_internal.h"
#include "store_lifecycle.h"

retention_t store_retention(store_t *store, const retention_t *options) {
  store_retention_t set = {0};
  bool found = false;
  gantry_fault_t fault = {0};
  retention_t policy = *options;
  if (store_setting_in_force(store, &STORE_RETENTION_DESC, "", &set, &found, &fault) != GANTRY_OK ||
      !found)
    return policy;
  const struct {
    bool given;
    double days;
    double *kept;
  } ROWS[] = {{set.has_readings_days, set.readings_days, &policy.readings_days},
              {set.has_scans_days, set.scans_days, &policy.scans_days},
              {set.has_poses_days, set.poses_days, &policy.poses_days},
              {set.has_thin_poses_days, set.thin_poses_days, &policy.poses_thin_days},
              {set.has_events_days, set.events_days, &policy.events_days},
              {set.has_safety_days, set.safety_days, &policy.safety_days},
              {set.has_commands_days, set.commands_days, &policy.commands_days},
              {set.has_minutes_days, set.minutes_days, &policy.minutes_days},
              {set.has_hours_days, set.hours_days, &policy.hours_days},
              {set.has_days_days, set.days_days, &policy.days_days}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
    if (ROWS[i].given) *ROWS[i].kept = ROWS[i].days;
  return policy;
}
