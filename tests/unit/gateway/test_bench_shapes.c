/* Shapes of the test-bench profile that no client shows at once: rings that are full, bins out of
   order, separators within texts. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdlib.h>
#include <string.h>

#include "bench/points.h"
#include "bench/shapes.h"

static points_t points;

static void open_points(void) {
  cr_assert_eq(points_init(&points), GANTRY_OK);
}

static void close_points(void) {
  points_fini(&points);
}

TestSuite(bench_shapes, .init = open_points, .fini = close_points);

static void add(bench_sensor_type_t type, uint64_t second, double value) {
  point_t point = {.type = type, .time_ns = second * GANTRY_NS_PER_S, .value = value};

  points_add(&points, &point, type == BENCH_SENSOR_TYPE_CAMERA ? "{}" : NULL, 2);
}

Test(bench_shapes, keep_the_newest_and_count_all) {
  for (uint64_t i = 0; i < POINTS_MAX + 300; i++)
    add(i % 2 ? BENCH_SENSOR_TYPE_CAMERA : BENCH_SENSOR_TYPE_FORCE, 1000 + i, 1);

  cr_expect_eq(points.readings.count, POINTS_MAX);
  cr_expect_eq(points_at(&points, 0)->time_ns, 1300 * GANTRY_NS_PER_S);
  cr_expect_eq(shapes_total(&points.sums), POINTS_MAX + 300);
  cr_expect_eq(points.sums.first_ns, 1000 * GANTRY_NS_PER_S);
  cr_expect_null(points_newest(&points, BENCH_SENSOR_TYPE_MOTOR));
  cr_expect_eq(points_since(&points, BENCH_SENSOR_TYPE_FORCE, 1300 * GANTRY_NS_PER_S),
               POINTS_MAX / 2);
}

Test(bench_shapes, sum_half_open_intervals_whatever_the_order) {
  static const uint64_t SECONDS[] = {130, 100, 160, 159, 220, 99};
  bench_bin_t *rows = calloc(POINTS_MAX, sizeof *rows);
  uint32_t matched;
  for (size_t i = 0; i < sizeof SECONDS / sizeof SECONDS[0]; i++)
    add(BENCH_SENSOR_TYPE_FORCE, SECONDS[i], (double)SECONDS[i]);
  add(BENCH_SENSOR_TYPE_CAMERA, 101, 0);

  uint32_t count = points_aggregate(&points, BENCH_SENSOR_TYPE_FORCE, 100 * GANTRY_NS_PER_S,
                                    220 * GANTRY_NS_PER_S, 60, rows, &matched);

  cr_assert_eq(count, 3);
  cr_expect_eq(matched, 5);
  cr_expect_float_eq(rows[0].interval_start, 100, 1e-9);
  cr_expect_float_eq(rows[0].interval_end, 160, 1e-9);
  cr_expect_eq(rows[0].count, 3);
  cr_expect_float_eq(rows[0].average, (130 + 100 + 159) / 3.0, 1e-9);
  cr_expect_float_eq(rows[1].min, 160, 1e-9);
  cr_expect_float_eq(rows[2].max, 220, 1e-9);
  count = points_aggregate(&points, BENCH_SENSOR_TYPE_CAMERA, 0, 220 * GANTRY_NS_PER_S, 1, rows,
                           &matched);
  cr_expect_eq(count, 0, "an object has no number");
  cr_expect_eq(matched, 1);
  free(rows);
}

Test(bench_shapes, space_json_outside_of_texts_alone) {
  static const char JSON[] = "{\"a,b\":[1,\"x\\\":,\\\\\",2],\"c\":{}}";
  buf_t out = {0};

  shapes_spaced(JSON, sizeof JSON - 1, &out);

  cr_expect_str_eq(buf_text(&out), "{\"a,b\": [1, \"x\\\":,\\\\\", 2], \"c\": {}}");
  buf_fini(&out);
}

Test(bench_shapes, say_null_for_the_span_of_one_reading) {
  shapes_session_t session = {.recording = true};
  char text[512];
  add(BENCH_SENSOR_TYPE_MOTOR, 100, -3);
  session.sums = points.sums;

  shapes_data_summary(&session, text, sizeof text);

  cr_expect_str_eq(text, "{\"total_readings\":1,\"sensor_breakdown\":{\"motor\":1},"
                         "\"validation_alerts\":0,\"session_duration_seconds\":null,"
                         "\"recording_active\":true,\"connected_clients\":0}");
}
