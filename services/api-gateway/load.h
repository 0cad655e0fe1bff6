/* Load of the machine: out of procfs, as rates since the sample before. */
#ifndef GATEWAY_LOAD_H
#define GATEWAY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* What was read last; zeroed to begin with. */
typedef struct load_sample {
  uint64_t at_ns;       /* monotonic; 0: nothing was read yet */
  uint64_t busy, total; /* jiffies of all cores so far */
  uint64_t in, out;     /* bytes of all interfaces but the loopback so far */
} load_sample_t;

typedef struct load {
  double cpu, memory;             /* percent */
  double average;                 /* runnable tasks, mean of a minute */
  double network_in, network_out; /* bytes a second */
} load_t;

/* Reads stat, meminfo, loadavg and net/dev under proc ("/proc", or where the host's is mounted).
   What cannot be read is 0; rates are 0 in the first sample. Takes microseconds. */
void load_read(const char *proc, uint64_t now_ns, load_sample_t *before, load_t *out);

/* part of whole in percent, within 0 to 100; 0 of nothing. */
double load_percent(double part, double whole);

#endif
