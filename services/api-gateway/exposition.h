/* Prometheus text (exposition format 0.0.4) of all services. Pure; time is an argument. */
#ifndef GATEWAY_EXPOSITION_H
#define GATEWAY_EXPOSITION_H

#include "latest.h"

/* Appends every metric of every service with a `service` label, each family once with HELP and TYPE
   (a summary keeps quantiles 0.5 and 0.99 and gains a _max gauge; what is named _ms is told in
   seconds), then gantry_build_info, gantry_up and what each service says of its health. */
void exposition_write(const latest_t *latest, uint64_t now_ns, buf_t *out);

#endif
