/* Presence of the modules on one port. */
#include "modules.h"

#include <string.h>

/* Slack of a module and its adapter. With the request before and the stop frame after, a stop is on
   the line within 10 ms at 115200 baud. */
#define GRACE_EXPECTED_US 4200u
#define GRACE_DOUBTED_US  1200u

void modules_init(modules_t *modules, const register_profile_t *profile, uint8_t first,
                  uint8_t last, bool expected) {
  memset(modules, 0, sizeof *modules);
  modules->profile = profile;
  for (unsigned address = first; expected && address <= last; address++) {
    const register_module_t *known = registers_module_at(profile, (uint8_t)address);
    module_row_t *row = known && known->mandatory ? modules_add(modules, (uint8_t)address) : NULL;
    if (row) row->mandatory = true;
  }
}

module_row_t *modules_at(modules_t *modules, uint8_t address) {
  for (size_t i = 0; i < modules->count; i++)
    if (modules->rows[i].address == address) return &modules->rows[i];
  return NULL;
}

module_row_t *modules_add(modules_t *modules, uint8_t address) {
  module_row_t *row = modules_at(modules, address);
  if (row || modules->count == MODULES_MAX) return row;
  row = &modules->rows[modules->count++];
  *row = (module_row_t){
      .address = address, .present_by = MODULE_STEP_DONE, .backoff_ns = MODULE_PROBE_MIN_NS};
  return row;
}

void modules_remove(modules_t *modules, uint8_t address) {
  module_row_t *row = modules_at(modules, address);
  if (!row) return;
  size_t after = modules->count - (size_t)(row - modules->rows) - 1;
  memmove(row, row + 1, after * sizeof *row);
  modules->count--;
}

void modules_seed(modules_t *modules, const module_seed_t *seed) {
  module_row_t *row = modules_add(modules, seed->address);
  if (!row) return;
  row->quarantined = seed->quarantined;
  row->identified = seed->identified;
  row->type = seed->type;
  row->firmware = seed->firmware;
  row->hardware = seed->hardware;
  row->serial = seed->serial;
  memcpy(row->letters, seed->letters, sizeof row->letters);
}

static void begin(module_row_t *row, uint64_t probe_ns) {
  row->state = MODULE_UNKNOWN;
  row->step = MODULE_STEP_IDENT;
  row->asked_identity = false;
  row->misses = 0;
  row->faults = 0;
  row->probe_ns = probe_ns;
  row->backoff_ns = MODULE_PROBE_MIN_NS;
}

void modules_restart(modules_t *modules, uint64_t now_ns) {
  for (size_t i = 0; i < modules->count; i++)
    begin(&modules->rows[i], now_ns + i * MODULE_PROBE_GAP_NS);
}

bool modules_quarantine(modules_t *modules, uint8_t address, bool on, uint64_t now_ns) {
  module_row_t *row = modules_at(modules, address);
  if (!row) return false;
  if (row->quarantined == on) return true;
  row->quarantined = on;
  begin(row, now_ns);
  return true;
}

void modules_refresh(module_row_t *row, uint64_t now_ns) {
  if (row->quarantined) return;
  row->step = MODULE_STEP_IDENT;
  row->asked_identity = false;
  row->probe_ns = now_ns;
  if (row->state == MODULE_OFFLINE) row->backoff_ns = MODULE_PROBE_MIN_NS;
}

/* When the row is asked next; one that has said who it is may be exchanged or set otherwise. */
static uint64_t due_ns(const module_row_t *row) {
  if (row->quarantined) return UINT64_MAX;
  if (row->step != MODULE_STEP_DONE) return row->probe_ns;
  return row->state == MODULE_ONLINE ? row->probe_ns + MODULE_CHECK_NS : UINT64_MAX;
}

bool modules_probe(modules_t *modules, uint64_t now_ns, uint32_t tag, uint32_t answer_us,
                   job_t *out) {
  module_row_t *due = NULL;
  for (size_t i = 0; i < modules->count; i++) {
    module_row_t *row = &modules->rows[i];
    if (due_ns(row) > now_ns) continue;
    if (!due || due_ns(row) < due_ns(due)) due = row;
  }
  if (!due) return false;
  if (due->step == MODULE_STEP_DONE) modules_refresh(due, now_ns);
  *out = module_ask(due, tag, answer_us);
  return true;
}

uint64_t modules_next_ns(const modules_t *modules) {
  uint64_t next_ns = UINT64_MAX;
  for (size_t i = 0; i < modules->count; i++) {
    uint64_t due = due_ns(&modules->rows[i]);
    if (due < next_ns) next_ns = due;
  }
  return next_ns;
}

static void count_answer(modules_t *modules, module_row_t *row, const module_answer_t *answer,
                         uint64_t now_ns) {
  const job_t *job = answer->job;
  bool good = answer->outcome == RTU_OK || answer->outcome == RTU_EXCEPTION;
  module_stats_count(&row->stats, answer->outcome, answer->exception, answer->response_ms);
  if (answer->outcome == RTU_OK && job->lane == JOB_POLL)
    module_stats_judge(
        &row->stats, registers_module_at(modules->profile, row->address),
        (register_view_t){.first = job->first, .count = job->count, .values = answer->values});
  /* A damaged answer proves presence: only silence is a miss. */
  row->misses = answer->outcome == RTU_TIMEOUT ? row->misses + 1 : 0;
  row->faults = good ? 0 : row->faults + 1;
  if (good) row->seen_ns = now_ns;
  if (answer->outcome == RTU_OK) row->told_ns = now_ns;
}

/* A module that does not say what it is is taken for what belongs at its address. */
static void infer_type(const modules_t *modules, module_row_t *row) {
  const register_module_t *known = registers_module_at(modules->profile, row->address);
  if (row->type == 0 && row->state == MODULE_ONLINE && known) row->type = known->type;
}

module_change_t modules_result(modules_t *modules, const module_answer_t *answer, uint64_t now_ns) {
  const job_t *job = answer->job;
  rtu_outcome_t outcome = answer->outcome;
  module_row_t *row = modules_at(modules, job->unit);
  if (row && outcome == RTU_RESTING && answer->probe) row->probe_ns = now_ns + MODULE_REST_NS;
  if (!row || outcome == RTU_ABANDONED || outcome == RTU_RESTING || outcome == RTU_NO_PORT)
    return MODULE_SAME;
  count_answer(modules, row, answer, now_ns);
  if (row->quarantined) return MODULE_SAME;
  module_change_t change = MODULE_SAME;
  if (answer->probe)
    change = module_told(row, answer, now_ns);
  else if (row->state == MODULE_OFFLINE && row->faults == 0)
    row->probe_ns = now_ns; /* asked for something else, it has answered */
  infer_type(modules, row);
  bool lost = row->misses >= MODULE_SILENT_OFFLINE || row->faults >= MODULE_FAULTS_OFFLINE;
  if (answer->probe || row->state != MODULE_ONLINE || !lost) return change;
  module_lose(row, now_ns);
  return MODULE_WENT;
}

uint32_t modules_grace_us(modules_t *modules, uint8_t unit, const line_cfg_t *line) {
  const module_row_t *row = modules_at(modules, unit);
  bool expected = row && row->state == MODULE_ONLINE && row->misses == 0;
  return line->gap_us + line->turnaround_us + (expected ? GRACE_EXPECTED_US : GRACE_DOUBTED_US);
}

void modules_foreign(modules_t *modules, uint8_t unit, bool late) {
  module_row_t *row = modules_at(modules, unit);
  if (row && late) row->stats.foreign++;
  if (row && !late) row->stats.malformed++;
}

bool module_conflicts(const module_row_t *row) {
  return row->identified && row->device_id != 0 && row->device_id != row->address;
}

module_seed_t module_seed_of(const module_row_t *row) {
  module_seed_t seed = {.address = row->address,
                        .quarantined = row->quarantined,
                        .identified = row->identified,
                        .type = row->type,
                        .firmware = row->firmware,
                        .hardware = row->hardware,
                        .serial = row->serial};
  memcpy(seed.letters, row->letters, sizeof seed.letters);
  return seed;
}
