/* Poll blocks of a profile as jobs. */
#include "plan.h"

#include <string.h>

bool plan_load(jobs_t *jobs, const register_profile_t *profile, size_t *bad) {
  for (size_t i = 0; i < profile->poll_count; i++) {
    const register_poll_t *poll = &profile->polls[i];
    job_t job = {.tag = (uint32_t)i,
                 .lane = JOB_POLL,
                 .unit = profile->modules[poll->module].address,
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

int plan_find(const register_profile_t *profile, const char *name) {
  for (size_t i = 0; i < profile->poll_count; i++)
    if (strcmp(profile->polls[i].name, name) == 0) return (int)i;
  return JOB_NO_POLL;
}

double plan_load_share(const line_cfg_t *line, const register_profile_t *profile) {
  double share = 0.0;
  for (size_t i = 0; i < profile->poll_count; i++) {
    const register_poll_t *poll = &profile->polls[i];
    share += 1e-6 * line_hold_us(line, LINE_READ_HOLDING, poll->count) * poll->rate_hz;
  }
  return share;
}
