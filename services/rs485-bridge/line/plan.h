/* The polling plan: which registers of a profile are read together, how often, and as which jobs.
   Pure. */
#ifndef BRIDGE_PLAN_H
#define BRIDGE_PLAN_H

#include "jobs.h"
#include "registers.h"

#define PLAN_ANSWER_US 20000u /* to the first byte of a poll's answer */
#define PLAN_DISCOVERY_US                                                                          \
  100000u                      /* to the first byte of a probe's answer before polling begins      \
                                */
#define PLAN_MAX_HOLD_US 7100u /* an eight register read at 115200 baud */
#define PLAN_WHY         256   /* bytes of a sentence that says why not */
#define PLAN_SPARE       5     /* lengths a read may have besides its own */

/* One read that is repeated. */
typedef struct plan_poll {
  char name[40]; /* module_first, e.g. "safety_0000" */
  size_t module; /* index in the profile */
  size_t poll_class;
  uint16_t first, count;
  uint16_t least, most; /* the read may have these lengths instead, to differ from a late answer */
  double rate_hz;
  unsigned rank;  /* lower goes first when both are due */
  bool mandatory; /* its module is */
} plan_poll_t;

typedef struct plan {
  const register_profile_t *profile; /* borrowed */
  line_cfg_t line;
  uint32_t max_hold_us;
  plan_poll_t polls[JOBS_POLL_MAX];
  size_t count;
} plan_t;

/* Plans every register that has a class: those of one module and class share a read where that
   holds the line shorter than two, within max_hold_us and LINE_READ_MAX. Nothing is read that the
   profile does not say is readable; optional registers only share a read with one another. False
   with a sentence in why when a register fits into no read, or there are too many reads. */
bool plan_make(plan_t *plan, const register_profile_t *profile, const line_cfg_t *line,
               uint32_t max_hold_us, char *why, size_t size);
/* All polls so many times as often. */
void plan_scale(plan_t *plan, double factor);
/* Adds every poll, disabled, in the plan's order, so that poll i of the plan is poll i of jobs.
   False when one does not fit; *bad is its index then. */
bool plan_load(jobs_t *jobs, const plan_t *plan, size_t *bad);
/* The index of the poll that reads all of row, JOB_NO_POLL when none does. */
int plan_find(const plan_t *plan, const register_module_t *module, const register_row_t *row);
/* Share of the line that the polls of a module need, 1 is all of it; NULL: of all modules that are
   mandatory. */
double plan_share(const plan_t *plan, const register_module_t *module);

#endif
