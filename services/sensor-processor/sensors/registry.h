/* Registry: every sensor heard of or configured, what it delivered, and whether it still does.
   Bounded. Pure: time is an argument (monotonic ns); a sensor's wall times are only kept. */
#ifndef SENSOR_REGISTRY_H
#define SENSOR_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>

#include "calibration.h"
#include "chain.h"
#include "history.h"
#include "rules.h"
#include "scan_filter.h"

#define REGISTRY_CAPACITY     128
#define REGISTRY_ID_MAX       50
#define REGISTRY_CODE_MAX     31
#define REGISTRY_UNIT_MAX     15
#define REGISTRY_ERROR_MAX    127
#define REGISTRY_RATE_SECONDS 5

/* Values of the wire enumerations sensor.type and sensor.state, which the glue asserts. */
typedef enum registry_type {
  REGISTRY_RFID,
  REGISTRY_ACCELEROMETER,
  REGISTRY_PROXIMITY,
  REGISTRY_LIDAR,
  REGISTRY_RANGE,
  REGISTRY_VALUE,
  REGISTRY_OBJECT,
  REGISTRY_TYPE_COUNT
} registry_type_t;

typedef enum registry_state {
  REGISTRY_UNKNOWN,  /* never heard, at rest, or a tag reader that has met no tag for long */
  REGISTRY_ONLINE,   /* */
  REGISTRY_DEGRADED, /* late, or refused more than one reading in ten */
  REGISTRY_OFFLINE,  /* silent */
} registry_state_t;

/* What is found in a reading beside the flags of its chain. */
typedef enum registry_finding {
  REGISTRY_MALFORMED = CHAIN_FLAG_COUNT, /* a field is missing or wrong, a unit does not convert */
  REGISTRY_FINDING_COUNT
} registry_finding_t;

/* The three terms of a sensor's health, each 0 to 1. */
typedef struct registry_health {
  double delivery; /* readings that came over those expected, last seconds */
  double accepted; /* accepted over all, last seconds */
  double quality;  /* score of the newest */
} registry_health_t;
#define REGISTRY_WEIGHT_DELIVERY 0.4
#define REGISTRY_WEIGHT_ACCEPTED 0.4
#define REGISTRY_WEIGHT_QUALITY  0.2

typedef struct registry_entry {
  char id[REGISTRY_ID_MAX + 1];
  char code[REGISTRY_CODE_MAX + 1]; /* of its type */
  char unit[REGISTRY_UNIT_MAX + 1]; /* of its number as published; empty: none, or as it comes */
  registry_type_t type;
  int source; /* of the newest reading, as the message gave it */
  registry_state_t state;
  uint64_t readings, errors, warnings; /* since start */
  uint64_t first_ns;                   /* arrival of the first reading, monotonic */
  uint64_t last_ns;                    /* arrival of the newest reading, monotonic; 0: none */
  uint64_t last_wall_ns;               /* the same on the wall clock */
  uint64_t measured_ns;                /* wall time that the newest reading gives itself */
  double quality, health;              /* 0 .. 1 */
  char last_error[REGISTRY_ERROR_MAX + 1];
  char last_warning[REGISTRY_ERROR_MAX + 1];
  uint64_t scan_seq;                       /* LiDAR: sweeps published */
  scan_filter_t scan_filter;               /* and what its sweeps go through */
  uint64_t counts[REGISTRY_FINDING_COUNT]; /* how often each thing was found */
  chain_terms_t terms;                     /* of the newest score */

  bool resting;    /* its source was stopped: silence is no fault */
  bool configured; /* a configuration was given */
  calibration_t calibration;
  chain_rule_t rule;                     /* of its chains, calibration aside */
  chain_t *chains[CALIBRATION_CHANNELS]; /* owned; NULL until set up */
  uint32_t channels;                     /* of them in use */
  rules_t *rules;                        /* owned */
  bool by_wall;                          /* the chains are told wall times */
  uint64_t late_ns, silent_ns;           /* own ones, 0: those of its family */
  history_t history;

  uint64_t rate_second;                              /* the second rate_now belongs to */
  uint32_t rate_accepted[REGISTRY_RATE_SECONDS + 1]; /* per second, by second modulo */
  uint32_t rate_refused[REGISTRY_RATE_SECONDS + 1];  /* */
} registry_entry_t;

typedef struct registry_rule {
  uint64_t degraded_ns;        /* older newest readings are late */
  uint64_t offline_ns;         /* and older still mean silence */
  uint64_t sample_degraded_ns; /* the same of values and objects, which may come slowly */
  uint64_t sample_offline_ns;  /* */
  uint64_t tag_silent_ns;      /* a reader without a tag for this long is unknown, not offline */
} registry_rule_t;

typedef struct registry {
  registry_rule_t rule;
  registry_entry_t entries[REGISTRY_CAPACITY];
  uint32_t count;
  uint32_t newest;  /* found last: readings of one sensor come together, or in turns */
  uint64_t refused; /* sensors that found no room */
} registry_t;

void registry_init(registry_t *registry, const registry_rule_t *rule);
/* Frees what the entries own; harmless on zeroed memory. */
void registry_fini(registry_t *registry);
/* The sensor of that id; NULL when unknown. */
registry_entry_t *registry_find(registry_t *registry, const char *id);
/* The same, added with state unknown and without chains when it is new; NULL (and counted) when the
   table is full or the id is empty or too long. The type of a known sensor stays, unless it was
   never heard. */
registry_entry_t *registry_add(registry_t *registry, const char *id, registry_type_t type);
/* Age of the newest reading from which the sensor is late, and from which it is silent. */
uint64_t registry_late_ns(const registry_t *registry, const registry_entry_t *entry);
uint64_t registry_silent_ns(const registry_t *registry, const registry_entry_t *entry);

/* Notes an accepted or a refused reading. error is cut to REGISTRY_ERROR_MAX. */
void registry_accept(registry_entry_t *entry, uint64_t now_ns, uint64_t wall_ns, double quality);
void registry_refuse(registry_entry_t *entry, uint64_t now_ns, const char *error);
/* Brings state and health up to now; returns whether the state changed. */
bool registry_tick(const registry_t *registry, registry_entry_t *entry, uint64_t now_ns);
/* Seconds since the newest reading; negative when there is none. */
double registry_age_s(const registry_entry_t *entry, uint64_t now_ns);
/* Readings per second over the last five full seconds. */
double registry_rate_hz(registry_entry_t *entry, uint64_t now_ns);
/* Readings of those seconds that were taken and refused, the second under way included. */
void registry_rate_counts(registry_entry_t *entry, uint64_t now_ns, uint32_t *accepted,
                          uint32_t *refused);
/* The terms of the health; all 0 while the sensor is silent. */
registry_health_t registry_health(const registry_t *registry, registry_entry_t *entry,
                                  uint64_t now_ns);

/* GANTRY_E_INVALID for ids that the HTTP routes need for themselves (list, data, status, ...), and
   for that of the robot's own telemetry. */
gantry_err_t registry_check_id(const char *id);

#endif
