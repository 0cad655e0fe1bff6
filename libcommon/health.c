/* Memory, processor time and message counts of this process. */
#include "health.h"

#include <gantry/clock.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t process_cpu_ns(void) {
  struct timespec spent = {0};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return (uint64_t)spent.tv_sec * GANTRY_NS_PER_S + (uint64_t)spent.tv_nsec;
}

/* Second number of /proc/self/statm: resident pages. */
static uint64_t resident_bytes(void) {
  unsigned long long total = 0;
  unsigned long long pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file) return 0;
  if (fscanf(file, "%llu %llu", &total, &pages) != 2) pages = 0;
  fclose(file);
  return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void health_start(health_probe_t *probe) {
  probe->started_ns = clock_mono_ns();
  probe->asked_ns = probe->started_ns;
  probe->cpu_ns = process_cpu_ns();
}

double health_uptime_s(const health_probe_t *probe) {
  return (double)(clock_mono_ns() - probe->started_ns) / GANTRY_NS_PER_S;
}

void health_fill(health_probe_t *probe, const bus_t *bus, sys_health_t *out) {
  uint64_t now_ns = clock_mono_ns();
  uint64_t cpu_ns = process_cpu_ns();
  bus_stats_t stats = bus_get_stats(bus);
  snprintf(out->service, sizeof out->service, "%s", bus_service(bus));
  out->pid = (uint32_t)getpid();
  out->uptime = health_uptime_s(probe);
  out->rss_bytes = resident_bytes();
  if (now_ns > probe->asked_ns)
    out->cpu = (double)(cpu_ns - probe->cpu_ns) / (double)(now_ns - probe->asked_ns);
  out->published = stats.published;
  out->received = stats.received;
  out->refused = stats.refused;
  out->gaps = stats.gaps;
  out->dropped = stats.dropped;
  probe->asked_ns = now_ns;
  probe->cpu_ns = cpu_ns;
}
