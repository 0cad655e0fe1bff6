/* Configurations of sensors and their calibrations. */
#include <stdio.h>
#include <string.h>

#include "store_sqlite.h"

#define SENSOR_COLUMNS                                                                             \
  "SELECT sensor, type, name, description, configuration, calibration, active, created, updated"   \
  " FROM sensor_config "

static void read_sensor(sqlite3_stmt *statement, store_sensor_config_t *row) {
  sensor_configure_t *config = &row->config;
  char type[16];
  sql_get_text(statement, 0, config->sensor, sizeof config->sensor);
  sql_get_text(statement, 1, type, sizeof type);
  int value = desc_enum_value(&SENSOR_TYPE_ENUM, type, strlen(type));
  config->type = value < 0 ? SENSOR_TYPE_VALUE : (sensor_type_t)value;
  sql_get_text(statement, 2, config->name, sizeof config->name);
  config->has_description =
      sql_get_text(statement, 3, config->description, sizeof config->description);
  sql_get_text(statement, 4, config->configuration, sizeof config->configuration);
  config->has_calibration =
      sql_get_text(statement, 5, config->calibration, sizeof config->calibration);
  row->active = sql_get_bool(statement, 6);
  row->created = sql_get_time(statement, 7);
  row->updated = sql_get_time(statement, 8);
}

static gantry_err_t get_sensor(store_sqlite_t *store, const char *sensor, store_call_t *call) {
  sqlite3_stmt *statement = sql_use(&store->sql, SENSOR_COLUMNS "WHERE sensor = ?");
  sql_bind_text(statement, 1, sensor);
  gantry_err_t err = sql_next(&store->sql, statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "sensor", "sensor %s is not configured", sensor);
  if (err != GANTRY_OK) return err;
  read_sensor(statement, call->gives);
  sqlite3_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_sqlite_sensor_put(store_sqlite_t *store, store_call_t *call) {
  const sensor_configure_t *config = call->takes;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO sensor_config (sensor, type, name, description, configuration,"
                   " calibration, active, created, updated)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7) ON CONFLICT (sensor) DO UPDATE"
                   " SET type = ?2, name = ?3, description = ?4, configuration = ?5,"
                   " calibration = coalesce(?6, calibration), active = 1, updated = ?7");
  sql_bind_text(statement, 1, config->sensor);
  sql_bind_text(statement, 2, desc_enum_text(&SENSOR_TYPE_ENUM, (int)config->type));
  sql_bind_text(statement, 3, config->name);
  sql_bind_opt_text(statement, 4, config->has_description, config->description);
  sql_bind_text(statement, 5, config->configuration);
  sql_bind_opt_text(statement, 6, config->has_calibration, config->calibration);
  sql_bind_time(statement, 7, call->now_ns);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  return get_sensor(store, config->sensor, call);
}

gantry_err_t store_sqlite_sensor_get(store_sqlite_t *store, store_call_t *call) {
  const store_sensor_key_t *key = call->takes;
  return get_sensor(store, key->sensor, call);
}

gantry_err_t store_sqlite_sensor_list(store_sqlite_t *store, store_call_t *call) {
  store_sensor_configs_t *out = call->gives;
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement = sql_use(sql, SENSOR_COLUMNS "ORDER BY sensor LIMIT ?");
  gantry_err_t err;
  sql_bind_int(statement, 1, sizeof out->sensors / sizeof *out->sensors);
  while ((err = sql_next(sql, statement)) == GANTRY_OK)
    read_sensor(statement, &out->sensors[out->sensors_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t put_calibration(store_sqlite_t *store, const sensor_calibrate_t *calibrate,
                                    uint64_t now_ns) {
  sqlite3_stmt *retire = sql_use(&store->sql, "UPDATE calibration SET active = 0 WHERE sensor = ?");
  sql_bind_text(retire, 1, calibrate->sensor);
  GANTRY_TRY(sql_finish(&store->sql, retire));
  sqlite3_stmt *add =
      sql_use(&store->sql, "INSERT INTO calibration (sensor, kind, data, ts, active)"
                           " VALUES (?, 'manual', ?, ?, 1)");
  sql_bind_text(add, 1, calibrate->sensor);
  sql_bind_text(add, 2, calibrate->calibration);
  sql_bind_time(add, 3, now_ns);
  return sql_finish(&store->sql, add);
}

gantry_err_t store_sqlite_calibration_put(store_sqlite_t *store, store_call_t *call) {
  const sensor_calibrate_t *calibrate = call->takes;
  sensor_calibrated_t *out = call->gives;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "UPDATE sensor_config SET calibration = ?2, calibrated = ?3, updated = ?3"
                   " WHERE sensor = ?1");
  sql_bind_text(statement, 1, calibrate->sensor);
  sql_bind_text(statement, 2, calibrate->calibration);
  sql_bind_time(statement, 3, call->now_ns);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  if (sql_changes(&store->sql) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "sensor", "sensor %s is not configured",
                     calibrate->sensor);
  GANTRY_TRY(put_calibration(store, calibrate, call->now_ns));
  snprintf(out->sensor, sizeof out->sensor, "%s", calibrate->sensor);
  snprintf(out->calibration, sizeof out->calibration, "%s", calibrate->calibration);
  out->time = call->now_ns;
  return GANTRY_OK;
}
