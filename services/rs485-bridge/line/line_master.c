/* One Modbus RTU transaction at a time. libmodbus opens the line, writes frames with their CRC and
   receives sound ones; the wait for an answer's first byte is our own, so that a stop can end it.
 */
#include "line_master.h"

#include <errno.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gantry/clock.h>

#define NS_PER_US       UINT64_C(1000)
#define BYTE_TIMEOUT_US 10000u /* within a frame; a USB adapter hands over in pieces */
#define FRAMES_MAX      4      /* foreign frames passed over in one wait */

struct line_master {
  line_master_cfg_t cfg;
  modbus_t *modbus;
  int fd;
  uint64_t quiet_ns;
};

typedef enum wait_end { WAIT_BYTE, WAIT_TIMEOUT, WAIT_ABANDONED, WAIT_GONE } wait_end_t;

gantry_err_t line_master_open(const line_master_cfg_t *cfg, line_master_t **out, char *detail,
                              size_t size) {
  *out = NULL;
  line_master_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  self->cfg = *cfg;
  self->modbus = modbus_new_rtu(cfg->path, (int)cfg->line.baud, 'N', 8, 1);
  if (!self->modbus || modbus_connect(self->modbus) != 0) {
    (void)snprintf(detail, size, "%s cannot be opened: %s", cfg->path, strerror(errno));
    if (self->modbus) modbus_free(self->modbus);
    free(self);
    return GANTRY_E_DEVICE;
  }
  self->fd = modbus_get_socket(self->modbus);
  (void)modbus_set_error_recovery(self->modbus, MODBUS_ERROR_RECOVERY_NONE);
  (void)modbus_set_response_timeout(self->modbus, 0, BYTE_TIMEOUT_US);
  (void)modbus_set_byte_timeout(self->modbus, 0, BYTE_TIMEOUT_US);
  (void)modbus_flush(self->modbus);
  self->quiet_ns = clock_mono_ns() + cfg->line.gap_us * NS_PER_US;
  *out = self;
  return GANTRY_OK;
}

void line_master_close(line_master_t **self) {
  if (!*self) return;
  modbus_close((*self)->modbus);
  modbus_free((*self)->modbus);
  free(*self);
  *self = NULL;
}

int line_master_fd(const line_master_t *master) {
  return master->fd;
}

uint64_t line_master_quiet_ns(const line_master_t *master) {
  return master->quiet_ns;
}

bool line_master_hear(line_master_t *master) {
  uint8_t bytes[256];
  ssize_t len = read(master->fd, bytes, sizeof bytes);
  if (len > 0) master->quiet_ns = clock_mono_ns() + master->cfg.line.gap_us * NS_PER_US;
  return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Waits for the first byte of an answer to a request that ended at end_ns. */
static wait_end_t wait_first(line_master_t *master, const job_t *job, uint64_t end_ns) {
  uint64_t deadline_ns = end_ns + job->answer_us * NS_PER_US;
  bool urgent = false;
  for (;;) {
    uint64_t now_ns = clock_mono_ns();
    if (now_ns >= deadline_ns) return urgent ? WAIT_ABANDONED : WAIT_TIMEOUT;
    uint64_t left_ns = deadline_ns - now_ns;
    struct timespec left = {.tv_sec = (time_t)(left_ns / GANTRY_NS_PER_S),
                            .tv_nsec = (long)(left_ns % GANTRY_NS_PER_S)};
    struct pollfd fds[2] = {{.fd = master->fd, .events = POLLIN},
                            {.fd = master->cfg.wake_fd, .events = POLLIN}};
    (void)ppoll(fds, urgent ? 1 : 2, &left, NULL);
    if (fds[0].revents & POLLIN) return WAIT_BYTE;
    if (fds[0].revents) return WAIT_GONE;
    if (!fds[1].revents || !master->cfg.urgent(master->cfg.arg) || job->lane == JOB_SAFETY)
      continue;
    urgent = true;
    if (end_ns + job->grace_us * NS_PER_US < deadline_ns)
      deadline_ns = end_ns + job->grace_us * NS_PER_US;
  }
}

/* Receives one frame whose first byte is there. */
static rtu_outcome_t receive_frame(line_master_t *master, const job_t *job, port_result_t *result,
                                   line_strays_t *strays) {
  uint8_t frame[MODBUS_RTU_MAX_ADU_LENGTH] = {0};
  int len = modbus_receive_confirmation(master->modbus, frame);
  result->last_byte_ns = clock_mono_ns();
  master->quiet_ns = result->last_byte_ns + master->cfg.line.gap_us * NS_PER_US;
  if (len < 0)
    return errno == EIO || errno == ECONNRESET || errno == EBADF ? RTU_NO_PORT : RTU_DAMAGED;
  rtu_outcome_t outcome = RTU_FOREIGN; /* 0: another unit's */
  if (len > 2) outcome = rtu_match(job, frame, (size_t)len - 2, result->values, &result->exception);
  if (outcome == RTU_FOREIGN && strays->count < LINE_FOREIGN_MAX)
    strays->frames[strays->count++] =
        (line_foreign_t){.unit = frame[0], .count = (uint16_t)(frame[2] / 2)};
  return outcome;
}

static rtu_outcome_t receive_answer(line_master_t *master, const job_t *job, port_result_t *result,
                                    line_strays_t *strays) {
  for (int frames = 0; frames < FRAMES_MAX; frames++) {
    wait_end_t end = wait_first(master, job, result->sent_end_ns);
    if (end != WAIT_BYTE) {
      uint64_t now_ns = clock_mono_ns();
      if (now_ns > master->quiet_ns) master->quiet_ns = now_ns;
      if (end == WAIT_GONE) return RTU_NO_PORT;
      return end == WAIT_ABANDONED ? RTU_ABANDONED : RTU_TIMEOUT;
    }
    rtu_outcome_t outcome = receive_frame(master, job, result, strays);
    if (outcome != RTU_FOREIGN) return outcome;
  }
  return RTU_DAMAGED;
}

void line_master_run(line_master_t *master, const job_t *job, port_result_t *result,
                     line_strays_t *strays) {
  uint8_t request[RTU_REQUEST_MAX];
  size_t len = rtu_request(job, request);
  memset(result, 0, sizeof *result);
  strays->count = 0;
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
  master->quiet_ns = result->sent_end_ns + master->cfg.line.gap_us * NS_PER_US;
  result->outcome = receive_answer(master, job, result, strays);
}
