/* gantry calibrate: guides a person through the calibration of a sensor. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"

#define LOOK_MS 200u

static const char HELP[] =
    "Usage: gantry calibrate SENSOR --method rest|points|orientations|target [--reference VALUE]\n"
    "                        [--bearing RAD] [--axis +z] [--samples N] [--yes] [--json]\n"
    "       gantry calibrate SENSOR state | activate | cancel | history | rollback [VERSION]\n"
    "rest          the sensor is at rest at --reference, 0 unless said; an accelerometer lies "
    "level\n"
    "points        true values one after another: --reference is the first\n"
    "orientations  an accelerometer on each of its six sides: --axis points up\n"
    "target        a LiDAR before a flat target, --reference metres away at --bearing\n"
    "At a terminal it asks for the next point, shows what would come of it, and asks before it is\n"
    "put in force. Elsewhere one call collects one point; --yes puts the outcome in force as soon\n"
    "as there is one, and asks nothing. What was begun is kept for ten minutes of silence.\n";

typedef struct guide {
  ask_t *asked;
  bool terminal; /* somebody is there to answer */
  sensor_calibration_begin_t next;
  sensor_calibration_run_t run;
} guide_t;

static sensor_sensor_key_t key_of(const guide_t *guide) {
  sensor_sensor_key_t key = {0};
  memcpy(key.sensor, guide->next.sensor, sizeof key.sensor);
  return key;
}

/* ---- the person */

/* A line from the terminal without its end; false at its end, or when Ctrl-C has come. */
static bool answer(guide_t *guide, const char *question, char *out, size_t size) {
  struct pollfd ends[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = guide->asked->session.signals, .events = POLLIN}};
  fprintf(stderr, "%s ", question);
  bool polled = poll(ends, 2, -1) > 0;
  if (polled && ends[1].revents) loop_step(guide->asked->session.loop, 0); /* takes the signal */
  if (!polled || ends[1].revents || !fgets(out, (int)size, stdin)) {
    fputc('\n', stderr);
    return false;
  }
  out[strcspn(out, "\n")] = '\0';
  return true;
}

static void print_points(const sensor_calibration_run_t *run) {
  for (uint32_t i = 0; i < run->points_count; i++) {
    const sensor_calibration_point_t *point = &run->points[i];
    printf("%-3s %12.6g  measured", point->axis, point->reference);
    for (uint32_t k = 0; k < point->mean_count; k++)
      printf(" %.6g (deviation %.3g)", point->mean[k], point->deviation[k]);
    printf(", %u readings\n", point->samples);
  }
}

static void print_run(const guide_t *guide) {
  const sensor_calibration_run_t *run = &guide->run;
  if (guide->asked->json) {
    ask_print(&SENSOR_CALIBRATION_RUN_DESC, run);
    return;
  }
  print_points(run);
  if (run->state == SENSOR_CALIBRATION_STATE_READY)
    printf("error now %.4g, then %.4g\n%s\n", run->error_before, run->error_after,
           run->calibration);
  printf("%s: %s\n", desc_enum_text(&SENSOR_CALIBRATION_STATE_ENUM, (int)run->state), run->advice);
  fflush(stdout);
}

/* ---- one point */

/* Begins guide->next and waits until its readings are there. */
static bool collect(guide_t *guide) {
  sensor_sensor_key_t key = key_of(guide);
  if (!ask(guide->asked, REQUEST_SENSOR_CALIBRATION_BEGIN, &guide->next, &guide->run)) return false;
  while (guide->run.state == SENSOR_CALIBRATION_STATE_COLLECTING) {
    ask_progress("%u of %u readings: %s", guide->run.collected, guide->run.samples,
                 guide->run.advice);
    if (!ask_pause(guide->asked, LOOK_MS)) break;
    if (!ask(guide->asked, REQUEST_SENSOR_CALIBRATION_STATE, &key, &guide->run)) return false;
  }
  ask_progress("%s", "");
  if (guide->run.state != SENSOR_CALIBRATION_STATE_COLLECTING) return true;
  fprintf(stderr, "gantry calibrate: interrupted; `gantry calibrate %s cancel` gives it up.\n",
          key.sensor);
  return false;
}

/* A number that the person gives; false when there is no more. */
static bool answer_number(guide_t *guide, const char *question, double *out) {
  char line[64], *end;
  while (answer(guide, question, line, sizeof line) && line[0]) {
    double value = strtod(line, &end);
    if (end != line && !*end) {
      *out = value;
      return true;
    }
    fprintf(stderr, "`%s` is no number.\n", line);
  }
  return false;
}

/* The side that no point has shown yet. */
static const char *missing(const sensor_calibration_run_t *run) {
  static const char *const AXES[] = {"+x", "-x", "+y", "-y", "+z", "-z"};
  for (size_t i = 0; i < sizeof AXES / sizeof *AXES; i++) {
    bool there = false;
    for (uint32_t k = 0; k < run->points_count; k++)
      there |= strcmp(run->points[k].axis, AXES[i]) == 0;
    if (!there) return AXES[i];
  }
  return NULL;
}

/* Asks for the next point; false when that was all. */
static bool next_point(guide_t *guide) {
  char question[80], line[8];
  sensor_calibration_begin_t *next = &guide->next;
  const char *axis;
  switch (next->method) {
  case SENSOR_CALIBRATION_METHOD_ORIENTATIONS:
    axis = missing(&guide->run);
    if (!axis) return false;
    next->has_axis = true;
    memcpy(next->axis, axis, strlen(axis) + 1);
    snprintf(question, sizeof question, "Turn it so that %s points up, then press Enter.", axis);
    return answer(guide, question, line, sizeof line);
  case SENSOR_CALIBRATION_METHOD_REST:
    if (guide->run.state != SENSOR_CALIBRATION_STATE_FAILED) return false;
    return answer(guide, "Press Enter to measure again, Ctrl-C to stop.", line, sizeof line);
  case SENSOR_CALIBRATION_METHOD_TARGET:
    next->has_bearing = next->has_reference = true;
    return answer_number(guide, "Distance of the next target in m (Enter: that was all):",
                         &next->reference) &&
           answer_number(guide, "Its bearing in rad:", &next->bearing);
  case SENSOR_CALIBRATION_METHOD_POINTS:
    break;
  }
  next->has_reference = true;
  return answer_number(guide, "Next true value, once the sensor measures it (Enter: that was all):",
                       &next->reference);
}

/* ---- the whole */

static int activate(guide_t *guide) {
  static sensor_calibrated_t in_force;
  sensor_sensor_key_t key = key_of(guide);
  if (!ask(guide->asked, REQUEST_SENSOR_CALIBRATION_ACTIVATE, &key, &in_force)) return 1;
  if (guide->asked->json)
    ask_print(&SENSOR_CALIBRATED_DESC, &in_force);
  else
    printf("%s is calibrated: %s\n", in_force.sensor, in_force.calibration);
  return 0;
}

/* Puts the outcome in force, if it is wished. */
static int conclude(guide_t *guide) {
  char line[8] = "y";
  const char *sensor = guide->next.sensor;
  if (guide->run.state == SENSOR_CALIBRATION_STATE_FAILED) return 1;
  if (guide->run.state != SENSOR_CALIBRATION_STATE_READY) return 0;
  if (guide->terminal && !answer(guide, "Put it in force? [y/N]", line, sizeof line)) return 1;
  if (!guide->terminal && !guide->asked->yes) return 0;
  if (line[0] == 'y' || line[0] == 'Y') return activate(guide);
  printf("Nothing is changed. `gantry calibrate %s activate` or `cancel` ends it.\n", sensor);
  return 0;
}

static int guided(guide_t *guide) {
  bool begun = guide->next.has_reference || guide->next.has_axis || !guide->terminal ||
               guide->next.method == SENSOR_CALIBRATION_METHOD_REST;
  for (bool more = begun || next_point(guide); more; more = guide->terminal && next_point(guide)) {
    if (!collect(guide)) return 1;
    print_run(guide);
  }
  return loop_stopped(guide->asked->session.loop) ? 1 : conclude(guide);
}

/* ---- what else there is */

static int state(guide_t *guide) {
  sensor_sensor_key_t key = key_of(guide);
  if (!ask(guide->asked, REQUEST_SENSOR_CALIBRATION_STATE, &key, &guide->run)) return 1;
  print_run(guide);
  return 0;
}

static int cancel(guide_t *guide) {
  sensor_sensor_key_t key = key_of(guide), gone;
  if (!ask(guide->asked, REQUEST_SENSOR_CALIBRATION_CANCEL, &key, &gone)) return 1;
  printf("the calibration of %s is given up; nothing is changed\n", gone.sensor);
  return 0;
}

static int history(guide_t *guide) {
  static sensor_calibration_versions_t all;
  store_sensor_key_t key = {0};
  memcpy(key.sensor, guide->next.sensor, sizeof key.sensor);
  if (!ask(guide->asked, REQUEST_STORE_CALIBRATIONS, &key, &all)) return 1;
  if (guide->asked->json) ask_print(&SENSOR_CALIBRATION_VERSIONS_DESC, &all);
  for (uint32_t i = 0; i < all.versions_count && !guide->asked->json; i++) {
    const sensor_calibration_version_t *version = &all.versions[i];
    printf("%5u %c %-16s %s\n", version->version, version->active ? '*' : ' ',
           version->by[0] ? version->by : "-", version->calibration);
  }
  return 0;
}

static int rollback(guide_t *guide) {
  static sensor_calibrated_t in_force;
  sensor_calibration_rollback_t back = {.has_version = guide->asked->count > 2};
  long version = 0;
  if (back.has_version &&
      !ask_whole(guide->asked, "VERSION", guide->asked->words[2], 1, 1000000000, &version))
    return ASK_USAGE;
  back.version = (uint32_t)version;
  memcpy(back.sensor, guide->next.sensor, sizeof back.sensor);
  if (!ask(guide->asked, REQUEST_SENSOR_CALIBRATION_ROLLBACK, &back, &in_force)) return 1;
  printf("%s is calibrated: %s\n", in_force.sensor, in_force.calibration);
  return 0;
}

/* ---- the command */

/* From words and options to the first point; false when one is wrong. */
static bool read_point(ask_t *asked, sensor_calibration_begin_t *out) {
  long samples = 0;
  if ((size_t)snprintf(out->sensor, sizeof out->sensor, "%s", asked->words[0]) >=
      sizeof out->sensor)
    return ask_wrong(asked, "`%s` is too long for a sensor's id.", asked->words[0]) == 0;
  out->has_reference = asked->reference != NULL;
  out->has_bearing = asked->bearing != NULL;
  out->has_samples = asked->samples != NULL;
  out->has_axis = asked->axis != NULL;
  if (!ask_number(asked, "--reference", asked->reference, -1e9, 1e9, &out->reference) ||
      !ask_number(asked, "--bearing", asked->bearing, -3.1416, 3.1416, &out->bearing) ||
      !ask_whole(asked, "--samples", asked->samples, 5, 10000, &samples))
    return false;
  out->samples = (uint32_t)samples;
  if (asked->axis &&
      (strlen(asked->axis) != 2 || snprintf(out->axis, sizeof out->axis, "%s", asked->axis) != 2))
    return ask_wrong(asked, "--axis is one of +x -x +y -y +z -z, not `%s`.", asked->axis) == 0;
  int method = asked->method ? desc_enum_value(&SENSOR_CALIBRATION_METHOD_ENUM, asked->method,
                                               strlen(asked->method))
                             : 0;
  if (method < 0)
    return ask_wrong(asked, "--method is rest, points, orientations or target, not `%s`.",
                     asked->method) == 0;
  out->method = (sensor_calibration_method_t)method;
  return true;
}

typedef struct verb {
  const char *name;
  int most; /* words, with sensor and verb */
  int (*run)(guide_t *guide);
} verb_t;

int command_calibrate(int argc, char **argv) {
  static const verb_t VERBS[] = {{"state", 2, state},
                                 {"activate", 2, activate},
                                 {"cancel", 2, cancel},
                                 {"history", 2, history},
                                 {"rollback", 3, rollback}};
  ask_t asked = {.name = "calibrate", .help = HELP};
  static guide_t guide;
  const verb_t *verb = NULL;
  int code = ask_parse(&asked, argc, argv, "jmvBANY");
  if (code >= 0) return code;
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS && asked.count > 1; i++)
    if (strcmp(VERBS[i].name, asked.words[1]) == 0) verb = &VERBS[i];
  if (asked.count < 1 || (asked.count > 1 && (!verb || asked.count > verb->most)))
    return ask_wrong(&asked, "that is none of its forms.");
  if (!verb && !asked.method)
    return ask_wrong(&asked, "--method is missing: rest, points, orientations or target.");
  guide = (guide_t){.asked = &asked, .terminal = isatty(STDIN_FILENO) && !asked.yes && !asked.json};
  if (!read_point(&asked, &guide.next)) return ASK_USAGE;
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = verb ? verb->run(&guide) : guided(&guide);
  if (code && loop_stopped(asked.session.loop)) code = ASK_INTERRUPTED;
  session_close(&asked.session);
  return code;
}
