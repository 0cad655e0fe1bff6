/* Discovery, presence and statistics of the modules on one port. */
#include "modules.h"

#include <string.h>

/* Slack of a module and its adapter. With the request before and the stop frame after, a stop is on
   the line within 10 ms at 115200 baud. */
#define GRACE_EXPECTED_US 4200u
#define GRACE_DOUBTED_US  1200u

typedef struct probe {
  uint16_t first, count;
} probe_t;

static const probe_t probes[MODULE_STEP_DONE] = {
    [MODULE_STEP_IDENT] = {0x0100, 7},
    [MODULE_STEP_OLDER] = {0x00F0, 8},
    [MODULE_STEP_ANY] = {0x0000, 1},
    [MODULE_STEP_SERIAL] = {0x00F8, 7},
};

void modules_init(modules_t *modules, const register_profile_t *profile, uint8_t first,
                  uint8_t last) {
  memset(modules, 0, sizeof *modules);
  for (unsigned address = first; address <= last && modules->count < MODULES_MAX; address++) {
    const register_module_t *known = registers_module_at(profile, (uint8_t)address);
    modules->rows[modules->count++] = (module_row_t){.address = (uint8_t)address,
                                                     .mandatory = known && known->mandatory,
                                                     .backoff_ns = MODULE_PROBE_MIN_NS};
  }
}

module_row_t *modules_at(modules_t *modules, uint8_t address) {
  for (size_t i = 0; i < modules->count; i++)
    if (modules->rows[i].address == address) return &modules->rows[i];
  return NULL;
}

void modules_restart(modules_t *modules, uint64_t now_ns) {
  for (size_t i = 0; i < modules->count; i++) {
    module_row_t *row = &modules->rows[i];
    row->state = MODULE_UNKNOWN;
    row->step = MODULE_STEP_IDENT;
    row->misses = 0;
    row->faults = 0;
    row->probe_ns = now_ns;
    row->backoff_ns = MODULE_PROBE_MIN_NS;
  }
}

bool modules_probe(modules_t *modules, uint64_t now_ns, uint32_t tag, uint32_t answer_us,
                   job_t *out) {
  module_row_t *due = NULL;
  for (size_t i = 0; i < modules->count; i++) {
    module_row_t *row = &modules->rows[i];
    if (row->step == MODULE_STEP_DONE || row->probe_ns > now_ns) continue;
    if (!due || row->probe_ns < due->probe_ns) due = row;
  }
  if (!due) return false;
  const probe_t *probe = &probes[due->step];
  *out = (job_t){.tag = tag,
                 .lane = JOB_COMMAND,
                 .unit = due->address,
                 .function = LINE_READ_HOLDING,
                 .first = probe->first,
                 .count = probe->count,
                 .answer_us = answer_us,
                 .poll = JOB_NO_POLL};
  return true;
}

uint64_t modules_next_ns(const modules_t *modules) {
  uint64_t next_ns = UINT64_MAX;
  for (size_t i = 0; i < modules->count; i++) {
    const module_row_t *row = &modules->rows[i];
    if (row->step != MODULE_STEP_DONE && row->probe_ns < next_ns) next_ns = row->probe_ns;
  }
  return next_ns;
}

bool modules_scanned(const modules_t *modules) {
  for (size_t i = 0; i < modules->count; i++)
    if (modules->rows[i].state == MODULE_UNKNOWN) return false;
  return true;
}

static void take_identity(module_row_t *row, const job_t *job, const uint16_t *values) {
  if (job->first == 0x0100) {
    row->device_id = (uint8_t)values[0];
    row->type = values[4];
    row->firmware = values[5];
    row->hardware = values[6];
  } else if (job->first == 0x00F0) { /* id, firmware, status, error, reset, baud, parity, type */
    row->device_id = (uint8_t)values[0];
    row->firmware = values[1];
    row->type = values[7];
  } else if (job->first == 0x00F8) {
    row->serial = (uint32_t)values[4] << 16 | values[3];
    if (row->hardware == 0) row->hardware = values[2];
  }
}

static void back_off(module_row_t *row, uint64_t now_ns) {
  row->step = MODULE_STEP_IDENT;
  row->probe_ns = now_ns + row->backoff_ns;
  row->backoff_ns *= 2;
  if (row->backoff_ns > MODULE_PROBE_MAX_NS) row->backoff_ns = MODULE_PROBE_MAX_NS;
}

static module_change_t go_offline(module_row_t *row, uint64_t now_ns) {
  bool was_offline = row->state == MODULE_OFFLINE;
  row->state = MODULE_OFFLINE;
  back_off(row, now_ns);
  return was_offline ? MODULE_SAME : MODULE_WENT;
}

static module_change_t go_online(module_row_t *row) {
  bool was_online = row->state == MODULE_ONLINE;
  row->state = MODULE_ONLINE;
  row->backoff_ns = MODULE_PROBE_MIN_NS;
  return was_online ? MODULE_SAME : MODULE_CAME;
}

/* One step of discovery is over; the module has answered, if only by an exception, or has not. */
static module_change_t end_step(module_row_t *row, const job_t *job, rtu_outcome_t outcome,
                                const uint16_t *values, uint64_t now_ns) {
  /* A discovery begun anew meanwhile has taken the step back. */
  if (row->step == MODULE_STEP_DONE || probes[row->step].first != job->first) return MODULE_SAME;
  row->probe_ns = now_ns;
  if (outcome == RTU_OK) {
    take_identity(row, job, values);
    if (row->step == MODULE_STEP_SERIAL) {
      row->step = MODULE_STEP_DONE;
      return MODULE_KNOWN;
    }
    row->identified = row->step != MODULE_STEP_ANY;
    row->step = row->identified ? MODULE_STEP_SERIAL : MODULE_STEP_DONE;
    return go_online(row);
  }
  if (outcome == RTU_EXCEPTION) {
    bool present = row->step == MODULE_STEP_ANY || row->step == MODULE_STEP_SERIAL;
    row->step = present ? MODULE_STEP_DONE : row->step + 1;
    return present ? go_online(row) : MODULE_SAME;
  }
  if (row->step == MODULE_STEP_SERIAL) { /* it was there a moment ago: the polls will tell */
    row->step = MODULE_STEP_DONE;
    return MODULE_KNOWN;
  }
  if (row->step == MODULE_STEP_IDENT && row->state == MODULE_UNKNOWN) {
    row->step = MODULE_STEP_ANY;
    return MODULE_SAME;
  }
  return go_offline(row, now_ns);
}

static void count_answer(module_row_t *row, rtu_outcome_t outcome, double response_ms,
                         uint64_t now_ns) {
  bool good = outcome == RTU_OK || outcome == RTU_EXCEPTION; /* an exception is a valid answer */
  row->requests++;
  row->history = row->history << 1 | (good ? 1u : 0u);
  if (row->history_len < 32) row->history_len++;
  row->timeouts += outcome == RTU_TIMEOUT;
  row->damaged += outcome == RTU_DAMAGED;
  row->exceptions += outcome == RTU_EXCEPTION;
  row->failures += outcome != RTU_OK;
  /* A damaged answer proves presence: only silence is a miss. */
  row->misses = outcome == RTU_TIMEOUT ? row->misses + 1 : 0;
  row->faults = good ? 0 : row->faults + 1;
  if (!good) return;
  row->seen_ns = now_ns;
  row->response_sum_ms += response_ms;
  row->response_count++;
}

module_change_t modules_result(modules_t *modules, const job_t *job, rtu_outcome_t outcome,
                               const uint16_t *values, double response_ms, bool probe,
                               uint64_t now_ns) {
  module_row_t *row = modules_at(modules, job->unit);
  if (!row || outcome == RTU_ABANDONED || outcome == RTU_RESTING || outcome == RTU_NO_PORT)
    return MODULE_SAME;
  count_answer(row, outcome, response_ms, now_ns);
  if (probe) return end_step(row, job, outcome, values, now_ns);
  if (row->state == MODULE_ONLINE &&
      (row->misses >= MODULE_SILENT_OFFLINE || row->faults >= MODULE_FAULTS_OFFLINE))
    return go_offline(row, now_ns);
  return MODULE_SAME;
}

uint32_t modules_grace_us(modules_t *modules, uint8_t unit, const line_cfg_t *line) {
  const module_row_t *row = modules_at(modules, unit);
  bool expected = row && row->state == MODULE_ONLINE && row->misses == 0;
  return line->gap_us + line->turnaround_us + (expected ? GRACE_EXPECTED_US : GRACE_DOUBTED_US);
}

void modules_foreign(modules_t *modules, uint8_t unit) {
  module_row_t *row = modules_at(modules, unit);
  if (row) row->foreign++;
}

double module_health(const module_row_t *row) {
  if (row->history_len == 0) return 50.0;
  uint32_t mask = row->history_len == 32 ? UINT32_MAX : (1u << row->history_len) - 1u;
  return 100.0 * __builtin_popcount(row->history & mask) / row->history_len;
}

double module_response_ms(const module_row_t *row) {
  return row->response_count ? row->response_sum_ms / (double)row->response_count : 0.0;
}
