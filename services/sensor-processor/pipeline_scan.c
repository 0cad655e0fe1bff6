/* Sweeps of a LiDAR. */
#include <math.h>
#include <string.h>

#include <gantry/geom.h>

#include "calibrating.h"
#include "reading_row.h"
#include "work.h"

#define TURN_MIN_RAD 0.1 /* rays that are no sweep */

static gantry_err_t load_rays(work_t *work, const raw_scan_t *raw) {
  scan_rays_t *rays = &work->self->rays;
  uint32_t count = raw->ranges_count;
  if (count == 0)
    fault_set(work->fault, GANTRY_E_INVALID, "ranges", "a sweep has 1 to %d points", SCAN_RAYS_MAX);
  else if (raw->angles_count != count || raw->qualities_count != count)
    fault_set(work->fault, GANTRY_E_INVALID, "ranges",
              "%u ranges, %u angles, %u qualities: not one sweep", count, raw->angles_count,
              raw->qualities_count);
  else
    work->fault->err = GANTRY_OK;
  if (work->fault->err != GANTRY_OK)
    return pipeline_malformed(work->self, work->entry, work->fault);
  rays->count = count;
  memcpy(rays->angle_rad, raw->angles, count * sizeof *raw->angles);
  memcpy(rays->range_m, raw->ranges, count * sizeof *raw->ranges);
  memcpy(rays->quality, raw->qualities, count);
  return GANTRY_OK;
}

/* A replayed sweep was calibrated and gated when it was recorded. */
static void put_in_order(work_t *work, scan_summary_t *out) {
  scan_rule_t rule = work->self->scan_rule;
  calibration_t calibration = work->entry->calibration;
  rule.filter = work->entry->scan_filter;
  if (work->origin->replayed) {
    rule.quality_min = 0;
    rule.range_min_m = 0;
    rule.range_max_m = INFINITY;
    rule.filter = (scan_filter_t){0};
    calibration = calibration_identity();
  }
  scan_process(&rule, &calibration, &work->self->rays, out);
}

/* The number of a sweep that goes through the chain: two sweeps of a device that turns never have
   the same. */
static double mean_range(const scan_rays_t *rays, uint32_t points) {
  double sum = 0;
  for (uint32_t i = 0; i < rays->count; i++)
    sum += (double)rays->range_m[i];
  return points > 0 ? sum / points : 0;
}

/* Rays come in the order in which a turning device took them; what a log or a request says at once
   was taken at once as far as anybody knows. */
static void tell_turn(const work_t *work, const raw_scan_t *raw, sensor_scan_t *scan) {
  double by_rad = 0;
  for (uint32_t i = 1; i < raw->angles_count; i++)
    by_rad += wrap_rad((double)(raw->angles[i] - raw->angles[i - 1]));
  bool turns = raw->turn_s > 0 && scan->source != SYS_SOURCE_REPLAY && !work->origin->replayed;
  scan->has_turn_from = scan->has_turn_by =
      turns && fabs(by_rad) >= TURN_MIN_RAD && fabs(by_rad) <= 7;
  if (!scan->has_turn_from) return;
  scan->turn_from =
      (float)wrap_rad((double)raw->angles[0] + work->entry->calibration.angle_offset_rad);
  scan->turn_by = (float)by_rad;
}

static void fill(work_t *work, const raw_scan_t *raw, const scan_summary_t *summary,
                 const outcome_t *outcome) {
  sensor_scan_t *scan = &work->self->scan;
  const scan_rays_t *rays = &work->self->rays;
  scan->source = work->origin->source;
  scan->seq = ++work->entry->scan_seq;
  scan->has_turn_s = true;
  scan->turn_s = raw->turn_s;
  tell_turn(work, raw, scan);
  scan->angles_count = scan->ranges_count = scan->qualities_count = rays->count;
  memcpy(scan->angles, rays->angle_rad, rays->count * sizeof *rays->angle_rad);
  memcpy(scan->ranges, rays->range_m, rays->count * sizeof *rays->range_m);
  memcpy(scan->qualities, rays->quality, rays->count);
  scan->rejected = summary->rejected;
  scan->quality = outcome->quality;
  scan->obstacles = summary->obstacles;
  memcpy(scan->sensor, work->entry->id, sizeof scan->sensor);
}

gantry_err_t pipeline_scan(processor_t *self, const origin_t *origin, const raw_scan_t *raw,
                           outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .origin = origin, .fault = fault};
  scan_summary_t summary;
  double ignored;
  GANTRY_TRY(work_begin(&work, raw->sensor, SENSOR_TYPE_LIDAR));
  GANTRY_TRY(load_rays(&work, raw));
  put_in_order(&work, &summary);
  GANTRY_TRY(work_push(&work, 0, "mean range", mean_range(&self->rays, summary.points), &ignored));
  work.terms.base *= summary.quality;
  work.terms.completeness *= summary.quality;
  work.terms.consistency = summary.quality;
  work_accept(&work, NULL, out);
  if (!origin->replayed) calibrating_take_sweep(self, work.entry, raw);
  fill(&work, raw, &summary, out);
  work_publish(&work, TOPIC_SENSOR_SCAN, &self->scan);
  if (!work_is_wanted(&work)) return GANTRY_OK;
  recorder_row_t row;
  if (reading_row_scan(&self->scan, &self->json, &row)) return work_record(&work, &row);
  return fault_set(fault, GANTRY_E_TOO_LARGE, "ranges", "the sweep is too long to be kept");
}
