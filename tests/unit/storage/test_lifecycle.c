/* The order and the length of lifecycle's steps, on a real file and under load. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defaults.h"
#include "fixture.h"

#define DAY_US    86400000000ull
#define NOW_US    (400 * DAY_US)
#define SECOND_NS 1000000000ull
#define STEPS_MAX 20000

static fixture_t fixture;
static lifecycle_t lifecycle;
static lifecycle_settings_t settings;
static uint64_t now_ns;
static double step_ms[STEPS_MAX];
static uint32_t steps;

static void set_up(void) {
  fixture_init(&fixture);
  settings = (lifecycle_settings_t){.retention = default_lifecycle().retention,
                                    .limits = {.warning = 100, .purge = 100, .read_only = 100}};
  now_ns = SECOND_NS;
  cr_assert_eq(store_checkpoint_apart(fixture.store), GANTRY_OK);
}

static void tear_down(void) {
  lifecycle_fini(&lifecycle);
  fixture_fini(&fixture);
}

TestSuite(lifecycle, .init = set_up, .fini = tear_down, .timeout = 120);

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double share_ms(double share) {
  return step_ms[(size_t)(share * (steps - 1))];
}

/* How long this thread has waited for a processor so far: others' work, not the step's. */
static uint64_t waited_ns(void) {
  unsigned long long ran = 0, waited = 0;
  FILE *file = fopen("/proc/thread-self/schedstat", "re");
  if (file) {
    (void)!fscanf(file, "%llu %llu", &ran, &waited);
    fclose(file);
  }
  return waited;
}

static void measured_step(void) {
  uint64_t waited = waited_ns(), begun_ns = clock_mono_ns();
  lifecycle_step(&lifecycle, fixture.store, now_ns, NOW_US);
  uint64_t took_ns = clock_mono_ns() - begun_ns;
  waited = waited_ns() - waited;
  bool worked = lifecycle_get(&lifecycle).phase != LIFECYCLE_RESTING;
  if (worked && steps < STEPS_MAX)
    step_ms[steps++] = (double)(took_ns > waited ? took_ns - waited : 0) / 1e6;
  now_ns = lifecycle_next_ns(&lifecycle);
}

static void add_readings(uint64_t age_us, uint64_t spacing_us, uint32_t batches) {
  static sensor_readings_t batch;
  static uint64_t number;
  gantry_fault_t fault = {0};
  uint32_t added;
  for (uint32_t b = 0; b < batches; b++) {
    batch = (sensor_readings_t){.series_count = 10};
    for (uint32_t i = 0; i < 10; i++) {
      snprintf(batch.series[i].sensor, sizeof batch.series[i].sensor, "s%u", i);
      snprintf(batch.series[i].type, sizeof batch.series[i].type, "value");
    }
    batch.which_count = batch.time_count = batch.number_count = batch.value_count =
        batch.quality_count = batch.validity_count = 1000;
    for (uint32_t i = 0; i < 1000; i++) {
      uint64_t at = (uint64_t)b * 100 + i / 10;
      batch.which[i] = (uint8_t)(i % 10);
      batch.time[i] = (NOW_US - age_us + at * spacing_us) * 1000;
      batch.number[i] = ++number;
      batch.value[i] = (double)number * 0.5;
      batch.quality[i] = 1;
    }
    cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
    cr_assert_eq(
        store_add_readings(fixture.store, &(store_origin_t){.robot = "r1"}, &batch, &added, &fault),
        GANTRY_OK, "%s", fault.detail);
    cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  }
}

/* That share of them: a server's own scheduling is not ours to see, nor what a disk takes to sync.
 */
static void expect_short_steps(double share) {
  qsort(step_ms, steps, sizeof *step_ms, by_size);
  fprintf(stderr, "# steps %u: p50 %.2f p90 %.2f p99 %.2f max %.2f ms\n", steps, share_ms(0.5),
          share_ms(0.9), share_ms(0.99), share_ms(1));
  cr_assert_gt(steps, 20);
  cr_assert_lt(share_ms(share), 20, "of %g %%: %g, longest %g ms", 100 * share, share_ms(share),
               share_ms(1));
}

Test(lifecycle, never_holds_the_writer_for_long_while_readings_come_in) {
  add_readings(100 * DAY_US, 100000, 100); /* to be packed, then deleted */
  add_readings(3 * DAY_US, 100000, 100);   /* to be packed */
  lifecycle_init(&lifecycle, &settings, now_ns);

  for (uint32_t i = 0; lifecycle_get(&lifecycle).pass_us == 0 && i < STEPS_MAX; i++) {
    measured_step();
    if (i % 2 == 0) add_readings(600000000 - (uint64_t)i * 20000, 100, 1);
  }

  cr_assert_gt(lifecycle_get(&lifecycle).deleted, 90000);
  expect_short_steps(fixture_is_pg() ? 0.95 : 0.99);
  if (!fixture_is_pg()) cr_assert_lt(share_ms(1), 500); /* one may meet a disk that is busy */
}

Test(lifecycle, gives_freed_pages_back_to_the_disk) {
  if (fixture_is_pg()) cr_skip_test("PostgreSQL cleans up by itself");
  add_readings(100 * DAY_US, 2000, 400);
  settings.limits.warning = 0; /* a narrow disk keeps nothing for later */
  snprintf(settings.on_disk, sizeof settings.on_disk, "%s", fixture.folder);
  lifecycle_init(&lifecycle, &settings, now_ns);
  double before = fixture_number(&fixture, "PRAGMA page_count");

  for (uint32_t i = 0; i < STEPS_MAX; i++) {
    measured_step();
    lifecycle_status_t status = lifecycle_get(&lifecycle);
    if (status.pass_us && status.phase == LIFECYCLE_RESTING) break;
  }

  cr_assert_lt(fixture_number(&fixture, "PRAGMA page_count"), before / 4);
  cr_assert_eq(fixture_number(&fixture, "PRAGMA freelist_count"), 0);
  expect_short_steps(0.9);
}

Test(lifecycle, rests_when_there_is_nothing_to_do) {
  lifecycle_init(&lifecycle, &settings, now_ns);
  uint64_t begun_ns = now_ns;
  uint32_t taken = 0;

  for (; now_ns < begun_ns + 60 * SECOND_NS; taken++)
    measured_step();

  cr_assert_leq(taken, 60);
}

Test(lifecycle, deletes_by_the_setting_in_force_at_the_next_pass) {
  static store_setting_put_t put = {.kind = "store.retention", .data = "{\"readings_days\":14}"};
  static store_setting_t set;
  add_readings(20 * DAY_US, 100000, 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &put, &set), GANTRY_OK);
  lifecycle_init(&lifecycle, &settings, now_ns);

  while (lifecycle_get(&lifecycle).pass_us == 0)
    measured_step();

  cr_assert_eq(fixture_number(&fixture, "SELECT coalesce(sum(rows), 0) FROM series"), 0);
}
