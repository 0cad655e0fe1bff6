/* The floor of the gateway's WebSocket ages: a bare loop of send() to as many clients, nothing
   else. bare_send PORT BYTES HZ: answers every request by an upgrade, then sends each client a text
   frame of so many bytes so many times a second, until it is ended. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <gantry/clock.h>

enum { CLIENTS_MAX = 65536, TEXT_MAX = 1000, EVENTS = 512, STILL_TICKS = 4 };

static bool upgraded[CLIENTS_MAX]; /* by descriptor */
static int highest;
static unsigned still; /* ticks since the last client came; until then it only takes them on */

static bool watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int listen_at(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return -1;
  return listen(fd, SOMAXCONN) == 0 ? fd : -1;
}

static int tick_at(double hz) {
  struct timespec period = {.tv_nsec = (long)(1e9 / hz)};
  struct itimerspec spec = {.it_value = period, .it_interval = period};
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);

  return timerfd_settime(fd, 0, &spec, NULL) == 0 ? fd : -1;
}

static void take_on(int epoll, int listener) {
  int on = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

  if (fd < 0) return;
  still = 0;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fd >= CLIENTS_MAX || !watch(epoll, fd)) close(fd);
}

static void hear(int fd) {
  static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\n\r\n";
  char request[4096];
  ssize_t count = recv(fd, request, sizeof request, MSG_DONTWAIT);

  if (count <= 0) {
    upgraded[fd] = false;
    close(fd);
  } else if (!upgraded[fd]) {
    upgraded[fd] = send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) > 0;
    if (fd > highest) highest = fd;
  }
}

static void send_all(size_t len) {
  static unsigned long long seq;

  if (++still <= STILL_TICKS) return;
  uint8_t frame[4 + TEXT_MAX] = {0x81, 126, (uint8_t)(len >> 8), (uint8_t)len};

  memset(frame + 4, ' ', len);
  int head =
      snprintf((char *)frame + 4, len, "{\"type\":\"position\",\"seq\":%llu,\"born_ns\":%llu}",
               ++seq, (unsigned long long)clock_mono_ns());
  frame[4 + head] = ' ';
  for (int fd = 0; fd <= highest; fd++)
    if (upgraded[fd]) (void)send(fd, frame, 4 + len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int main(int argc, char **argv) {
  struct epoll_event events[EVENTS];
  uint64_t ticks;

  if (argc != 4) return 64;
  size_t len = strtoul(argv[2], NULL, 10);
  int epoll = epoll_create1(0), listener = listen_at((int)strtol(argv[1], NULL, 10));
  int timer = tick_at(strtod(argv[3], NULL));
  if (len < 126 || len > TEXT_MAX || !watch(epoll, listener) || !watch(epoll, timer)) return 69;
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        take_on(epoll, listener);
      else if (fd != timer)
        hear(fd);
      else if (read(timer, &ticks, sizeof ticks) == (ssize_t)sizeof ticks)
        send_all(len);
    }
  }
}
