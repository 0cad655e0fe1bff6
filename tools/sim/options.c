/* The option table: name, kind, default, bounds, one line of help. */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

typedef enum kind {
  KIND_TEXT,
  KIND_NUMBER,
  KIND_U64,
  KIND_U32,
  KIND_FLAG,
  KIND_UNITS,
  KIND_WORDS
} kind_t;

typedef struct option {
  const char *name;
  kind_t kind;
  size_t offset;
  double initial, min, max; /* numbers only */
  const char *help;
} option_t;

#define UNITS_KNOWN 0x08FC /* bit n: there is a module for slave address n */

#define AT(member) offsetof(options_t, member)

static const option_t table[] = {
    {"rs485", KIND_TEXT, AT(rs485), 0, 0, 0, "PATH of the symlink to the Modbus line's pty"},
    {"lidar", KIND_TEXT, AT(lidar), 0, 0, 0, "PATH of the symlink to the LiDAR's pty"},
    {"control", KIND_TEXT, AT(control), 0, 0, 0, "PATH of the control socket"},
    {"transcript", KIND_TEXT, AT(transcript), 0, 0, 0, "FILE for one JSON line a frame"},
    {"replay", KIND_TEXT, AT(replay), 0, 0, 0,
     "CARMEN log (.clf or .clf.gz) in place of the world"},
    {"pace", KIND_NUMBER, AT(pace), 20, 0.01, 1000, "log seconds a second in replay"},
    {"seed", KIND_U64, AT(seed), 1, 0, 1e15, "of all noise: same seed, same run"},
    {"baud", KIND_U32, AT(baud), 115200, 1200, 4000000, "of the line clock, 8N1"},
    {"unpaced", KIND_FLAG, AT(unpaced), 0, 0, 0, "answer at once; the line clock stands still"},
    {"realtime", KIND_FLAG, AT(realtime), 0, 0, 0,
     "run before all others (SCHED_FIFO), if allowed"},
    {"lidar-noise", KIND_NUMBER, AT(lidar_noise_m), 0.030, 0, 1, "standard deviation, m"},
    {"range-noise", KIND_NUMBER, AT(range_noise_m), 0.004, 0, 1,
     "standard deviation of range and proximity sensors, m"},
    {"accel-noise", KIND_NUMBER, AT(accel_noise_mg), 5, 0, 500, "standard deviation, milli-g"},
    {"wheel-error", KIND_NUMBER, AT(wheel_error), 0.01, -0.5, 0.5,
     "share by which the odometry overstates"},
    {"soc", KIND_NUMBER, AT(soc), 0.85, 0, 1, "state of charge at the start, share"},
    {"start", KIND_NUMBER, AT(start_m), 0, 0, 60, "place on the rail at the start, m"},
    {"modules", KIND_UNITS, AT(modules), 0, 0, 0,
     "slave addresses on the line (2,3,4,5); there are 2 to 7 and 11"},
    {"profile", KIND_WORDS, 0, 0, 0, 0, "register maps: oht50 or oht50-alt (oht50)"},
    {"without", KIND_WORDS, 0, 0, 0, 0,
     "what modules lack, with commas: optional, odometry, system: the older block instead"},
    {"unique", KIND_FLAG, AT(unique), 0, 0, 0, "every register reads as a value of its own"},
    {"print-tags", KIND_FLAG, AT(print_tags), 0, 0, 0, "print the RFID tags as JSON and end"},
    {"print-world", KIND_FLAG, AT(print_world), 0, 0, 0, "print walls and rail as JSON and end"},
    {"help", KIND_FLAG, AT(help), 0, 0, 0, "print this and end"},
};

#define COUNT (sizeof table / sizeof table[0])

static void store(options_t *options, const option_t *option, double number) {
  char *field = (char *)options + option->offset;
  if (option->kind == KIND_NUMBER) *(double *)(void *)field = number;
  if (option->kind == KIND_U64) *(uint64_t *)(void *)field = (uint64_t)number;
  if (option->kind == KIND_U32) *(uint32_t *)(void *)field = (uint32_t)number;
  if (option->kind == KIND_FLAG) *(bool *)field = number != 0;
}

static void print_help(void) {
  (void)printf("gantry-sim: the plant in place of hardware, on two ptys\n\n");
  for (size_t i = 0; i < COUNT; i++) {
    const option_t *option = &table[i];
    (void)printf("  --%-12s %s", option->name, option->help);
    if (option->kind == KIND_NUMBER || option->kind == KIND_U64 || option->kind == KIND_U32)
      (void)printf(" (%g; %g to %g)", option->initial, option->min, option->max);
    (void)printf("\n");
  }
}

static bool complain(const option_t *option, const char *takes, const char *text) {
  (void)fprintf(stderr, "gantry-sim: --%s takes %s, not '%s'\n", option->name, takes, text);
  return false;
}

/* `2,3,0x0B` as bits. */
static bool read_units(options_t *options, const option_t *option, const char *text) {
  uint32_t units = 0;
  const char *rest = text;
  do {
    char *end = NULL;
    unsigned long unit = strtoul(rest, &end, 0);
    if (end == rest || (*end && *end != ',') || unit > 31 || !(UNITS_KNOWN >> unit & 1))
      return complain(option, "addresses of 2 to 7 and 11 with commas between", text);
    units |= UINT32_C(1) << unit;
    rest = *end ? end + 1 : end;
  } while (*rest);
  options->modules = units;
  return true;
}

static bool is_word(const char *text, size_t len, const char *word) {
  return strlen(word) == len && strncmp(text, word, len) == 0;
}

static bool read_words(options_t *options, const option_t *option, const char *text) {
  if (strcmp(option->name, "profile") == 0) {
    options->alt = options->old_system = strcmp(text, "oht50-alt") == 0;
    return options->alt || strcmp(text, "oht50") == 0 ||
           complain(option, "oht50 or oht50-alt", text);
  }
  for (const char *rest = text; *rest;) {
    size_t len = strcspn(rest, ",");
    bool *flag = is_word(rest, len, "optional")   ? &options->without_optional
                 : is_word(rest, len, "odometry") ? &options->without_odometry
                 : is_word(rest, len, "system")   ? &options->old_system
                                                  : NULL;
    if (!flag) return complain(option, "optional, odometry and system with commas between", text);
    *flag = true;
    rest += len + (rest[len] != '\0');
  }
  return true;
}

static bool read_value(options_t *options, const option_t *option, const char *text) {
  if (option->kind == KIND_UNITS) return read_units(options, option, text);
  if (option->kind == KIND_WORDS) return read_words(options, option, text);
  if (option->kind == KIND_TEXT) {
    memcpy((char *)options + option->offset, &text, sizeof text);
    return true;
  }
  char *end = NULL;
  errno = 0;
  double number = strtod(text, &end);
  bool whole = option->kind == KIND_NUMBER || number == floor(number);
  if (errno || end == text || *end || !(number >= option->min && number <= option->max) || !whole) {
    (void)fprintf(stderr, "gantry-sim: --%s takes a number from %g to %g, not '%s'\n", option->name,
                  option->min, option->max, text);
    return false;
  }
  store(options, option, number);
  return true;
}

static const option_t *find(const char *argument, size_t len) {
  for (size_t i = 0; i < COUNT; i++)
    if (strlen(table[i].name) == len && strncmp(table[i].name, argument, len) == 0)
      return &table[i];
  return NULL;
}

/* Reads argv[*i] and, where needed, the value behind it: `--name value` or `--name=value`. */
static bool read_argument(options_t *options, int argc, char **argv, int *i) {
  const char *argument = argv[*i];
  const option_t *option = NULL;
  const char *value = strchr(argument, '=');
  if (strncmp(argument, "--", 2) == 0)
    option = find(argument + 2, value ? (size_t)(value - argument) - 2 : strlen(argument) - 2);
  if (!option || (value && option->kind == KIND_FLAG)) {
    (void)fprintf(stderr, "gantry-sim: unknown option '%s', see --help\n", argument);
    return false;
  }
  if (option->kind == KIND_FLAG) {
    store(options, option, 1);
    return true;
  }
  if (value) return read_value(options, option, value + 1);
  if (*i + 1 >= argc) {
    (void)fprintf(stderr, "gantry-sim: --%s needs a value\n", option->name);
    return false;
  }
  return read_value(options, option, argv[++*i]);
}

options_outcome_t options_parse(options_t *options, int argc, char **argv) {
  memset(options, 0, sizeof *options);
  for (size_t i = 0; i < COUNT; i++)
    store(options, &table[i], table[i].initial);
  for (int i = 1; i < argc; i++)
    if (!read_argument(options, argc, argv, &i)) return OPTIONS_WRONG;
  if (options->help) print_help();
  if (options->print_tags) print_tags(stdout);
  if (options->print_world) print_world(stdout);
  if (options->help || options->print_tags || options->print_world) return OPTIONS_DONE;
  if (!options->rs485 && !options->lidar) {
    (void)fprintf(stderr, "gantry-sim: give --rs485 PATH, --lidar PATH or both, see --help\n");
    return OPTIONS_WRONG;
  }
  return OPTIONS_RUN;
}
