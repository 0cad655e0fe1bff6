/* The registry of one port: which modules answer, who they say they are, and how well they answer.
   Owned by the port's thread; rows are handed out as copies. Pure: time is an argument. */
#ifndef BRIDGE_MODULES_H
#define BRIDGE_MODULES_H

#include "jobs.h"
#include "registers.h"
#include "rtu.h"

#define MODULES_MAX 32
#define MODULE_SILENT_OFFLINE                                                                      \
  3 /* requests in a row without an answer: a poll, its repetition, the                            \
       next poll */
#define MODULE_FAULTS_OFFLINE 10                   /* answers failed in a row, of any kind */
#define MODULE_PROBE_MIN_NS   UINT64_C(1000000000) /* re-probe back-off */
#define MODULE_PROBE_MAX_NS   UINT64_C(5000000000)

typedef enum module_state { MODULE_UNKNOWN, MODULE_ONLINE, MODULE_OFFLINE } module_state_t;

typedef enum module_step {
  MODULE_STEP_IDENT,  /* 0x0100 x 7: id, type, versions */
  MODULE_STEP_OLDER,  /* 0x00F0 x 8: the same in older modules */
  MODULE_STEP_ANY,    /* 0x0000 x 1: is anybody there */
  MODULE_STEP_SERIAL, /* 0x00F8 x 7: name, serial, build date */
  MODULE_STEP_DONE
} module_step_t;

typedef struct module_row {
  uint8_t address;
  bool mandatory;
  module_state_t state;
  module_step_t step;
  bool identified; /* type and versions are known */
  uint16_t type, firmware, hardware;
  uint8_t device_id; /* another than address is a conflict */
  uint32_t serial;
  uint32_t misses;   /* in a row */
  uint32_t faults;   /* in a row */
  uint64_t seen_ns;  /* newest valid answer, monotonic; 0 never */
  uint64_t probe_ns; /* when to probe next */
  uint64_t backoff_ns;
  uint64_t requests, failures, timeouts, damaged, exceptions, foreign;
  double response_sum_ms;
  uint64_t response_count;
  uint32_t history; /* last 32 answers, 1 good; newest lowest */
  uint32_t history_len;
} module_row_t;

typedef struct modules {
  module_row_t rows[MODULES_MAX];
  size_t count;
} modules_t;

/* What a result changed. */
typedef enum module_change {
  MODULE_SAME,
  MODULE_CAME, /* now online */
  MODULE_WENT, /* now offline */
  MODULE_KNOWN /* identity has become known or changed */
} module_change_t;

/* A row for each address from first to last, mandatory as the profile says. */
void modules_init(modules_t *modules, const register_profile_t *profile, uint8_t first,
                  uint8_t last);
module_row_t *modules_at(modules_t *modules, uint8_t address);
/* All modules unknown again and due for a probe: the port was opened anew, or a discovery asked
 * for. Statistics stay. */
void modules_restart(modules_t *modules, uint64_t now_ns);
/* The probe that is due, as a job in the command lane with tag and answer_us. False when none is.
 */
bool modules_probe(modules_t *modules, uint64_t now_ns, uint32_t tag, uint32_t answer_us,
                   job_t *out);
/* When the next probe is due, UINT64_MAX for never. */
uint64_t modules_next_ns(const modules_t *modules);
/* Whether every row has been probed to the end at least once. */
bool modules_scanned(const modules_t *modules);
/* Counts one transaction of a unit. response_ms: from the request's last byte to the answer's.
   probe: the job came from modules_probe, values then hold the registers read. */
module_change_t modules_result(modules_t *modules, const job_t *job, rtu_outcome_t outcome,
                               const uint16_t *values, double response_ms, bool probe,
                               uint64_t now_ns);
/* How long after a request's last byte a stop waits for the unit's first, us: a healthy module
   begins after the silence and its turnaround, give or take; from one that has missed nothing is
   expected, and the line is taken sooner. */
uint32_t modules_grace_us(modules_t *modules, uint8_t unit, const line_cfg_t *line);
/* Counts a frame of the unit that answered something else. */
void modules_foreign(modules_t *modules, uint8_t unit);
/* Share of good answers among the last 32, percent; 50 while there are none. */
double module_health(const module_row_t *row);
/* Mean time to the whole answer, ms; 0 while there are none. */
double module_response_ms(const module_row_t *row);

#endif
