/* Migrations, and files that must be refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "migrate.h"

static fixture_t fixture;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

static const migrations_t *known(void) {
  return migrations_of(fixture_is_pg() ? DB_PG : DB_SQLITE);
}

TestSuite(migrate, .init = set_up, .fini = tear_down);

Test(migrate, remembers_each_migration_with_its_checksum) {
  char checksum[80];
  fixture_text(&fixture, "SELECT checksum FROM schema_migrations WHERE version = 1", checksum,
               sizeof checksum);

  cr_assert_str_eq(checksum, known()->rows[0].checksum);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM schema_migrations"), known()->count);
}

Test(migrate, opens_its_own_file_again) {
  fixture_reopen(&fixture);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM schema_migrations"), known()->count);
}

Test(migrate, refuses_a_newer_database) {
  fixture_exec(&fixture, "INSERT INTO schema_migrations VALUES (999, 'later', 'x', 0)");

  cr_assert_eq(fixture_try_open(&fixture), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fixture.fault.detail, "999"), "%s", fixture.fault.detail);
  cr_assert_null(fixture.store);
}

Test(migrate, refuses_a_migration_that_was_altered) {
  fixture_exec(&fixture, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 1");

  cr_assert_eq(fixture_try_open(&fixture), GANTRY_E_INVALID);
}

Test(migrate, leaves_the_database_of_another_program_as_it_is) {
  char columns[64];
  fixture_exec(&fixture, "DROP TABLE schema_migrations");

  cr_assert_eq(fixture_try_open(&fixture), GANTRY_E_INVALID);
  cr_expect(strstr(fixture.fault.detail, "another program") != NULL, "%s", fixture.fault.detail);
  fixture_columns(&fixture, "schema_migrations", columns, sizeof columns);
  cr_expect_str_empty(columns);
}

Test(migrate, names_a_damaged_file) {
  if (fixture_is_pg()) cr_skip("a server's files are its own");
  store_close(&fixture.store);
  FILE *file = fopen(fixture.path, "r+b");
  char junk[4096];
  memset(junk, 'x', sizeof junk);
  cr_assert_eq(fwrite(junk, 1, sizeof junk, file), sizeof junk);
  fclose(file);

  cr_assert_eq(fixture_try_open(&fixture), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fixture.fault.detail, fixture.path), "%s", fixture.fault.detail);
}

Test(migrate, says_when_the_folder_or_the_server_is_not_there) {
  store_t *store = NULL;
  gantry_fault_t fault = {0};
  const char *path = fixture_is_pg() ? "host=/nowhere/at/all dbname=robots" : "/nowhere/at/all.db";

  cr_assert_eq(fixture_open(path, &store, &fault), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "/nowhere/at/all"), "%s", fault.detail);
}

/* The known migrations and one more. */
static migrations_t with(const migration_t *more) {
  static migration_t rows[16];
  memcpy(rows, known()->rows, known()->count * sizeof *rows);
  rows[known()->count] = *more;
  rows[known()->count].version = known()->count + 1;
  return (migrations_t){rows, known()->count + 1};
}

static gantry_err_t migrate_with(const migration_t *more, gantry_fault_t *fault) {
  migrations_t all = with(more);
  db_t *db = NULL;
  store_close(&fixture.store);
  cr_assert_eq(fixture_open_db(fixture.path, &db, fault), GANTRY_OK);
  gantry_err_t err = migrate_up(db, "here", &all, 0, fault);
  db_close(&db);
  return err;
}

#define HALF "CREATE TABLE half (a BIGINT); CREATE TABEL wrong;"

Test(migrate, takes_back_a_migration_that_fails) {
  gantry_fault_t fault = {0};
  char columns[16];

  cr_assert_neq(
      migrate_with(&(migration_t){.name = "broken", .checksum = "c", .sql = HALF}, &fault),
      GANTRY_OK);

  cr_assert_not_null(strstr(fault.detail, "broken"), "%s", fault.detail);
  fixture_columns(&fixture, "half", columns, sizeof columns);
  cr_assert_str_empty(columns);
}

Test(migrate, does_without_what_the_server_does_not_know) {
  gantry_fault_t fault = {0};
  char columns[16];
  migration_t finer = {.name = "finer", .checksum = "c", .sql = HALF, .optional = true};

  cr_assert_eq(migrate_with(&finer, &fault), GANTRY_OK, "%s", fault.detail);

  fixture_columns(&fixture, "half", columns, sizeof columns);
  cr_assert_str_empty(columns);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM schema_migrations"),
               known()->count + 1);
}

/* Readings of 0.1.0: a number each six seconds of a day and a half, one in seven of them known to
 * be wrong. */
#define READINGS_0_1_0                                                                             \
  "INSERT INTO series VALUES (1, '', 'battery', 'battery', 'V', 0);"                               \
  "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 21599)"                \
  " INSERT INTO reading (series, ts, value, quality, validity, source, session_id, boot, seq)"     \
  " SELECT 1, 1767225600000000 + i * 6000000, i % 97, 1, CASE WHEN i % 7 = 0 THEN 2 ELSE 0 END,"   \
  " 0, CASE WHEN i < 100 THEN 's1' END, 7, i FROM n"

static void make_0_1_0(void) {
  migrations_t first = {known()->rows, 1};
  gantry_fault_t fault = {0};
  db_t *db = NULL;
  store_close(&fixture.store);
  cr_assert_eq(remove(fixture.path), 0);
  cr_assert_eq(fixture_open_db(fixture.path, &db, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(migrate_up(db, "here", &first, 1, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(db_exec(db, READINGS_0_1_0, &fault), GANTRY_OK, "%s", fault.detail);
  db_close(&db);
}

#define GOOD(seconds)                                                                              \
  "SELECT count(*) FROM (SELECT ts - ts % (" #seconds " * 1000000) AS start, count(*) AS rows,"    \
  " sum(value) AS sum, sum(value * value) AS sum2, min(value) AS min, max(value) AS max, min(ts)"  \
  " AS first_ts, max(ts) AS last_ts FROM reading WHERE validity <> 2 GROUP BY 1) AS of_rows JOIN"  \
  " rollup ON rollup.series = 1 AND tier = " #seconds " AND rollup.start = of_rows.start"          \
  " AND rollup.rows = of_rows.rows AND rollup.sum = of_rows.sum AND rollup.sum2 = of_rows.sum2"    \
  " AND rollup.min = of_rows.min AND rollup.max = of_rows.max"                                     \
  " AND first = (SELECT value FROM reading WHERE ts = rollup.first_ts)"                            \
  " AND last = (SELECT value FROM reading WHERE ts = rollup.last_ts)"                              \
  " AND rollup.first_ts = of_rows.first_ts AND rollup.last_ts = of_rows.last_ts"

Test(migrate, rolls_up_the_readings_of_an_older_database) {
  if (fixture_is_pg()) cr_skip("0.1.0 knew no server");
  make_0_1_0();
  cr_assert_eq(fixture_open(fixture.path, &fixture.store, &fixture.fault), GANTRY_OK, "%s",
               fixture.fault.detail);

  cr_expect_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 21600);
  cr_expect_eq(fixture_number(&fixture, "SELECT count(*) FROM sensor_readings WHERE session_id ="
                                        " 's1'"),
               100);
  cr_expect_eq(fixture_number(&fixture, GOOD(60)), 2160);
  cr_expect_eq(fixture_number(&fixture, GOOD(3600)), 36);
  cr_expect_eq(fixture_number(&fixture, GOOD(86400)), 2);
  cr_expect_eq(fixture_number(&fixture, "SELECT count(*) FROM rollup"), 2198);
}

/* Table and columns of the published schema of the robot, in its order. */
static const struct {
  const char *table;
  const char *columns;
} PUBLISHED[] = {
    {"maps",
     "id,map_id,name,resolution,width,height,occupancy_grid,map_metadata,created_at,updated_at"},
    {"map_sessions",
     "id,session_id,map_id,start_time,end_time,total_scans,mapping_quality,created_at"},
    {"robot_positions", "id,session_id,x,y,theta,confidence,source,timestamp"},
    {"rfid_tags", "id,tag_id,x,y,z,tag_type,is_active,created_at,updated_at"},
    {"localization_configs",
     "id,config_key,config_value,config_type,description,is_active,created_at,updated_at"},
    {"sensor_configurations", "id,sensor_id,sensor_type,name,description,configuration,"
                              "calibration_data,is_active,created_at,updated_at"},
    {"sensor_readings", "id,sensor_type,sensor_id,data,quality,timestamp"},
    {"sensor_status",
     "id,sensor_id,sensor_type,status,last_reading_time,error_count,health_score,updated_at"},
    {"sensor_calibrations",
     "id,sensor_id,calibration_type,calibration_data,calibration_date,is_active"},
};

Test(migrate, has_the_nine_published_tables_with_their_columns) {
  for (size_t i = 0; i < sizeof PUBLISHED / sizeof *PUBLISHED; i++) {
    char columns[512];
    fixture_columns(&fixture, PUBLISHED[i].table, columns, sizeof columns);
    cr_assert_eq(strncmp(columns, PUBLISHED[i].columns, strlen(PUBLISHED[i].columns)), 0, "%s: %s",
                 PUBLISHED[i].table, columns);
  }
}
