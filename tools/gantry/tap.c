/* gantry tap: what passes on the bus, message by message or as statistics. */
#include "commands.h"
#include "session.h"
#include "tap_stats.h"

#include <gantry/clock.h>
#include <gantry/json.h>
#include <gantry/unpack.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tap_options {
  const char *base, *service;
  char prefix[FRAME_TOPIC_MAX + 1];
  bool stats, requests;
  uint32_t seconds; /* 0: until interrupted */
  uint64_t count;   /* 0: no end */
} tap_options_t;

typedef struct tap {
  session_t session;
  tap_options_t options;
  tap_stats_t stats;
  buf_t line;
  uint64_t seen;
  uint64_t printed_ns;
} tap_t;

static const char HELP[] =
    "Usage: gantry tap [PATTERN] [--stats] [--service NAME] [--requests] [--seconds N] [--count "
    "N]\n"
    "                  [--bus BASE]\n"
    "Prints each message as one JSON line. PATTERN is a topic or its beginning and `*`, e.g. "
    "'sensor.*'.\n"
    "  --stats         instead, each second a table: rate, bytes, gaps, age since birth (p50, "
    "p99)\n"
    "  --service NAME  only what this service says\n"
    "  --requests      headers of requests and replies, mirrored by the services while this runs\n";

static bool take_option(tap_options_t *options, int choice) {
  switch (choice) {
  case 's':
    options->stats = true;
    return true;
  case 'r':
    options->requests = true;
    return true;
  case 'n':
    options->service = optarg;
    return true;
  case 'b':
    options->base = optarg;
    return true;
  case 't':
    options->seconds = (uint32_t)strtoul(optarg, NULL, 10);
    return true;
  case 'c':
    options->count = strtoull(optarg, NULL, 10);
    return true;
  default:
    return false;
  }
}

/* -1: go on; otherwise the exit code. */
static int parse(int argc, char **argv, tap_options_t *options) {
  static const struct option LONG[] = {
      {"stats", no_argument, NULL, 's'},         {"requests", no_argument, NULL, 'r'},
      {"service", required_argument, NULL, 'n'}, {"bus", required_argument, NULL, 'b'},
      {"seconds", required_argument, NULL, 't'}, {"count", required_argument, NULL, 'c'},
      {"help", no_argument, NULL, 'h'},          {0}};
  int choice;
  optind = 1;
  while ((choice = getopt_long(argc, argv, "srn:b:t:c:h", LONG, NULL)) != -1) {
    if (choice == 'h') {
      fputs(HELP, stdout);
      return 0;
    }
    if (!take_option(options, choice)) {
      fputs(HELP, stderr);
      return 64;
    }
  }
  const char *pattern = optind < argc ? argv[optind] : "*";
  if (options->requests) pattern = "sys.rpc.*";
  snprintf(options->prefix, sizeof options->prefix, "%.*s", (int)strcspn(pattern, "*"), pattern);
  return -1;
}

/* The body by its schema (times and traces as people read them); as plain msgpack where it has none
   or does not fit it. */
static void print_body(const frame_t *frame, buf_t *line) {
  const topic_t *topic = catalogue_topic(frame->topic);
  void *body = topic ? calloc(1, topic->message->size) : NULL;
  bool fits =
      body && unpack_message(topic->message, frame->body, frame->body_len, body, NULL) == GANTRY_OK;
  if (!fits || json_write(topic->message, body, line) != GANTRY_OK) {
    unpack_to_json(frame->body, frame->body_len, line);
  }
  free(body);
}

static void print_message(tap_t *tap, const frame_t *frame) {
  buf_t *line = &tap->line;
  buf_reset(line);
  buf_printf(line, "{\"topic\":\"%s\",\"header\":", frame->topic);
  json_write(&SYS_HEADER_DESC, &frame->header, line);
  buf_put_text(line, ",\"body\":");
  print_body(frame, line);
  buf_put_text(line, "}\n");
  if (buf_err(line) == GANTRY_OK) fwrite(line->data, 1, line->len, stdout);
  fflush(stdout);
}

static void on_message(const frame_t *frame, const void *body, void *arg) {
  (void)body;
  tap_t *tap = arg;
  if (tap->options.service && strcmp(tap->options.service, frame->header.from) != 0) return;
  tap->seen++;
  if (tap->options.stats) {
    tap_stats_add(&tap->stats, frame->topic, frame->header.boot, frame->header.seq, frame->body_len,
                  clock_age_ms(clock_mono_ns(), frame->header.born));
  } else {
    print_message(tap, frame);
  }
  if (tap->options.count > 0 && tap->seen >= tap->options.count) loop_stop(tap->session.loop);
}

static void on_second(void *arg) {
  tap_t *tap = arg;
  uint64_t now_ns = clock_mono_ns();
  tap_stats_print(&tap->stats, clock_age_ms(now_ns, tap->printed_ns) / 1000.0, stdout);
  tap->printed_ns = now_ns;
}

static void on_end(void *arg) {
  tap_t *tap = arg;
  loop_stop(tap->session.loop);
}

static void on_mirrored(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                        const sys_header_t *header, void *arg) {
  (void)reply, (void)header, (void)arg;
  if (err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE && fault) session_complain("tap", fault);
}

/* Asks the services to mirror their requests for the next two seconds; repeated each second. */
static void on_mirror(void *arg) {
  tap_t *tap = arg;
  sys_mirror_t request = {.seconds = 2};
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    const char *service = CATALOGUE_SERVICES[i];
    if (tap->options.service && strcmp(tap->options.service, service) != 0) continue;
    rpc_call(tap->session.client, REQUEST_SYS_MIRROR, service, NULL, &request, 0, on_mirrored, tap);
  }
}

static void begin(tap_t *tap) {
  loop_t *loop = tap->session.loop;
  tap->printed_ns = clock_mono_ns();
  if (tap->options.stats) loop_every(loop, 1000, on_second, tap);
  if (tap->options.seconds > 0) loop_after(loop, tap->options.seconds * 1000, on_end, tap);
  if (tap->options.requests) {
    on_mirror(tap);
    loop_every(loop, 1000, on_mirror, tap);
  }
}

int command_tap(int argc, char **argv) {
  tap_t tap = {0};
  int code = parse(argc, argv, &tap.options);
  if (code >= 0) return code;
  if (!tap_stats_init(&tap.stats)) return 70;
  if (!session_open(&tap.session, tap.options.base)) {
    tap_stats_fini(&tap.stats);
    return 78;
  }
  gantry_fault_t fault = {0};
  fault.err = bus_tap(tap.session.bus, tap.options.prefix, on_message, &tap);
  if (fault.err == GANTRY_OK) {
    begin(&tap);
    loop_run(tap.session.loop);
    if (tap.options.stats) on_second(&tap);
  } else {
    session_complain("tap", &fault);
  }
  session_close(&tap.session);
  tap_stats_fini(&tap.stats);
  buf_fini(&tap.line);
  return fault.err == GANTRY_OK ? 0 : 1;
}
