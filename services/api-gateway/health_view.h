/* The state of the whole suite out of what the services last said. Pure; time is an argument. */
#ifndef GATEWAY_HEALTH_VIEW_H
#define GATEWAY_HEALTH_VIEW_H

#include "latest.h"

#define HEALTH_GRACE_S                                                                             \
  10 /* a service never heard of is "starting" for so long after our own start */

/* Load of the machine, percent. */
typedef struct load_sample {
  uint64_t busy, total; /* jiffies of all cores so far */
} load_sample_t;

/* Fills processes, status, error and the two words. The caller fills version, timestamp and system.
   started_ns: our own start. */
void health_view(const latest_t *latest, uint64_t started_ns, uint64_t now_ns, http_health_t *out);
/* One word: healthy, degraded or unhealthy. */
const char *health_word(const latest_t *latest, uint64_t started_ns, uint64_t now_ns);

/* Reads /proc: cpu since the sample before, memory; the disk as storage measures its own, else that
   of the folder data. Takes microseconds. */
void health_load(load_sample_t *before, const latest_t *latest, const char *data,
                 http_system_load_t *out);

#endif
