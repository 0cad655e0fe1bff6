/* The questions by which a module is found and named, and what its answers mean. */
#include <string.h>

#include "modules.h"

/* Reads may have other lengths when a late answer could be taken for theirs. */
typedef struct probe {
  uint16_t first, count, least, most;
} probe_t;

static const probe_t probes[MODULE_STEP_DONE] = {
    [MODULE_STEP_IDENT] = {0x0100, 7, 7, 9},
    [MODULE_STEP_OLDER] = {0x00F0, 8, 8, 8},
    [MODULE_STEP_ANY] = {0x0000, 1, 1, 3},
    [MODULE_STEP_SERIAL] = {0x00F8, 7, 5, 7},
};

job_t module_ask(const module_row_t *row, uint32_t tag, uint32_t answer_us) {
  const probe_t *probe = &probes[row->step];
  bool patient = row->patient && answer_us < MODULE_PATIENT_US;
  return (job_t){.tag = tag,
                 .lane = JOB_COMMAND,
                 .unit = row->address,
                 .function = LINE_READ_HOLDING,
                 .first = probe->first,
                 .count = probe->count,
                 .least = probe->least,
                 .most = probe->most,
                 .answer_us = patient ? MODULE_PATIENT_US : answer_us,
                 .poll = JOB_NO_POLL};
}

static void take_letters(module_row_t *row, const uint16_t *values) {
  for (int i = 0; i < 4; i++) {
    char letter = (char)(i % 2 ? values[i / 2] & 0xFF : values[i / 2] >> 8);
    row->letters[i] = letter > ' ' && letter <= '~' ? letter : '\0';
  }
}

static void take_identity(module_row_t *row, const uint16_t *values) {
  if (row->step == MODULE_STEP_IDENT) {
    row->device_id = (uint8_t)values[0];
    row->type = values[4];
    row->firmware = values[5];
    row->hardware = values[6];
  } else if (row->step ==
             MODULE_STEP_OLDER) { /* id, fw, status, error, reset, baud, parity, type */
    row->device_id = (uint8_t)values[0];
    row->firmware = values[1];
    row->type = values[7];
  } else if (row->step == MODULE_STEP_SERIAL) {
    take_letters(row, values);
    row->serial = (uint32_t)values[4] << 16 | values[3];
    if (row->hardware == 0) row->hardware = values[2];
  }
}

/* What is asked again after a pause: what was answered last; of a module that never answered, who
   it is and whether anybody is there, in turn. */
static void back_off(module_row_t *row, uint64_t now_ns) {
  if (row->present_by != MODULE_STEP_DONE)
    row->step = row->present_by;
  else
    row->step = row->asked_identity ? MODULE_STEP_ANY : MODULE_STEP_IDENT;
  row->asked_identity = false;
  row->probe_ns = now_ns + row->backoff_ns;
  row->backoff_ns *= 2;
  if (row->backoff_ns > MODULE_PROBE_MAX_NS) row->backoff_ns = MODULE_PROBE_MAX_NS;
}

static module_change_t go_online(module_row_t *row) {
  bool was_online = row->state == MODULE_ONLINE;
  row->state = MODULE_ONLINE;
  row->backoff_ns = MODULE_PROBE_MIN_NS;
  return was_online ? MODULE_SAME : MODULE_CAME;
}

void module_lose(module_row_t *row, uint64_t now_ns) {
  row->state = MODULE_OFFLINE;
  back_off(row, now_ns);
}

static module_change_t on_values(module_row_t *row, const uint16_t *values) {
  take_identity(row, values);
  if (row->step == MODULE_STEP_SERIAL) {
    row->step = MODULE_STEP_DONE;
    return MODULE_KNOWN;
  }
  row->present_by = row->step;
  row->identified = row->identified || row->step != MODULE_STEP_ANY;
  if (row->step != MODULE_STEP_ANY)
    row->step = MODULE_STEP_SERIAL;
  else
    row->step = row->asked_identity ? MODULE_STEP_DONE : MODULE_STEP_IDENT;
  return go_online(row);
}

static module_change_t on_exception(module_row_t *row, uint8_t exception) {
  switch (row->step) {
  case MODULE_STEP_IDENT:
    row->step = exception == 2 ? MODULE_STEP_OLDER : MODULE_STEP_ANY;
    return MODULE_SAME;
  case MODULE_STEP_OLDER:
    row->step = MODULE_STEP_ANY;
    return MODULE_SAME;
  case MODULE_STEP_ANY: /* whoever refuses is there */
    row->present_by = MODULE_STEP_ANY;
    row->step = row->asked_identity ? MODULE_STEP_DONE : MODULE_STEP_IDENT;
    return go_online(row);
  default: /* no serial number */
    row->step = MODULE_STEP_DONE;
    return MODULE_KNOWN;
  }
}

static module_change_t on_silence(module_row_t *row, uint64_t now_ns) {
  row->patient = false;
  if (row->step == MODULE_STEP_SERIAL) { /* it was there a moment ago: the polls will tell */
    row->step = MODULE_STEP_DONE;
    return MODULE_KNOWN;
  }
  if (row->state == MODULE_ONLINE && row->misses < MODULE_SILENT_OFFLINE &&
      row->faults < MODULE_FAULTS_OFFLINE) {
    row->step = row->step == MODULE_STEP_ANY ? MODULE_STEP_DONE : MODULE_STEP_ANY;
    return MODULE_SAME;
  }
  if (row->step != MODULE_STEP_ANY && row->state == MODULE_UNKNOWN) {
    row->step = MODULE_STEP_ANY;
    return MODULE_SAME;
  }
  module_change_t change = row->state == MODULE_OFFLINE ? MODULE_SAME : MODULE_WENT;
  module_lose(row, now_ns);
  return change;
}

module_change_t module_told(module_row_t *row, const module_answer_t *answer, uint64_t now_ns) {
  /* A probing begun anew meanwhile has taken the step back. */
  if (row->quarantined || row->step == MODULE_STEP_DONE ||
      probes[row->step].first != answer->job->first)
    return MODULE_SAME;
  row->probe_ns = now_ns;
  if (row->step != MODULE_STEP_ANY) row->asked_identity = true;
  if (answer->outcome == RTU_OK) return on_values(row, answer->values);
  if (answer->outcome == RTU_EXCEPTION) return on_exception(row, answer->exception);
  return on_silence(row, now_ns);
}
