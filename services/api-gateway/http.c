/* Listeners, connections and their time. */
#include "http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gantry/clock.h>

#include "call.h"
#include "hosts.h"
#include "request_limits.h"

static const char TLS_VERSIONS[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

enum {
  IDLE_S = 60,
  RESERVE_S = 1,               /* up to one more, by the clock of on_second */
  STOP_BODY_MS = 50,           /* what a stop's reason may follow its head by */
  STALL_S = 300,               /* without a byte in either direction */
  CONNECTION_BYTES = 16 << 10, /* cleared for each request */
  BACKLOG = 1024
};

/* ---- connections */

void http_enter(http_conn_t *conn, http_phase_t phase) {
  conn->phase = phase;
  conn->since = conn->door->gateway->http->second;
}

void http_conn_release(http_conn_t *conn) {
  if (--conn->holds > 0) return;
  peers_leave(&conn->door->gateway->http->peers, &conn->peer);
  buf_fini(&conn->path);
  free(conn->upgrade);
  free(conn);
}

static void write_address(const struct sockaddr *address, char *out, size_t size) {
  socklen_t len =
      address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

  if (getnameinfo(address, len, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0) out[0] = '\0';
  if (!strncmp(out, "::ffff:", 7)) memmove(out, out + 7, strlen(out + 7) + 1);
}

/* A proxy that is believed stands for many clients. */
static bool is_trusted(const http_t *http, const struct sockaddr *address) {
  char text[48];

  if (!http->trusted_proxies[0]) return false;
  write_address(address, text, sizeof text);
  return hosts_contain(http->trusted_proxies, text);
}

/* A handshake costs more than a request, and what it is for is known after it only: too many of one
   address are refused, so that the stops of all others find a processor. */
static bool may_shake_hands(gateway_t *gateway, const struct sockaddr *address) {
  char text[48];

  write_address(address, text, sizeof text);
  return limits_pass_handshake(gateway, text);
}

/* A connection has been accepted; nothing is allocated for it yet. */
static enum MHD_Result on_arrival(void *arg, const struct sockaddr *address, socklen_t len) {
  const http_door_t *door = arg;
  gateway_t *gateway = door->gateway;
  peer_address_t peer = peers_address(address);
  bool trusted = is_trusted(gateway->http, address);

  (void)len;
  if ((trusted || !door->secure || may_shake_hands(gateway, address)) &&
      http_reserve_admit(gateway->http, &peer, trusted))
    return MHD_YES;
  metric_add(gateway->metrics.unadmitted, 1);
  return MHD_NO;
}

static http_conn_t *begin_connection(http_door_t *door, struct MHD_Connection *mhd) {
  http_t *http = door->gateway->http;
  const struct sockaddr *address =
      MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  http_conn_t *conn = calloc(1, sizeof *conn);

  if (!conn) return NULL;
  *conn = (http_conn_t){.door = door, .mhd = mhd, .holds = 1, .peer = peers_address(address)};
  conn->path.limit = CONNECTION_BYTES;
  conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  write_address(address, conn->address, sizeof conn->address);
  conn->trusted = is_trusted(http, address);
  http_reserve_enter(http, conn);
  if (!peers_enter(&http->peers, &conn->peer)) {
    http_reserve_leave(http, conn);
    free(conn);
    return NULL;
  }
  conn->next = door->conns;
  conn->link = &door->conns;
  if (conn->next) conn->next->link = &conn->next;
  door->conns = conn;
  http_enter(conn, HTTP_FRESH);
  return conn;
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what) {
  http_door_t *door = arg;
  http_conn_t *conn = *context;
  bool in_lane = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_DAEMON)->daemon == door->lane;

  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    door->lane_count += in_lane;
    *context = begin_connection(door, mhd);
    if (*context) ((http_conn_t *)*context)->in_lane = in_lane;
    return;
  }
  door->lane_count -= in_lane;
  if (!conn) return;
  if (conn->gathered) http_send_gathered(door);
  *context = NULL;
  if (conn->link) {
    *conn->link = conn->next;
    if (conn->next) conn->next->link = conn->link;
  }
  conn->link = NULL;
  conn->mhd = NULL;
  http_reserve_leave(conn->door->gateway->http, conn);
  http_conn_release(conn);
}

/* ---- time */

/* Seconds that a connection may wait in its phase; 0: as long as it takes. */
static uint32_t patience(const http_conn_t *conn) {
  switch (conn->phase) {
  case HTTP_FRESH:
  case HTTP_HEAD:
    return conn->reserve ? RESERVE_S : conn->door->gateway->http->head_s;
  case HTTP_IDLE:
    return conn->reserve ? RESERVE_S : IDLE_S;
  case HTTP_BODY:
    return conn->reserve ? RESERVE_S : conn->door->gateway->body_s;
  case HTTP_ANSWER:
    return conn->most_s;
  case HTTP_WORK:
    break;
  }
  return 0;
}

/* Not every byte in time, but the whole: who drips one at a time is not waited for. */
static void on_second(void *arg) {
  gateway_t *gateway = arg;
  http_t *http = gateway->http;

  http->second++;
  http_tls_tick(http);
  for (http_door_t *door = http->doors; door; door = door->next) {
    if (door->full) (void)http_accept(door);
    for (http_conn_t *conn = door->conns; conn; conn = conn->next) {
      uint32_t most = patience(conn);
      if (most && http->second - conn->since > most) shutdown(conn->fd, SHUT_RDWR);
    }
  }
}

/* The link may have died behind the head of a stop. */
static void on_stop_alarm(void *arg) {
  http_t *http = ((gateway_t *)arg)->http;
  uint64_t now_ns = clock_mono_ns();

  double oldest_ms = -1.0; /* of those that go on waiting */
  for (http_door_t *door = http->doors; door; door = door->next) {
    http_look(door); /* what has come while the loop was busy is in time */
    MHD_run(door->daemon);
    http_send_gathered(door);
    http_let_in(door);
    for (http_conn_t *conn = door->conns; conn; conn = conn->next) {
      if (!conn->stop) continue;
      double age_ms = fmax(clock_age_ms(now_ns, conn->stop_ns), 0.0);
      if (age_ms >= STOP_BODY_MS)
        http_stop_now(conn);
      else
        oldest_ms = fmax(oldest_ms, age_ms);
    }
  }
  http->stop_armed = oldest_ms >= 0.0;
  if (http->stop_armed)
    loop_set(http->loop, http->stop_alarm, (uint32_t)ceil(STOP_BODY_MS - oldest_ms));
}

void http_await_stop(http_t *http) {
  if (http->stop_armed) return;
  http->stop_armed = true;
  loop_set(http->loop, http->stop_alarm, STOP_BODY_MS);
}

/* MHD's turn: what has come, what has been answered since, whose time is up. Work that no
   descriptor tells of (a connection that was resumed, bytes read ahead) is why it is asked after
   every round of callbacks. */
static bool on_turn(void *arg) {
  http_door_t *door = arg;
  MHD_UNSIGNED_LONG_LONG wait_ms;

  MHD_run(door->daemon);
  http_send_gathered(door);
  http_let_in(door);
  return MHD_get_timeout(door->daemon, &wait_ms) == MHD_YES && wait_ms == 0;
}

bool http_lane_turn(void *arg) {
  http_door_t *door = arg;
  MHD_UNSIGNED_LONG_LONG wait_ms;

  if (!door->lane_count) return false;
  MHD_run(door->lane);
  return MHD_get_timeout(door->lane, &wait_ms) == MHD_YES && wait_ms == 0;
}

/* ---- listeners */

static void on_log(void *arg, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *format, va_list args) {
  char line[256];

  (void)arg;
  vsnprintf(line, sizeof line, format, args);
  log_debug("MHD", "%.*s", (int)strcspn(line, "\n"), line);
}

/* A listening socket, or -1 and errno. */
static int listen_on(const char *host, int port) {
  struct addrinfo hints = {.ai_family = strchr(host, ':') ? AF_INET6 : AF_INET,
                           .ai_socktype = SOCK_STREAM,
                           .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  struct addrinfo *found = NULL;
  char service[8];
  int fd, yes = 1;

  snprintf(service, sizeof service, "%d", port);
  if (getaddrinfo(host, service, &hints, &found) != 0) {
    errno = EADDRNOTAVAIL;
    return -1;
  }
  fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (fd >= 0 && (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)) {
    int err = errno;
    close(fd);
    fd = -1;
    errno = err;
  }
  freeaddrinfo(found);
  return fd;
}

static int port_of(int fd) {
  struct sockaddr_in6 name = {0}; /* whose port stands where that of IPv4 does */
  socklen_t len = sizeof name;

  return getsockname(fd, (struct sockaddr *)&name, &len) == 0 ? ntohs(name.sin6_port) : 0;
}

static struct MHD_Daemon *start_daemon(http_door_t *door) {
  return MHD_start_daemon(
      MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
          MHD_USE_ERROR_LOG | (door->secure ? MHD_USE_TLS : 0),
      0, on_arrival, door, http_on_call, door, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
      MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS + HTTP_HOUSE_RESERVE,
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)STALL_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
      door, MHD_OPTION_URI_LOG_CALLBACK, http_on_target, door, MHD_OPTION_NOTIFY_COMPLETED,
      http_on_completed, door, door->secure ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END,
      http_tls_choose, MHD_OPTION_HTTPS_PRIORITIES, TLS_VERSIONS, MHD_OPTION_END);
}

static gantry_err_t start(http_door_t *door, struct MHD_Daemon **daemon, loop_drain_fn turn) {
  *daemon = start_daemon(door);
  if (!*daemon) return GANTRY_E_INTERNAL;
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(*daemon, MHD_DAEMON_INFO_EPOLL_FD);
  if (!info) return GANTRY_E_INTERNAL;
  return loop_drain(door->gateway->service->loop, info->epoll_fd, turn, door);
}

/* Behind TLS nothing can be read before the handshake; other profiles have no stop. */
static gantry_err_t start_all(http_door_t *door) {
  bool has_lane = door->profile == &PROFILE_NATIVE && !door->secure;

  if (has_lane) GANTRY_TRY(start(door, &door->lane, http_lane_turn));
  GANTRY_TRY(start(door, &door->daemon, on_turn));
  return http_accept(door);
}

gantry_err_t http_listen(gateway_t *gateway, const http_listener_t *listener, int *port,
                         gantry_fault_t *fault) {
  http_door_t *door = calloc(1, sizeof *door);

  if (!door) return GANTRY_E_INTERNAL;
  door->gateway = gateway;
  door->profile = listener->profile;
  door->secure = listener->profile == &PROFILE_NATIVE && gateway->http->tls;
  snprintf(door->host, sizeof door->host, "%s", listener->host);
  door->next = gateway->http->doors;
  gateway->http->doors = door;
  door->listen_fd = listen_on(listener->host, listener->port);
  if (door->listen_fd < 0) {
    return fault_set(fault, GANTRY_E_INVALID, listener->option, "cannot listen on %s port %d: %s%s",
                     listener->host, listener->port, strerror(errno),
                     errno == EADDRINUSE ? "; is another gateway running?" : "");
  }
  *port = port_of(door->listen_fd);
  if (start_all(door) == GANTRY_OK) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INTERNAL, "", "libmicrohttpd does not start");
}

/* Containers may set the limit to a thousand million; what is needed is enough. Returns the most
   connections: where the limit is lower, at least half of it. */
static uint32_t bound_descriptors(void) {
  struct rlimit limit;
  const rlim_t wanted = HTTP_DESCRIPTORS, own = HTTP_DESCRIPTORS - HTTP_CONNECTIONS;

  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return HTTP_CONNECTIONS;
  limit.rlim_cur =
      limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  return (uint32_t)(limit.rlim_cur / 2 > own ? limit.rlim_cur - own : limit.rlim_cur / 2);
}

gantry_err_t http_open(gateway_t *gateway, const char *host, int port, gantry_fault_t *fault) {
  const http_listener_t native = {&PROFILE_NATIVE, "port", host, port};
  const config_t *config = gateway->service->config;
  http_t *http = calloc(1, sizeof *http);
  const char *bad;

  if (!http) return GANTRY_E_INTERNAL;
  gateway->http = http;
  http->loop = gateway->service->loop;
  http->most = bound_descriptors();
  http->house =
      http->most - (http->most / 8 < HTTP_HOUSE_RESERVE ? http->most / 8 : HTTP_HOUSE_RESERVE);
  http->per_address = (uint32_t)config_int(config, "connections_per_address");
  http->head_s = (uint32_t)config_int(config, "head_s");
  http->allowed_hosts = config_text(config, "allowed_hosts");
  http->trusted_proxies = config_text(config, "trusted_proxies");
  if (!hosts_check(http->trusted_proxies, &bad))
    return fault_set(fault, GANTRY_E_INVALID, "trusted_proxies",
                     "%.40s is neither an address nor a network such as 10.0.0.0/8", bad);
  GANTRY_TRY(http_tls_open(http, config, fault));
  GANTRY_TRY(peers_init(&http->peers, HTTP_CONNECTIONS));
  GANTRY_TRY(http_listen(gateway, &native, &gateway->port, fault));
  http->timer = loop_every(http->loop, 1000, on_second, gateway);
  http->stop_alarm = loop_alarm(http->loop, on_stop_alarm, gateway);
  return http->timer && http->stop_alarm ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static void close_door(http_door_t *door) {
  loop_undrain(door->gateway->service->loop, on_turn, door);
  loop_undrain(door->gateway->service->loop, http_lane_turn, door);
  if (door->listen_fd >= 0) http_accept_end(door);
  for (http_conn_t *conn = door->conns; conn; conn = conn->next) {
    if (conn->stop) http_stop_now(conn);
    if (conn->suspended) MHD_resume_connection(conn->mhd);
    conn->suspended = false;
  }
  if (door->lane) MHD_stop_daemon(door->lane);
  if (door->daemon) MHD_stop_daemon(door->daemon);
  free(door);
}

void http_close(gateway_t *gateway) {
  http_t *http = gateway->http;

  if (!http) return;
  if (http->timer) loop_cancel(http->loop, http->timer);
  if (http->stop_alarm) loop_cancel(http->loop, http->stop_alarm);
  while (http->doors) {
    http_door_t *door = http->doors;
    http->doors = door->next;
    close_door(door);
  }
  http_tls_close(http);
  peers_fini(&http->peers);
  free(http);
  gateway->http = NULL;
}
