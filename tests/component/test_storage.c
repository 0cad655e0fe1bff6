/* Storage among neighbours that the test plays: what is said on the bus is found in the database.
 */
#include "harness.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <gantry/clock.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static harness_t *harness;
static harness_peer_t *sensors, *localization, *mapper;
static service_run_t *storage;
static char folder[64];

static void open_all(void) {
  char data[96];
  harness = harness_new();
  sensors = harness_peer(harness, "sensor-processor");
  localization = harness_peer(harness, "localization");
  mapper = harness_peer(harness, "mapper");
  snprintf(data, sizeof data, "data=%s", folder);
  storage = harness_open(harness, &STORAGE, (const char *[]){data, "batch_ms=20", NULL});
  harness_keep(harness, sensors, folder);
  harness_keep(harness, mapper, folder);
  cr_assert(harness_heard(harness, sensors->bus, "sensor.status.front", 2000));
  cr_assert(harness_heard(harness, localization->bus, "loc.pose", 2000));
  cr_assert(harness_heard(harness, mapper->bus, "map.status", 2000));
}

static void set_up(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry_storage_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  open_all();
}

static void tear_down(void) {
  harness_destroy(&harness);
  DIR *open_folder = opendir(folder);
  for (struct dirent *each; (each = readdir(open_folder)) != NULL;)
    unlinkat(dirfd(open_folder), each->d_name, 0);
  closedir(open_folder);
  rmdir(folder);
}

TestSuite(storage, .init = set_up, .fini = tear_down, .timeout = 30);

/* One reading, as sensor-processor's recorder says it; json NULL: a bare number. */
static void say_reading(const char *sensor, const char *type, const char *unit, double value,
                        const char *json) {
  static uint64_t count;
  sensor_readings_t *batch = calloc(1, sizeof *batch);
  batch->series_count = batch->which_count = batch->time_count = batch->number_count = 1;
  batch->value_count = batch->quality_count = batch->validity_count = 1;
  snprintf(batch->series[0].sensor, sizeof batch->series[0].sensor, "%s", sensor);
  snprintf(batch->series[0].type, sizeof batch->series[0].type, "%s", type);
  snprintf(batch->series[0].unit, sizeof batch->series[0].unit, "%s", unit);
  batch->time[0] = clock_wall_ns();
  batch->number[0] = ++count;
  batch->value[0] = value;
  batch->quality[0] = 0.75f;
  batch->which_objects_count = json != NULL;
  if (json) batch->objects = (blob_t){(const uint8_t *)json, strlen(json) + 1};
  cr_assert_eq(bus_publish(sensors->bus, TOPIC_SENSOR_READINGS, "sensor-processor", batch),
               GANTRY_OK);
  free(batch);
}

static void say_value(double value) {
  say_reading("VOLT", "value", "V", value, NULL);
}

static store_history_t *ask_history(const char *sensor) {
  static store_history_t history;
  store_history_get_t get = {.limit = 100};
  gantry_fault_t fault = {0};
  snprintf(get.sensor, sizeof get.sensor, "%s", sensor);
  gantry_err_t err = harness_call(harness, REQUEST_STORE_HISTORY, NULL, &get, &history, 0, &fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  return &history;
}

/* Asks until the sensor has that many readings, at most a few seconds. */
static store_history_t *wait_history(const char *sensor, uint64_t total) {
  store_history_t *history = ask_history(sensor);
  uint64_t deadline_ns = clock_mono_ns() + 5ull * GANTRY_NS_PER_S;
  while (history->total < total && clock_mono_ns() < deadline_ns)
    history = ask_history(sensor);
  cr_assert_eq(history->total, total);
  return history;
}

Test(storage, finds_readings_in_history) {
  for (int i = 0; i < 5; i++)
    say_value(i);

  store_history_t *history = wait_history("VOLT", 5);

  const sensor_reading_t *newest = &history->rows[0].reading;
  cr_assert_eq(history->rows_count, 5);
  cr_assert_str_eq(newest->sensor, "VOLT");
  cr_assert_float_eq(newest->quality, 0.75, 1e-9);
  cr_assert_eq(
      strncmp((const char *)newest->data.data, "{\"value\":4,\"unit\":\"V\"}", newest->data.len),
      0);
}

Test(storage, keeps_tags_with_their_fields) {
  say_reading("RFID_001", "rfid", "", 0, "{\"rfid_id\":\"0A1B2C3D\",\"signal_strength\":0.75}");

  store_history_t *history = wait_history("RFID_001", 1);

  cr_assert_eq(history->rows[0].reading.type, SENSOR_TYPE_RFID);
  char data[256];
  snprintf(data, sizeof data, "%.*s", (int)history->rows[0].reading.data.len,
           (const char *)history->rows[0].reading.data.data);
  cr_assert_not_null(strstr(data, "\"rfid_id\":\"0A1B2C3D\""), "%s", data);
  cr_assert_not_null(strstr(data, "\"signal_strength\":0.75"), "%s", data);
}

Test(storage, keeps_events_and_gives_them_back) {
  static store_events_t events;
  sys_event_t event = {.id = "MAP-STORED", .category = SYS_CATEGORY_STATE};
  store_events_get_t get = {.limit = 10};
  gantry_fault_t fault = {0};
  uint64_t deadline_ns = clock_mono_ns() + 5ull * GANTRY_NS_PER_S;
  cr_assert_eq(bus_publish(mapper->bus, TOPIC_EVENT, "mapper", &event), GANTRY_OK);

  do
    cr_assert_eq(harness_call(harness, REQUEST_STORE_EVENTS, NULL, &get, &events, 0, &fault),
                 GANTRY_OK);
  while (events.rows_count == 0 && clock_mono_ns() < deadline_ns);

  cr_assert_eq(events.rows_count, 1);
  cr_assert_str_eq(events.rows[0].event.id, "MAP-STORED");
  cr_assert_str_eq(events.rows[0].service, "mapper");
}

static gantry_err_t put_tag(const char *id, gantry_fault_t *fault) {
  store_tag_t tag = {.x = 1, .active = true}, out;
  snprintf(tag.tag, sizeof tag.tag, "%s", id);
  *fault = (gantry_fault_t){0};
  return harness_call(harness, REQUEST_STORE_TAG_PUT, NULL, &tag, &out, 0, fault);
}

Test(storage, keeps_everything_over_a_restart) {
  static store_tags_t tags;
  gantry_fault_t fault;
  say_value(1);
  wait_history("VOLT", 1);
  cr_assert_eq(put_tag("0A1B2C3D", &fault), GANTRY_OK);

  harness_destroy(&harness);
  open_all();

  cr_assert_eq(harness_call(harness, REQUEST_STORE_TAGS, NULL, &(sys_empty_t){0}, &tags, 0, &fault),
               GANTRY_OK);
  cr_assert_eq(tags.tags_count, 1);
  wait_history("VOLT", 1);
}

Test(storage, gives_a_map_of_some_size_back) {
  static uint8_t cells[300000];
  store_map_put_t put = {.grid = {.info = {.map_id = "map_1", .name = "hall", .resolution = 0.05}}};
  map_key_t key = {.map_id = "map_1"};
  map_info_t info;
  map_grid_t grid;
  gantry_fault_t fault = {0};
  put.grid.info.height = 1;
  for (size_t i = 0; i < sizeof cells; i += 2) {
    cells[i] = (const uint8_t[]){0, 1, 255}[i / 2 % 3];
    cells[i + 1] = (uint8_t)(1 + i % 127);
    put.grid.info.width += cells[i + 1];
  }
  put.grid.cells = (blob_t){.data = cells, .len = sizeof cells};

  gantry_err_t err = harness_call(harness, REQUEST_STORE_MAP_PUT, NULL, &put, &info, 0, &fault);

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(harness_call(harness, REQUEST_STORE_MAP_GET, NULL, &key, &grid, 0, &fault),
               GANTRY_OK);
  cr_assert_eq(grid.cells.len, sizeof cells);
  cr_assert_arr_eq(grid.cells.data, cells, sizeof cells);
}

/* Settings of a server that cannot be right: what the fault names and what it must say. */
static const struct {
  const char *settings[4];
  const char *field;
  const char *says;
} WRONG[] = {
    {{"backend=postgres", NULL}, "dsn", "dsn_file"},
    {{"backend=postgres", "dsn=dbname=a", "dsn_file=/b", NULL}, "dsn", "either"},
    {{"backend=postgres", "dsn=dbname=a colour=red", NULL}, "dsn", "connection string"},
    {{"backend=postgres", "dsn=dbname=a password=geheim", NULL}, "dsn", "dsn_file"},
    {{"backend=postgres", "dsn_file=/nowhere", NULL}, "/nowhere", "/nowhere"},
    {{"dsn=dbname=a", NULL}, "backend", "postgres"},
};

Test(storage, names_what_is_wrong_with_the_settings_of_a_server) {
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    service_run_t *other = NULL;
    gantry_fault_t fault = {0};
    harness_t *second = harness_new();

    gantry_err_t err = harness_try_open(second, &STORAGE, WRONG[i].settings, &other, &fault);

    harness_destroy(&second);
    cr_assert_eq(err, GANTRY_E_INVALID, "%zu", i);
    cr_assert_str_eq(fault.field, WRONG[i].field);
    cr_assert_not_null(strstr(fault.detail, WRONG[i].says), "%s", fault.detail);
    cr_assert_null(strstr(fault.detail, "geheim"), "%s", fault.detail);
  }
}

Test(storage, starts_without_its_server_and_says_so) {
  static store_tags_t tags;
  gantry_fault_t fault = {0};
  const sys_health_t *health = NULL;
  harness_t *second = harness_new();
  inbox_t *said = harness_collect(second, "health.storage");
  const char *settings[] = {"backend=postgres", "dsn=host=/nowhere dbname=gantry", NULL};
  uint64_t deadline_ns = clock_mono_ns() + 10ull * GANTRY_NS_PER_S;
  harness_open(second, &STORAGE, settings);

  gantry_err_t err =
      harness_call(second, REQUEST_STORE_TAGS, NULL, &(sys_empty_t){0}, &tags, 4000, &fault);

  cr_assert_eq(err, GANTRY_E_UNAVAILABLE, "%s", fault.detail);
  do {
    harness_for(second, 50);
    health = inbox_newest(said, "health.storage");
  } while (health->status != SYS_STATUS_DEGRADED && clock_mono_ns() < deadline_ns);
  cr_assert_eq(health->status, SYS_STATUS_DEGRADED);
  cr_assert_not_null(strstr(health->detail, "/nowhere"), "%s", health->detail);
  harness_destroy(&second);
}

Test(storage, names_a_database_that_is_none) {
  char path[96], setting[128];
  service_run_t *other = NULL;
  gantry_fault_t fault = {0};
  harness_t *second = harness_new();
  snprintf(path, sizeof path, "%s/other.db", folder);
  snprintf(setting, sizeof setting, "database=%s", path);
  FILE *file = fopen(path, "wb");
  for (int i = 0; i < 1000; i++)
    fputs("no database", file);
  fclose(file);

  gantry_err_t err =
      harness_try_open(second, &STORAGE, (const char *[]){setting, NULL}, &other, &fault);

  harness_destroy(&second);
  unlink(path);
  cr_assert_eq(err, GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, path), "%s", fault.detail);
}

static double number(const char *query) {
  char path[128];
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  snprintf(path, sizeof path, "%s/gantry.db", folder);
  cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
  cr_assert_eq(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
  cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
  double value = sqlite3_column_double(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

typedef struct question {
  const char *query;
  double wanted;
} question_t;

static bool is_answered_so(void *arg) {
  const question_t *question = arg;
  return number(question->query) == question->wanted;
}

/* Whether the query gives that number within some seconds. */
static bool comes_to(const char *query, double wanted) {
  question_t question = {.query = query, .wanted = wanted};
  return harness_until(harness, is_answered_so, &question, 10000);
}

Test(storage, keeps_every_pose_of_a_mapping_session) {
  map_status_t status = {.mapping = true, .session_id = "session_1"};
  loc_pose_t pose = {.x = 1, .covariance_count = 6};
  cr_assert_eq(bus_publish(mapper->bus, TOPIC_MAP_STATUS, NULL, &status), GANTRY_OK);
  harness_for(harness, 100);
  for (int i = 0; i < 3; i++) {
    cr_assert_eq(bus_publish(localization->bus, TOPIC_LOC_POSE, NULL, &pose), GANTRY_OK);
    harness_for(harness, 60);
  }

  harness_close(harness, &storage);

  cr_assert_eq(number("SELECT count(*) FROM robot_positions WHERE session_id = 'session_1'"), 3);
}

Test(storage, keeps_changes_of_safety_and_alerts_once) {
  robot_safety_t safety = {.state = ROBOT_FSM_STATE_IDLE, .speed_factor = 1};
  sys_alerts_t *alerts = calloc(1, sizeof *alerts);
  harness_peer_t *bridge = harness_peer(harness, "rs485-bridge");
  harness_keep(harness, bridge, folder);
  cr_assert(harness_heard(harness, bridge->bus, "alert.rs485-bridge", 2000));
  snprintf(alerts->service, sizeof alerts->service, "rs485-bridge");
  alerts->alerts_count = 1;
  snprintf(alerts->alerts[0].id, sizeof alerts->alerts[0].id, "MODULE-LOST");
  for (int i = 0; i < 4; i++) {
    safety.latched = i >= 2;
    cr_assert_eq(bus_publish(bridge->bus, TOPIC_ROBOT_SAFETY, NULL, &safety), GANTRY_OK);
    cr_assert_eq(bus_publish(bridge->bus, TOPIC_ALERT, "rs485-bridge", alerts), GANTRY_OK);
    harness_for(harness, 30);
  }
  free(alerts);

  cr_assert(comes_to("SELECT count(*) FROM safety_log", 2));
  cr_assert(comes_to("SELECT count(*) FROM alerts WHERE cleared IS NULL", 1));
  harness_close(harness, &storage);
  cr_assert_eq(number("SELECT count(*) FROM safety_log"), 2);
}

Test(storage, keeps_every_family_of_readings_and_thins_states_of_the_robot) {
  sensor_status_t status = {.sensor = "PROX_001", .state = SENSOR_STATE_ONLINE, .health = 1};
  sys_audit_t audit = {.actor = "anna", .action = "map.start", .success = true};
  robot_power_t power = {.voltage = 25, .charge = 0.5};
  robot_module_t module = {.address = 4, .name = "travel_motor", .health = 50};
  harness_peer_t *bridge = harness_peer(harness, "rs485-bridge");
  cr_assert(harness_heard(harness, bridge->bus, "robot.power", 2000));
  cr_assert(harness_heard(harness, bridge->bus, "robot.module.4", 2000));
  say_reading("ACCEL_001", "accelerometer", "", 0, "{\"x\":0,\"y\":0,\"z\":9.81}");
  cr_assert_eq(bus_publish(sensors->bus, TOPIC_SENSOR_STATUS, "PROX_001", &status), GANTRY_OK);
  cr_assert_eq(bus_publish(mapper->bus, TOPIC_AUDIT, "mapper", &audit), GANTRY_OK);
  for (int i = 0; i < 3; i++)
    cr_assert_eq(bus_publish(bridge->bus, TOPIC_ROBOT_POWER, NULL, &power), GANTRY_OK);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_ROBOT_MODULE, "4", &module), GANTRY_OK);

  wait_history("ACCEL_001", 1);
  wait_history("robot.power", 1);
  wait_history("robot.module.4", 1);
  cr_assert(comes_to("SELECT count(*) FROM audit_log WHERE actor = 'anna'", 1));
  harness_close(harness, &storage);

  cr_assert_eq(number("SELECT count(*) FROM sensor_status WHERE sensor_id = 'PROX_001'"), 1);
}
