/* gantry profile: register profiles, shown and checked without a running suite. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "plan.h"
#include "profile_json.h"

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 };

static const char USAGE[] =
    "Usage: gantry profile show PROFILE\n"
    "       gantry profile check PROFILE [--baud N] [--hold US]\n"
    "\n"
    "PROFILE is a built-in register profile (oht50, oht50-alt) or the path of one's own, in JSON.\n"
    "`show` prints it in the language that one's own is written in. `check` says what is wrong "
    "with\n"
    "it, or prints which registers the bridge would read together, how often, and what share of "
    "the\n"
    "line that takes. docs/profiles.md explains the language.\n"
    "\n"
    "  -b, --baud N    rate of the line, 8N1 (default: 115200)\n"
    "  -H, --hold US   longest time a poll may hold the line (default: 7100)\n"
    "  -h, --help      this text\n";

typedef struct profile_options {
  const char *verb, *profile;
  uint32_t baud, hold_us;
} profile_options_t;

static bool parse_number(const char *text, long least, long most, uint32_t *out) {
  char *end;
  long number = strtol(text, &end, 10);
  if (end == text || *end || number < least || number > most) {
    fprintf(stderr, "gantry profile: %s is not a number from %ld to %ld\n", text, least, most);
    return false;
  }
  *out = (uint32_t)number;
  return true;
}

/* -1 to go on, else an exit code. */
static int parse(int argc, char **argv, profile_options_t *out) {
  static const struct option options[] = {{"baud", required_argument, NULL, 'b'},
                                          {"hold", required_argument, NULL, 'H'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  *out = (profile_options_t){.baud = 115200, .hold_us = PLAN_MAX_HOLD_US};
  optind = 1;
  for (int c; (c = getopt_long(argc, argv, "b:H:h", options, NULL)) != -1;) {
    if (c == 'h') {
      fputs(USAGE, stdout);
      return 0;
    }
    if (c == 'b' && parse_number(optarg, 1200, 4000000, &out->baud)) continue;
    if (c == 'H' && parse_number(optarg, 1000, 1000000, &out->hold_us)) continue;
    return EXIT_USAGE;
  }
  bool known = argc - optind == 2 &&
               (strcmp(argv[optind], "show") == 0 || strcmp(argv[optind], "check") == 0);
  if (!known) {
    fputs(USAGE, stderr);
    return EXIT_USAGE;
  }
  out->verb = argv[optind];
  out->profile = argv[optind + 1];
  return -1;
}

static void print_plan(const plan_t *plan) {
  const register_profile_t *profile = plan->profile;
  printf("%s: %s\n%zu modules, %zu reads at %u baud\n\n", profile->name, profile->doc,
         profile->module_count, plan->count, plan->line.baud);
  printf("%-18s %4s  %-13s %8s %5s %8s %6s\n", "module", "addr", "registers", "lengths", "Hz",
         "hold ms", "line");
  for (size_t i = 0; i < plan->count; i++) {
    const plan_poll_t *poll = &plan->polls[i];
    const register_module_t *module = &profile->modules[poll->module];
    double hold_ms = line_hold_us(&plan->line, LINE_READ_HOLDING, poll->count) / 1000.0;
    char lengths[16];
    (void)snprintf(lengths, sizeof lengths, "%u-%u", poll->least, poll->most);
    printf("%-18s 0x%02X  0x%04X x %-4u %8s %5.4g %8.1f %5.1f%%\n", module->name, module->address,
           poll->first, poll->count, lengths, poll->rate_hz, hold_ms,
           0.1 * hold_ms * poll->rate_hz);
  }
  putchar('\n');
  for (size_t i = 0; i < profile->module_count; i++) {
    double share = plan_share(plan, &profile->modules[i]);
    if (share > 0.0)
      printf("%-18s %5.1f%% of the line%s\n", profile->modules[i].name, 100.0 * share,
             profile->modules[i].mandatory ? "" : ", when it is there");
  }
  printf("%-18s %5.1f%%\n", "mandatory modules", 100.0 * plan_share(plan, NULL));
}

static int check(const register_profile_t *profile, const profile_options_t *options) {
  const line_cfg_t line = {
      .baud = options->baud, .gap_us = line_gap_us(options->baud), .turnaround_us = 1000};
  plan_t plan;
  char why[PLAN_WHY];
  if (!plan_make(&plan, profile, &line, options->hold_us, why, sizeof why)) {
    fprintf(stderr, "gantry profile: %s: %s\n", options->profile, why);
    return EXIT_CONFIG;
  }
  print_plan(&plan);
  if (plan_share(&plan, NULL) > 1.0) puts("the line is too slow for that: polls will be left out");
  if (!registers_can_drive(profile, why, sizeof why))
    printf("it serves no robot, only further lines: %s\n", why);
  return 0;
}

int command_profile(int argc, char **argv) {
  profile_options_t options;
  char why[PROFILE_WHY];
  int code = parse(argc, argv, &options);
  if (code >= 0) return code;
  profile_file_t *file = NULL;
  const register_profile_t *profile = registers_profile(options.profile);
  if (!profile) {
    file = profile_open(options.profile, why, sizeof why);
    if (!file) {
      fprintf(stderr, "gantry profile: %s\n", why);
      return EXIT_CONFIG;
    }
    profile = profile_of(file);
  }
  code = 0;
  if (strcmp(options.verb, "show") == 0)
    profile_show(profile, stdout);
  else
    code = check(profile, &options);
  profile_destroy(&file);
  return code;
}
