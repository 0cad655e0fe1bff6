/* gantry call: one request from the command line, its reply as JSON. */
#include "commands.h"
#include "session.h"

#include <gantry/json.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct call_options {
  const char *base, *service, *request, *body;
  uint32_t timeout_ms;
} call_options_t;

static const char HELP[] =
    "Usage: gantry call REQUEST [JSON|-] [--service NAME] [--timeout MS] [--bus BASE]\n"
    "Sends a request and prints the reply as JSON. `-` reads the JSON from standard input.\n"
    "A request that every service answers (sys.*) goes to all six unless --service names one.\n"
    "`gantry topics --requests` lists what can be called.\n";

static int parse(int argc, char **argv, call_options_t *options) {
  static const struct option LONG[] = {{"service", required_argument, NULL, 's'},
                                       {"timeout", required_argument, NULL, 't'},
                                       {"bus", required_argument, NULL, 'b'},
                                       {"help", no_argument, NULL, 'h'},
                                       {0}};
  int choice;
  optind = 1;
  while ((choice = getopt_long(argc, argv, "s:t:b:h", LONG, NULL)) != -1) {
    switch (choice) {
    case 's':
      options->service = optarg;
      break;
    case 't':
      options->timeout_ms = (uint32_t)strtoul(optarg, NULL, 10);
      break;
    case 'b':
      options->base = optarg;
      break;
    case 'h':
      fputs(HELP, stdout);
      return 0;
    default:
      fputs(HELP, stderr);
      return 64;
    }
  }
  if (optind >= argc || argc - optind > 2) {
    fputs(HELP, stderr);
    return 64;
  }
  options->request = argv[optind];
  options->body = optind + 1 < argc ? argv[optind + 1] : "{}";
  return -1;
}

/* Standard input to its end, at most 16 MiB. */
static gantry_err_t read_input(buf_t *out) {
  char chunk[65536];
  size_t len;
  out->limit = 16u << 20;
  while ((len = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
    buf_put(out, chunk, len);
  }
  return buf_err(out);
}

/* Calls one service; prints the reply, or the fault. */
static bool call_one(session_t *session, const call_options_t *options, const request_t *request,
                     const char *service, const void *takes, void *reply) {
  gantry_fault_t fault = {0};
  buf_t text = {0};
  fault.err =
      rpc_call_wait(session->client, request, service, takes, options->timeout_ms, reply, &fault);
  bool done = fault.err == GANTRY_OK && json_write(request->gives, reply, &text) == GANTRY_OK;
  if (done) {
    if (service) printf("%s ", service);
    puts(buf_text(&text));
  } else {
    session_complain(service ? service : request->name, &fault);
  }
  buf_fini(&text);
  return done;
}

static bool call_all(session_t *session, const call_options_t *options, const request_t *request,
                     const void *takes, void *reply) {
  if (strcmp(request->server, "*") != 0)
    return call_one(session, options, request, NULL, takes, reply);
  if (options->service) return call_one(session, options, request, options->service, takes, reply);
  bool all = true;
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    all = call_one(session, options, request, CATALOGUE_SERVICES[i], takes, reply) && all;
  }
  return all;
}

static int run(session_t *session, const call_options_t *options, const request_t *request) {
  buf_t input = {0};
  gantry_fault_t fault = {0};
  const char *body = options->body;
  int code = 1;
  void *takes = calloc(1, request->takes->size);
  void *reply = calloc(1, request->gives->size);
  if (!takes || !reply) goto done;
  if (strcmp(body, "-") == 0) {
    if (read_input(&input) != GANTRY_OK) goto done;
    body = buf_text(&input);
  }
  fault.err = json_read(request->takes, body, strlen(body), true, takes, &fault);
  if (fault.err != GANTRY_OK) {
    session_complain("call", &fault);
    code = 64;
    goto done;
  }
  code = call_all(session, options, request, takes, reply) ? 0 : 1;
done:
  buf_fini(&input);
  free(takes);
  free(reply);
  return code;
}

int command_call(int argc, char **argv) {
  call_options_t options = {0};
  int code = parse(argc, argv, &options);
  if (code >= 0) return code;
  const request_t *request = catalogue_request(options.request);
  if (!request) {
    fprintf(stderr, "gantry call: there is no request `%s`; see `gantry topics --requests`.\n",
            options.request);
    return 64;
  }
  session_t session;
  if (!session_open(&session, options.base)) return 78;
  code = run(&session, &options, request);
  session_close(&session);
  return code;
}
