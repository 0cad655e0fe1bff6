/* gantry localize: follows a recorded log on a finished map. */
#include "localize.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <gantry/slam/map_image.h>

#include "commands.h"
#include "interrupt.h"
#include "out_file.h"

enum { EXIT_USAGE = 64, GLOBAL_MAX = 1000000 };

static const char USAGE[] =
    "Usage: gantry localize LOG --map MAP.yaml [OPTIONS]\n"
    "\n"
    "Follows LOG, a CARMEN 2-D log (plain or gzip), on a map that does not change, and writes\n"
    "into DIR:\n"
    "  trajectory.csv      time_s,x_m,y_m,theta_rad: the pose at every scan, in the map\n"
    "  map_trajectory.png  the map with the path drawn over it, from blue to red\n"
    "Without --start the robot is searched in the whole map, which takes no pose to begin with.\n"
    "The last line on standard output is a JSON summary; ms_per_scan in it is the processor's\n"
    "time of following, searches of the whole map are told apart from it.\n"
    "\n"
    "  -m, --map YAML         map as gantry slam or map_server writes it\n"
    "  -s, --start X,Y,THETA  where the robot is at the first scan, m and rad\n"
    "  -r, --ref CSV          known poses in the map's frame, to measure the error in place\n"
    "  -g, --global N         instead: find N scans, drawn by a fixed seed, in the whole map, and\n"
    "                         say how many came within 0.25 m and 3 degrees\n"
    "  -o, --out DIR          where to write; made when missing (default: .)\n"
    "  -h, --help             this text\n";

static bool read_start(const char *text, localize_options_t *options) {
  double *const numbers[] = {&options->start.x, &options->start.y, &options->start.theta};
  for (int i = 0; i < 3; i++) {
    char *end = NULL;
    *numbers[i] = strtod(text, &end);
    if (end == text || !isfinite(*numbers[i]) || *end != (i < 2 ? ',' : '\0')) {
      fprintf(stderr, "gantry localize: --start wants X,Y,THETA in metres and radians\n");
      return false;
    }
    text = end + 1;
  }
  options->has_start = true;
  return true;
}

static bool read_global(const char *text, localize_options_t *options) {
  char *end = NULL;
  long count = strtol(text, &end, 10);
  options->global = (uint32_t)count;
  if (end != text && *end == '\0' && count >= 1 && count <= GLOBAL_MAX) return true;
  fprintf(stderr, "gantry localize: --global wants how many scans to find, 1 to %d\n", GLOBAL_MAX);
  return false;
}

static bool take_option(int key, localize_options_t *options) {
  switch (key) {
  case 'm':
    options->map = optarg;
    return true;
  case 's':
    return read_start(optarg, options);
  case 'r':
    options->ref = optarg;
    return true;
  case 'g':
    return read_global(optarg, options);
  case 'o':
    options->out = optarg;
    return true;
  default:
    return false;
  }
}

/* Fills options; returns -1 to go on, else the exit code. */
static int parse_options(int argc, char **argv, localize_options_t *options) {
  static const struct option LONG[] = {{"map", required_argument, NULL, 'm'},
                                       {"start", required_argument, NULL, 's'},
                                       {"ref", required_argument, NULL, 'r'},
                                       {"global", required_argument, NULL, 'g'},
                                       {"out", required_argument, NULL, 'o'},
                                       {"help", no_argument, NULL, 'h'},
                                       {NULL, 0, NULL, 0}};
  *options = (localize_options_t){.out = "."};
  optind = 0; /* the table's caller may have used getopt before */
  for (int key; (key = getopt_long(argc, argv, "m:s:r:g:o:h", LONG, NULL)) != -1;) {
    if (key == 'h') {
      fputs(USAGE, stdout);
      return EXIT_SUCCESS;
    }
    if (!take_option(key, options)) return EXIT_USAGE;
  }
  if (optind + 1 != argc || !options->map) {
    fprintf(stderr, "gantry localize: give one log and --map; see gantry localize --help\n");
    return EXIT_USAGE;
  }
  options->log = argv[optind];
  return -1;
}

/* What a picture is made of. */
typedef struct drawing {
  const chart_t *chart;
  const path_t *path;
} drawing_t;

static gantry_err_t write_picture(FILE *file, const void *arg) {
  const drawing_t *drawing = arg;
  const path_t *path = drawing->path;
  const map_cells_t *cells = &drawing->chart->cells;
  pose2_t *poses = malloc(path->count * sizeof *poses);
  if (!poses) return GANTRY_E_INTERNAL;
  for (size_t i = 0; i < path->count; i++)
    poses[i] = path->points[i].pose;
  map_image_t image = {
      .cells = cells->cells, .box = cells->box, .resolution_m = cells->resolution_m};
  gantry_err_t err = map_image_write_trajectory_png(&image, poses, path->count, file);
  free(poses);
  return err;
}

static gantry_err_t write_trajectory(FILE *file, const void *arg) {
  return path_write(arg, file);
}

static gantry_err_t write_files(const chart_t *chart, const path_t *path, const char *folder,
                                gantry_fault_t *fault) {
  GANTRY_TRY(out_file_write(folder, "trajectory.csv", write_trajectory, path, fault));
  return out_file_write(folder, "map_trajectory.png", write_picture, &(drawing_t){chart, path},
                        fault);
}

static gantry_err_t print_summary(localize_track_t *track, const path_t *reference,
                                  gantry_fault_t *fault) {
  size_t compared = 0;
  double ate_m = path_error_m(&track->path, reference, &compared);
  struct rusage usage = {0};
  size_t scans = track->times.count;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"scans\":%zu,\"ms_per_scan\":%.4f,\"ms_p50\":%.4f,\"ms_p99\":%.4f,\"matched\":%zu,"
         "\"lost\":%zu,\"unplaced\":%zu,\"relocalizations\":%zu,\"iterations_per_scan\":%.2f,"
         "\"search_s\":%.3f,",
         scans, localize_times_mean(&track->times), localize_times_quantile(&track->times, 0.50),
         localize_times_quantile(&track->times, 0.99), track->matched, track->lost, track->unplaced,
         track->relocalizations, scans ? (double)track->iterations / (double)scans : 0.0,
         track->search_s);
  if (compared)
    printf("\"ate_m\":%.4f,\"compared\":%zu,", ate_m, compared);
  else
    printf("\"ate_m\":null,\"compared\":0,");
  printf("\"peak_mib\":%.1f}\n", (double)usage.ru_maxrss / 1024.0);
  return out_printed(fault);
}

static gantry_err_t follow(const chart_t *chart, const localize_options_t *options,
                           gantry_fault_t *fault) {
  localize_track_t track = {0};
  path_t reference = {0};
  gantry_err_t err = out_folder_make(options->out, fault);
  if (err == GANTRY_OK && options->ref) err = path_read(&reference, options->ref, fault);
  if (err == GANTRY_OK) err = localize_follow(chart, options, &track, fault);
  if (err == GANTRY_OK) err = write_files(chart, &track.path, options->out, fault);
  if (err == GANTRY_OK) err = print_summary(&track, &reference, fault);
  localize_track_fini(&track);
  path_fini(&reference);
  return err;
}

int command_localize(int argc, char **argv) {
  localize_options_t options;
  gantry_fault_t fault = {0};
  chart_t chart;
  int code = parse_options(argc, argv, &options);
  if (code >= 0) return code;
  interrupt_hold();
  gantry_err_t err = chart_open(&chart, options.map, &fault);
  if (err == GANTRY_OK)
    err = options.global ? localize_globally(&chart, &options, &fault)
                         : follow(&chart, &options, &fault);
  chart_close(&chart);
  if (err == GANTRY_OK) return interrupt_is_pending() ? EXIT_INTERRUPTED : EXIT_SUCCESS;
  fprintf(stderr, "gantry localize: %s: %s\n", fault.field, fault.detail);
  return EXIT_FAILURE;
}
