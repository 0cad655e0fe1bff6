/* Reads the options of gantry slam. */
#include "slam_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 64 };

/* 275 MB of map at most: a log is read on a desk, not on the robot. */
static const uint32_t TILE_LIMIT = 16384;

static const char USAGE[] =
    "Usage: gantry slam [OPTIONS] LOG\n"
    "\n"
    "Builds a map from LOG, a CARMEN 2-D log (plain or gzip), and writes into DIR:\n"
    "  trajectory.csv      time_s,x_m,y_m,theta_rad: the pose at every scan\n"
    "  map.png, map.yaml   the map as ROS map_server reads it\n"
    "  map_trajectory.png  the same with the path drawn over it, from blue to red, and the\n"
    "                      closures: accepted green, refused red\n"
    "  closures.csv        every candidate: keyframes, their times, verdict, score, residual,\n"
    "                      measured pose\n"
    "The last line on standard output is a JSON summary; ms_per_scan in it is the processor's "
    "time\n"
    "of tracking and mapping; finishing, and with two threads searches, are told apart from it.\n"
    "\n"
    "  -o, --out DIR            where to write; made when missing (default: .)\n"
    "  -r, --resolution METRES  side of a map cell, 0.02 to 0.25 (default: 0.05)\n"
    "  -t, --threads N          1 or 2: with 2, closures are searched beside the drive (default: "
    "2);\n"
    "                           the map is the same\n"
    "      --poses CSV          draw the map at these poses (time_s,x_m,y_m,theta_rad; plain or\n"
    "                           gzip) instead of finding them; scans without one are left out\n"
    "      --no-closures        no search for places seen before, to see what it gains\n"
    "      --no-finish          leave the map as it was at the last scan\n"
    "  -h, --help               this text\n";

static bool read_resolution(const char *text, slam_config_t *config) {
  char *end = NULL;
  double resolution_m = strtod(text, &end);
  config->tracker.grid.resolution_m = resolution_m;
  if (*end == '\0' && resolution_m >= 0.02 && resolution_m <= 0.25) return true;
  fprintf(stderr, "gantry slam: --resolution %s is not between 0.02 and 0.25 metres\n", text);
  return false;
}

static bool read_threads(const char *text, slam_config_t *config) {
  char *end = NULL;
  long threads = strtol(text, &end, 10);
  config->threads = (uint32_t)threads;
  if (end != text && *end == '\0' && (threads == 1 || threads == 2)) return true;
  fprintf(stderr, "gantry slam: --threads %s is neither 1 nor 2\n", text);
  return false;
}

int slam_options_parse(int argc, char **argv, slam_options_t *options) {
  static const struct option LONG[] = {
      {"out", required_argument, NULL, 'o'},     {"resolution", required_argument, NULL, 'r'},
      {"threads", required_argument, NULL, 't'}, {"poses", required_argument, NULL, 'P'},
      {"no-closures", no_argument, NULL, 'C'},   {"no-finish", no_argument, NULL, 'F'},
      {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
  *options = (slam_options_t){.out = ".", .config = slam_config_default(), .finish = true};
  options->config.tracker.grid.tile_limit = TILE_LIMIT;
  optind = 0; /* the table's caller may have used getopt before */
  for (int key; (key = getopt_long(argc, argv, "o:r:t:h", LONG, NULL)) != -1;) {
    if (key == 'h') {
      fputs(USAGE, stdout);
      return EXIT_SUCCESS;
    }
    if (key == '?') return EXIT_USAGE;
    if (key == 'o') options->out = optarg;
    if (key == 'P') options->poses = optarg;
    if (key == 'C' || key == 'P') options->config.closures = false;
    if (key == 'F' || key == 'P') options->finish = false;
    if (key == 'r' && !read_resolution(optarg, &options->config)) return EXIT_USAGE;
    if (key == 't' && !read_threads(optarg, &options->config)) return EXIT_USAGE;
  }
  if (optind + 1 != argc) {
    fprintf(stderr, "gantry slam: give one log file; see gantry slam --help\n");
    return EXIT_USAGE;
  }
  options->log = argv[optind];
  return -1;
}
