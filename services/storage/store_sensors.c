/* Configurations of sensors and their calibrations. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define SENSOR_COLUMNS                                                                             \
  "SELECT sensor, type, name, description, configuration, calibration, active, created, updated"   \
  " FROM sensor_config "

static void read_sensor(stmt_t *statement, store_sensor_config_t *row) {
  sensor_configure_t *config = &row->config;
  char type[16];
  db_get_text(statement, 0, config->sensor, sizeof config->sensor);
  db_get_text(statement, 1, type, sizeof type);
  int value = desc_enum_value(&SENSOR_TYPE_ENUM, type, strlen(type));
  config->type = value < 0 ? SENSOR_TYPE_VALUE : (sensor_type_t)value;
  db_get_text(statement, 2, config->name, sizeof config->name);
  config->has_description =
      db_get_text(statement, 3, config->description, sizeof config->description);
  db_get_text(statement, 4, config->configuration, sizeof config->configuration);
  config->has_calibration =
      db_get_text(statement, 5, config->calibration, sizeof config->calibration);
  row->active = db_get_bool(statement, 6);
  row->created = db_get_time(statement, 7);
  row->updated = db_get_time(statement, 8);
}

static gantry_err_t get_sensor(store_t *store, const char *sensor, store_call_t *call) {
  stmt_t *statement = db_use(store->db, SENSOR_COLUMNS "WHERE sensor = ?");
  db_bind_text(statement, 1, sensor);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "sensor", "sensor %s is not configured", sensor);
  if (err != GANTRY_OK) return err;
  read_sensor(statement, call->gives);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t check_sensor_room(store_t *store, const store_call_t *call,
                                      const char *sensor) {
  static const size_t MOST =
      sizeof((store_sensor_configs_t *)0)->sensors / sizeof(store_sensor_config_t);
  stmt_t *statement = db_use(store->db, "SELECT count(*), count(CASE WHEN sensor = ?1 THEN 1 END)"
                                        " FROM sensor_config");
  gantry_err_t err = store_check_room(statement, sensor, MOST);
  if (err != GANTRY_E_CONFLICT) return err;
  return fault_set(call->fault, err, "sensor",
                   "%zu sensors are configured, no more: give one of them another configuration",
                   MOST);
}

gantry_err_t store_sensor_put(store_t *store, store_call_t *call) {
  const sensor_configure_t *config = call->takes;
  GANTRY_TRY(check_sensor_room(store, call, config->sensor));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO sensor_config (sensor, type, name, description,"
                        " configuration, calibration, active, created, updated, id) VALUES"
                        " (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7, ?8) ON CONFLICT (sensor) DO"
                        " UPDATE SET type = ?2, name = ?3, description = ?4, configuration"
                        " = ?5, calibration = coalesce(?6, sensor_config.calibration), active = 1,"
                        " updated = ?7");
  db_bind_int(statement, 8, store_new_id(store, STORE_ID_SENSOR_CONFIG));
  db_bind_text(statement, 1, config->sensor);
  db_bind_text(statement, 2, desc_enum_text(&SENSOR_TYPE_ENUM, (int)config->type));
  db_bind_text(statement, 3, config->name);
  db_bind_opt_text(statement, 4, config->has_description, config->description);
  db_bind_text(statement, 5, config->configuration);
  db_bind_opt_text(statement, 6, config->has_calibration, config->calibration);
  db_bind_time(statement, 7, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  return get_sensor(store, config->sensor, call);
}

gantry_err_t store_sensor_get(store_t *store, store_call_t *call) {
  const store_sensor_key_t *key = call->takes;
  return get_sensor(store, key->sensor, call);
}

gantry_err_t store_sensor_list(store_t *store, store_call_t *call) {
  store_sensor_configs_t *out = call->gives;
  stmt_t *statement = db_use(store->db, SENSOR_COLUMNS "ORDER BY sensor LIMIT ?");
  gantry_err_t err;
  db_bind_int(statement, 1, sizeof out->sensors / sizeof *out->sensors);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_sensor(statement, &out->sensors[out->sensors_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t put_calibration(store_t *store, const sensor_calibrate_t *calibrate,
                                    const store_call_t *call) {
  stmt_t *retire = db_use(store->db, "UPDATE calibration SET active = 0 WHERE sensor = ?1");
  db_bind_text(retire, 1, calibrate->sensor);
  GANTRY_TRY(db_finish(retire));
  stmt_t *add = db_use(store->db, "INSERT INTO calibration (sensor, kind, data, ts, active, id,"
                                  " created_by) VALUES (?1, 'manual', ?2, ?3, 1, ?4, ?5)");
  db_bind_int(add, 4, store_new_id(store, STORE_ID_CALIBRATION));
  db_bind_text(add, 1, calibrate->sensor);
  db_bind_text(add, 2, calibrate->calibration);
  db_bind_time(add, 3, call->now_ns);
  db_bind_text(add, 5, call->actor);
  return db_finish(add);
}

gantry_err_t store_calibration_put(store_t *store, store_call_t *call) {
  const sensor_calibrate_t *calibrate = call->takes;
  sensor_calibrated_t *out = call->gives;
  stmt_t *statement =
      db_use(store->db, "UPDATE sensor_config SET calibration = ?2, calibrated = ?3, updated = ?3"
                        " WHERE sensor = ?1");
  db_bind_text(statement, 1, calibrate->sensor);
  db_bind_text(statement, 2, calibrate->calibration);
  db_bind_time(statement, 3, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  if (db_changes(store->db) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "sensor", "sensor %s is not configured",
                     calibrate->sensor);
  GANTRY_TRY(put_calibration(store, calibrate, call));
  snprintf(out->sensor, sizeof out->sensor, "%s", calibrate->sensor);
  snprintf(out->calibration, sizeof out->calibration, "%s", calibrate->calibration);
  out->time = call->now_ns;
  return GANTRY_OK;
}

/* Versions count from 1 as they were made; none is ever deleted alone. */
gantry_err_t store_calibrations(store_t *store, store_call_t *call) {
  const store_sensor_key_t *key = call->takes;
  sensor_calibration_versions_t *out = call->gives;
  stmt_t *statement = db_use(
      store->db, "SELECT data, ts, created_by, active, (SELECT count(*) FROM calibration AS older"
                 " WHERE older.sensor = calibration.sensor AND older.id <= calibration.id)"
                 " FROM calibration WHERE sensor = ?1 ORDER BY id DESC LIMIT ?2");
  gantry_err_t err;
  db_bind_text(statement, 1, key->sensor);
  db_bind_int(statement, 2, sizeof out->versions / sizeof *out->versions);
  while ((err = db_next(statement)) == GANTRY_OK) {
    sensor_calibration_version_t *version = &out->versions[out->versions_count++];
    db_get_text(statement, 0, version->calibration, sizeof version->calibration);
    version->time = db_get_time(statement, 1);
    db_get_text(statement, 2, version->by, sizeof version->by);
    version->active = db_get_bool(statement, 3);
    version->version = (uint32_t)db_get_u64(statement, 4);
  }
  if (err != GANTRY_E_NOT_FOUND || out->versions_count)
    return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
  return fault_set(call->fault, err, "sensor", "sensor %s was never calibrated", key->sensor);
}
