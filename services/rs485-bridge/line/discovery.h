/* The search for modules on one port: asks address after address, one request at a time, and leaves
   the line to the polls in between. Addresses that have a row in the registry are asked through it;
   others by a candidate that enters the registry when it answers. After a search the silent
   addresses of the configured range are asked again quietly, one now and then. Owned by the port's
   thread. Pure: time is an argument. */
#ifndef BRIDGE_DISCOVERY_H
#define BRIDGE_DISCOVERY_H

#include "modules.h"

#define DISCOVERY_ATTEMPTS      3
#define DISCOVERY_CONFLICTS_MAX 32
#define DISCOVERY_QUIET_NS      UINT64_C(1000000000) /* least pause between quiet questions */
#define DISCOVERY_ROUND_NS      UINT64_C(5000000000) /* least time of a quiet round */

typedef enum discovery_state {
  DISCOVERY_IDLE,
  DISCOVERY_RUNNING,
  DISCOVERY_PAUSED,
  DISCOVERY_DONE,
  DISCOVERY_STOPPED,
  DISCOVERY_FAILED /* the port closed */
} discovery_state_t;

/* What others see of a search. */
typedef struct discovery_view {
  discovery_state_t state;
  uint32_t run; /* counts the searches */
  uint8_t first, last;
  uint8_t address; /* being asked; 0 none */
  uint8_t asked;   /* addresses done with */
  uint8_t found;   /* modules that answered */
  uint8_t conflicts[DISCOVERY_CONFLICTS_MAX];
  uint8_t conflict_count;
} discovery_view_t;

typedef struct discovery {
  discovery_view_t view;
  uint8_t home_first, home_last; /* configured range */
  uint8_t address;               /* being asked by the search or quietly; 0 none */
  uint8_t quiet_at;              /* last address asked quietly */
  bool quiet;                    /* address is asked quietly */
  bool waits;                    /* for the probing of address's row */
  unsigned attempt;
  uint64_t asked_ns; /* since then address is being asked */
  uint64_t next_ns;  /* nothing is asked before */
  uint64_t quiet_ns; /* nothing is asked quietly before */
  module_row_t candidate;
} discovery_t;

void discovery_init(discovery_t *discovery, uint8_t first, uint8_t last);
/* Begins a search from first to last, 0: as configured. What went on before is forgotten. */
void discovery_start(discovery_t *discovery, uint8_t first, uint8_t last, uint64_t now_ns);
/* No effect in states where they mean nothing. */
void discovery_pause(discovery_t *discovery);
void discovery_resume(discovery_t *discovery);
void discovery_stop(discovery_t *discovery);
void discovery_fail(discovery_t *discovery);
/* The next question, as a job in the command lane. False when there is none now. */
bool discovery_ask(discovery_t *discovery, modules_t *modules, uint64_t now_ns, uint32_t tag,
                   uint32_t answer_us, job_t *out);
/* When discovery_ask may next have something; UINT64_MAX: not before a module's probing or an order
   has changed something. */
uint64_t discovery_next_ns(const discovery_t *discovery);
/* What came of a question. MODULE_CAME: a module has entered the registry; its own probes go on. */
module_change_t discovery_result(discovery_t *discovery, modules_t *modules,
                                 const module_answer_t *answer, uint64_t now_ns);
/* Looks whether the probing of a row that the search waits for is over, and goes on. True when the
   row's module has been given up and removed: it is absent and nobody needs it. */
bool discovery_follow(discovery_t *discovery, modules_t *modules, uint8_t unit, uint64_t now_ns);
/* unit has sent something that was not waited for any more: it is there, and slow. It is asked
   again, with more patience. */
void discovery_heard(discovery_t *discovery, modules_t *modules, uint8_t unit);

#endif
