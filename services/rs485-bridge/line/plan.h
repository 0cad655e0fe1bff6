/* The polling plan: turns the poll blocks of a register profile into jobs. Pure. */
#ifndef BRIDGE_PLAN_H
#define BRIDGE_PLAN_H

#include "jobs.h"
#include "registers.h"

#define PLAN_ANSWER_US 20000u /* to the first byte of a poll's answer */
#define PLAN_DISCOVERY_US                                                                          \
  100000u                      /* to the first byte of a probe's answer before polling begins      \
                                */
#define PLAN_MAX_HOLD_US 7100u /* an eight register read at 115200 baud */

/* Adds every poll of profile, disabled, in the profile's order, so that poll i of the profile is
   poll i of jobs. False when one does not fit; *bad is its index then. */
bool plan_load(jobs_t *jobs, const register_profile_t *profile, size_t *bad);
/* The index of the poll of that name, JOB_NO_POLL when there is none. */
int plan_find(const register_profile_t *profile, const char *name);
/* Share of the line that all polls of the profile would need together. */
double plan_load_share(const line_cfg_t *line, const register_profile_t *profile);

#endif
