/* The state of the whole suite out of what the services last said. Pure; time is an argument. */
#ifndef GATEWAY_HEALTH_VIEW_H
#define GATEWAY_HEALTH_VIEW_H

#include "latest.h"

#define HEALTH_GRACE_S                                                                             \
  10 /* a service never heard of is "starting" for so long after our own start */

/* Fills processes, status, error and the two words. The caller fills version, timestamp and system.
   started_ns: our own start. */
void health_view(const latest_t *latest, uint64_t started_ns, uint64_t now_ns, http_health_t *out);
/* One word: healthy, degraded or unhealthy. */
const char *health_word(const latest_t *latest, uint64_t started_ns, uint64_t now_ns);

/* Whether that service has not been heard lately, or never. */
bool health_is_down(const latest_t *latest, const char *name, uint64_t started_ns, uint64_t now_ns);
/* Degrades a health that health_view has filled when value, percent, is over limit. */
void health_name_load(const char *what, double value, double limit, http_health_t *out);
/* Names in out the services without which the door cannot do its work and which are not there;
   false when there are none. */
bool health_missing(const latest_t *latest, uint64_t now_ns, char *out, size_t size);

/* Use of the disk in percent: as storage measures its own, else that of the folder data. */
double health_disk(const latest_t *latest, const char *data);

#endif
