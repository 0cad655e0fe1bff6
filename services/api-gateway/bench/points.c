/* Rings of readings and alerts. */
#include "points.h"

#include <stdlib.h>
#include <string.h>

gantry_err_t points_init(points_t *points) {
  memset(points, 0, sizeof *points);
  GANTRY_TRY(ring_init(&points->readings, sizeof(point_t), POINTS_MAX));
  return ring_init(&points->alerts, sizeof(bench_alert_t), POINTS_ALERTS);
}

void points_clear(points_t *points) {
  point_t point;
  bench_alert_t alert;

  while (ring_pop(&points->readings, &point))
    free(point.object);
  while (ring_pop(&points->alerts, &alert))
    ;
  points->sums = (point_sums_t){0};
}

void points_fini(points_t *points) {
  points_clear(points);
  ring_fini(&points->readings);
  ring_fini(&points->alerts);
}

static void count(point_sums_t *sums, const point_t *point) {
  sums->counts[point->type]++;
  if (!sums->known || point->time_ns < sums->first_ns) sums->first_ns = point->time_ns;
  if (!sums->known || point->time_ns > sums->last_ns) sums->last_ns = point->time_ns;
  sums->known = true;
}

void points_add(points_t *points, const point_t *point, const char *object, size_t object_len) {
  point_t kept = *point, lost;

  kept.object = NULL;
  count(&points->sums, point);
  if (object && !(kept.object = strndup(object, object_len))) return;
  if (points->readings.count == points->readings.capacity && ring_pop(&points->readings, &lost))
    free(lost.object);
  if (!ring_push(&points->readings, &kept)) free(kept.object);
}

void points_alert(points_t *points, const bench_alert_t *alert) {
  points->sums.alerts++;
  ring_push_over(&points->alerts, alert);
}

const point_t *points_at(const points_t *points, size_t i) {
  return ring_at(&points->readings, i);
}

const point_t *points_newest(const points_t *points, bench_sensor_type_t type) {
  const point_t *newest = NULL;

  if (!points->sums.counts[type]) return NULL;
  for (size_t i = points->readings.count; i-- > 0;) {
    const point_t *point = points_at(points, i);
    if (point->type == type && (!newest || point->time_ns > newest->time_ns)) newest = point;
  }
  return newest;
}

uint32_t points_since(const points_t *points, bench_sensor_type_t type, uint64_t from_ns) {
  uint32_t found = 0;

  for (size_t i = 0; i < points->readings.count; i++) {
    const point_t *point = points_at(points, i);
    found += point->type == type && point->time_ns >= from_ns;
  }
  return found;
}

/* ---- sums by interval */

/* The row that begins at start_s, made in its place; readings come nearly in order of time. */
static bench_bin_t *bin_at(bench_bin_t *rows, uint32_t *row_count, double start_s) {
  uint32_t i = *row_count;

  while (i > 0 && rows[i - 1].interval_start > start_s)
    i--;
  if (i > 0 && rows[i - 1].interval_start >= start_s) return &rows[i - 1];
  memmove(&rows[i + 1], &rows[i], (*row_count - i) * sizeof *rows);
  ++*row_count;
  rows[i] = (bench_bin_t){.interval_start = start_s};
  return &rows[i];
}

/* average holds the sum until all are in. */
static void add(bench_bin_t *bin, double value) {
  if (!bin->count || value < bin->min) bin->min = value;
  if (!bin->count || value > bin->max) bin->max = value;
  bin->average += value;
  bin->count++;
}

uint32_t points_aggregate(const points_t *points, bench_sensor_type_t type, uint64_t from_ns,
                          uint64_t to_ns, uint32_t width_s, bench_bin_t *rows, uint32_t *matched) {
  uint64_t width_ns = (uint64_t)width_s * 1000000000u;
  uint32_t row_count = 0;

  *matched = 0;
  for (size_t i = 0; i < points->readings.count; i++) {
    const point_t *point = points_at(points, i);
    if (point->type != type || point->time_ns < from_ns || point->time_ns > to_ns) continue;
    ++*matched;
    if (point->object) continue;
    uint64_t number = (point->time_ns - from_ns) / width_ns;
    uint64_t start_us = (from_ns + number * width_ns) / 1000u;
    add(bin_at(rows, &row_count, (double)start_us / 1e6), point->value);
  }
  for (uint32_t i = 0; i < row_count; i++) {
    rows[i].interval_end = rows[i].interval_start + width_s;
    rows[i].average /= rows[i].count;
  }
  return row_count;
}
