/* Where each service listens: a rule instead of a configuration.
   ipc and inproc: BASE/SERVICE.KIND. tcp: the base may hold {service} and a port (7000 without);
   pub listens on port + i, rpc on port + 100 + i, safety on port + 200 + i, with i the service's
   place in CATALOGUE_SERVICES. */
#include "bus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TCP_PORT = 7000, TCP_PORT_MAX = 65535 - 299 };

static int service_index(const char *service) {
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    if (strcmp(CATALOGUE_SERVICES[i], service) == 0) return (int)i;
  }
  return -1;
}

static int kind_offset(const char *kind) {
  if (strcmp(kind, "pub") == 0) return 0;
  if (strcmp(kind, "rpc") == 0) return 100;
  return strcmp(kind, "safety") == 0 ? 200 : -1;
}

/* Cuts ":PORT" off a tcp base; false when what stands there is no usable port. */
static bool cut_port(char *base, long *port) {
  char *colon = strrchr(base, ':');
  *port = TCP_PORT;
  if (colon <= strchr(base, ':')) return true;
  char *end = NULL;
  *port = strtol(colon + 1, &end, 10);
  *colon = '\0';
  return *end == '\0' && end != colon + 1 && *port > 0 && *port <= TCP_PORT_MAX;
}

static gantry_err_t tcp_address(const char *base, const char *service, const char *kind, char *out,
                                size_t size) {
  char host[BUS_BASE_MAX + 1];
  long port;
  int index = service_index(service);
  if (index < 0 || strlen(base) >= sizeof host) return GANTRY_E_INVALID;
  snprintf(host, sizeof host, "%s", base);
  if (!cut_port(host, &port)) return GANTRY_E_INVALID;
  port += kind_offset(kind) + index;
  static const char HOLE[] = "{service}";
  const char *hole = strstr(host, HOLE);
  int before = hole ? (int)(hole - host) : (int)strlen(host);
  int len = snprintf(out, size, "%.*s%s%s:%ld", before, host, hole ? service : "",
                     hole ? hole + sizeof HOLE - 1 : "", port);
  return len > 0 && (size_t)len < size ? GANTRY_OK : GANTRY_E_INVALID;
}

gantry_err_t bus_address(const char *base, const char *service, const char *kind, char *out,
                         size_t size) {
  if (kind_offset(kind) < 0) return GANTRY_E_INVALID;
  if (strncmp(base, "tcp://", 6) == 0) return tcp_address(base, service, kind, out, size);
  bool known = strncmp(base, "ipc://", 6) == 0 || strncmp(base, "inproc://", 9) == 0;
  if (!known) return GANTRY_E_INVALID;
  int len = snprintf(out, size, "%s/%s.%s", base, service, kind);
  return len > 0 && (size_t)len < size ? GANTRY_OK : GANTRY_E_INVALID;
}
