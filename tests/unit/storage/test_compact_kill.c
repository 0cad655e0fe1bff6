/* A process that is killed while it packs: every reading is there once, as a row or in a chunk. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "readings_sum.h"
#include "store_compact.h"

#define ROUNDS   6
#define BEGIN_US INT64_C(1767225600000000)
#define DAY_US   INT64_C(86400000000)

static fixture_t fixture;

static void fill(void) {
  static sensor_readings_t batch;
  uint32_t added;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  for (unsigned part = 0; part < 60; part++) {
    batch = (sensor_readings_t){.series_count = 1};
    snprintf(batch.series[0].sensor, sizeof batch.series[0].sensor, "s%u", part % 3);
    snprintf(batch.series[0].type, sizeof batch.series[0].type, "force");
    batch.which_count = batch.time_count = batch.number_count = batch.value_count =
        batch.quality_count = batch.validity_count = 600;
    for (unsigned i = 0; i < 600; i++) {
      batch.time[i] = (uint64_t)(BEGIN_US + 60000000 * (int64_t)part + 100000 * (int64_t)i) * 1000;
      batch.number[i] = 600u * part + i;
      batch.value[i] = (double)(i * i % 977) / 7.0;
    }
    cr_assert_eq(store_add_readings(fixture.store, &(store_origin_t){.robot = "r1"}, &batch, &added,
                                    &fixture.fault),
                 GANTRY_OK, "%s", fixture.fault.detail);
    cr_assert_eq(added, 600);
  }
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

static void pack_until_killed(const char *path, int tell) {
  store_t *store = NULL;
  gantry_fault_t fault = {0};
  bool done = false;
  if (fixture_open(path, &store, &fault) != GANTRY_OK) _exit(1);
  while (!done) {
    if (store_compact_step(store, BEGIN_US + 2 * DAY_US, 1, &done) != GANTRY_OK) _exit(2);
    if (write(tell, "s", 1) != 1) _exit(3);
  }
  _exit(0);
}

/* Kills the packer some steps after it began, at another place of a step each round. */
static void kill_once(unsigned round) {
  int ends[2];
  char step;
  cr_assert_eq(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) pack_until_killed(fixture.path, ends[1]);
  close(ends[1]);
  for (unsigned i = 0; i < 2 + round; i++)
    cr_assert_eq(read(ends[0], &step, 1), 1);
  uint64_t until_ns = clock_mono_ns() + 150000u * round;
  while (clock_mono_ns() < until_ns)
    ;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  close(ends[0]);
}

static void sum_up(reading_sum_t *sums, size_t *count) {
  db_t *db = NULL;
  cr_assert_eq(fixture_open_db(fixture.path, &db, &fixture.fault), GANTRY_OK);
  cr_assert_eq(readings_sum(db, sums, count), GANTRY_OK);
  db_close(&db);
}

Test(compact_kill, loses_and_doubles_nothing, .timeout = 120) {
  static reading_sum_t before[READING_SUMS_MAX], after[READING_SUMS_MAX];
  size_t count_before, count_after;
  uint64_t packed = 0;
  fixture_init(&fixture);
  fill();
  store_close(&fixture.store);
  sum_up(before, &count_before);

  for (unsigned round = 0; round < ROUNDS; round++) {
    kill_once(round);
    sum_up(after, &count_after);
    cr_assert_eq(count_after, count_before);
    for (size_t i = 0; i < count_after; i++) {
      const reading_sum_t *was = before;
      while (was->series != after[i].series)
        was++;
      cr_assert_eq(after[i].rows + after[i].packed, was->rows);
      cr_assert_eq(after[i].hash, was->hash, "series %lld", (long long)after[i].series);
      packed += after[i].packed;
    }
  }

  cr_assert_gt(packed, 0);
  fixture_reopen(&fixture);
  fixture_fini(&fixture);
}
