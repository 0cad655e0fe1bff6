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

TestSuite(migrate, .init = set_up, .fini = tear_down);

Test(migrate, remembers_each_migration_with_its_checksum) {
  char checksum[80];
  fixture_text(&fixture, "SELECT checksum FROM schema_migrations WHERE version = 1", checksum,
               sizeof checksum);

  cr_assert_str_eq(checksum, migrations_of(DB_SQLITE)->rows[0].checksum);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM schema_migrations"),
               migrations_of(DB_SQLITE)->count);
}

Test(migrate, opens_its_own_file_again) {
  fixture_reopen(&fixture);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM schema_migrations"),
               migrations_of(DB_SQLITE)->count);
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

Test(migrate, names_a_damaged_file) {
  store_close(&fixture.store);
  FILE *file = fopen(fixture.path, "r+b");
  char junk[4096];
  memset(junk, 'x', sizeof junk);
  cr_assert_eq(fwrite(junk, 1, sizeof junk, file), sizeof junk);
  fclose(file);

  cr_assert_eq(fixture_try_open(&fixture), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fixture.fault.detail, fixture.path), "%s", fixture.fault.detail);
}

Test(migrate, says_when_the_folder_is_not_there) {
  store_t *store = NULL;
  gantry_fault_t fault = {0};

  cr_assert_eq(store_open_file("/nowhere/at/all.db", &store, &fault), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "/nowhere/at/all.db"));
}

Test(migrate, takes_back_a_migration_that_fails) {
  const migrations_t *known = migrations_of(DB_SQLITE);
  migration_t rows[16];
  memcpy(rows, known->rows, known->count * sizeof *rows);
  rows[known->count] =
      (migration_t){known->count + 1, "broken", "c", "CREATE TABLE half (a); CREATE TABEL wrong;"};
  db_t *db = NULL;
  gantry_fault_t fault = {0};
  store_close(&fixture.store);
  cr_assert_eq(db_sqlite_open(fixture.path, &db, &fault), GANTRY_OK);

  gantry_err_t err =
      migrate_up(db, fixture.path, &(migrations_t){rows, known->count + 1}, 0, &fault);

  db_close(&db);
  cr_assert_neq(err, GANTRY_OK);
  cr_assert_not_null(strstr(fault.detail, "broken"), "%s", fault.detail);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM sqlite_master WHERE name = 'half'"),
               0);
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
    char sql[256], columns[512];
    snprintf(sql, sizeof sql, "SELECT group_concat(name) FROM pragma_table_info('%s')",
             PUBLISHED[i].table);
    fixture_text(&fixture, sql, columns, sizeof columns);
    cr_assert_eq(strncmp(columns, PUBLISHED[i].columns, strlen(PUBLISHED[i].columns)), 0, "%s: %s",
                 PUBLISHED[i].table, columns);
  }
}
