/* The search: which address is asked next, and when it is done with. */
#include "discovery.h"

#include <string.h>

/* After the first failed attempt, and after the second. */
#define PAUSE_FIRST_NS  UINT64_C(50000000)
#define PAUSE_SECOND_NS UINT64_C(100000000)

void discovery_init(discovery_t *discovery, uint8_t first, uint8_t last) {
  memset(discovery, 0, sizeof *discovery);
  discovery->home_first = discovery->view.first = first;
  discovery->home_last = discovery->view.last = last;
}

void discovery_start(discovery_t *discovery, uint8_t first, uint8_t last, uint64_t now_ns) {
  discovery->view = (discovery_view_t){.state = DISCOVERY_RUNNING,
                                       .run = discovery->view.run + 1,
                                       .first = first ? first : discovery->home_first,
                                       .last = last ? last : discovery->home_last};
  discovery->address = 0;
  discovery->waits = false;
  discovery->next_ns = now_ns;
}

void discovery_pause(discovery_t *discovery) {
  if (discovery->view.state == DISCOVERY_RUNNING) discovery->view.state = DISCOVERY_PAUSED;
}

void discovery_resume(discovery_t *discovery) {
  if (discovery->view.state == DISCOVERY_PAUSED) discovery->view.state = DISCOVERY_RUNNING;
}

static void end_run(discovery_t *discovery, discovery_state_t state) {
  discovery->view.state = state;
  discovery->view.address = discovery->address = 0;
  discovery->waits = false;
}

static bool is_under_way(const discovery_t *discovery) {
  return discovery->view.state == DISCOVERY_RUNNING || discovery->view.state == DISCOVERY_PAUSED;
}

void discovery_stop(discovery_t *discovery) {
  if (is_under_way(discovery)) end_run(discovery, DISCOVERY_STOPPED);
}

void discovery_fail(discovery_t *discovery) {
  end_run(discovery, is_under_way(discovery) ? DISCOVERY_FAILED : discovery->view.state);
}

/* Done with the address. */
static void end_address(discovery_t *discovery, const module_row_t *row, uint64_t now_ns) {
  discovery_view_t *view = &discovery->view;
  discovery->address = view->address = 0;
  discovery->waits = false;
  discovery->next_ns = now_ns + MODULE_PROBE_GAP_NS;
  if (discovery->quiet) return;
  view->asked++;
  if (row && row->state == MODULE_ONLINE && row->seen_ns >= discovery->asked_ns) {
    view->found++;
    if (module_conflicts(row) && view->conflict_count < DISCOVERY_CONFLICTS_MAX)
      view->conflicts[view->conflict_count++] = row->address;
  }
  if (view->asked < view->last - view->first + 1) return;
  view->state = DISCOVERY_DONE;
  discovery->quiet_ns = now_ns + DISCOVERY_QUIET_NS;
}

static void begin_address(discovery_t *discovery, uint8_t address, bool quiet, uint64_t now_ns) {
  discovery->asked_ns = now_ns;
  discovery->address = address;
  discovery->quiet = quiet;
  discovery->waits = false;
  discovery->attempt = 0;
  discovery->candidate = (module_row_t){
      .address = address, .present_by = MODULE_STEP_DONE, .backoff_ns = MODULE_PROBE_MIN_NS};
}

static void next_of_run(discovery_t *discovery, modules_t *modules, uint64_t now_ns) {
  discovery_view_t *view = &discovery->view;
  while (discovery->address == 0 && view->state == DISCOVERY_RUNNING) {
    begin_address(discovery, (uint8_t)(view->first + view->asked), false, now_ns);
    view->address = discovery->address;
    module_row_t *row = modules_at(modules, discovery->address);
    if (row && row->quarantined) {
      end_address(discovery, row, now_ns);
      discovery->next_ns = now_ns;
    } else if (row) {
      discovery->waits = true;
      if (row->state != MODULE_UNKNOWN) modules_refresh(row, now_ns); /* else it is asked already */
    }
  }
}

/* The next address of the configured range that nobody has answered from. */
static void next_quiet(discovery_t *discovery, modules_t *modules, uint64_t now_ns) {
  unsigned size = discovery->home_last - discovery->home_first + 1u, silent = 0;
  for (unsigned i = 0; i < size; i++)
    silent += modules_at(modules, (uint8_t)(discovery->home_first + i)) == NULL;
  discovery->quiet_ns = now_ns + DISCOVERY_ROUND_NS;
  if (silent == 0) return;
  do {
    bool over =
        discovery->quiet_at < discovery->home_first || discovery->quiet_at >= discovery->home_last;
    discovery->quiet_at = over ? discovery->home_first : (uint8_t)(discovery->quiet_at + 1);
  } while (modules_at(modules, discovery->quiet_at));
  begin_address(discovery, discovery->quiet_at, true, now_ns);
  uint64_t pause_ns = DISCOVERY_ROUND_NS / silent;
  discovery->quiet_ns = now_ns + (pause_ns > DISCOVERY_QUIET_NS ? pause_ns : DISCOVERY_QUIET_NS);
}

bool discovery_ask(discovery_t *discovery, modules_t *modules, uint64_t now_ns, uint32_t tag,
                   uint32_t answer_us, job_t *out) {
  if (discovery->view.state == DISCOVERY_PAUSED || now_ns < discovery->next_ns) return false;
  if (discovery->address == 0) next_of_run(discovery, modules, now_ns);
  if (discovery->address == 0 && discovery->view.state != DISCOVERY_IDLE &&
      now_ns >= discovery->quiet_ns)
    next_quiet(discovery, modules, now_ns);
  if (discovery->address == 0 || discovery->waits) return false;
  *out = module_ask(&discovery->candidate, tag, answer_us);
  return true;
}

uint64_t discovery_next_ns(const discovery_t *discovery) {
  if (discovery->waits) return UINT64_MAX;
  switch (discovery->view.state) {
  case DISCOVERY_IDLE:
  case DISCOVERY_PAUSED:
  case DISCOVERY_FAILED:
    return UINT64_MAX;
  case DISCOVERY_RUNNING:
    break;
  default:
    if (discovery->address == 0 && discovery->quiet_ns > discovery->next_ns)
      return discovery->quiet_ns;
  }
  return discovery->next_ns;
}

static module_change_t register_candidate(discovery_t *discovery, modules_t *modules,
                                          uint64_t now_ns) {
  module_row_t *row = modules_add(modules, discovery->address);
  if (!row) { /* no room: it is there, and that is all */
    discovery->candidate.seen_ns = now_ns;
    end_address(discovery, &discovery->candidate, now_ns);
    return MODULE_SAME;
  }
  *row = discovery->candidate;
  row->seen_ns = now_ns;
  discovery->waits = true;
  if (row->step == MODULE_STEP_DONE || discovery->quiet) end_address(discovery, row, now_ns);
  return MODULE_CAME;
}

module_change_t discovery_result(discovery_t *discovery, modules_t *modules,
                                 const module_answer_t *answer, uint64_t now_ns) {
  module_row_t *candidate = &discovery->candidate;
  bool tried = answer->outcome == RTU_OK || answer->outcome == RTU_EXCEPTION ||
               answer->outcome == RTU_TIMEOUT || answer->outcome == RTU_DAMAGED;
  if (answer->outcome == RTU_RESTING) discovery->next_ns = now_ns + MODULE_REST_NS;
  if (!tried || discovery->waits || answer->job->unit != discovery->address) return MODULE_SAME;
  module_change_t change = module_told(candidate, answer, now_ns);
  if (change == MODULE_CAME) {
    module_stats_count(&candidate->stats, answer->outcome, answer->exception, answer->response_ms);
    return register_candidate(discovery, modules, now_ns);
  }
  bool silent =
      discovery->quiet && candidate->step == MODULE_STEP_ANY && answer->outcome == RTU_TIMEOUT;
  if (candidate->state != MODULE_OFFLINE && !silent) return MODULE_SAME;
  unsigned attempts = discovery->quiet && !candidate->patient ? 1 : DISCOVERY_ATTEMPTS;
  if (++discovery->attempt >= attempts) {
    end_address(discovery, NULL, now_ns);
    return MODULE_SAME;
  }
  candidate->state = MODULE_UNKNOWN;
  candidate->step = MODULE_STEP_IDENT;
  discovery->next_ns = now_ns + (discovery->attempt == 1 ? PAUSE_FIRST_NS : PAUSE_SECOND_NS);
  return MODULE_SAME;
}

static bool is_needless(const module_row_t *row) {
  return row->state == MODULE_OFFLINE && !row->mandatory && !row->quarantined &&
         row->faults >= MODULE_ABSENT_AFTER;
}

bool discovery_follow(discovery_t *discovery, modules_t *modules, uint8_t unit, uint64_t now_ns) {
  module_row_t *row = modules_at(modules, unit);
  if (!row || unit != discovery->address) return false;
  bool over = row->step == MODULE_STEP_DONE || row->state == MODULE_OFFLINE || row->quarantined;
  if (row->state == MODULE_OFFLINE && row->probe_ns <= now_ns) over = false; /* being refreshed */
  if (!over) return false;
  bool needless = !discovery->quiet && is_needless(row);
  end_address(discovery, row, now_ns);
  if (needless) modules_remove(modules, unit);
  return needless;
}

void discovery_heard(discovery_t *discovery, modules_t *modules, uint8_t unit) {
  module_row_t *row = modules_at(modules, unit);
  if (row && row->state != MODULE_ONLINE) row->patient = true;
  bool home = unit >= discovery->home_first && unit <= discovery->home_last;
  bool at_rest = discovery->address == 0 && home && !row &&
                 discovery->view.state != DISCOVERY_RUNNING &&
                 discovery->view.state != DISCOVERY_PAUSED;
  if (at_rest) begin_address(discovery, unit, true, 0);
  if (unit == discovery->address && unit != 0) discovery->candidate.patient = true;
}
