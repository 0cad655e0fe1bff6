/* The LiDAR's thread: open, STOP, who are you, SCAN, then samples until the device or the service
 * ends. */
#include "lidar_port.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <gantry/clock.h>
#include <gantry/mailbox.h>

#include "serial.h"

#define MESSAGES_MAX 8
#define ANSWER_NS                                                                                  \
  UINT64_C(500000000) /* to a request's whole answer; a spinning motor takes its time */
#define STOP_PAUSE_NS  UINT64_C(10000000)
#define SILENT_NS      UINT64_C(1000000000)
#define REOPEN_NS      UINT64_C(500000000)
#define STARTS_MAX     3 /* scan starts in vain before the device is reopened */
#define DESCRIPTOR_LEN 7
#define INFO_LEN       20
#define HEALTH_LEN     3

enum { REQUEST_STOP = 0x25, REQUEST_SCAN = 0x20, REQUEST_INFO = 0x50, REQUEST_HEALTH = 0x52 };

static const uint8_t scan_descriptor[DESCRIPTOR_LEN] = {0xA5, 0x5A, 0x05, 0x00, 0x00, 0x40, 0x81};
static const uint8_t info_descriptor[DESCRIPTOR_LEN] = {0xA5, 0x5A, 0x14, 0x00, 0x00, 0x00, 0x04};
static const uint8_t health_descriptor[DESCRIPTOR_LEN] = {0xA5, 0x5A, 0x03, 0x00, 0x00, 0x00, 0x06};

struct lidar_port {
  char path[256];
  uint32_t baud;
  mailbox_t *messages;
  mailbox_t *orders; /* one byte: quit */
  pthread_t thread;
  bool started;
  int fd;
  lidar_decoder_t decoder;
  lidar_message_t outgoing;
  char closed_detail[96];
};

static void tell(lidar_port_t *port, lidar_news_t news, const char *detail) {
  port->outgoing.news = news;
  port->outgoing.turn.count = 0;
  (void)snprintf(port->outgoing.detail, sizeof port->outgoing.detail, "%s", detail);
  (void)mailbox_send(port->messages, &port->outgoing);
}

static void on_turn(const lidar_turn_t *turn, void *arg) {
  lidar_port_t *port = arg;
  port->outgoing.news = LIDAR_TURN;
  port->outgoing.turn = *turn;
  port->outgoing.detail[0] = '\0';
  (void)mailbox_send(port->messages, &port->outgoing);
}

typedef enum wait_end { WAIT_BYTES, WAIT_TIME, WAIT_QUIT, WAIT_GONE } wait_end_t;

static wait_end_t wait_until(lidar_port_t *port, bool bytes, uint64_t until_ns) {
  uint64_t now_ns = clock_mono_ns();
  uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
  struct timespec left = {.tv_sec = (time_t)(left_ns / GANTRY_NS_PER_S),
                          .tv_nsec = (long)(left_ns % GANTRY_NS_PER_S)};
  struct pollfd fds[2] = {{.fd = mailbox_fd(port->orders), .events = POLLIN},
                          {.fd = bytes ? port->fd : -1, .events = POLLIN}};
  int ready = ppoll(fds, 2, &left, NULL);
  if (fds[0].revents) return WAIT_QUIT;
  if (ready > 0 && (fds[1].revents & POLLIN)) return WAIT_BYTES;
  return ready > 0 && fds[1].revents ? WAIT_GONE : WAIT_TIME;
}

/* Reads exactly len bytes. */
static wait_end_t read_exactly(lidar_port_t *port, uint8_t *out, size_t len, uint64_t until_ns) {
  size_t have = 0;
  while (have < len) {
    wait_end_t end = wait_until(port, true, until_ns);
    if (end != WAIT_BYTES) return end;
    ssize_t got = read(port->fd, out + have, len - have);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return WAIT_GONE;
    if (got > 0) have += (size_t)got;
  }
  return WAIT_BYTES;
}

/* Slides along the stream until the descriptor has passed. */
static wait_end_t read_descriptor(lidar_port_t *port, const uint8_t *descriptor,
                                  uint64_t until_ns) {
  uint8_t window[DESCRIPTOR_LEN] = {0};
  while (memcmp(window, descriptor, DESCRIPTOR_LEN) != 0) {
    memmove(window, window + 1, DESCRIPTOR_LEN - 1);
    wait_end_t end = read_exactly(port, &window[DESCRIPTOR_LEN - 1], 1, until_ns);
    if (end != WAIT_BYTES) return end;
  }
  return WAIT_BYTES;
}

static bool send_request(lidar_port_t *port, uint8_t command) {
  const uint8_t request[2] = {0xA5, command};
  return write(port->fd, request, sizeof request) == (ssize_t)sizeof request;
}

static wait_end_t ask(lidar_port_t *port, uint8_t command, const uint8_t *descriptor, uint8_t *out,
                      size_t len) {
  uint64_t until_ns = clock_mono_ns() + ANSWER_NS;
  if (!send_request(port, command)) return WAIT_GONE;
  wait_end_t end = read_descriptor(port, descriptor, until_ns);
  return end == WAIT_BYTES ? read_exactly(port, out, len, until_ns) : end;
}

static wait_end_t stop_scan(lidar_port_t *port) {
  if (!send_request(port, REQUEST_STOP)) return WAIT_GONE;
  wait_end_t end = wait_until(port, false, clock_mono_ns() + STOP_PAUSE_NS);
  (void)tcflush(port->fd, TCIFLUSH);
  return end;
}

/* From an open device to a running scan. */
static wait_end_t start_scan(lidar_port_t *port, char *detail, size_t size) {
  uint8_t info[INFO_LEN] = {0}, health[HEALTH_LEN] = {0};
  wait_end_t end = stop_scan(port);
  if (end == WAIT_TIME) end = ask(port, REQUEST_INFO, info_descriptor, info, sizeof info);
  if (end == WAIT_BYTES) end = ask(port, REQUEST_HEALTH, health_descriptor, health, sizeof health);
  if (end != WAIT_BYTES) return end;
  (void)snprintf(detail, size, "model %u, firmware %u.%u, health %u", info[0], info[2], info[1],
                 health[0]);
  end = ask(port, REQUEST_SCAN, scan_descriptor, NULL, 0);
  lidar_decoder_init(&port->decoder, on_turn, port);
  return end;
}

/* Samples until the scanner falls silent, disappears or the service ends. */
static wait_end_t stream(lidar_port_t *port) {
  uint8_t bytes[1024];
  uint64_t heard_ns = clock_mono_ns();
  for (;;) {
    uint64_t until_ns = clock_mono_ns() + LIDAR_SILENCE_NS;
    wait_end_t end = wait_until(port, true, until_ns);
    uint64_t now_ns = clock_mono_ns();
    if (end == WAIT_QUIT || end == WAIT_GONE) return end;
    if (end == WAIT_BYTES) {
      ssize_t got = read(port->fd, bytes, sizeof bytes);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return WAIT_GONE;
      if (got > 0) {
        heard_ns = now_ns;
        lidar_decoder_feed(&port->decoder, bytes, (size_t)got, now_ns);
      }
    }
    lidar_decoder_idle(&port->decoder, now_ns);
    if (now_ns - heard_ns > SILENT_NS) return WAIT_TIME;
  }
}

static void tell_closed(lidar_port_t *port, const char *detail) {
  if (strcmp(port->closed_detail, detail) == 0) return;
  (void)snprintf(port->closed_detail, sizeof port->closed_detail, "%s", detail);
  tell(port, LIDAR_CLOSED, detail);
}

/* One life of the open device. */
static wait_end_t serve(lidar_port_t *port) {
  for (int starts = 0; starts < STARTS_MAX; starts++) {
    char detail[96] = "";
    wait_end_t end = start_scan(port, detail, sizeof detail);
    if (end == WAIT_BYTES) {
      port->closed_detail[0] = '\0';
      tell(port, LIDAR_OPENED, detail);
      starts = 0;
      end = stream(port);
      if (end == WAIT_TIME)
        tell(port, LIDAR_SILENT, "no sample for a second; the scan is started again");
    }
    if (end == WAIT_QUIT || end == WAIT_GONE) return end;
  }
  return WAIT_TIME;
}

static void *run(void *arg) {
  lidar_port_t *port = arg;
  wait_end_t end = WAIT_TIME;
  while (end != WAIT_QUIT) {
    char detail[96] = "";
    if (serial_open(port->path, port->baud, &port->fd, detail, sizeof detail) == GANTRY_OK) {
      end = serve(port);
      if (end == WAIT_QUIT) (void)send_request(port, REQUEST_STOP);
      (void)close(port->fd);
      (void)snprintf(detail, sizeof detail, "%s",
                     end == WAIT_GONE ? "the device has disappeared"
                                      : "the scanner does not answer");
    }
    if (end == WAIT_QUIT) break;
    tell_closed(port, detail);
    end = wait_until(port, false, clock_mono_ns() + REOPEN_NS);
  }
  return NULL;
}

gantry_err_t lidar_port_new(const char *path, uint32_t baud, lidar_port_t **out) {
  *out = NULL;
  lidar_port_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  (void)snprintf(self->path, sizeof self->path, "%s", path);
  self->baud = baud;
  gantry_err_t err = mailbox_new(sizeof(lidar_message_t), MESSAGES_MAX, &self->messages);
  if (err == GANTRY_OK) err = mailbox_new(1, 1, &self->orders);
  if (err == GANTRY_OK && pthread_create(&self->thread, NULL, run, self) != 0)
    err = GANTRY_E_INTERNAL;
  self->started = err == GANTRY_OK;
  if (err != GANTRY_OK) lidar_port_destroy(&self);
  *out = self;
  return err;
}

void lidar_port_destroy(lidar_port_t **self) {
  if (!*self) return;
  if ((*self)->started) {
    uint8_t quit = 1;
    (void)mailbox_send((*self)->orders, &quit);
    (void)pthread_join((*self)->thread, NULL);
  }
  mailbox_destroy(&(*self)->messages);
  mailbox_destroy(&(*self)->orders);
  free(*self);
  *self = NULL;
}

int lidar_port_fd(const lidar_port_t *port) {
  return mailbox_fd(port->messages);
}

bool lidar_port_receive(lidar_port_t *port, lidar_message_t *out) {
  return mailbox_receive(port->messages, out);
}
