/* gantry slam: the mapping cores over a recorded log, as fast as the machine allows. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <gantry/slam/slam.h>

#include "commands.h"
#include "interrupt.h"
#include "out_file.h"
#include "path_file.h"
#include "scan_log.h"
#include "slam_options.h"
#include "slam_output.h"

static const double PROGRESS_PERIOD_S = 0.5;

/* How far in time a pose may lie from the scan it is for. */
static const double SAME_TIME_S = 0.05;

typedef struct slam_run {
  slam_t *slam;
  path_t guide;   /* where the scans were taken, when that is given */
  float *scan_ms; /* processor's time of each scan; capacity allocated */
  size_t scan_count, capacity;
  uint64_t matched, rescued, inserted, iterations;
  double begin_s, progress_s, finish_s;
  bool interrupted;
} slam_run_t;

static double clock_s(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double now_s(void) {
  return clock_s(CLOCK_MONOTONIC);
}

static gantry_err_t keep_time(slam_run_t *run, double seconds) {
  if (run->scan_count == run->capacity) {
    size_t capacity = run->capacity ? run->capacity * 2 : 1024;
    float *times = realloc(run->scan_ms, capacity * sizeof *times);
    if (!times) return GANTRY_E_INTERNAL;
    run->scan_ms = times;
    run->capacity = capacity;
  }
  run->scan_ms[run->scan_count++] = (float)(1e3 * seconds);
  return GANTRY_OK;
}

static void show_progress(slam_run_t *run, bool last) {
  double now = now_s();
  if (!last && now - run->progress_s < PROGRESS_PERIOD_S) return;
  run->progress_s = now;
  fprintf(stderr, "\r%zu scans, %.0f scans/s, %u map tiles%s", run->scan_count,
          (double)run->scan_count / (now - run->begin_s + 1e-9),
          grid_tile_count(slam_grid(run->slam)), last ? "\n" : "");
}

static void count(slam_run_t *run, const tracker_result_t *result) {
  run->matched += result->matched;
  run->rescued += result->match.rescued;
  run->inserted += result->inserted;
  run->iterations += result->match.iterations;
}

/* Finds the scan's pose, or takes the one that is given: GANTRY_E_NOT_FOUND when none is. */
static gantry_err_t place(slam_run_t *run, const scan_log_t *log, slam_result_t *result) {
  if (run->guide.count == 0)
    return slam_feed(run->slam, log->time_s, log->odometry, &log->points, result);
  const path_point_t *point = path_at(&run->guide, log->time_s, SAME_TIME_S);
  if (!point) return GANTRY_E_NOT_FOUND;
  return slam_insert(run->slam, log->time_s, point->pose, 0, &log->points, result);
}

static gantry_err_t on_scan(slam_run_t *run, scan_log_t *log, gantry_fault_t *fault) {
  slam_result_t result;
  double begin_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
  scan_log_points(log);
  gantry_err_t err = place(run, log, &result);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  double seconds = clock_s(CLOCK_THREAD_CPUTIME_ID) - begin_s;
  if (err == GANTRY_E_TOO_LARGE)
    return fault_set(fault, err, "map", "the map outgrew its %u tiles; try a coarser --resolution",
                     grid_tile_count(slam_grid(run->slam)));
  if (err != GANTRY_OK) return fault_set(fault, err, "map", "mapping: %s", gantry_err_name(err));
  count(run, &result.tracker);
  err = keep_time(run, seconds);
  return err == GANTRY_OK ? err : fault_set(fault, err, "", "out of memory");
}

/* Reads the log to its end, or to an interrupt. */
static gantry_err_t read_log(slam_run_t *run, scan_log_t *log, gantry_fault_t *fault) {
  run->begin_s = run->progress_s = now_s();
  for (;;) {
    gantry_err_t err = scan_log_next(log, fault);
    if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
    if (err != GANTRY_OK) return err;
    GANTRY_TRY(on_scan(run, log, fault));
    show_progress(run, false);
    run->interrupted = interrupt_is_pending();
    if (run->interrupted) return GANTRY_OK;
  }
}

static bool on_finishing(double share, void *arg) {
  slam_run_t *run = arg;
  double now = now_s();
  if (now - run->progress_s >= PROGRESS_PERIOD_S || share >= 1.0) {
    run->progress_s = now;
    fprintf(stderr, "\rfinishing %.0f %%%s", 100.0 * share, share >= 1.0 ? "\n" : "");
  }
  run->interrupted = interrupt_is_pending();
  return !run->interrupted;
}

static gantry_err_t finish(slam_run_t *run, gantry_fault_t *fault) {
  slam_correction_t correction;
  double begin_s = now_s();
  gantry_err_t err = slam_finish(run->slam, on_finishing, run, &correction);
  run->finish_s = now_s() - begin_s;
  if (err == GANTRY_OK) return err;
  return fault_set(fault, err, "map", "finishing the map: %s", gantry_err_name(err));
}

static int by_size(const void *a, const void *b) {
  float left = *(const float *)a;
  float right = *(const float *)b;
  return (left > right) - (left < right);
}

static double quantile(const slam_run_t *run, double share) {
  if (run->scan_count == 0) return 0.0;
  return (double)run->scan_ms[(size_t)(share * (double)(run->scan_count - 1) + 0.5)];
}

static double path_m(const slam_t *slam) {
  double sum_m = 0.0;
  for (size_t i = 1; i < slam_scan_count(slam); i++)
    sum_m += pose2_distance(slam_scan_pose(slam, i - 1, NULL), slam_scan_pose(slam, i, NULL));
  return sum_m;
}

/* The kernel's word on the most memory this process has had, MiB. */
static double peak_mib(void) {
  struct rusage usage = {0};
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024.0;
}

static void print_back_end(const slam_counts_t *counts) {
  printf("\"keyframes\":%llu,\"submaps\":%llu,\"searches\":%llu,\"closures\":%llu,"
         "\"refused\":%llu,\"solves\":%llu,\"search_s\":%.3f,\"solve_s\":%.3f,"
         "\"compose_s\":%.3f,",
         (unsigned long long)counts->keyframes, (unsigned long long)counts->submaps,
         (unsigned long long)counts->searches, (unsigned long long)counts->closures,
         (unsigned long long)counts->refused, (unsigned long long)counts->solves, counts->search_s,
         counts->solve_s, counts->compose_s);
}

static gantry_err_t print_summary(slam_run_t *run, double seconds, gantry_fault_t *fault) {
  slam_counts_t counts = slam_counts(run->slam);
  const grid_t *grid = slam_grid(run->slam);
  double divisor = run->scan_count ? (double)run->scan_count : 1.0;
  double sum_ms = 0.0;
  for (size_t i = 0; i < run->scan_count; i++)
    sum_ms += (double)run->scan_ms[i];
  if (run->scan_count) qsort(run->scan_ms, run->scan_count, sizeof *run->scan_ms, by_size);
  printf("{\"scans\":%zu,\"seconds\":%.3f,\"scans_per_s\":%.1f,\"ms_per_scan\":%.4f,"
         "\"ms_p50\":%.4f,\"ms_p99\":%.4f,\"matched\":%llu,\"rescued\":%llu,\"inserted\":%llu,"
         "\"iterations_per_scan\":%.2f,",
         run->scan_count, seconds, (double)run->scan_count / (seconds + 1e-9), sum_ms / divisor,
         quantile(run, 0.50), quantile(run, 0.99), (unsigned long long)run->matched,
         (unsigned long long)run->rescued, (unsigned long long)run->inserted,
         (double)run->iterations / divisor);
  print_back_end(&counts);
  printf("\"finish_s\":%.3f,\"path_m\":%.1f,\"map_tiles\":%u,\"explored_fraction\":%.4f,"
         "\"peak_mib\":%.1f,\"interrupted\":%s}\n",
         run->finish_s, path_m(run->slam), grid_tile_count(grid), grid_explored_fraction(grid),
         peak_mib(), run->interrupted ? "true" : "false");
  return out_printed(fault);
}

static gantry_err_t prepare(slam_run_t *run, const slam_options_t *options, gantry_fault_t *fault) {
  run->slam = slam_new(&options->config);
  if (!run->slam) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  if (options->poses) GANTRY_TRY(path_read(&run->guide, options->poses, fault));
  return out_folder_make(options->out, fault);
}

/* What there is by now, also after a fault in the middle of the log, is finished and written. */
static gantry_err_t conclude(slam_run_t *run, const slam_options_t *options, gantry_err_t err,
                             gantry_fault_t *fault) {
  double seconds = now_s() - run->begin_s;
  gantry_fault_t *second = err == GANTRY_OK ? fault : NULL; /* the first fault is the one told */
  if (err != GANTRY_OK && run->scan_count == 0) return err;
  gantry_err_t written = GANTRY_OK;
  if (options->finish && !run->interrupted) written = finish(run, second);
  if (written == GANTRY_OK) written = slam_output_write(run->slam, options->out, second);
  if (written == GANTRY_OK) written = print_summary(run, seconds, second);
  return err == GANTRY_OK ? written : err;
}

static gantry_err_t map_log(slam_run_t *run, const slam_options_t *options, gantry_fault_t *fault) {
  scan_log_t *log = scan_log_open(options->log, fault);
  if (!log) return fault->err;
  interrupt_hold();
  gantry_err_t err = prepare(run, options, fault);
  if (err == GANTRY_OK) {
    err = read_log(run, log, fault);
    show_progress(run, true);
    err = conclude(run, options, err, fault);
  }
  scan_log_close(&log);
  return err;
}

int command_slam(int argc, char **argv) {
  slam_options_t options;
  gantry_fault_t fault = {0};
  int code = slam_options_parse(argc, argv, &options);
  if (code >= 0) return code;

  slam_run_t *run = calloc(1, sizeof *run);
  if (!run) return EXIT_FAILURE;
  gantry_err_t err = map_log(run, &options, &fault);
  if (err != GANTRY_OK) fprintf(stderr, "gantry slam: %s: %s\n", options.log, fault.detail);
  code = run->interrupted ? EXIT_INTERRUPTED : EXIT_SUCCESS;
  if (err != GANTRY_OK) code = EXIT_FAILURE;
  slam_destroy(&run->slam);
  path_fini(&run->guide);
  free(run->scan_ms);
  free(run);
  return code;
}
