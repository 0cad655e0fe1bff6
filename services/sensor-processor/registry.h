/* Registry: every sensor heard of or configured, what it delivered, and whether it still does.
   Bounded. Pure: time is an argument (monotonic ns); a sensor's wall times are only kept. */
#ifndef SENSOR_REGISTRY_H
#define SENSOR_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>

#include "calibration.h"
#include "average.h"
#include "limits.h"

#define REGISTRY_CAPACITY     128
#define REGISTRY_ID_MAX       50
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
  REGISTRY_UNKNOWN,  /* never heard, or a tag reader that has met no tag for long */
  REGISTRY_ONLINE,   /* */
  REGISTRY_DEGRADED, /* late, or refused more than one reading in ten */
  REGISTRY_OFFLINE,  /* silent */
} registry_state_t;

typedef struct registry_entry {
  char id[REGISTRY_ID_MAX + 1];
  registry_type_t type;
  int source; /* of the newest reading, as the message gave it */
  registry_state_t state;
  uint64_t readings, errors; /* since start */
  uint64_t last_ns;          /* arrival of the newest reading, monotonic; 0: none */
  uint64_t last_wall_ns;     /* the same on the wall clock */
  double quality, health;    /* 0 .. 1 */
  char last_error[REGISTRY_ERROR_MAX + 1];
  uint64_t scan_seq; /* LiDAR: sweeps published */

  bool configured;        /* a configuration was given */
  bool has_limit;         /* own bounds, in place of the family's */
  limit_t limit;          /* */
  uint32_t filter_window; /* readings averaged */
  calibration_t calibration;
  average_t filters[CALIBRATION_CHANNELS];
  double previous[CALIBRATION_CHANNELS]; /* last accepted, calibrated, unfiltered */

  uint64_t rate_second;                              /* the second rate_now belongs to */
  uint32_t rate_accepted[REGISTRY_RATE_SECONDS + 1]; /* per second, by second modulo */
  uint32_t rate_refused[REGISTRY_RATE_SECONDS + 1];  /* */
} registry_entry_t;

typedef struct registry_rule {
  uint64_t degraded_ns;   /* older newest readings are late */
  uint64_t offline_ns;    /* and older still mean silence */
  uint64_t tag_silent_ns; /* a reader without a tag for this long is unknown, not offline */
  uint32_t filter_window; /* of sensors without their own */
} registry_rule_t;

typedef struct registry {
  registry_rule_t rule;
  registry_entry_t entries[REGISTRY_CAPACITY];
  uint32_t count;
  uint64_t refused; /* sensors that found no room */
} registry_t;

void registry_init(registry_t *registry, const registry_rule_t *rule);
/* The sensor of that id; NULL when unknown. */
registry_entry_t *registry_find(registry_t *registry, const char *id);
/* The same, added with state unknown when it is new; NULL (and counted) when the table is full or
   the id is empty or too long. The type of a known sensor stays, unless it was never heard. */
registry_entry_t *registry_add(registry_t *registry, const char *id, registry_type_t type);

/* Notes an accepted or a refused reading. error is cut to REGISTRY_ERROR_MAX. */
void registry_accept(registry_entry_t *entry, uint64_t now_ns, uint64_t wall_ns, double quality);
void registry_refuse(registry_entry_t *entry, uint64_t now_ns, const char *error);
/* Brings the state up to now; returns whether it changed. */
bool registry_tick(const registry_t *registry, registry_entry_t *entry, uint64_t now_ns);
/* Seconds since the newest reading; negative when there is none. */
double registry_age_s(const registry_entry_t *entry, uint64_t now_ns);
/* Readings per second over the last five full seconds. */
double registry_rate_hz(registry_entry_t *entry, uint64_t now_ns);
/* Sets the filters to the entry's window (or the rule's when it has none), empty. */
void registry_reset_filters(const registry_t *registry, registry_entry_t *entry);

/* GANTRY_E_INVALID for ids that the HTTP routes need for themselves (list, data, status, ...). */
gantry_err_t registry_check_id(const char *id);

#endif
