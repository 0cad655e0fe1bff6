/* One transaction on an open line: request, wait, answer. Belongs to a port's thread. */
#ifndef BRIDGE_LINE_MASTER_H
#define BRIDGE_LINE_MASTER_H

#include <gantry/err.h>

#include "port.h"

typedef struct line_master line_master_t;

/* Whether something urgent waits; called when wake_fd is readable, and takes what made it so. */
typedef bool (*line_urgent_fn)(void *arg);

typedef struct line_master_cfg {
  const char *path;
  line_cfg_t line;
  int wake_fd; /* readable when line_urgent_fn may have changed */
  line_urgent_fn urgent;
  void *arg;
} line_master_cfg_t;

#define LINE_FOREIGN_MAX 4

/* Frames that answered something else: late, or another unit's. */
typedef struct line_strays {
  rtu_mark_t frames[LINE_FOREIGN_MAX];
  size_t count;
} line_strays_t;

/* Opens the device. GANTRY_E_DEVICE with a sentence in detail when that fails. */
gantry_err_t line_master_open(const line_master_cfg_t *cfg, line_master_t **out, char *detail,
                              size_t size);
void line_master_close(line_master_t **self);
/* From when a request may be sent, monotonic ns: the silence after the last frame is over, and no
   frame that came unasked is under way. A stop (urgent) waits for no unasked one. */
uint64_t line_master_free_ns(const line_master_t *master, bool urgent);
int line_master_fd(const line_master_t *master);
/* Takes bytes that nobody waits for; the late answers among them are told in strays. False when the
   device is gone. */
bool line_master_hear(line_master_t *master, line_strays_t *strays);
/* Sends job and receives its answer into result (job, outcome, exception, values, times). Frames
   that answer something else are thrown away and told in strays. Blocks for the answer's time-out
   and one frame at most, whatever the line brings. */
void line_master_run(line_master_t *master, const job_t *job, port_result_t *result,
                     line_strays_t *strays);

#endif
