/* Cuts the polled registers of each module and class into reads of the least line time. */
#include "plan.h"

#include <stdio.h>
#include <string.h>

#define NO_CUT      UINT64_MAX
#define SPARE_LEAST 2 /* lengths besides its own that a read has at least, where it can */

/* The rows of one class that are either all optional or all not, and the best cuts behind each. */
typedef struct stretch {
  const register_module_t *module;
  size_t rows[REGISTERS_ROWS_MAX]; /* indices in the module */
  size_t count;
  uint64_t cost[REGISTERS_ROWS_MAX + 1]; /* least line time from row i on */
  size_t end[REGISTERS_ROWS_MAX];        /* the read that begins at row i ends before that row */
} stretch_t;

static bool is_optional(const register_row_t *row) {
  return (row->flags & REGISTER_OPTIONAL) != 0;
}

static uint32_t end_of(const register_row_t *row) {
  return (uint32_t)row->address + row->words;
}

static bool fits(const plan_t *plan, uint32_t count) {
  return count <= LINE_READ_MAX &&
         line_hold_us(&plan->line, LINE_READ_HOLDING, count) <= plan->max_hold_us;
}

/* Line time of a read without rounding, in microseconds times baud: what is as good compares equal.
 */
static uint64_t cost_of(const line_cfg_t *line, uint32_t count) {
  uint64_t bits = 10ull * (line_request_bytes(LINE_READ_HOLDING, count) +
                           line_answer_bytes(LINE_READ_HOLDING, count));
  return bits * 1000000u + (2ull * line->gap_us + line->turnaround_us) * line->baud;
}

static void cut(const plan_t *plan, stretch_t *part) {
  const register_row_t *rows = part->module->rows;
  part->cost[part->count] = 0;
  for (size_t i = part->count; i-- > 0;) {
    const register_row_t *first = &rows[part->rows[i]];
    part->cost[i] = NO_CUT;
    for (size_t k = i; k < part->count; k++) {
      uint32_t end = end_of(&rows[part->rows[k]]), count = end - first->address;
      if (!fits(plan, count)) break;
      if (!registers_readable(part->module, first->address, end, is_optional(first))) break;
      uint64_t rest = part->cost[k + 1], cost = cost_of(&plan->line, count) + rest;
      if (rest == NO_CUT || cost > part->cost[i]) continue;
      part->cost[i] = cost; /* of two that are as good the one with the longer first read */
      part->end[i] = k + 1;
    }
  }
}

/* Lengths that the read may have instead: longer ones by what follows, else shorter ones. */
static void spread_lengths(const plan_t *plan, plan_poll_t *poll, const register_row_t *first,
                           uint16_t least) {
  const register_module_t *module = &plan->profile->modules[poll->module];
  poll->most = poll->count;
  while (!is_optional(first) && poll->most - poll->count < PLAN_SPARE &&
         fits(plan, poll->most + 1u) &&
         registers_readable(module, poll->first, poll->first + poll->most + 1u, false))
    poll->most++;
  int longer = poll->most - poll->count;
  int lacking = longer < SPARE_LEAST ? SPARE_LEAST - longer : 0;
  if (least == 0) least = poll->count > lacking ? (uint16_t)(poll->count - lacking) : 1;
  if (least < first->words) least = first->words;
  poll->least = least < poll->count ? least : poll->count;
}

static bool add_polls(plan_t *plan, const stretch_t *part, size_t poll_class) {
  const register_class_t *row = &plan->profile->classes[poll_class];
  const register_row_t *rows = part->module->rows;
  for (size_t i = 0; i < part->count; i = part->end[i]) {
    const register_row_t *first = &rows[part->rows[i]], *last = &rows[part->rows[part->end[i] - 1]];
    if (plan->count == JOBS_POLL_MAX) return false;
    plan_poll_t *poll = &plan->polls[plan->count++];
    *poll = (plan_poll_t){.module = (size_t)(part->module - plan->profile->modules),
                          .poll_class = poll_class,
                          .first = first->address,
                          .count = (uint16_t)(end_of(last) - first->address),
                          .rate_hz = row->rate_hz,
                          .rank = row->rank,
                          .mandatory = part->module->mandatory};
    (void)snprintf(poll->name, sizeof poll->name, "%.31s_%04x", part->module->name, first->address);
    spread_lengths(plan, poll, first, row->least);
  }
  return true;
}

static bool plan_stretch(plan_t *plan, stretch_t *part, size_t poll_class, char *why, size_t size) {
  if (part->count == 0) return true;
  cut(plan, part);
  if (part->cost[0] == NO_CUT) {
    const register_row_t *row = &part->module->rows[part->rows[0]];
    (void)snprintf(why, size,
                   "module.%s.register.%s: reading it holds the line for %u us at %u baud; raise "
                   "max_hold_us above that, or the baud rate",
                   part->module->name, row->name,
                   line_hold_us(&plan->line, LINE_READ_HOLDING, row->words), plan->line.baud);
    return false;
  }
  if (add_polls(plan, part, poll_class)) return true;
  (void)snprintf(why, size, "the profile needs more than %d reads; poll fewer registers",
                 JOBS_POLL_MAX);
  return false;
}

/* The registers of one module and class, those that every module of its kind has, or the others. */
static void gather(const register_module_t *module, size_t poll_class, bool optional,
                   stretch_t *out) {
  out->module = module;
  out->count = 0;
  for (size_t i = 0; i < module->row_count; i++)
    if (module->rows[i].poll_class == (int)poll_class && is_optional(&module->rows[i]) == optional)
      out->rows[out->count++] = i;
}

bool plan_make(plan_t *plan, const register_profile_t *profile, const line_cfg_t *line,
               uint32_t max_hold_us, char *why, size_t size) {
  *plan = (plan_t){.profile = profile, .line = *line, .max_hold_us = max_hold_us};
  for (size_t c = 0; c < profile->class_count; c++)
    for (size_t m = 0; m < profile->module_count; m++)
      for (int optional = 0; optional < 2; optional++) {
        stretch_t part;
        gather(&profile->modules[m], c, optional == 1, &part);
        if (!plan_stretch(plan, &part, c, why, size)) return false;
      }
  return true;
}

void plan_scale(plan_t *plan, double factor) {
  for (size_t i = 0; i < plan->count; i++)
    plan->polls[i].rate_hz *= factor;
}

bool plan_load(jobs_t *jobs, const plan_t *plan, size_t *bad) {
  for (size_t i = 0; i < plan->count; i++) {
    const plan_poll_t *poll = &plan->polls[i];
    job_t job = {.tag = (uint32_t)i,
                 .lane = JOB_POLL,
                 .unit = plan->profile->modules[poll->module].address,
                 .function = LINE_READ_HOLDING,
                 .first = poll->first,
                 .count = poll->count,
                 .least = poll->least,
                 .most = poll->most,
                 .answer_us = PLAN_ANSWER_US,
                 .retries = 1};
    *bad = i;
    if (jobs_add_poll(jobs, &job, (uint64_t)(1e9 / poll->rate_hz), poll->rank) != (int)i)
      return false;
  }
  return true;
}

int plan_find(const plan_t *plan, const register_module_t *module, const register_row_t *row) {
  for (size_t i = 0; module && row && i < plan->count; i++) {
    const plan_poll_t *poll = &plan->polls[i];
    if (&plan->profile->modules[poll->module] == module && poll->first <= row->address &&
        end_of(row) <= (uint32_t)poll->first + poll->count)
      return (int)i;
  }
  return JOB_NO_POLL;
}

double plan_share(const plan_t *plan, const register_module_t *module) {
  double share = 0.0;
  for (size_t i = 0; i < plan->count; i++) {
    const plan_poll_t *poll = &plan->polls[i];
    if (module ? &plan->profile->modules[poll->module] != module : !poll->mandatory) continue;
    share += 1e-6 * line_hold_us(&plan->line, LINE_READ_HOLDING, poll->count) * poll->rate_hz;
  }
  return share;
}
