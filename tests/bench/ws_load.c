/* Thousands of WebSocket clients in one thread: subscribes, checks the number of every frame, takes
   its age by the stamp of its birth. Says in one line of JSON what came. Also opens and closes
   connections without end (--churn), and lets some read nothing (--stalled). */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gantry/clock.h>

#include "ws_load.h"

enum { OPENING_MAX = 64, EVENTS = 256, READ = 65536 };

typedef struct load {
  ws_load_options_t options;
  ws_load_client_t *clients;
  uint32_t count, next, opening, open, greeted; /* next: to be opened */
  uint64_t begin_ns, end_ns;                    /* of what is counted; 0: not yet */
  uint64_t frames, other, missing, doubled, lost;
  uint64_t churned, failed;
  float *ages_ms;
  uint64_t ages, ages_max;
  uint64_t first_seq, last_seq; /* that anybody saw within the time */
  int epoll_fd;
} load_t;

static void close_client(load_t *load, ws_load_client_t *client, bool failed) {
  if (client->fd < 0) return;
  if (client->state < WS_LOAD_OPEN) load->opening--;
  if (client->state == WS_LOAD_OPEN) load->open--;
  if (failed) load->failed++;
  close(client->fd);
  client->fd = -1;
  client->kept = 0;
}

/* ---- opening */

static bool open_client(load_t *load, ws_load_client_t *client) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)load->options.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
  int room = 4096;

  *client = (ws_load_client_t){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
                               .stalled = client->stalled};
  if (client->fd < 0) return false;
  load->opening++;
  if (client->stalled) setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  bool ok =
      connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS;
  if (ok && epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) == 0) return true;
  close_client(load, client, true);
  return false;
}

static void open_some(load_t *load) {
  while (load->opening < OPENING_MAX && load->next < load->count) {
    if (!open_client(load, &load->clients[load->next++])) return;
  }
}

static void on_connected(load_t *load, ws_load_client_t *client) {
  char head[2048];
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  int len = ws_load_handshake(&load->options, head, sizeof head);

  client->state = WS_LOAD_ASKED;
  epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
  if (len < 0 || send(client->fd, head, (size_t)len, MSG_NOSIGNAL) != len)
    close_client(load, client, true);
}

static void say(load_t *load, ws_load_client_t *client, uint8_t opcode, const void *bytes,
                size_t len) {
  uint8_t frame[256];
  size_t size = ws_load_frame(frame, opcode, bytes, len);

  if (send(client->fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
    close_client(load, client, true);
}

static void on_upgraded(load_t *load, ws_load_client_t *client) {
  char text[128];
  struct epoll_event none = {.events = 0, .data.ptr = client};

  client->state = WS_LOAD_OPEN;
  load->opening--;
  load->open++;
  if (load->options.type[0]) {
    int len = snprintf(text, sizeof text, "{\"type\":\"subscribe\",\"data\":{\"type\":\"%s\"}}",
                       load->options.type);
    say(load, client, 1, text, (size_t)len);
  }
  if (client->stalled && client->fd >= 0)
    epoll_ctl(load->epoll_fd, EPOLL_CTL_MOD, client->fd, &none);
}

/* ---- frames */

static void count_frame(load_t *load, ws_load_client_t *client, const char *text, size_t len) {
  uint64_t seq = 0, born_ns = 0, now_ns = clock_mono_ns();

  if (!ws_load_numbers(text, len, load->options.type, &seq, &born_ns)) {
    load->other++;
    return;
  }
  uint64_t before = client->seq;
  client->seq = seq;
  if (!load->begin_ns || now_ns >= load->end_ns) return;
  load->frames++;
  client->frames++;
  if (!load->first_seq || seq < load->first_seq) load->first_seq = seq;
  if (seq > load->last_seq) load->last_seq = seq;
  if (before && seq > before + 1) load->missing += seq - before - 1;
  if (before && seq <= before) load->doubled++;
  if (born_ns && load->ages < load->ages_max)
    load->ages_ms[load->ages++] = (float)((double)(now_ns - born_ns) / 1e6);
}

static void again(load_t *load, ws_load_client_t *client) {
  load->churned++;
  say(load, client, 8, "\x03\xe8", 2);
  close_client(load, client, false);
  if (load->churned + load->opening + load->open < load->options.churn)
    (void)open_client(load, client);
}

/* Bytes used of those given: whole frames; all, once the connection they came by is closed. */
static size_t take_frames(load_t *load, ws_load_client_t *client, const uint8_t *bytes,
                          size_t len) {
  size_t used = 0, head, body;

  while (client->fd >= 0 && ws_load_measure(bytes + used, len - used, &head, &body)) {
    const char *text = (const char *)bytes + used + head;
    uint8_t opcode = bytes[used] & 15;
    used += head + body;
    if (opcode == 9)
      say(load, client, 10, text, body);
    else if (opcode == 8)
      close_client(load, client, true);
    else if (opcode == 1 && load->options.churn) {
      again(load, client);
      return len;
    } else if (opcode == 1)
      count_frame(load, client, text, body);
  }
  return used;
}

static void on_bytes(load_t *load, ws_load_client_t *client, const uint8_t *bytes, size_t len) {
  size_t used = 0;

  if (client->state == WS_LOAD_ASKED) {
    const uint8_t *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (!end && len < sizeof client->rest) goto keep;
    if (!end || memcmp(bytes, "HTTP/1.1 101", 12) != 0) {
      close_client(load, client, true);
      return;
    }
    used = (size_t)(end - bytes) + 4;
    on_upgraded(load, client);
  }
  used += take_frames(load, client, bytes + used, len - used);
keep:
  if (client->fd < 0) return;
  client->kept = len - used;
  if (client->kept > sizeof client->rest)
    close_client(load, client, true);
  else
    memcpy(client->rest, bytes + used, client->kept);
}

static void on_event(load_t *load, ws_load_client_t *client, uint32_t events) {
  static uint8_t bytes[READ + sizeof client->rest];

  if (client->fd < 0) return;
  if (client->state == WS_LOAD_CONNECTING) {
    if (events & EPOLLOUT) on_connected(load, client);
    return;
  }
  if (client->stalled && client->state == WS_LOAD_OPEN) {
    if (events & (EPOLLHUP | EPOLLERR)) close_client(load, client, false), load->lost++;
    return;
  }
  memcpy(bytes, client->rest, client->kept);
  ssize_t got = recv(client->fd, bytes + client->kept, READ, MSG_DONTWAIT);
  if (got > 0)
    on_bytes(load, client, bytes, client->kept + (size_t)got);
  else if (got == 0 || errno != EAGAIN)
    close_client(load, client, true);
}

static void step(load_t *load, int wait_ms) {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(load->epoll_fd, events, EVENTS, wait_ms);

  for (int i = 0; i < count; i++)
    on_event(load, events[i].data.ptr, events[i].events);
}

/* ---- the run */

static bool open_all(load_t *load) {
  uint64_t begin_ns = clock_mono_ns();

  while (load->open + load->failed < load->count) {
    open_some(load);
    step(load, 10);
    if (clock_age_ms(clock_mono_ns(), begin_ns) > 60000) return false;
  }
  return true;
}

static void run_for(load_t *load, double seconds) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)(seconds * 1e9);

  while (clock_mono_ns() < end_ns)
    step(load, 10);
}

static void churn(load_t *load) {
  uint64_t begin_ns = clock_mono_ns();

  while (load->churned < load->options.churn && load->failed < 1000 &&
         clock_age_ms(clock_mono_ns(), begin_ns) < 600000) {
    open_some(load);
    step(load, 10);
  }
  printf("{\"churned\": %llu, \"failed\": %llu, \"per_s\": %.0f}\n",
         (unsigned long long)load->churned, (unsigned long long)load->failed,
         (double)load->churned * 1000 / clock_age_ms(clock_mono_ns(), begin_ns));
}

/* The fewest frames that one client was handed. */
static uint64_t fewest(const load_t *load) {
  uint64_t least = UINT64_MAX;

  for (uint32_t i = 0; i < load->count; i++)
    if (!load->clients[i].stalled && load->clients[i].frames < least)
      least = load->clients[i].frames;
  return least;
}

static void measure(load_t *load) {
  pid_t pid = load->options.pid;

  run_for(load, 1);
  double cpu_s = ws_load_cpu_s(pid);
  load->begin_ns = clock_mono_ns();
  load->end_ns = load->begin_ns + (uint64_t)(load->options.seconds * 1e9);
  run_for(load, load->options.seconds);
  cpu_s = ws_load_cpu_s(pid) - cpu_s;
  ws_load_sort(load->ages_ms, load->ages);
  printf("{\"clients\": %u, \"open\": %u, \"stalled\": %u, \"failed\": %llu, \"frames\": %llu, "
         "\"fewest\": %llu, \"numbers\": %llu, \"missing\": %llu, \"doubled\": %llu, "
         "\"stalled_closed\": %llu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
         "\"cpu_us_per_frame\": %.3f, \"rss_kib\": %llu}\n",
         load->count, load->open, load->options.stalled, (unsigned long long)load->failed,
         (unsigned long long)load->frames, (unsigned long long)fewest(load),
         (unsigned long long)(load->last_seq ? load->last_seq - load->first_seq + 1 : 0),
         (unsigned long long)load->missing, (unsigned long long)load->doubled,
         (unsigned long long)load->lost, ws_load_at(load->ages_ms, load->ages, 0.5),
         ws_load_at(load->ages_ms, load->ages, 0.99), ws_load_at(load->ages_ms, load->ages, 1),
         load->frames ? cpu_s * 1e6 / (double)load->frames : 0,
         (unsigned long long)ws_load_rss_kib(pid));
}

static bool prepare(load_t *load) {
  struct rlimit limit;
  uint32_t stalled = load->options.stalled;

  (void)getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  load->count = load->options.clients + stalled;
  load->clients = calloc(load->count, sizeof *load->clients);
  load->ages_max = (uint64_t)(load->options.seconds * load->options.rate_max) * load->count + 1;
  if (load->ages_max > 20000000) load->ages_max = 20000000;
  load->ages_ms = malloc(load->ages_max * sizeof *load->ages_ms);
  load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  for (uint32_t i = 0; load->clients && i < load->count; i++) {
    load->clients[i].fd = -1;
    load->clients[i].stalled = i < stalled;
  }
  return load->clients && load->ages_ms && load->epoll_fd >= 0;
}

int main(int argc, char **argv) {
  load_t load = {0};
  bool ok = ws_load_options(argc, argv, &load.options) && prepare(&load);

  if (ok && load.options.churn) {
    churn(&load);
  } else if (ok && open_all(&load)) {
    measure(&load);
  } else if (ok) {
    fprintf(stderr, "ws_load: %u of %u open, %llu failed\n", load.open, load.count,
            (unsigned long long)load.failed);
    ok = false;
  }
  free(load.clients);
  free(load.ages_ms);
  return ok ? 0 : 1;
}
