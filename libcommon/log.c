/* Log lines: built on the stack, escaped by hand, handed to the kernel in one write so that lines
   of several threads and processes never mix, and only where it will be taken at once. */
#include <gantry/log.h>

#include <gantry/clock.h>

#include "utf8.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 2048, LOG_TEXT_MAX = 1024, LOG_SERVICE_MAX = 33 };

/* The one place that the whole process shares: who it is and how much it says. Set once by log_open
   before threads start; level and descriptor may change later. */
static char log_service[LOG_SERVICE_MAX] = "gantry";
static atomic_int log_level = LOG_INFO;
static atomic_int log_fd = STDERR_FILENO;
static atomic_uint log_lost; /* lines since the last that was taken */
static _Thread_local uint64_t log_trace;

static struct {
  pthread_mutex_t mutex;
  log_tap_fn fn;
  void *arg;
} tap = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

typedef struct line {
  char text[LOG_LINE_MAX];
  size_t len;
} line_t;

void log_open(const char *service, log_level_t level, int fd) {
  snprintf(log_service, sizeof log_service, "%s", service);
  atomic_store(&log_level, level);
  atomic_store(&log_fd, fd);
}

void log_set_level(log_level_t level) {
  atomic_store(&log_level, level);
}

log_level_t log_get_level(void) {
  return (log_level_t)atomic_load(&log_level);
}

gantry_err_t log_level_parse(const char *text, log_level_t *out) {
  for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
    if (strcmp(LEVELS[i], text) == 0) {
      *out = (log_level_t)i;
      return GANTRY_OK;
    }
  }
  return GANTRY_E_INVALID;
}

const char *log_level_name(log_level_t level) {
  return LEVELS[level];
}

void log_set_trace(uint64_t trace) {
  log_trace = trace;
}

uint64_t log_get_trace(void) {
  return log_trace;
}

/* Room for the closing part of the line is always kept free. */
static void line_put(line_t *line, const char *bytes, size_t len) {
  enum { TAIL = 48 };
  if (line->len + len > sizeof line->text - TAIL) return;
  memcpy(line->text + line->len, bytes, len);
  line->len += len;
}

static void line_text(line_t *line, const char *text) {
  line_put(line, text, strlen(text));
}

static void line_escaped(line_t *line, const char *text) {
  const char *end = text + strlen(text);
  while (text < end) {
    size_t len = utf8_char_len((const uint8_t *)text, (size_t)(end - text));
    char escape[8];
    if (len == 0) {
      line_put(line, "\\ufffd", 6);
      len = 1;
    } else if (*text == '"' || *text == '\\') {
      escape[0] = '\\';
      escape[1] = *text;
      line_put(line, escape, 2);
    } else if ((unsigned char)*text < 0x20) {
      line_put(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*text));
    } else {
      line_put(line, text, len);
    }
    text += len;
  }
}

static void line_member(line_t *line, const char *key, const char *value) {
  line_text(line, line->len == 0 ? "{\"" : ",\"");
  line_text(line, key);
  line_text(line, "\":\"");
  line_escaped(line, value);
  line->text[line->len++] = '"'; /* from the room of the closing part: never left out */
}

/* A pipe that nobody empties would hold the caller for ever, and with it a robot's stop. */
static bool is_taken_at_once(int fd) {
  struct pollfd room = {.fd = fd, .events = POLLOUT};
  return poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0;
}

/* False when it was not taken. */
static bool line_send(log_level_t level, const char *id, const char *text) {
  int fd = atomic_load(&log_fd);
  if (!is_taken_at_once(fd)) return false;
  char time[28];
  line_t line = {.len = 0};
  line_member(&line, "ts", clock_iso(clock_wall_ns(), time, sizeof time));
  line_member(&line, "level", log_level_name(level));
  line_member(&line, "service", log_service);
  line_member(&line, "id", id);
  line_member(&line, "msg", text);
  int left = (int)(sizeof line.text - line.len);
  int tail = log_trace == 0 ? snprintf(line.text + line.len, (size_t)left, "}\n")
                            : snprintf(line.text + line.len, (size_t)left,
                                       ",\"trace\":\"%016llx\"}\n", (unsigned long long)log_trace);
  /* A log that cannot be written has nobody to tell. */
  ssize_t written = write(fd, line.text, line.len + (size_t)tail);
  (void)written;
  return true;
}

void log_tap(log_tap_fn fn, void *arg) {
  pthread_mutex_lock(&tap.mutex);
  tap.fn = fn;
  tap.arg = arg;
  pthread_mutex_unlock(&tap.mutex);
}

void log_untap(const void *arg) {
  pthread_mutex_lock(&tap.mutex);
  if (tap.arg == arg) tap.fn = NULL;
  pthread_mutex_unlock(&tap.mutex);
}

static void tell_tap(log_level_t level, const char *id, const char *text) {
  if (level == LOG_DEBUG) return;
  pthread_mutex_lock(&tap.mutex);
  if (tap.fn) tap.fn(level, id, text, log_trace, tap.arg);
  pthread_mutex_unlock(&tap.mutex);
}

void log_write(log_level_t level, const char *id, const char *format, ...) {
  if ((int)level < atomic_load(&log_level)) return;
  char text[LOG_TEXT_MAX], note[64];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);

  unsigned lost = atomic_load(&log_lost);
  snprintf(note, sizeof note, "lines lost before this, as nobody read them: %u", lost);
  if (lost > 0 && line_send(LOG_WARN, "LOG-LOST", note)) atomic_fetch_sub(&log_lost, lost);
  if (!line_send(level, id, text)) atomic_fetch_add(&log_lost, 1);
  tell_tap(level, id, text);
}
