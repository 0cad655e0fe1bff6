/* Sensors: counting, ages, states. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "registry.h"

#define S  1000000000ull
#define MS 1000000ull

static registry_t registry;

static void setup(void) {
  registry_init(&registry, &(registry_rule_t){.degraded_ns = S,
                                              .offline_ns = 3 * S,
                                              .sample_degraded_ns = 3 * S,
                                              .sample_offline_ns = 10 * S,
                                              .tag_silent_ns = 60 * S});
}

static void teardown(void) {
  registry_fini(&registry);
}

TestSuite(registry, .init = setup, .fini = teardown);

static registry_state_t state_at(registry_entry_t *entry, uint64_t now_ns) {
  registry_tick(&registry, entry, now_ns);
  return entry->state;
}

Test(registry, finds_what_was_added) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);

  cr_assert_eq(registry_find(&registry, "A"), entry);
  cr_assert_null(registry_find(&registry, "B"));
  cr_assert_eq(registry_add(&registry, "A", REGISTRY_LIDAR), entry);
}

Test(registry, keeps_the_type_of_a_sensor_that_was_heard) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);

  registry_add(&registry, "A", REGISTRY_RANGE);
  registry_type_t before = entry->type;
  registry_accept(entry, S, S, 1);
  registry_add(&registry, "A", REGISTRY_LIDAR);

  cr_assert_eq(before, REGISTRY_RANGE);
  cr_assert_eq(entry->type, REGISTRY_RANGE);
}

Test(registry, refuses_ids_it_cannot_hold_and_sensors_beyond_its_room) {
  char id[60];
  memset(id, 'x', sizeof id - 1);
  id[sizeof id - 1] = '\0';

  cr_assert_null(registry_add(&registry, "", REGISTRY_LIDAR));
  cr_assert_null(registry_add(&registry, id, REGISTRY_LIDAR));
  for (int i = 0; i < REGISTRY_CAPACITY; i++) {
    snprintf(id, sizeof id, "S%d", i);
    cr_assert_not_null(registry_add(&registry, id, REGISTRY_LIDAR));
  }
  cr_assert_null(registry_add(&registry, "one more", REGISTRY_LIDAR));
  cr_assert_eq(registry.refused, 3);
}

Test(registry, goes_from_unknown_to_online_to_degraded_to_offline) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);

  cr_assert_eq(state_at(entry, 9 * S), REGISTRY_UNKNOWN);
  cr_assert_lt(registry_age_s(entry, 9 * S), 0);
  registry_accept(entry, 10 * S, 7, 0.9);
  cr_assert_eq(state_at(entry, 10 * S + MS), REGISTRY_ONLINE);
  cr_assert_eq(state_at(entry, 12 * S), REGISTRY_DEGRADED);
  cr_assert_eq(state_at(entry, 14 * S), REGISTRY_OFFLINE);
  cr_assert_eq(entry->last_wall_ns, 7);
  cr_assert_eq(entry->health, 0);
  cr_assert_float_eq(registry_age_s(entry, 14 * S), 4, 1e-9);
}

Test(registry, tells_a_change_once) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);
  registry_accept(entry, 10 * S, 7, 0.9);

  cr_assert(registry_tick(&registry, entry, 10 * S));
  cr_assert_not(registry_tick(&registry, entry, 10 * S + MS));
}

Test(registry, does_not_call_a_reader_without_tags_offline) {
  registry_entry_t *entry = registry_add(&registry, "R", REGISTRY_RFID);
  registry_accept(entry, 10 * S, 7, 0.9);

  cr_assert_eq(state_at(entry, 40 * S), REGISTRY_ONLINE);
  cr_assert_eq(state_at(entry, 80 * S), REGISTRY_UNKNOWN);
}

Test(registry, is_degraded_while_it_refuses_one_in_ten) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_VALUE);
  for (uint64_t i = 0; i < 5; i++)
    registry_accept(entry, 10 * S + i * MS, 7, 0.9);

  registry_refuse(entry, 10 * S + 6 * MS, "value: too much");

  cr_assert_eq(state_at(entry, 10 * S + 7 * MS), REGISTRY_DEGRADED);
  cr_assert_eq(entry->errors, 1);
  cr_assert_str_eq(entry->last_error, "value: too much");
}

Test(registry, measures_the_rate_over_full_seconds) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_VALUE);
  for (uint64_t t = 0; t < 5000; t += 50)
    registry_accept(entry, 10 * S + t * MS, 7, 0.9);

  cr_assert_float_eq(registry_rate_hz(entry, 15 * S), 20, 1e-9);
  cr_assert_float_eq(registry_rate_hz(entry, 17 * S), 12, 1e-9);
  cr_assert_float_eq(registry_rate_hz(entry, 60 * S), 0, 1e-9);
}

Test(registry, refuses_reserved_words_as_ids) {
  cr_assert_eq(registry_check_id("list"), GANTRY_E_INVALID);
  cr_assert_eq(registry_check_id("simulate"), GANTRY_E_INVALID);
  cr_assert_eq(registry_check_id("robot"), GANTRY_E_INVALID);
  cr_assert_eq(registry_check_id("LIDAR_001"), GANTRY_OK);
}

Test(registry, waits_longer_for_values_which_may_come_slowly) {
  registry_entry_t *entry = registry_add(&registry, "CAM", REGISTRY_OBJECT);
  registry_accept(entry, 10 * S, 7, 0.9);

  cr_assert_eq(state_at(entry, 12 * S), REGISTRY_ONLINE);
  cr_assert_eq(state_at(entry, 14 * S), REGISTRY_DEGRADED);
  cr_assert_eq(state_at(entry, 21 * S), REGISTRY_OFFLINE);
}

Test(registry, goes_by_a_sensors_own_times) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);
  entry->late_ns = 20 * S;
  entry->silent_ns = 40 * S;
  registry_accept(entry, 10 * S, 7, 0.9);

  cr_assert_eq(state_at(entry, 29 * S), REGISTRY_ONLINE);
  cr_assert_eq(state_at(entry, 31 * S), REGISTRY_DEGRADED);
  cr_assert_eq(state_at(entry, 51 * S), REGISTRY_OFFLINE);
}

Test(registry, makes_health_of_delivery_refusals_and_quality) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);
  entry->rule.expected_hz = 20;
  for (uint64_t t = 0; t < 20000; t += 100)
    registry_accept(entry, 10 * S + t * MS, 7, 0.8);
  for (uint64_t i = 0; i < 10; i++)
    registry_refuse(entry, 30 * S - 100 * MS + i * MS, "value: too much");

  registry_health_t terms = registry_health(&registry, entry, 30 * S - 80 * MS);
  registry_tick(&registry, entry, 30 * S - 80 * MS);

  cr_assert_float_eq(terms.delivery, 0.5, 1e-9, "10 Hz of 20");
  cr_assert_float_eq(terms.accepted, 60.0 / 70, 1e-9);
  cr_assert_eq(terms.quality, 0.8);
  cr_assert_float_eq(entry->health, 0.4 * 0.5 + 0.4 * 60 / 70 + 0.2 * 0.8, 1e-9);
}

Test(registry, judges_no_rate_before_it_can_be_known) {
  registry_entry_t *entry = registry_add(&registry, "A", REGISTRY_LIDAR);
  entry->rule.expected_hz = 20;
  registry_accept(entry, 10 * S, 7, 1);

  cr_assert_eq(registry_health(&registry, entry, 10 * S + MS).delivery, 1);
}
