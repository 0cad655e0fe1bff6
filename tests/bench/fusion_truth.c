/* The fusion test on a recorded drive: from its reference poses every sensor is made (seeded), its
   wheels are the log's own odometry. Prints one JSON line a case and one of the whole.

     fusion_truth LOG.clf[.gz] REF.csv[.gz] [SECONDS [SEED]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <gantry/slam/carmen.h>
#include <gantry/slam/raycast.h>

#include "fusion_course.h"

#define POSES_MAX    8192
#define MATCH_S      0.05 /* a reference pose and a scan of one moment */
#define CRUISE_MPS   0.5  /* the log's own times hold pauses of minutes */
#define CRUISE_RADPS 0.6
#define CASES        7

static const course_case_t CASES_OF[CASES] = {
    {.name = "lidar",
     .lidar_hz = 10,
     .lidar_noise_m = 0.03,
     .tag_every_m = 4,
     .proximity = true,
     .accelerometer = true},
    {.name = "lidar_1hz",
     .lidar_hz = 1,
     .lidar_noise_m = 0.03,
     .tag_every_m = 4,
     .proximity = true,
     .accelerometer = true},
    {.name = "no_lidar", .tag_every_m = 4, .proximity = true, .accelerometer = true},
    {.name = "tags_only", .tag_every_m = 4, .accelerometer = true},
    {.name = "wrong_tags",
     .tag_every_m = 4,
     .wrong_tags = 0.05,
     .proximity = true,
     .accelerometer = true},
    {.name = "slip", .tag_every_m = 4, .slips = true, .proximity = true, .accelerometer = true},
    {.name = "lidar_blocked",
     .lidar_hz = 10,
     .lidar_noise_m = 0.03,
     .tag_every_m = 4,
     .blocked_from_s = 60,
     .blocked_to_s = 90,
     .proximity = true,
     .accelerometer = true},
};

static double ref_s[POSES_MAX], time_s[POSES_MAX];
static pose2_t ref[POSES_MAX], truth[POSES_MAX], odometry[POSES_MAX];

static uint32_t read_reference(const char *path) {
  char line[256];
  uint32_t count = 0;
  gzFile file = gzopen(path, "rb");
  if (!file) return 0;
  while (count < POSES_MAX && gzgets(file, line, sizeof line)) {
    pose2_t *pose = &ref[count];
    char *end = line;
    ref_s[count] = strtod(line, &end);
    if (end == line) continue;
    pose->x = strtod(end + 1, &end);
    pose->y = strtod(end + 1, &end);
    pose->theta = strtod(end + 1, &end);
    count++;
  }
  gzclose(file);
  return count;
}

static void draw(grid_t *grid, pose2_t pose, const carmen_record_t *scan, carmen_beam_t beam) {
  static points_t points;
  static float angle[CARMEN_RANGES_MAX];
  points_gate_t gate = points_gate_default();
  gate.max_m = fmin(beam.no_return_m, 30);
  for (uint32_t i = 0; i < scan->range_count; i++)
    angle[i] = (float)(beam.first_rad + beam.step_rad * i);
  pose2_t mount = {.x = beam.laser_x_m};
  points_from_scan(&points, angle, scan->range_m, scan->range_count, mount, &gate);
  raycast_insert(grid, pose, &points);
}

/* Scans with a reference pose become knots of the drive and are drawn into the map at it. */
static uint32_t read_log(const char *path, uint32_t refs, grid_t *grid) {
  static carmen_record_t record;
  gantry_fault_t fault;
  uint32_t count = 0, at = 0;
  carmen_beam_t beam = {0};
  bool headed = false;
  carmen_t *log = carmen_open(path, &fault);
  if (!log) return 0;
  while (count < POSES_MAX && carmen_next(log, &record, &fault) == GANTRY_OK) {
    if (record.kind == CARMEN_BEAM) beam = record.beam, headed = true;
    if (record.kind != CARMEN_FLASER) continue;
    if (!headed) beam = carmen_beam_default(record.range_count), headed = true;
    while (at < refs && ref_s[at] < record.time_s - MATCH_S)
      at++;
    if (at == refs || ref_s[at] > record.time_s + MATCH_S) continue;
    draw(grid, ref[at], &record, beam);
    pose2_t step = count > 0 ? pose2_between(truth[count - 1], ref[at]) : (pose2_t){0};
    double way_m = hypot(step.x, step.y), turn = fabs(step.theta);
    if (count > 0 && way_m < 0.02 && turn < 0.02) continue;
    time_s[count] =
        count == 0 ? 0
                   : time_s[count - 1] + fmax(fmax(way_m / CRUISE_MPS, turn / CRUISE_RADPS), 0.3);
    truth[count] = ref[at];
    odometry[count++] = record.odometry;
  }
  carmen_close(&log);
  return count;
}

static void tell(const char *name, const course_result_t *result) {
  double error = score_rms(result, score_error), naive = score_rms(result, score_naive);
  double carried = score_rms(result, score_carried), confidence = 0, sigma = 0;
  for (uint32_t i = 0; i < result->count; i++) {
    confidence += result->samples[i].confidence / result->count;
    sigma += result->samples[i].sigma_m / result->count;
  }
  printf("{\"case\":\"%s\",\"ate_m\":%.4f,\"naive_m\":%.4f,\"naive_carried_m\":%.4f,"
         "\"ratio\":%.2f,\"ratio_carried\":%.2f,\"nees\":%.2f,\"beyond_95\":%.3f,\"sigma_m\":%.3f,"
         "\"confidence\":%.3f,\"rank\":%.2f,\"tag_fixes\":%llu,\"tags_refused\":%llu,"
         "\"restarts\":%llu,\"scans_failed\":%llu,\"n\":%u}\n",
         name, error, naive, carried, naive / error, carried / error, score_nees(result),
         score_beyond(result), sigma, confidence, score_rank(result, 1, 5),
         (unsigned long long)result->tag_fixes, (unsigned long long)result->tags_refused,
         (unsigned long long)result->restarts, (unsigned long long)result->scans_failed,
         result->count);
}

int main(int argc, char **argv) {
  grid_config_t config = grid_config_default();
  grid_t *grid = grid_new(&config);
  course_result_t results[CASES];
  double least = INFINITY, until_s = argc > 3 ? strtod(argv[3], NULL) : INFINITY;
  uint32_t refs = argc > 2 ? read_reference(argv[2]) : 0;
  course_t course = {.time_s = time_s, .truth = truth, .odometry = odometry, .grid = grid};
  course.count = refs > 0 ? read_log(argv[1], refs, grid) : 0;
  if (course.count < 3) {
    fputs("usage: fusion_truth LOG.clf[.gz] REF.csv[.gz] [SECONDS [SEED]]\n", stderr);
    return 2;
  }
  for (int i = 0; i < CASES; i++) {
    course_case_t how = CASES_OF[i];
    how.map_error_m = 0.01;
    how.seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    if (course_run(&course, &how, until_s, &results[i]) != GANTRY_OK) return 1;
    tell(how.name, &results[i]);
    least = fmin(least, score_rms(&results[i], score_naive) / score_rms(&results[i], score_error));
  }
  printf("{\"case\":\"all\",\"ratio_least\":%.2f,\"rank\":%.2f}\n", least,
         score_rank(results, CASES, 5));
  for (int i = 0; i < CASES; i++)
    free(results[i].samples);
  grid_destroy(&grid);
  return 0;
}
