/* The state of the sensor-processor, shared by its glue files: pipeline, ingest, settings, status.
 */
#ifndef SENSOR_PROCESSOR_SELF_H
#define SENSOR_PROCESSOR_SELF_H

#include <gantry/service.h>

#include "limits.h"
#include "quality.h"
#include "recorder.h"
#include "registry.h"
#include "scan.h"
#include "sighting.h"

#define SETTINGS_CALLS 8 /* requests that may wait for storage at once */

struct processor;

/* A configure or calibrate request that waits for storage. */
typedef struct settings_call {
  struct processor *processor;
  rpc_context_t *call; /* NULL: free */
  sensor_configure_t configure;
  sensor_calibrate_t calibrate;
} settings_call_t;

typedef struct processor {
  service_t *service;
  registry_t registry;
  limits_t limits;
  scan_rule_t scan_rule;
  quality_tag_rule_t tag_rule;
  sightings_t sightings;
  double obstacle_m;          /* of proximity sensors */
  double obstacle_confidence; /* */
  double moving_mps2;         /* */

  recorder_t *recorder;
  buf_t json; /* of one row for it */

  uint32_t ticks;
  bool settings_known; /* storage has told its configurations */
  bool settings_asked; /* and a question is under way */
  settings_call_t calls[SETTINGS_CALLS];

  scan_rays_t rays;   /* work space of one sweep */
  sensor_scan_t scan; /* */
  raw_scan_t given;   /* a sweep from the API */

  metric_t *accepted[REGISTRY_TYPE_COUNT];
  metric_t *refused[REGISTRY_TYPE_COUNT];
  metric_t *latency_ms;
} processor_t;

#endif
