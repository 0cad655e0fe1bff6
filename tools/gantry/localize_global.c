/* Finds single scans of a log in the whole map, without a guess. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "interrupt.h"
#include "localize.h"

static const double NEAR_M = 0.25;
static const double NEAR_RAD = 3.0 * M_PI / 180.0;
static const double SAME_TIME_S = 0.05;
static const uint64_t SEED = 1;

typedef struct trial {
  const chart_t *chart;
  const localize_options_t *options;
  const path_t *truth;
  localize_times_t times;
  size_t found;        /* near the truth */
  size_t unfound;      /* no place, or several as good */
  uint64_t random;     /* state of the generator */
  size_t left, wanted; /* scans still to come, and to be drawn of them */
} trial_t;

/* SplitMix64 (Steele, Lea, Flood 2014), as a share 0 .. 1. */
static double draw(trial_t *trial) {
  uint64_t z = trial->random += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void tell(const scan_log_t *log, bool found, pose2_t pose, pose2_t truth) {
  if (!found) {
    fprintf(stderr, "scan at %.3f s: not found, it is at %.3f, %.3f\n", log->time_s, truth.x,
            truth.y);
    return;
  }
  fprintf(stderr, "scan at %.3f s: %.3f m and %.2f degrees off\n", log->time_s,
          pose2_distance(pose, truth), wrap_rad(pose.theta - truth.theta) * 180.0 / M_PI);
}

static gantry_err_t try_scan(trial_t *trial, scan_log_t *log, pose2_t truth) {
  pose2_t pose = {0};
  double begin_s = localize_clock_s();
  scan_log_points(log);
  bool found = chart_find(trial->chart, &log->points, &pose);
  gantry_err_t err = localize_times_add(&trial->times, localize_clock_s() - begin_s);
  bool near = found && pose2_distance(pose, truth) <= NEAR_M &&
              fabs(wrap_rad(pose.theta - truth.theta)) <= NEAR_RAD;
  trial->found += near;
  trial->unfound += !found;
  if (!near) tell(log, found, pose, truth);
  return err;
}

/* Goes through the log: counts the scans whose place is known, or tries those that are drawn. */
static gantry_err_t pass(trial_t *trial, bool tries, gantry_fault_t *fault) {
  scan_log_t *log = scan_log_open(trial->options->log, fault);
  if (!log) return fault->err;
  gantry_err_t err = GANTRY_OK;
  while (!interrupt_is_pending() && (err = scan_log_next(log, fault)) == GANTRY_OK) {
    const path_point_t *truth = path_at(trial->truth, log->time_s, SAME_TIME_S);
    if (!truth) continue;
    if (!tries) {
      trial->left++;
      continue;
    }
    /* Selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S). */
    bool drawn = draw(trial) * (double)trial->left-- < (double)trial->wanted;
    if (!drawn) continue;
    trial->wanted--;
    err = try_scan(trial, log, truth->pose);
    if (err != GANTRY_OK) break;
  }
  scan_log_close(&log);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static void print_trial(trial_t *trial) {
  size_t scans = trial->times.count;
  printf("{\"scans\":%zu,\"success\":%.4f,\"found\":%zu,\"not_found\":%zu,\"wrong\":%zu,"
         "\"mean_ms\":%.2f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n",
         scans, scans ? (double)trial->found / (double)scans : 0.0, trial->found, trial->unfound,
         scans - trial->found - trial->unfound, localize_times_mean(&trial->times),
         localize_times_quantile(&trial->times, 0.50),
         localize_times_quantile(&trial->times, 0.99));
}

static gantry_err_t try_log(const chart_t *chart, const localize_options_t *options,
                            const path_t *truth, gantry_fault_t *fault) {
  trial_t trial = {.chart = chart, .options = options, .truth = truth, .random = SEED};
  gantry_err_t err = pass(&trial, false, fault);
  trial.wanted = options->global;
  if (err == GANTRY_OK) err = pass(&trial, true, fault);
  if (err == GANTRY_OK) print_trial(&trial);
  free(trial.times.ms);
  return err;
}

gantry_err_t localize_globally(const chart_t *chart, const localize_options_t *options,
                               gantry_fault_t *fault) {
  localize_track_t track = {0};
  path_t reference = {0};
  gantry_err_t err = options->ref ? path_read(&reference, options->ref, fault)
                                  : localize_follow(chart, options, &track, fault);
  if (err == GANTRY_OK)
    err = try_log(chart, options, options->ref ? &reference : &track.path, fault);
  localize_track_fini(&track);
  path_fini(&reference);
  return err;
}
