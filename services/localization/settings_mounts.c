/* Where the distance sensors sit: the list in the setting "proximity". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>

#include "settings.h"

#define REACH_M 10.0

typedef struct reading {
  fusion_mount_t *mounts;
  gantry_fault_t *fault;
} reading_t;

static gantry_err_t number(const json_item_t *item, const char *key, double most, size_t index,
                           double *out, gantry_fault_t *fault) {
  char field[96];
  gantry_err_t err = json_item_number(item, key, out);
  if (err == GANTRY_OK && fabs(*out) <= most) return GANTRY_OK;
  (void)snprintf(field, sizeof field, "value.sensors[%zu].%s", index, key);
  return fault_set(fault, GANTRY_E_INVALID, field, "must be a number within %.6g to %.6g", -most,
                   most);
}

static gantry_err_t on_sensor(const json_item_t *item, size_t index, void *arg) {
  reading_t *reading = arg;
  fusion_mount_t mount = {0};
  char field[96];
  (void)snprintf(field, sizeof field, "value.sensors[%zu].sensor", index);
  if (index >= FUSION_MOUNTS)
    return fault_set(reading->fault, GANTRY_E_INVALID, "value.sensors", "at most %d sensors",
                     FUSION_MOUNTS);
  if (json_item_text(item, "sensor", mount.sensor, sizeof mount.sensor) != GANTRY_OK ||
      mount.sensor[0] == '\0')
    return fault_set(reading->fault, GANTRY_E_INVALID, field, "must be the id of a sensor");
  GANTRY_TRY(number(item, "x_m", REACH_M, index, &mount.pose.x, reading->fault));
  GANTRY_TRY(number(item, "y_m", REACH_M, index, &mount.pose.y, reading->fault));
  GANTRY_TRY(number(item, "theta_rad", M_PI, index, &mount.pose.theta, reading->fault));
  reading->mounts[index] = mount;
  return GANTRY_OK;
}

gantry_err_t settings_mounts(const char *value, fusion_mount_t mounts[FUSION_MOUNTS],
                             gantry_fault_t *fault) {
  fusion_mount_t found[FUSION_MOUNTS] = {0};
  reading_t reading = {found, fault};
  gantry_err_t err = json_each(value, "sensors", on_sensor, &reading);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err == GANTRY_E_INVALID) return err;
  if (err != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "value.sensors", "must be a list of sensors");
  memcpy(mounts, found, sizeof found);
  return GANTRY_OK;
}
