/* One Modbus RTU transaction at a time. libmodbus opens the line and writes frames with their CRC.
   Receiving is our own: a stop must be able to end it, a late answer must be known as such, and no
   noise may hold it. */
#include "line_master.h"

#include <errno.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gantry/clock.h>

#include "rtu_stream.h"
#include "serial.h"

#define NS_PER_US     UINT64_C(1000)
#define PIECE_NS      UINT64_C(10000000) /* within a frame; a USB adapter hands over in pieces */
#define PIECE_STOP_NS UINT64_C(3000000)  /* the same when a stop waits */
#define UNSENT_MAX_NS                                                                              \
  UINT64_C(100000000) /* a request that the device does not let out is given up */

struct line_master {
  line_master_cfg_t cfg;
  modbus_t *modbus;
  int fd;
  int claim_fd; /* holds the device for this line; nothing is read or written there */
  rtu_stream_t stream;
  uint64_t own_free_ns;   /* silence after the last request and its answer */
  uint64_t other_free_ns; /* the same after what came unasked */
};

/* A request whose answer is awaited. */
typedef struct exchange {
  const job_t *job;
  port_result_t *result;
  line_strays_t *strays;
  uint64_t answer_ns;   /* until then an answer may begin */
  uint64_t deadline_ns; /* of the present wait */
  uint64_t limit_ns;    /* of the whole answer; 0 until its first byte */
  bool heard;           /* a byte has come */
  bool urgent;          /* a stop waits */
} exchange_t;

typedef enum wait_end { WAIT_BYTES, WAIT_TIMEOUT, WAIT_GONE } wait_end_t;

/* Opens the device for this line alone. NULL, or what is wrong with it. The claim comes first, on a
   descriptor of its own: libmodbus sets the rate of whatever it opens. */
static const char *connect_line(line_master_t *self) {
  self->claim_fd = open(self->cfg.path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (self->claim_fd < 0) return strerror(errno);
  if (!isatty(self->claim_fd)) return "it is no terminal";
  if (!serial_claim(self->claim_fd)) return "it is in use already, by another line or process";
  if (modbus_connect(self->modbus) != 0) return strerror(errno);
  self->fd = modbus_get_socket(self->modbus);
  return serial_runs_at(self->fd, self->cfg.line.baud) ? NULL : "it does not take the baud rate";
}

gantry_err_t line_master_open(const line_master_cfg_t *cfg, line_master_t **out, char *detail,
                              size_t size) {
  *out = NULL;
  line_master_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  self->cfg = *cfg;
  self->claim_fd = -1;
  self->modbus = modbus_new_rtu(cfg->path, (int)cfg->line.baud, 'N', 8, 1);
  const char *flaw = self->modbus ? connect_line(self) : strerror(errno);
  if (flaw) {
    (void)snprintf(detail, size, "%s: %s", cfg->path, flaw);
    line_master_close(&self);
    return GANTRY_E_DEVICE;
  }
  (void)modbus_set_error_recovery(self->modbus, MODBUS_ERROR_RECOVERY_NONE);
  (void)modbus_flush(self->modbus);
  self->own_free_ns = clock_mono_ns() + cfg->line.gap_us * NS_PER_US;
  *out = self;
  return GANTRY_OK;
}

void line_master_close(line_master_t **self) {
  if (!*self) return;
  if ((*self)->modbus) modbus_close((*self)->modbus);
  modbus_free((*self)->modbus);
  if ((*self)->claim_fd >= 0) (void)close((*self)->claim_fd);
  free(*self);
  *self = NULL;
}

int line_master_fd(const line_master_t *master) {
  return master->fd;
}

uint64_t line_master_free_ns(const line_master_t *master, bool urgent) {
  bool own = urgent || master->own_free_ns > master->other_free_ns;
  return own ? master->own_free_ns : master->other_free_ns;
}

static uint64_t gap_ns(const line_master_t *master) {
  return master->cfg.line.gap_us * NS_PER_US;
}

/* Reads what is there, behind what is not judged yet. Returns the bytes read, 0 when none were
   there, -1 when the device is gone. */
static ssize_t read_bytes(line_master_t *master) {
  rtu_stream_t *stream = &master->stream;
  if (stream->len == sizeof stream->bytes)
    rtu_stream_clear(stream); /* cannot be: frames are shorter */
  ssize_t len = read(master->fd, stream->bytes + stream->len, sizeof stream->bytes - stream->len);
  if (len > 0) stream->len += (size_t)len;
  if (len < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  return len > 0 ? len : -1;
}

static void note_stray(line_strays_t *strays, const uint8_t *frame) {
  if (strays->count < LINE_FOREIGN_MAX) strays->frames[strays->count++] = rtu_mark_in(frame);
}

bool line_master_hear(line_master_t *master, line_strays_t *strays) {
  uint8_t frame[RTU_FRAME_MAX];
  uint64_t now_ns = clock_mono_ns();
  strays->count = 0;
  if (now_ns > master->other_free_ns) rtu_stream_clear(&master->stream); /* the rest never came */
  ssize_t len = read_bytes(master);
  if (len <= 0) return len == 0;
  while (rtu_stream_take(&master->stream, false, frame) > 0)
    note_stray(strays, frame);
  bool under_way = rtu_stream_missing(&master->stream) > 0;
  master->other_free_ns = now_ns + (under_way ? PIECE_NS : 0) + gap_ns(master);
  return true;
}

static struct timespec span_of(uint64_t ns) {
  return (struct timespec){.tv_sec = (time_t)(ns / GANTRY_NS_PER_S),
                           .tv_nsec = (long)(ns % GANTRY_NS_PER_S)};
}

/* Until when to wait: for the next bytes of a frame under way, else for the answer's first. */
static void set_deadline(const line_master_t *master, exchange_t *exchange, uint64_t now_ns) {
  exchange->deadline_ns = exchange->answer_ns;
  if (rtu_stream_missing(&master->stream) == 0) return;
  exchange->deadline_ns =
      now_ns + PIECE_NS < exchange->limit_ns ? now_ns + PIECE_NS : exchange->limit_ns;
}

/* Until when an answer that has begun has to have ended; while a stop waits it may not dawdle. */
static uint64_t limit_of(const line_master_t *master, const exchange_t *exchange) {
  const job_t *job = exchange->job;
  uint32_t bytes = exchange->urgent ? line_answer_bytes(job->function, job->count) : RTU_FRAME_MAX;
  return clock_mono_ns() + (exchange->urgent ? PIECE_STOP_NS : PIECE_NS) +
         line_bytes_ns(&master->cfg.line, bytes);
}

/* A stop waits: an answer that has not begun by its usual moment is given up; one under way may
   end. */
static void hurry(const line_master_t *master, exchange_t *exchange) {
  const job_t *job = exchange->job;
  uint64_t begun_ns = exchange->result->sent_end_ns + job->grace_us * NS_PER_US;
  exchange->urgent = true;
  uint64_t ended_ns = limit_of(master, exchange);
  if (exchange->answer_ns > begun_ns) exchange->answer_ns = begun_ns;
  if (exchange->limit_ns > ended_ns) exchange->limit_ns = ended_ns;
  set_deadline(master, exchange, clock_mono_ns());
}

/* The device may not have let the whole request out yet (a busy USB adapter): the module's time
   begins with its last byte. False when it has. */
static bool is_unsent(const line_master_t *master, exchange_t *exchange) {
  port_result_t *result = exchange->result;
  uint64_t now_ns = clock_mono_ns();
  int left = 0;
  if (exchange->heard || ioctl(master->fd, TIOCOUTQ, &left) != 0 || left <= 0) return false;
  if (now_ns > result->sent_ns + UNSENT_MAX_NS) return false;
  uint64_t end_ns = now_ns + line_bytes_ns(&master->cfg.line, (uint32_t)left);
  exchange->answer_ns += end_ns - result->sent_end_ns;
  exchange->deadline_ns = exchange->answer_ns;
  result->sent_end_ns = end_ns;
  return true;
}

static wait_end_t wait_bytes(line_master_t *master, exchange_t *exchange) {
  const job_t *job = exchange->job;
  for (;;) {
    uint64_t now_ns = clock_mono_ns();
    if (now_ns >= exchange->deadline_ns && !is_unsent(master, exchange)) return WAIT_TIMEOUT;
    struct timespec left =
        span_of(exchange->deadline_ns > now_ns ? exchange->deadline_ns - now_ns : 0);
    struct pollfd fds[2] = {{.fd = master->fd, .events = POLLIN},
                            {.fd = master->cfg.wake_fd, .events = POLLIN}};
    (void)ppoll(fds, exchange->urgent ? 1 : 2, &left, NULL);
    if (fds[0].revents & POLLIN) return WAIT_BYTES;
    if (fds[0].revents) return WAIT_GONE;
    if (!fds[1].revents || !master->cfg.urgent(master->cfg.arg) || job->lane == JOB_SAFETY)
      continue;
    hurry(master, exchange);
  }
}

/* Judges what has come. RTU_TIMEOUT while the answer is not among it and may still come. */
static rtu_outcome_t judge(line_master_t *master, exchange_t *exchange, bool ended) {
  const job_t *job = exchange->job;
  rtu_stream_t *stream = &master->stream;
  uint8_t frame[RTU_FRAME_MAX];
  size_t len = 0;
  while ((len = rtu_stream_take(stream, ended, frame)) > 0) {
    rtu_outcome_t outcome =
        rtu_match(job, frame, len, exchange->result->values, &exchange->result->exception);
    if (outcome != RTU_FOREIGN) return outcome;
    note_stray(exchange->strays, frame);
  }
  bool may_follow = stream->len > 0 && (stream->junk == 0 || stream->bytes[0] == job->unit);
  size_t wanted = line_answer_bytes(job->function, job->count);
  if (may_follow || stream->junk < wanted) return RTU_TIMEOUT;
  exchange->result->owed = stream->junk > wanted; /* not the answer alone, perhaps not it at all */
  return RTU_DAMAGED;
}

/* The wait is over without an answer. One may still come, unless as many bytes as it has were
 * heard.
 */
static rtu_outcome_t give_up(line_master_t *master, exchange_t *exchange) {
  uint64_t now_ns = clock_mono_ns();
  rtu_outcome_t outcome = judge(master, exchange, true);
  if (now_ns > master->own_free_ns) master->own_free_ns = now_ns;
  if (outcome != RTU_TIMEOUT) return outcome;
  exchange->result->owed = true;
  if (exchange->urgent) return RTU_ABANDONED;
  return master->stream.junk > 0 ? RTU_DAMAGED : RTU_TIMEOUT;
}

static rtu_outcome_t receive_answer(line_master_t *master, exchange_t *exchange) {
  port_result_t *result = exchange->result;
  for (;;) {
    wait_end_t end = wait_bytes(master, exchange);
    if (end == WAIT_TIMEOUT) return give_up(master, exchange);
    if (end == WAIT_GONE || read_bytes(master) < 0) {
      result->owed = true; /* to be heard, perhaps, once the device is back */
      return RTU_NO_PORT;
    }
    result->last_byte_ns = clock_mono_ns();
    master->own_free_ns = result->last_byte_ns + gap_ns(master);
    rtu_outcome_t outcome = judge(master, exchange, false);
    if (outcome != RTU_TIMEOUT) return outcome;
    if (!exchange->heard) exchange->limit_ns = limit_of(master, exchange);
    exchange->heard = true;
    set_deadline(master, exchange, result->last_byte_ns);
  }
}

void line_master_run(line_master_t *master, const job_t *job, port_result_t *result,
                     line_strays_t *strays) {
  uint8_t request[RTU_REQUEST_MAX];
  size_t len = rtu_request(job, request);
  memset(result, 0, sizeof *result);
  strays->count = 0;
  rtu_stream_clear(&master->stream);
  result->job = *job;
  (void)modbus_set_slave(master->modbus, job->unit);
  result->sent_ns = clock_mono_ns();
  if (modbus_send_raw_request(master->modbus, request, (int)len) < 0) {
    result->outcome = RTU_NO_PORT;
    return;
  }
  result->sent_end_ns =
      result->sent_ns +
      line_bytes_ns(&master->cfg.line, line_request_bytes(job->function, job->count));
  master->own_free_ns = result->sent_end_ns + gap_ns(master);
  exchange_t exchange = {.job = job,
                         .result = result,
                         .strays = strays,
                         .answer_ns = result->sent_end_ns + job->answer_us * NS_PER_US};
  exchange.deadline_ns = exchange.answer_ns;
  result->outcome = receive_answer(master, &exchange);
}
