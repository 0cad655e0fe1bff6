/* The bus: context, sockets, addresses and the lock that keeps two processes from being one
   service. What goes out is in bus_publish.c, what comes in is in bus_subscribe.c. */
#include "bus_internal.h"

#include <gantry/clock.h>
#include <gantry/log.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUS_HIGH_WATER = 1000 };

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool bus_is_local(const bus_t *bus) {
  return !starts_with(bus->base, "tcp://");
}

/* The E-stop lane has an I/O thread of its own, on both ends of it. */
static int io_threads(const char *service) {
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    if (request->lane == LANE_SAFETY && strcmp(request->server, service) == 0) return 2;
  }
  return strcmp(service, "api-gateway") == 0 ? 2 : 1;
}

void bus_use_safety_thread(bus_t *bus, void *socket) {
  uint64_t second = 2;
  if (zmq_ctx_get(bus->context, ZMQ_IO_THREADS) >= 2)
    zmq_setsockopt(socket, ZMQ_AFFINITY, &second, sizeof second);
}

static void set_option(void *socket, int option, int value) {
  zmq_setsockopt(socket, option, &value, sizeof value);
}

void *bus_socket(bus_t *bus, int type, size_t largest) {
  void *socket = zmq_socket(bus->context, type);
  if (!socket) return NULL;
  set_option(socket, ZMQ_LINGER, 100);
  set_option(socket, ZMQ_RECONNECT_IVL, 20);
  set_option(socket, ZMQ_RECONNECT_IVL_MAX, 500);
  set_option(socket, ZMQ_HEARTBEAT_IVL, 1000);
  set_option(socket, ZMQ_HEARTBEAT_TIMEOUT, 3000);
  set_option(socket, ZMQ_HEARTBEAT_TTL, 3000);
  set_option(socket, ZMQ_SNDHWM, BUS_HIGH_WATER);
  set_option(socket, ZMQ_RCVHWM, BUS_HIGH_WATER);
  int64_t most = (int64_t)largest;
  uint64_t first = 1;
  zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
  if (zmq_ctx_get(bus->context, ZMQ_IO_THREADS) >= 2)
    zmq_setsockopt(socket, ZMQ_AFFINITY, &first, sizeof first);
  return socket;
}

int bus_socket_fd(void *socket) {
  int fd = -1;
  size_t size = sizeof fd;
  zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
  return fd;
}

gantry_err_t bus_bind(bus_t *bus, void *socket, const char *kind, gantry_fault_t *fault) {
  char address[BUS_ADDRESS_MAX];
  gantry_err_t err = bus_address(bus->base, bus->service, kind, address, sizeof address);
  if (err != GANTRY_OK) return fault_set(fault, err, "bus", "no address in %s", bus->base);
  if (!bus_is_local(bus)) {
    char port[16];
    snprintf(port, sizeof port, "%s", strrchr(address, ':') + 1);
    snprintf(address, sizeof address, "tcp://*:%s", port);
  }
  if (zmq_bind(socket, address) == 0) return GANTRY_OK;
  err = errno == EADDRINUSE ? GANTRY_E_CONFLICT : GANTRY_E_INVALID;
  return fault_set(fault, err, "bus", "cannot bind %s: %s", address, zmq_strerror(errno));
}

gantry_err_t bus_connect(bus_t *bus, void *socket, const char *service, const char *kind) {
  char address[BUS_ADDRESS_MAX];
  GANTRY_TRY(bus_address(bus->base, service, kind, address, sizeof address));
  return zmq_connect(socket, address) == 0 ? GANTRY_OK : GANTRY_E_INVALID;
}

/* ZeroMQ replaces the socket file of a dead process, but also that of a living one. The lock tells
   them apart: it goes with the process that holds it, however it ends. */
static gantry_err_t bus_lock(bus_t *bus, gantry_fault_t *fault) {
  if (!starts_with(bus->base, "ipc://")) return GANTRY_OK;
  const char *folder = bus->base + strlen("ipc://");
  char path[BUS_ADDRESS_MAX];
  snprintf(path, sizeof path, "%s/%s.safety", folder, bus->service);
  if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
    return fault_set(fault, GANTRY_E_INVALID, "bus",
                     "%s is too long for a socket: choose a shorter folder", path);
  if (mkdir(folder, 0750) != 0 && errno != EEXIST)
    return fault_set(fault, GANTRY_E_INVALID, "bus", "cannot make %s: %s", folder, strerror(errno));
  snprintf(path, sizeof path, "%s/%s.lock", folder, bus->service);
  bus->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (bus->lock_fd < 0)
    return fault_set(fault, GANTRY_E_INVALID, "bus", "cannot open %s: %s", path, strerror(errno));
  if (flock(bus->lock_fd, LOCK_EX | LOCK_NB) != 0)
    return fault_set(fault, GANTRY_E_CONFLICT, "bus",
                     "%s already runs at %s: stop it or choose another bus", bus->service,
                     bus->base);
  return GANTRY_OK;
}

static gantry_err_t bus_check(const bus_settings_t *settings, gantry_fault_t *fault) {
  char address[BUS_ADDRESS_MAX];
  bool fits = strlen(settings->service) < sizeof((bus_t *)0)->service &&
              strlen(settings->robot) < sizeof((bus_t *)0)->robot &&
              strlen(settings->base) <= BUS_BASE_MAX;
  if (!fits)
    return fault_set(fault, GANTRY_E_INVALID, "bus", "service, robot or bus address is too long");
  /* A tool is not in the catalogue and has no address of its own; then any service's will do. */
  const char *service = settings->tap ? CATALOGUE_SERVICES[0] : settings->service;
  if (bus_address(settings->base, service, "pub", address, sizeof address) != GANTRY_OK)
    return fault_set(
        fault, GANTRY_E_INVALID, "bus",
        "%s is no bus address: expected ipc://FOLDER, tcp://HOST[:PORT] or inproc://NAME",
        settings->base);
  return GANTRY_OK;
}

static gantry_err_t bus_start(bus_t *bus, const bus_settings_t *settings, gantry_fault_t *fault) {
  bus->context = settings->context;
  if (!bus->context) {
    bus->context = zmq_ctx_new();
    bus->owns_context = true;
    if (!bus->context) return fault_set(fault, GANTRY_E_INTERNAL, "bus", "no ZeroMQ context");
    zmq_ctx_set(bus->context, ZMQ_IO_THREADS, io_threads(bus->service));
  }
  if (!bus->tap) {
    GANTRY_TRY(bus_lock(bus, fault));
    GANTRY_TRY(bus_publish_start(bus, fault));
  }
  return bus_subscribe_start(bus, fault);
}

gantry_err_t bus_new(const bus_settings_t *settings, loop_t *loop, bus_t **out,
                     gantry_fault_t *fault) {
  *out = NULL;
  GANTRY_TRY(bus_check(settings, fault));
  bus_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "bus", "out of memory");
  snprintf(self->service, sizeof self->service, "%s", settings->service);
  snprintf(self->robot, sizeof self->robot, "%s", settings->robot);
  snprintf(self->base, sizeof self->base, "%s", settings->base);
  self->tap = settings->tap;
  self->loop = loop;
  self->lock_fd = -1;
  self->boot = cause_new(0).trace;
  gantry_err_t err = bus_start(self, settings, fault);
  if (err != GANTRY_OK) bus_destroy(&self);
  *out = self;
  return err;
}

void bus_destroy(bus_t **self) {
  bus_t *bus = *self;
  if (!bus) return;
  bus_subscribe_stop(bus);
  bus_publish_stop(bus);
  if (bus->owns_context) zmq_ctx_term(bus->context);
  if (bus->lock_fd >= 0) close(bus->lock_fd);
  free(bus->scratch);
  buf_fini(&bus->header_buf);
  buf_fini(&bus->body_buf);
  free(bus);
  *self = NULL;
}

void bus_stamp(const bus_t *bus, int kind, cause_t cause, sys_header_t *out) {
  *out = (sys_header_t){.kind = (sys_kind_t)kind,
                        .version = 1,
                        .boot = bus->boot,
                        .mono = clock_mono_ns(),
                        .wall = clock_wall_ns(),
                        .born = cause.born_ns,
                        .trace = cause.trace};
  memcpy(out->from, bus->service, sizeof bus->service);
  memcpy(out->robot, bus->robot, sizeof bus->robot);
}

cause_t bus_cause(const cause_t *cause) {
  if (!cause || cause->trace == 0) return cause_new(cause ? cause->born_ns : 0);
  return (cause_t){.trace = cause->trace,
                   .born_ns = cause->born_ns ? cause->born_ns : clock_mono_ns()};
}

void bus_refuse(bus_t *bus, const char *name, const gantry_fault_t *fault) {
  bus->stats.refused++;
  uint64_t now_ns = clock_mono_ns();
  if (bus->refusal_ns != 0 && now_ns - bus->refusal_ns < GANTRY_NS_PER_S) return;
  bus->refusal_ns = now_ns;
  log_warn("BUS-REFUSED", "%s: %s: %s (%llu so far)", name, fault->field, fault->detail,
           (unsigned long long)bus->stats.refused);
}

void *bus_scratch(void **scratch, size_t *have, size_t size) {
  if (size > *have) {
    void *grown = realloc(*scratch, size);
    if (!grown) return NULL;
    *scratch = grown;
    *have = size;
  }
  return *scratch;
}

bus_stats_t bus_get_stats(const bus_t *bus) {
  return bus->stats;
}

void bus_set_outbox(bus_t *bus, outbox_t *outbox) {
  bus->outbox = outbox;
}

uint64_t bus_waiting(const bus_t *bus) {
  return bus->outbox ? outbox_waiting(bus->outbox) : 0;
}

uint64_t bus_boot(const bus_t *bus) {
  return bus->boot;
}

loop_t *bus_loop(bus_t *bus) {
  return bus->loop;
}

const char *bus_service(const bus_t *bus) {
  return bus->service;
}
