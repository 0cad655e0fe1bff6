/* Picks what goes onto the line next. */
#include "jobs.h"

#include <string.h>

#define REFUSALS_MAX 3
#define REFUSED_NS   UINT64_C(5000000000)

void jobs_init(jobs_t *jobs, const line_cfg_t *line, uint32_t max_hold_us) {
  memset(jobs, 0, sizeof *jobs);
  jobs->line = *line;
  jobs->max_hold_us = max_hold_us;
}

bool jobs_push(jobs_t *jobs, const job_t *job) {
  if (job->lane == JOB_POLL) return false;
  job_lane_queue_t *lane = &jobs->lanes[job->lane];
  if (lane->count == JOBS_LANE_MAX) {
    lane->refused++;
    return false;
  }
  lane->slots[(lane->head + lane->count++) % JOBS_LANE_MAX] = *job;
  return true;
}

static bool is_write(const job_t *job) {
  return job->function == LINE_WRITE_ONE || job->function == LINE_WRITE_MANY;
}

bool jobs_defer(jobs_t *jobs, const job_t *job, uint64_t due_ns) {
  if (jobs->later_count == JOBS_LATER_MAX) return false;
  jobs->later[jobs->later_count++] = (job_later_t){.job = *job, .due_ns = due_ns};
  return true;
}

static void take_later(jobs_t *jobs, size_t i, job_t *out) {
  *out = jobs->later[i].job;
  jobs->later_count--;
  for (; i < jobs->later_count; i++)
    jobs->later[i] = jobs->later[i + 1];
}

bool jobs_take_write(jobs_t *jobs, job_t *out) {
  for (size_t i = 0; i < jobs->later_count; i++) {
    if (!is_write(&jobs->later[i].job)) continue;
    take_later(jobs, i, out);
    return true;
  }
  job_lane_queue_t *lane = &jobs->lanes[JOB_COMMAND];
  for (size_t i = 0; i < lane->count; i++) {
    if (!is_write(&lane->slots[(lane->head + i) % JOBS_LANE_MAX])) continue;
    *out = lane->slots[(lane->head + i) % JOBS_LANE_MAX];
    for (size_t k = i; k + 1 < lane->count; k++)
      lane->slots[(lane->head + k) % JOBS_LANE_MAX] =
          lane->slots[(lane->head + k + 1) % JOBS_LANE_MAX];
    lane->count--;
    return true;
  }
  return false;
}

bool jobs_return(jobs_t *jobs, const job_t *job, uint64_t now_ns) {
  if (job->lane == JOB_POLL) {
    if (job->poll >= 0 && (size_t)job->poll < jobs->poll_count)
      jobs->polls[job->poll].due_ns = now_ns;
    return true;
  }
  job_lane_queue_t *lane = &jobs->lanes[job->lane];
  if (lane->count == JOBS_LANE_MAX) {
    lane->refused++;
    return false;
  }
  lane->head = (lane->head + JOBS_LANE_MAX - 1) % JOBS_LANE_MAX;
  lane->slots[lane->head] = *job;
  lane->count++;
  return true;
}

int jobs_add_poll(jobs_t *jobs, const job_t *job, uint64_t period_ns, uint32_t rank) {
  uint16_t most = job->most > job->count ? job->most : job->count;
  if (jobs->poll_count == JOBS_POLL_MAX || period_ns == 0) return -1;
  if (line_hold_us(&jobs->line, job->function, most) > jobs->max_hold_us) return -1;
  job_poll_t *poll = &jobs->polls[jobs->poll_count];
  *poll = (job_poll_t){.job = *job, .period_ns = period_ns, .rank = rank};
  poll->job.lane = JOB_POLL;
  poll->job.poll = (int)jobs->poll_count;
  return (int)jobs->poll_count++;
}

void jobs_enable_poll(jobs_t *jobs, int poll, bool enabled, uint64_t now_ns) {
  if (poll < 0 || (size_t)poll >= jobs->poll_count) return;
  job_poll_t *entry = &jobs->polls[poll];
  /* Golden ratio: neighbours in the table start far apart, so that they do not all fall due at
   * once. */
  uint64_t spread = entry->period_ns / 1000 * ((uint64_t)poll * 618 % 1000);
  if (enabled && !entry->enabled) entry->due_ns = now_ns + (entry->rank == 0 ? 0 : spread);
  entry->enabled = enabled;
}

void jobs_enable_unit(jobs_t *jobs, uint8_t unit, bool enabled, uint64_t now_ns) {
  for (size_t i = 0; i < jobs->poll_count; i++)
    if (jobs->polls[i].job.unit == unit) jobs_enable_poll(jobs, (int)i, enabled, now_ns);
}

void jobs_note_poll(jobs_t *jobs, int poll, bool refused, uint64_t now_ns) {
  if (poll < 0 || (size_t)poll >= jobs->poll_count) return;
  job_poll_t *entry = &jobs->polls[poll];
  entry->refusals = refused ? entry->refusals + 1 : 0;
  if (entry->refusals >= REFUSALS_MAX && entry->rank != 0) entry->due_ns = now_ns + REFUSED_NS;
}

void jobs_set_period(jobs_t *jobs, int poll, uint64_t period_ns) {
  if (poll < 0 || (size_t)poll >= jobs->poll_count || period_ns == 0) return;
  jobs->polls[poll].period_ns = period_ns;
}

static bool goes_before(const job_poll_t *one, const job_poll_t *other) {
  if ((one->rank == 0) != (other->rank == 0)) return one->rank == 0;
  uint64_t one_ns = one->due_ns + one->period_ns, other_ns = other->due_ns + other->period_ns;
  return one_ns != other_ns ? one_ns < other_ns : one->rank < other->rank;
}

static void take_turn(job_poll_t *poll, uint64_t now_ns) {
  poll->picked++;
  poll->due_ns += poll->period_ns;
  if (poll->due_ns + poll->period_ns > now_ns) return;
  uint64_t missed = (now_ns - poll->due_ns) / poll->period_ns + 1;
  poll->skipped += missed;
  poll->due_ns += missed * poll->period_ns;
}

static bool take_first(job_lane_queue_t *lane, job_t *out) {
  if (lane->count == 0) return false;
  *out = lane->slots[lane->head];
  lane->head = (lane->head + 1) % JOBS_LANE_MAX;
  lane->count--;
  return true;
}

static bool take_due(jobs_t *jobs, uint64_t now_ns, job_t *out) {
  for (size_t i = 0; i < jobs->later_count; i++) {
    if (jobs->later[i].due_ns > now_ns) continue;
    take_later(jobs, i, out);
    return true;
  }
  return false;
}

bool jobs_flush(jobs_t *jobs, job_t *out) {
  return take_first(&jobs->lanes[JOB_SAFETY], out) || take_first(&jobs->lanes[JOB_COMMAND], out) ||
         take_due(jobs, UINT64_MAX, out);
}

static bool is_overdue(const job_poll_t *poll, uint64_t now_ns) {
  return poll->due_ns + poll->period_ns < now_ns;
}

static job_poll_t *find_due(jobs_t *jobs, uint64_t now_ns, uint32_t least_rank) {
  job_poll_t *best = NULL;
  for (size_t i = 0; i < jobs->poll_count; i++) {
    job_poll_t *poll = &jobs->polls[i];
    if (poll->enabled && poll->due_ns <= now_ns && poll->rank >= least_rank &&
        (!best || goes_before(poll, best)))
      best = poll;
  }
  return best;
}

/* The poll whose turn it is. Rank 0 goes first, but not twice before others past their deadline. */
static job_poll_t *next_poll(jobs_t *jobs, uint64_t now_ns) {
  job_poll_t *best = find_due(jobs, now_ns, 0);
  if (!best || best->rank != 0 || !jobs->first_again) return best;
  job_poll_t *other = find_due(jobs, now_ns, 1);
  return other && is_overdue(other, now_ns) ? other : best;
}

bool jobs_pick(jobs_t *jobs, uint64_t now_ns, job_t *out) {
  if (take_first(&jobs->lanes[JOB_SAFETY], out)) return true;
  job_poll_t *poll = next_poll(jobs, now_ns);
  bool presses = poll && (poll->rank == 0 || is_overdue(poll, now_ns)) && !jobs->polled;
  jobs->polled = false;
  if (!presses && (take_due(jobs, now_ns, out) || take_first(&jobs->lanes[JOB_COMMAND], out)))
    return true;
  if (!poll) return false;
  jobs->polled = true;
  jobs->first_again = poll->rank == 0;
  *out = poll->job;
  take_turn(poll, now_ns);
  return true;
}

bool jobs_has_urgent(const jobs_t *jobs) {
  return jobs->lanes[JOB_SAFETY].count > 0;
}

uint64_t jobs_next_ns(const jobs_t *jobs, uint64_t now_ns) {
  if (jobs->lanes[JOB_SAFETY].count > 0 || jobs->lanes[JOB_COMMAND].count > 0) return now_ns;
  uint64_t next_ns = UINT64_MAX;
  for (size_t i = 0; i < jobs->later_count; i++)
    if (jobs->later[i].due_ns < next_ns) next_ns = jobs->later[i].due_ns;
  for (size_t i = 0; i < jobs->poll_count; i++)
    if (jobs->polls[i].enabled && jobs->polls[i].due_ns < next_ns) next_ns = jobs->polls[i].due_ns;
  return next_ns < now_ns ? now_ns : next_ns;
}

bool jobs_is_polling(const jobs_t *jobs) {
  for (size_t i = 0; i < jobs->poll_count; i++)
    if (jobs->polls[i].enabled) return true;
  return false;
}

double jobs_load(const jobs_t *jobs) {
  double load = 0.0;
  for (size_t i = 0; i < jobs->poll_count; i++) {
    const job_poll_t *poll = &jobs->polls[i];
    if (!poll->enabled) continue;
    load += 1000.0 * line_hold_us(&jobs->line, poll->job.function, poll->job.count) /
            (double)poll->period_ns;
  }
  return load;
}
