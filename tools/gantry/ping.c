/* gantry ping: is a service there? The probe of pods that do not speak HTTP. */
#include "commands.h"
#include "session.h"

#include <gantry/clock.h>

#include <stdio.h>
#include <string.h>

static const char *const STATUS[] = {"starting", "ready", "degraded", "draining", "down"};

static bool ping(session_t *session, const char *service) {
  sys_empty_t nothing = {0};
  sys_pong_t pong = {0};
  gantry_fault_t fault = {0};
  uint64_t sent_ns = clock_mono_ns();
  fault.err = rpc_call_wait(session->client, REQUEST_SYS_PING, service, &nothing, 0, &pong, &fault);
  if (fault.err != GANTRY_OK) {
    printf("%-17s %s\n", service, fault.detail[0] ? fault.detail : gantry_err_name(fault.err));
    return false;
  }
  double ms = clock_age_ms(clock_mono_ns(), sent_ns);
  printf("%-17s %-9s %7.3f ms  pid %-7u up %.0f s  version %s\n", service, STATUS[pong.status], ms,
         pong.pid, pong.uptime, pong.version);
  return true;
}

static bool is_service(const char *name) {
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    if (strcmp(CATALOGUE_SERVICES[i], name) == 0) return true;
  }
  return false;
}

/* Takes a `--bus BASE` out of the arguments; false and a word to the user when something is wrong.
 */
static bool parse(int argc, char **argv, const char **base, const char **names, int *count) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--bus") == 0 && i + 1 < argc) {
      *base = argv[++i];
    } else if (is_service(argv[i])) {
      names[(*count)++] = argv[i];
    } else {
      fprintf(stderr, "gantry ping: `%s` is no service; the six are:", argv[i]);
      for (uint32_t s = 0; s < CATALOGUE_SERVICE_COUNT; s++) {
        fprintf(stderr, " %s", CATALOGUE_SERVICES[s]);
      }
      fputc('\n', stderr);
      return false;
    }
  }
  return true;
}

int command_ping(int argc, char **argv) {
  const char *base = NULL;
  const char *names[16];
  int count = 0;
  if (argc > 1 && strcmp(argv[1], "--help") == 0) {
    puts("Usage: gantry ping [SERVICE ...] [--bus BASE]\n"
         "Asks services (all six unless named) whether they are there; exit code 1 when one is "
         "not.");
    return 0;
  }
  if (argc > 16 || !parse(argc, argv, &base, names, &count)) return 64;
  if (count == 0) {
    for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
      names[count++] = CATALOGUE_SERVICES[i];
    }
  }
  session_t session;
  if (!session_open(&session, base)) return 78;
  bool all = true;
  for (int i = 0; i < count; i++) {
    all = ping(&session, names[i]) && all;
  }
  session_close(&session);
  return all ? 0 : 1;
}
