/* The registry of one port: which modules answer, who they say they are, and how well they answer.
   Owned by the port's thread; rows are handed out as copies. Pure: time is an argument. */
#ifndef BRIDGE_MODULES_H
#define BRIDGE_MODULES_H

#include "jobs.h"
#include "module_stats.h"

#define MODULES_MAX 32 /* a line */
/* Requests in a row without an answer: a poll, its repetition, the next poll. */
#define MODULE_SILENT_OFFLINE 3
#define MODULE_FAULTS_OFFLINE 10                   /* answers failed in a row, of any kind */
#define MODULE_ABSENT_AFTER   10                   /* failures in a row: the hardware is gone */
#define MODULE_PROBE_MIN_NS   UINT64_C(1000000000) /* re-probe back-off */
#define MODULE_PROBE_MAX_NS   UINT64_C(5000000000)
#define MODULE_PROBE_GAP_NS   UINT64_C(20000000) /* between addresses */
/* To the first byte where an answer came late, once: the safety poll still comes in time. */
#define MODULE_PATIENT_US 80000u
#define MODULE_CHECK_NS   UINT64_C(10000000000) /* who it is, of a module that is online */
#define MODULE_REST_NS    UINT64_C(50000000) /* a probe that may not be sent now is tried again */

typedef enum module_state { MODULE_UNKNOWN, MODULE_ONLINE, MODULE_OFFLINE } module_state_t;

typedef enum module_step {
  MODULE_STEP_IDENT,  /* 0x0100 x 7: id, type, versions */
  MODULE_STEP_OLDER,  /* 0x00F0 x 8: the same in older modules, after exception 02 */
  MODULE_STEP_ANY,    /* 0x0000 x 1: is anybody there */
  MODULE_STEP_SERIAL, /* 0x00F8 x 7: name, serial, build date */
  MODULE_STEP_DONE
} module_step_t;

typedef struct module_row {
  uint8_t address;
  bool mandatory;
  bool quarantined; /* left alone: neither polled nor probed */
  bool patient;     /* answered later than it was waited for: the next probe waits longer */
  module_state_t state;
  module_step_t step;
  module_step_t present_by; /* the step that it answered last; DONE: none so far */
  bool asked_identity;      /* since the probing began */
  bool identified;          /* type and versions are known */
  uint16_t type, firmware, hardware;
  uint8_t device_id; /* another than address is a conflict */
  uint32_t serial;
  char letters[5];   /* name the module gives itself */
  uint32_t misses;   /* in a row */
  uint32_t faults;   /* in a row */
  uint64_t seen_ns;  /* newest valid answer, an exception too, monotonic; 0 never */
  uint64_t told_ns;  /* newest answer that was no exception */
  uint64_t probe_ns; /* when to probe next */
  uint64_t backoff_ns;
  module_stats_t stats;
} module_row_t;

/* What is known of a module before it has answered: from an earlier life. */
typedef struct module_seed {
  uint8_t address;
  bool quarantined, identified;
  uint16_t type, firmware, hardware;
  uint32_t serial;
  char letters[5];
} module_seed_t;

typedef struct modules {
  module_row_t rows[MODULES_MAX];
  size_t count;
  const register_profile_t *profile;
} modules_t;

/* What a result changed. */
typedef enum module_change {
  MODULE_SAME,
  MODULE_CAME,   /* now online */
  MODULE_WENT,   /* now offline */
  MODULE_KNOWN,  /* who it is has been asked to the end */
  MODULE_REMOVED /* absent, not mandatory, not found by a search */
} module_change_t;

/* One transaction of a unit. */
typedef struct module_answer {
  const job_t *job;
  rtu_outcome_t outcome;
  uint8_t exception;
  const uint16_t *values;
  double response_ms; /* from the request's last byte to the answer's */
  bool probe;         /* the job came from modules_probe */
} module_answer_t;

/* A row for each mandatory module of the profile from first to last; expected false: no row before
   somebody has answered. profile is borrowed. */
void modules_init(modules_t *modules, const register_profile_t *profile, uint8_t first,
                  uint8_t last, bool expected);
module_row_t *modules_at(modules_t *modules, uint8_t address);
/* A new row, or the one that is there. NULL when the table is full. */
module_row_t *modules_add(modules_t *modules, uint8_t address);
void modules_remove(modules_t *modules, uint8_t address);
/* Puts in what is remembered; the module counts as unknown until it answers. */
void modules_seed(modules_t *modules, const module_seed_t *seed);
/* All modules unknown again and due for a probe, one after the other: the port was opened anew.
   Statistics stay. */
void modules_restart(modules_t *modules, uint64_t now_ns);
/* Leaves a module alone, or takes it back: then it is unknown and due for a probe. False when there
   is none at that address. */
bool modules_quarantine(modules_t *modules, uint8_t address, bool on, uint64_t now_ns);
/* Asks a module anew who it is, without doubting that it is there. */
void modules_refresh(module_row_t *row, uint64_t now_ns);
/* The probe that is due, as a job in the command lane with tag and answer_us. False when none is.
 */
bool modules_probe(modules_t *modules, uint64_t now_ns, uint32_t tag, uint32_t answer_us,
                   job_t *out);
/* When the next probe is due, UINT64_MAX for never. */
uint64_t modules_next_ns(const modules_t *modules);
/* Counts one transaction of a unit, and moves its probing on. */
module_change_t modules_result(modules_t *modules, const module_answer_t *answer, uint64_t now_ns);

/* The probing of one address, for rows that are in no table: the request of the present step, and
   what an answer makes of the row. */
job_t module_ask(const module_row_t *row, uint32_t tag, uint32_t answer_us);
module_change_t module_told(module_row_t *row, const module_answer_t *answer, uint64_t now_ns);
/* The module is given up: offline, to be asked again after a pause that doubles each time. */
void module_lose(module_row_t *row, uint64_t now_ns);

/* How long after a request's last byte a stop waits for the unit's first, us: a healthy module
   begins after the silence and its turnaround, give or take; from one that has missed nothing is
   expected, and the line is taken sooner. */
uint32_t modules_grace_us(modules_t *modules, uint8_t unit, const line_cfg_t *line);
/* Whether the module says that it has another address than the one it answers at. */
bool module_conflicts(const module_row_t *row);
/* What is to be remembered of it. */
module_seed_t module_seed_of(const module_row_t *row);
/* Counts a frame of the unit that answers nothing asked now: late when it was owed, else malformed.
 */
void modules_foreign(modules_t *modules, uint8_t unit, bool late);

#endif
