/* Newest values and their age. */
#include "latest.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include <gantry/clock.h>

#define MS 1000000ull

Test(latest, carries_the_age_at_sending_over_to_our_clock) {
  /* Sent 30 ms after its birth on a clock that started elsewhere; heard at 1000 ms of ours. */
  frame_t frame = {.header = {.mono = 5030 * MS, .born = 5000 * MS, .wall = 9030 * MS, .trace = 7}};

  stamp_t at = latest_stamp(&frame, 1000 * MS);

  cr_expect(at.known);
  cr_expect_eq(at.born_ns, 970 * MS);
  cr_expect_eq(at.wall_ns, 9000 * MS);
  cr_expect_eq(at.trace, 7);
  cr_expect_float_eq(latest_age_ms(&at, 1010 * MS), 40, 1e-9);
}

Test(latest, counts_the_way_over_the_bus_where_the_clock_is_one) {
  frame_t frame = {.header = {.mono = 930 * MS, .born = 900 * MS}, .local = true};

  cr_expect_eq(latest_stamp(&frame, 1000 * MS).born_ns, 900 * MS);
  frame.header.mono = 1030 * MS; /* no sane clock of this host */
  frame.header.born = 1010 * MS;
  cr_expect_eq(latest_stamp(&frame, 1000 * MS).born_ns, 980 * MS);
}

Test(latest, takes_a_birth_in_the_future_for_now) {
  frame_t frame = {.header = {.mono = 10 * MS, .born = 20 * MS, .wall = 5}};

  stamp_t at = latest_stamp(&frame, 1000 * MS);

  cr_expect_eq(at.born_ns, 1000 * MS);
  cr_expect_float_eq(latest_age_ms(&at, 900 * MS), 0, 1e-9);
}

Test(latest, is_stale_by_birth_and_silent_by_hearing) {
  frame_t frame = {.header = {.mono = 5000 * MS, .born = 3000 * MS}};
  stamp_t at = latest_stamp(&frame, 10000 * MS);

  cr_expect(latest_is_stale(&at, 10000 * MS, 500));
  cr_expect_not(latest_is_silent(&at, 10000 * MS, 500));
  cr_expect(latest_is_silent(&at, 10501 * MS, 500));
}

Test(latest, holds_what_was_never_heard_for_stale_and_silent) {
  stamp_t at = {0};

  cr_expect(latest_is_stale(&at, 0, 500));
  cr_expect(latest_is_silent(&at, 0, 500));
  cr_expect_float_eq(latest_age_ms(&at, 100 * MS), 0, 1e-9);
}

static latest_t table;

Test(latest, keeps_one_row_a_sensor_module_and_service) {
  latest_sensor_t *sensor = latest_sensor(&table, "LIDAR_001");

  cr_assert_not_null(sensor);
  cr_expect_eq(latest_sensor(&table, "LIDAR_001"), sensor);
  cr_expect_eq(latest_find_sensor(&table, "LIDAR_001"), sensor);
  cr_expect_null(latest_find_sensor(&table, "RFID_001"));
  cr_expect_eq(latest_module(&table, 1, 3), latest_module(&table, 1, 3));
  cr_expect_neq(latest_module(&table, 1, 3), latest_module(&table, 1, 4));
  cr_expect_neq(latest_module(&table, 1, 3), latest_module(&table, 2, 3));
  cr_expect_eq(latest_service(&table, "mapper"), latest_find_service(&table, "mapper"));
  cr_expect_null(latest_find_service(&table, "storage"));
}

Test(latest, drops_a_module_that_is_told_no_more) {
  const uint64_t now_ns = 100 * GANTRY_NS_PER_S;
  for (uint8_t address = 2; address < 6; address++)
    latest_module(&table, 1, address)->at = (stamp_t){.known = true, .heard_ns = now_ns};
  latest_module(&table, 1, 3)->at.heard_ns = now_ns - 4 * GANTRY_NS_PER_S;

  latest_drop_modules(&table, now_ns);

  cr_assert_eq(table.module_count, 3);
  cr_expect_eq(table.modules[0].module.address, 2);
  cr_expect_eq(table.modules[1].module.address, 4);
  cr_expect_eq(table.modules[2].module.address, 5);
  cr_expect_not(latest_module(&table, 1, 3)->at.known);
}

Test(latest, refuses_rows_beyond_its_tables) {
  char name[16];

  for (int i = 0; i < LATEST_SENSORS; i++) {
    snprintf(name, sizeof name, "S%d", i);
    cr_assert_not_null(latest_sensor(&table, name));
  }
  for (int i = 0; i < LATEST_MODULES; i++)
    cr_assert_not_null(latest_module(&table, 1, (uint8_t)(i + 1)));
  for (int i = 0; i < LATEST_SERVICES; i++) {
    snprintf(name, sizeof name, "s%d", i);
    cr_assert_not_null(latest_service(&table, name));
  }

  for (int i = 0; i < LATEST_LINES; i++)
    cr_assert_not_null(latest_line(&table, (uint8_t)(i + 1)));

  cr_expect_null(latest_line(&table, 100));
  cr_expect_null(latest_sensor(&table, "one more"));
  cr_expect_null(latest_module(&table, 1, 200));
  cr_expect_null(latest_service(&table, "one more"));
}
