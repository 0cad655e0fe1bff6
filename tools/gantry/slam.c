/* gantry slam: the mapping cores over a recorded log, as fast as the machine allows. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gantry/slam/carmen.h>
#include <gantry/slam/map_image.h>
#include <gantry/slam/points.h>
#include <gantry/slam/tracker.h>

#include "commands.h"

enum { EXIT_USAGE = 64, EXIT_INTERRUPTED = 130, MARGIN_CELLS = 10 };

/* 275 MB of map at most: a log is read on a desk, not on the robot. */
static const uint32_t TILE_LIMIT = 16384;

static const double PROGRESS_PERIOD_S = 0.5;

static const char USAGE[] =
    "Usage: gantry slam [--out DIR] [--resolution METRES] LOG\n"
    "\n"
    "Builds a map from LOG, a CARMEN 2-D log (plain or gzip), and writes into DIR:\n"
    "  trajectory.csv      time_s,x_m,y_m,theta_rad: the pose at every scan\n"
    "  map.png, map.yaml   the map as ROS map_server reads it\n"
    "  map_trajectory.png  the same with the path drawn over it, from blue to red\n"
    "The last line on standard output is a JSON summary.\n"
    "\n"
    "  -o, --out DIR            where to write; made when missing (default: .)\n"
    "  -r, --resolution METRES  side of a map cell, 0.02 to 0.25 (default: 0.05)\n"
    "  -h, --help               this text\n";

typedef struct slam_options {
  const char *log;
  const char *out;
  double resolution_m;
} slam_options_t;

typedef struct slam_run {
  tracker_t *tracker;
  carmen_beam_t beam;
  bool has_beam;
  uint32_t ray_count; /* beams that angle_rad was made for */
  float angle_rad[CARMEN_RANGES_MAX];
  pose2_t mount;
  points_gate_t gate;
  points_t points;
  double *time_s; /* scan_count of each; capacity allocated */
  pose2_t *poses;
  size_t scan_count, capacity;
  double core_s; /* spent in the cores */
  double begin_s, progress_s;
  bool interrupted;
} slam_run_t;

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Interrupts stay blocked and are asked for between scans, so that what was mapped gets written. */
static void hold_interrupts(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

static bool is_interrupted(void) {
  sigset_t set;
  sigemptyset(&set);
  sigpending(&set);
  return sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1;
}

/* Adapts angles, mount and gate to the beams of a scan with this many ranges. */
static void aim(slam_run_t *run, uint32_t ray_count) {
  if (run->ray_count == ray_count) return;
  carmen_beam_t beam = run->has_beam ? run->beam : carmen_beam_default(ray_count);
  run->ray_count = ray_count;
  run->mount = (pose2_t){.x = beam.laser_x_m};
  run->gate = points_gate_default();
  run->gate.max_m = beam.no_return_m;
  for (uint32_t i = 0; i < ray_count; i++)
    run->angle_rad[i] = (float)(beam.first_rad + beam.step_rad * i);
}

static gantry_err_t keep_pose(slam_run_t *run, double time_s, pose2_t pose) {
  if (run->scan_count == run->capacity) {
    size_t capacity = run->capacity ? run->capacity * 2 : 1024;
    double *times = realloc(run->time_s, capacity * sizeof *times);
    if (times) run->time_s = times;
    pose2_t *poses = realloc(run->poses, capacity * sizeof *poses);
    if (poses) run->poses = poses;
    if (!times || !poses) return GANTRY_E_INTERNAL;
    run->capacity = capacity;
  }
  run->time_s[run->scan_count] = time_s;
  run->poses[run->scan_count++] = pose;
  return GANTRY_OK;
}

static void show_progress(slam_run_t *run, bool last) {
  double now = now_s();
  if (!last && now - run->progress_s < PROGRESS_PERIOD_S) return;
  run->progress_s = now;
  fprintf(stderr, "\r%zu scans, %.0f scans/s, %u map tiles%s", run->scan_count,
          (double)run->scan_count / (now - run->begin_s + 1e-9),
          grid_tile_count(tracker_grid(run->tracker)), last ? "\n" : "");
}

static gantry_err_t on_scan(slam_run_t *run, const carmen_record_t *record, gantry_fault_t *fault) {
  tracker_result_t result;
  aim(run, record->range_count);
  double begin_s = now_s();
  points_from_scan(&run->points, run->angle_rad, record->range_m, record->range_count, run->mount,
                   &run->gate);
  gantry_err_t err = tracker_feed(run->tracker, record->odometry, &run->points, &result);
  run->core_s += now_s() - begin_s;
  if (err == GANTRY_E_TOO_LARGE)
    return fault_set(fault, err, "map", "the map outgrew its %u tiles; try a coarser --resolution",
                     grid_tile_count(tracker_grid(run->tracker)));
  if (err != GANTRY_OK) return fault_set(fault, err, "map", "mapping: %s", gantry_err_name(err));
  err = keep_pose(run, record->time_s, result.pose);
  return err == GANTRY_OK ? err : fault_set(fault, err, "", "out of memory");
}

/* Reads the log to its end, or to an interrupt. */
static gantry_err_t read_log(slam_run_t *run, carmen_t *carmen, gantry_fault_t *fault) {
  carmen_record_t record;
  run->begin_s = run->progress_s = now_s();
  for (;;) {
    gantry_err_t err = carmen_next(carmen, &record, fault);
    if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
    if (err != GANTRY_OK) return err;
    if (record.kind == CARMEN_BEAM) {
      run->beam = record.beam;
      run->has_beam = true;
      run->ray_count = 0;
    }
    if (record.kind != CARMEN_FLASER) continue;
    GANTRY_TRY(on_scan(run, &record, fault));
    show_progress(run, false);
    run->interrupted = is_interrupted();
    if (run->interrupted) return GANTRY_OK;
  }
}

static gantry_err_t write_trajectory(const slam_run_t *run, FILE *file) {
  fputs("time_s,x_m,y_m,theta_rad\n", file);
  for (size_t i = 0; i < run->scan_count; i++)
    fprintf(file, "%.6f,%.6f,%.6f,%.6f\n", run->time_s[i], run->poses[i].x, run->poses[i].y,
            run->poses[i].theta);
  return ferror(file) ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
}

typedef enum output { OUTPUT_TRAJECTORY, OUTPUT_MAP, OUTPUT_YAML, OUTPUT_MAP_TRAJECTORY } output_t;

static const char *const OUTPUT_NAMES[] = {"trajectory.csv", "map.png", "map.yaml",
                                           "map_trajectory.png"};

static gantry_err_t write_output(const slam_run_t *run, const map_image_t *image, output_t output,
                                 FILE *file) {
  switch (output) {
  case OUTPUT_TRAJECTORY:
    return write_trajectory(run, file);
  case OUTPUT_MAP:
    return map_image_write_png(image, file);
  case OUTPUT_YAML:
    return map_image_write_yaml(image, OUTPUT_NAMES[OUTPUT_MAP], file);
  case OUTPUT_MAP_TRAJECTORY:
    return map_image_write_trajectory_png(image, run->poses, run->scan_count, file);
  }
  return GANTRY_E_INTERNAL;
}

static gantry_err_t write_file(const slam_run_t *run, const map_image_t *image, const char *folder,
                               output_t output, gantry_fault_t *fault) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", folder, OUTPUT_NAMES[output]);
  if (length < 0 || (size_t)length >= sizeof path)
    return fault_set(fault, GANTRY_E_INVALID, "out", "the path is too long");
  FILE *file = fopen(path, "wb");
  if (!file)
    return fault_set(fault, GANTRY_E_UNAVAILABLE, "out", "cannot write %s: %s", path,
                     strerror(errno));
  gantry_err_t err = write_output(run, image, output, file);
  if (fclose(file) != 0 && err == GANTRY_OK) err = GANTRY_E_UNAVAILABLE;
  if (err != GANTRY_OK) fault_set(fault, err, "out", "writing %s failed", path);
  return err;
}

static gantry_err_t write_results(const slam_run_t *run, const char *folder,
                                  gantry_fault_t *fault) {
  grid_t *grid = tracker_grid(run->tracker);
  grid_box_t box;
  if (!grid_bounds(grid, &box))
    return fault_set(fault, GANTRY_E_INVALID, "log", "no scan in it, so there is no map to write");
  box.min_x -= MARGIN_CELLS;
  box.min_y -= MARGIN_CELLS;
  box.width += 2 * MARGIN_CELLS;
  box.height += 2 * MARGIN_CELLS;
  size_t cell_count = (size_t)box.width * box.height;
  int8_t *cells = malloc(cell_count);
  if (!cells) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  gantry_err_t err = grid_export(grid, box, cells, cell_count);
  map_image_t image = {.cells = cells, .box = box, .resolution_m = grid_resolution_m(grid)};
  for (output_t i = OUTPUT_TRAJECTORY; i <= OUTPUT_MAP_TRAJECTORY && err == GANTRY_OK; i++)
    err = write_file(run, &image, folder, i, fault);
  free(cells);
  return err;
}

static void print_summary(const slam_run_t *run, double seconds) {
  tracker_counts_t counts = tracker_counts(run->tracker);
  const grid_t *grid = tracker_grid(run->tracker);
  double path_m = 0.0;
  double divisor = run->scan_count ? (double)run->scan_count : 1.0;
  for (size_t i = 1; i < run->scan_count; i++)
    path_m += pose2_distance(run->poses[i - 1], run->poses[i]);
  printf("{\"scans\":%zu,\"seconds\":%.3f,\"scans_per_s\":%.1f,\"ms_per_scan\":%.4f,"
         "\"matched\":%llu,\"rescued\":%llu,\"inserted\":%llu,\"iterations_per_scan\":%.2f,"
         "\"path_m\":%.1f,\"map_tiles\":%u,\"explored_fraction\":%.4f,\"interrupted\":%s}\n",
         run->scan_count, seconds, (double)run->scan_count / (seconds + 1e-9),
         1e3 * run->core_s / divisor, (unsigned long long)counts.matched,
         (unsigned long long)counts.rescued, (unsigned long long)counts.inserted,
         (double)counts.iterations / divisor, path_m, grid_tile_count(grid),
         grid_explored_fraction(grid), run->interrupted ? "true" : "false");
}

/* Fills options; returns -1 to go on, else the exit code. */
static int parse_options(int argc, char **argv, slam_options_t *options) {
  static const struct option LONG[] = {{"out", required_argument, NULL, 'o'},
                                       {"resolution", required_argument, NULL, 'r'},
                                       {"help", no_argument, NULL, 'h'},
                                       {NULL, 0, NULL, 0}};
  char *end = NULL;
  *options = (slam_options_t){.out = ".", .resolution_m = 0.05};
  optind = 0; /* the table's caller may have used getopt before */
  for (int key; (key = getopt_long(argc, argv, "o:r:h", LONG, NULL)) != -1;) {
    if (key == 'h') {
      fputs(USAGE, stdout);
      return EXIT_SUCCESS;
    }
    if (key == 'o') options->out = optarg;
    if (key == 'r') options->resolution_m = strtod(optarg, &end);
    if (key == '?') return EXIT_USAGE;
    if (key != 'r') continue;
    if (*end != '\0' || !(options->resolution_m >= 0.02 && options->resolution_m <= 0.25)) {
      fprintf(stderr, "gantry slam: --resolution %s is not between 0.02 and 0.25 metres\n", optarg);
      return EXIT_USAGE;
    }
  }
  if (optind + 1 != argc) {
    fprintf(stderr, "gantry slam: give one log file; see gantry slam --help\n");
    return EXIT_USAGE;
  }
  options->log = argv[optind];
  return -1;
}

static gantry_err_t prepare(slam_run_t *run, const slam_options_t *options, gantry_fault_t *fault) {
  tracker_config_t config = tracker_config_default();
  config.grid.resolution_m = options->resolution_m;
  config.grid.tile_limit = TILE_LIMIT;
  run->tracker = tracker_new(&config);
  if (!run->tracker) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  if (mkdir(options->out, 0777) != 0 && errno != EEXIST)
    return fault_set(fault, GANTRY_E_UNAVAILABLE, "out", "cannot make the folder %s: %s",
                     options->out, strerror(errno));
  return GANTRY_OK;
}

/* Reads and maps; then, also after a fault in the middle of the log, writes what there is. */
static gantry_err_t map_log(slam_run_t *run, const slam_options_t *options, gantry_fault_t *fault) {
  carmen_t *carmen = carmen_open(options->log, fault);
  if (!carmen) return fault->err;
  gantry_err_t err = prepare(run, options, fault);
  if (err == GANTRY_OK) {
    hold_interrupts();
    err = read_log(run, carmen, fault);
    show_progress(run, true);
    double seconds = now_s() - run->begin_s;
    if (err == GANTRY_OK || run->scan_count > 0) {
      gantry_err_t written = write_results(run, options->out, err == GANTRY_OK ? fault : NULL);
      if (written == GANTRY_OK) print_summary(run, seconds);
      if (err == GANTRY_OK) err = written;
    }
  }
  carmen_close(&carmen);
  return err;
}

int command_slam(int argc, char **argv) {
  slam_options_t options;
  gantry_fault_t fault = {0};
  int code = parse_options(argc, argv, &options);
  if (code >= 0) return code;

  slam_run_t *run = calloc(1, sizeof *run);
  if (!run) return EXIT_FAILURE;
  gantry_err_t err = map_log(run, &options, &fault);
  if (err != GANTRY_OK) fprintf(stderr, "gantry slam: %s: %s\n", options.log, fault.detail);
  code = run->interrupted ? EXIT_INTERRUPTED : EXIT_SUCCESS;
  if (err != GANTRY_OK) code = EXIT_FAILURE;
  tracker_destroy(&run->tracker);
  free(run->time_s);
  free(run->poses);
  free(run);
  return code;
}
