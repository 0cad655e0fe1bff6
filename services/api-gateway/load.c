/* Four files of procfs, proc(5). */
#include "load.h"

#include <stdio.h>
#include <string.h>

double load_percent(double part, double whole) {
  double share = whole > 0 ? 100 * part / whole : 0;

  return share < 0 ? 0 : share > 100 ? 100 : share;
}

static FILE *open_file(const char *proc, const char *name) {
  char path[512];
  int len = snprintf(path, sizeof path, "%s/%s", proc, name);

  return len > 0 && (size_t)len < sizeof path ? fopen(path, "re") : NULL;
}

/* user nice system idle iowait irq softirq steal, in jiffies. */
static void read_cpu(const char *proc, load_sample_t *out) {
  unsigned long long part[8] = {0};
  FILE *file = open_file(proc, "stat");

  if (!file) return;
  int count = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &part[0], &part[1],
                     &part[2], &part[3], &part[4], &part[5], &part[6], &part[7]);
  fclose(file);
  for (int i = 0; i < 8 && count == 8; i++)
    out->total += part[i];
  out->busy = out->total - part[3] - part[4];
}

static double read_memory(const char *proc) {
  char line[128];
  unsigned long long total = 0, available = 0;
  FILE *file = open_file(proc, "meminfo");

  while (file && fgets(line, sizeof line, file)) {
    (void)sscanf(line, "MemTotal: %llu", &total);
    if (sscanf(line, "MemAvailable: %llu", &available) == 1) break;
  }
  if (file) fclose(file);
  return total ? load_percent((double)total - (double)available, (double)total) : 0;
}

static double read_average(const char *proc) {
  double average = 0;
  FILE *file = open_file(proc, "loadavg");

  if (!file) return 0;
  if (fscanf(file, "%lf", &average) != 1) average = 0;
  fclose(file);
  return average;
}

/* Behind the colon: eight columns of what came in, bytes first, then what went out. */
static void read_network(const char *proc, load_sample_t *out) {
  char line[512];
  FILE *file = open_file(proc, "net/dev");

  while (file && fgets(line, sizeof line, file)) {
    unsigned long long in, sent;
    char *colon = strchr(line, ':');
    if (!colon || strncmp(line + strspn(line, " "), "lo:", 3) == 0) continue;
    if (sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &sent) != 2) continue;
    out->in += in;
    out->out += sent;
  }
  if (file) fclose(file);
}

static double rate(uint64_t now, uint64_t before, double seconds) {
  return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

void load_read(const char *proc, uint64_t now_ns, load_sample_t *before, load_t *out) {
  load_sample_t now = {.at_ns = now_ns};

  read_cpu(proc, &now);
  read_network(proc, &now);
  *out = (load_t){.memory = read_memory(proc), .average = read_average(proc)};
  if (before->at_ns && now.total > before->total) {
    double seconds = (double)(now_ns - before->at_ns) / 1e9;
    out->cpu =
        load_percent((double)now.busy - (double)before->busy, (double)(now.total - before->total));
    out->network_in = rate(now.in, before->in, seconds);
    out->network_out = rate(now.out, before->out, seconds);
  }
  *before = now;
}
