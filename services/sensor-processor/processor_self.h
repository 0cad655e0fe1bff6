/* The state of the sensor-processor, shared by its glue files: pipeline, ingest, settings, status.
 */
#ifndef SENSOR_PROCESSOR_SELF_H
#define SENSOR_PROCESSOR_SELF_H

#include <gantry/service.h>
#include <gantry/thin.h>

#include "bench.h"
#include "limits.h"
#include "quality.h"
#include "recorder.h"
#include "registry.h"
#include "run.h"
#include "scan.h"
#include "session.h"
#include "sighting.h"
#include "types.h"

#define SETTINGS_CALLS  8   /* requests that may wait for storage at once */
#define CALIBRATING_MAX 8   /* guided calibrations at once */
#define INGEST_CALLS    256 /* requests that may wait for the disk at once */

struct processor;

/* A configure or calibrate request that waits for storage. */
typedef struct settings_call {
  struct processor *processor;
  rpc_context_t *call; /* NULL: free */
  sensor_configure_t configure;
  sensor_calibrate_t calibrate;
  uint32_t guided; /* serial of the guided calibration that it ends; 0: none */
} settings_call_t;

/* A rollback that waits for the history of its sensor. */
typedef struct rollback_call {
  struct processor *processor;
  rpc_context_t *call; /* NULL: free */
  sensor_calibration_rollback_t back;
} rollback_call_t;

/* A guided calibration. */
typedef struct guided {
  run_t run;           /* its sensor empty: free */
  uint32_t serial;     /* tells it from others of its sensor; from 1 */
  uint64_t touched_ns; /* somebody asked for it, or a reading came, monotonic */
} guided_t;

/* An ingest that waits for the disk. */
typedef struct ingest_call {
  struct processor *processor;
  rpc_context_t *call;             /* NULL: free */
  bool batch;                      /* which of the two answers */
  bool full;                       /* the outbox took not all rows */
  bool touched[REGISTRY_CAPACITY]; /* sensors that it has given readings */
  sensor_accepted_t accepted;
  sensor_taken_t taken;
  sensor_verdicts_t *verdicts; /* owned; of sensor.ingest_each, else NULL */
} ingest_call_t;

/* What storage is asked for at the start and whenever it has changed. */
typedef struct stored {
  bool known; /* storage has told it */
  bool asked; /* and a question is under way */
} stored_t;

typedef struct processor {
  service_t *service;
  registry_t registry;
  types_t types;
  sensor_pipeline_t pipelines[REGISTRY_CAPACITY]; /* in force, by place in the registry */
  bool register_unknown;                          /* option unknown_sensors */
  bool extended_types;                            /* option allow_extended_types */
  uint64_t strangers;                             /* readings of sensors without a place */
  limits_t limits;
  thin_t findings_thin;       /* what is told between sessions */
  rules_bench_t bench_limits; /* of the test bench's own rules */
  uint32_t filter_window;
  scan_rule_t scan_rule;
  quality_tag_rule_t tag_rule;
  sightings_t sightings;
  double obstacle_m;          /* of proximity sensors */
  double obstacle_confidence; /* */
  double moving_mps2;         /* */

  uint32_t ticks;
  stored_t stored_sensors, stored_types;
  settings_call_t calls[SETTINGS_CALLS];
  rollback_call_t rollbacks[SETTINGS_CALLS];
  guided_t guided[CALIBRATING_MAX];
  uint32_t guided_count, guided_serial;
  ingest_call_t ingests[INGEST_CALLS];

  recorder_t *recorder;
  session_t *session;
  bench_t *bench;
  buf_t json;                   /* of one row for it */
  scan_rays_t rays;             /* work space of one sweep */
  sensor_scan_t scan;           /* */
  raw_scan_t given;             /* a sweep from the API */
  sensor_ingest_t item;         /* one of several readings from the API */
  sensor_explained_t explained; /* an answer */
  sensor_recent_t recent;       /* */

  metric_t *accepted[REGISTRY_TYPE_COUNT];
  metric_t *refused[REGISTRY_TYPE_COUNT];
  metric_t *latency_ms;
  metric_t *found; /* findings */
  metric_t *thinned, *lost;
  recorder_counts_t counted; /* as those two have them */
} processor_t;

#endif
