/* Asking a service, so that each command only says what it means. */
#include "ask.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gantry/clock.h>
#include <gantry/json.h>
#include <messages.h>

#define PATIENCE_NS (60 * GANTRY_NS_PER_S)
#define PATIENT_MS  5000u
#define AGAIN_MS    200u

static const struct option LONG[] = {{"bus", required_argument, NULL, 'b'},
                                     {"help", no_argument, NULL, 'h'},
                                     {"json", no_argument, NULL, 'j'},
                                     {"watch", no_argument, NULL, 'w'},
                                     {"wait", no_argument, NULL, 'W'},
                                     {"raw", no_argument, NULL, 'r'},
                                     {"safety", no_argument, NULL, 'y'},
                                     {"safe", no_argument, NULL, 'S'},
                                     {"located", no_argument, NULL, 'L'},
                                     {"reason", required_argument, NULL, 'R'},
                                     {"speed", required_argument, NULL, 's'},
                                     {"acceleration", required_argument, NULL, 'a'},
                                     {"deceleration", required_argument, NULL, 'd'},
                                     {"timeout", required_argument, NULL, 't'},
                                     {"port", required_argument, NULL, 'p'},
                                     {"first", required_argument, NULL, 'f'},
                                     {"last", required_argument, NULL, 'l'},
                                     {"format", required_argument, NULL, 'F'},
                                     {"sensor", required_argument, NULL, 'n'},
                                     {"resume", no_argument, NULL, 'e'},
                                     {"session", required_argument, NULL, 'i'},
                                     {"rate", required_argument, NULL, 'x'},
                                     {"from", required_argument, NULL, 'o'},
                                     {"to", required_argument, NULL, 'u'},
                                     {"loop", no_argument, NULL, 'O'},
                                     {"description", required_argument, NULL, 'D'},
                                     {"state", required_argument, NULL, 'T'},
                                     {"method", required_argument, NULL, 'm'},
                                     {"reference", required_argument, NULL, 'v'},
                                     {"bearing", required_argument, NULL, 'B'},
                                     {"axis", required_argument, NULL, 'A'},
                                     {"samples", required_argument, NULL, 'N'},
                                     {"yes", no_argument, NULL, 'Y'},
                                     {0}};

static void set_flag(ask_t *ask, int letter) {
  bool *flags[128] = {
      ['j'] = &ask->json,   ['w'] = &ask->watch, ['W'] = &ask->wait,    ['r'] = &ask->raw,
      ['y'] = &ask->safety, ['S'] = &ask->safe,  ['L'] = &ask->located, ['e'] = &ask->resume,
      ['O'] = &ask->loop,   ['Y'] = &ask->yes};
  const char **texts[128] = {
      ['b'] = &ask->base,         ['R'] = &ask->reason,       ['s'] = &ask->speed,
      ['a'] = &ask->acceleration, ['d'] = &ask->deceleration, ['t'] = &ask->timeout,
      ['p'] = &ask->port,         ['f'] = &ask->first,        ['l'] = &ask->last,
      ['F'] = &ask->format,       ['n'] = &ask->sensor,       ['i'] = &ask->session_id,
      ['x'] = &ask->rate,         ['o'] = &ask->from,         ['u'] = &ask->to,
      ['D'] = &ask->description,  ['T'] = &ask->state,        ['m'] = &ask->method,
      ['v'] = &ask->reference,    ['B'] = &ask->bearing,      ['A'] = &ask->axis,
      ['N'] = &ask->samples};

  if (flags[letter]) *flags[letter] = true;
  if (texts[letter]) *texts[letter] = optarg;
}

int ask_parse(ask_t *ask, int argc, char **argv, const char *letters) {
  int choice;

  optind = 1;
  opterr = 0;
  while ((choice = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
    if (choice == 'h') {
      fputs(ask->help, stdout);
      return 0;
    }
    if (choice == '?' || (choice != 'b' && !strchr(letters, choice)))
      return ask_wrong(ask, "`%s` is no option of it, or lacks its value.", argv[optind - 1]);
    set_flag(ask, choice);
  }
  if (argc - optind > ASK_WORDS) return ask_wrong(ask, "that is too much to take in.");
  for (; optind < argc; optind++)
    ask->words[ask->count++] = argv[optind];
  return -1;
}

int ask_wrong(const ask_t *ask, const char *format, ...) {
  va_list args;

  fprintf(stderr, "gantry %s: ", ask->name);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fprintf(stderr, "\n`gantry %s --help` says how.\n", ask->name);
  return ASK_USAGE;
}

/* ---- numbers */

bool ask_number(const ask_t *ask, const char *what, const char *text, double min, double max,
                double *out) {
  char *end;

  if (!text) return true;
  errno = 0;
  double value = strtod(text, &end);
  if (end != text && !*end && !errno && isfinite(value) && value >= min && value <= max) {
    *out = value;
    return true;
  }
  ask_wrong(ask, "%s is a number from %g to %g, not `%s`.", what, min, max, text);
  return false;
}

bool ask_whole(const ask_t *ask, const char *what, const char *text, long min, long max,
               long *out) {
  char *end;

  if (!text) return true;
  errno = 0;
  long value = strtol(text, &end, 0);
  if (end != text && !*end && !errno && value >= min && value <= max) {
    *out = value;
    return true;
  }
  ask_wrong(ask, "%s is a whole number from %ld to %ld, not `%s`.", what, min, max, text);
  return false;
}

/* ---- question and answer */

/* What a service itself refuses says by itself what to do. */
static void advise(const request_t *request, const gantry_fault_t *fault) {
  bool bridge = strcmp(request->server, "rs485-bridge") == 0;
  if (fault->err == GANTRY_E_UNAVAILABLE && strstr(fault->detail, "is not there"))
    fprintf(stderr,
            "If the suite runs, `gantry ping %s` tells whether it is there; --bus or GANTRY_BUS"
            " names another bus.\n",
            request->server);
  if (fault->err == GANTRY_E_TIMEOUT && bridge)
    fputs("The bridge, or the module behind it, did not answer in time; `gantry lines` shows the "
          "line.\n",
          stderr);
}

static bool fail(const ask_t *ask, const request_t *request, const gantry_fault_t *fault) {
  ask_progress("%s", "");
  session_complain(ask->name, fault);
  advise(request, fault);
  return false;
}

bool ask(ask_t *ask, const request_t *request, const void *takes, void *gives) {
  gantry_fault_t fault = {0};

  fault.err = rpc_call_wait(ask->session.client, request, NULL, takes, 0, gives, &fault);
  return fault.err == GANTRY_OK || fail(ask, request, &fault);
}

bool ask_patiently(ask_t *ask, const request_t *request, const void *takes, void *gives) {
  uint64_t end_ns = clock_mono_ns() + PATIENCE_NS;

  for (;;) {
    gantry_fault_t fault = {0};
    fault.err = rpc_call_wait(ask->session.client, request, NULL, takes, PATIENT_MS, gives, &fault);
    if (fault.err == GANTRY_OK) return true;
    bool away = fault.err == GANTRY_E_UNAVAILABLE || fault.err == GANTRY_E_TIMEOUT;
    if (!away || clock_mono_ns() > end_ns) return fail(ask, request, &fault);
    ask_progress("%s does not answer: waiting", request->server);
    if (!ask_pause(ask, AGAIN_MS)) return false;
  }
}

void ask_print(const desc_t *desc, const void *value) {
  buf_t text = {0};

  if (json_write(desc, value, &text) == GANTRY_OK) puts(buf_text(&text));
  fflush(stdout);
  buf_fini(&text);
}

bool ask_pause(ask_t *ask, uint32_t ms) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)ms * GANTRY_NS_PER_MS;

  for (uint64_t now_ns = clock_mono_ns(); now_ns < end_ns; now_ns = clock_mono_ns()) {
    if (loop_stopped(ask->session.loop)) return false;
    loop_step(ask->session.loop, (int)((end_ns - now_ns) / GANTRY_NS_PER_MS) + 1);
  }
  return !loop_stopped(ask->session.loop);
}

void ask_progress(const char *format, ...) {
  static bool open;
  char line[160];
  va_list args;

  if (!isatty(STDERR_FILENO)) return;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (line[0])
    fprintf(stderr, "\r\033[K%s", line);
  else if (open)
    fputc('\n', stderr);
  open = line[0] != '\0';
}

/* ---- modules by name */

bool ask_module(ask_t *ask_, const char *text, uint8_t *address, uint8_t *port) {
  robot_modules_t modules;
  sys_empty_t nothing = {0};
  long number = 0, line = 0;
  char *end;

  if (!ask_whole(ask_, "--port", ask_->port, 1, 32, &line)) return false;
  *port = (uint8_t)line;
  number = strtol(text, &end, 0);
  if (end != text && !*end) {
    if (!ask_whole(ask_, "an address", text, 1, 247, &number)) return false;
    *address = (uint8_t)number;
    return true;
  }
  if (!ask(ask_, REQUEST_ROBOT_MODULES, &nothing, &modules)) return false;
  for (uint32_t i = 0; i < modules.modules_count; i++) {
    const robot_module_t *module = &modules.modules[i];
    if (strcmp(module->name, text) != 0 || (line && module->port != line)) continue;
    *address = module->address;
    *port = module->has_port ? module->port : 1;
    return true;
  }
  ask_wrong(ask_, "no module is called `%s`; `gantry modules` lists them.", text);
  return false;
}

const char *ask_time_text(bool given, uint64_t wall_ns, char *out, size_t size) {
  time_t seconds = (time_t)(wall_ns / GANTRY_NS_PER_S);
  struct tm utc;
  if (!given || !gmtime_r(&seconds, &utc) || !strftime(out, size, "%Y-%m-%d %H:%M:%SZ", &utc))
    snprintf(out, size, "-");
  return out;
}
