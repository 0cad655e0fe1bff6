/* Requests counted by route, class of status and duration, for /metrics; and how long the last ones
   took. Pure; time is an argument. */
#ifndef GATEWAY_TRAFFIC_H
#define GATEWAY_TRAFFIC_H

#include <gantry/buf.h>
#include <gantry/catalogue.h>
#include <gantry/err.h>

#include "recent.h"

#define TRAFFIC_BOUNDS  13 /* upper ends of buckets, beside the open one */
#define TRAFFIC_CLASSES 4  /* 2xx to 5xx */

typedef struct traffic_series {
  uint64_t counts[TRAFFIC_BOUNDS + 1];
  uint64_t sum_ns;
} traffic_series_t;

typedef struct traffic {
  traffic_series_t (*series)[TRAFFIC_CLASSES]; /* owned; a row an endpoint, then one for the rest */
  uint64_t requests, errors;                   /* all; those answered 5xx */
  recent_t recent;
} traffic_t;

gantry_err_t traffic_init(traffic_t *traffic);
void traffic_fini(traffic_t *traffic);

/* A request to the endpoint of that index in CATALOGUE_ENDPOINTS, or to something else (a file, an
   unknown path, another profile), answered with status after took_ns. No allocation, no text. */
void traffic_observe(traffic_t *traffic, uint32_t endpoint, int status, uint64_t now_ns,
                     uint64_t took_ns);

/* Appends gantry_http_request_seconds: series that have counted something. */
void traffic_write(const traffic_t *traffic, buf_t *out);

#endif
