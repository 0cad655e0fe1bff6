/* Follows a robot through a log on a map that does not change. */
#include <stdlib.h>
#include <time.h>

#include "interrupt.h"
#include "localize.h"

/* Poorer fits are a robot that is not where it is thought to be, if they go on. */
static const double INLIERS_MIN = 0.35;
enum { POOR_SCANS_MAX = 5 };

typedef struct follower {
  const chart_t *chart;
  scan_log_t *log;
  localize_track_t *track;
  bool placed;
  uint32_t poor; /* poor fits in a row */
} follower_t;

double localize_clock_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

gantry_err_t localize_times_add(localize_times_t *times, double seconds) {
  if (times->count == times->capacity) {
    size_t capacity = times->capacity ? times->capacity * 2 : 1024;
    float *ms = realloc(times->ms, capacity * sizeof *ms);
    if (!ms) return GANTRY_E_INTERNAL;
    times->ms = ms;
    times->capacity = capacity;
  }
  times->ms[times->count++] = (float)(1e3 * seconds);
  return GANTRY_OK;
}

double localize_times_mean(const localize_times_t *times) {
  double sum = 0.0;
  for (size_t i = 0; i < times->count; i++)
    sum += (double)times->ms[i];
  return times->count ? sum / (double)times->count : 0.0;
}

static int by_size(const void *a, const void *b) {
  float left = *(const float *)a;
  float right = *(const float *)b;
  return (left > right) - (left < right);
}

double localize_times_quantile(localize_times_t *times, double share) {
  if (times->count == 0) return 0.0;
  qsort(times->ms, times->count, sizeof *times->ms, by_size);
  return (double)times->ms[(size_t)(share * (double)(times->count - 1) + 0.5)];
}

void localize_track_fini(localize_track_t *track) {
  path_fini(&track->path);
  free(track->times.ms);
  *track = (localize_track_t){0};
}

/* Searches the whole map for the scan at hand. */
static bool find(follower_t *follower) {
  pose2_t pose;
  double begin_s = localize_clock_s();
  bool found = chart_find(follower->chart, &follower->log->points, &pose);
  follower->track->search_s += localize_clock_s() - begin_s;
  if (found) tracker_set_pose(follower->chart->tracker, pose);
  return found;
}

static void count(follower_t *follower, const tracker_result_t *result) {
  localize_track_t *track = follower->track;
  track->matched += result->matched;
  track->lost += !result->matched;
  track->iterations += result->match.iterations;
  bool poor = result->match.inlier_fraction < INLIERS_MIN;
  follower->poor = poor ? follower->poor + 1 : 0;
}

static gantry_err_t follow_scan(follower_t *follower) {
  scan_log_t *log = follower->log;
  tracker_t *tracker = follower->chart->tracker;
  tracker_result_t result;
  double begin_s = localize_clock_s();
  scan_log_points(log);
  double points_s = localize_clock_s() - begin_s;
  if (!follower->placed && !(follower->placed = find(follower))) {
    follower->track->unplaced++;
    return GANTRY_OK;
  }
  begin_s = localize_clock_s();
  GANTRY_TRY(tracker_feed(tracker, log->odometry, &log->points, &result));
  GANTRY_TRY(localize_times_add(&follower->track->times, points_s + localize_clock_s() - begin_s));
  count(follower, &result);
  if (follower->poor >= POOR_SCANS_MAX && find(follower)) {
    follower->track->relocalizations++;
    follower->poor = 0;
  }
  return path_add(&follower->track->path, log->time_s, tracker_pose(tracker));
}

static gantry_err_t follow_log(follower_t *follower, gantry_fault_t *fault) {
  localize_track_t *track = follower->track;
  while (!interrupt_is_pending()) {
    gantry_err_t err = scan_log_next(follower->log, fault);
    if (err == GANTRY_E_NOT_FOUND) break;
    GANTRY_TRY(err);
    err = follow_scan(follower);
    if (err != GANTRY_OK)
      return fault_set(fault, err, "log", "scan at %.3f s: %s", follower->log->time_s,
                       gantry_err_name(err));
  }
  if (track->path.count > 0) return GANTRY_OK;
  if (track->unplaced == 0 && !interrupt_is_pending())
    return fault_set(fault, GANTRY_E_INVALID, "log", "there is no scan in it");
  return fault_set(fault, GANTRY_E_NOT_FOUND, "map",
                   "none of %zu scans was found in the map; say where the robot is by --start",
                   track->unplaced);
}

gantry_err_t localize_follow(const chart_t *chart, const localize_options_t *options,
                             localize_track_t *out, gantry_fault_t *fault) {
  follower_t follower = {.chart = chart, .track = out, .placed = options->has_start};
  *out = (localize_track_t){0};
  follower.log = scan_log_open(options->log, fault);
  if (!follower.log) return fault->err;
  tracker_set_pose(chart->tracker, options->start);
  gantry_err_t err = follow_log(&follower, fault);
  scan_log_close(&follower.log);
  return err;
}
