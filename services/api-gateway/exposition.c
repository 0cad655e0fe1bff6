/* Families are gathered across services: Prometheus wants all rows of a name together. */
#include "exposition.h"

#include <math.h>
#include <string.h>

/* Services tell times in milliseconds and say so in the name; Prometheus wants seconds. */
static bool is_in_ms(const char *name) {
  size_t len = strlen(name);

  return len > 3 && !strcmp(name + len - 3, "_ms");
}

static void write_name(const char *name, const char *suffix, buf_t *out) {
  if (is_in_ms(name))
    buf_printf(out, "%.*s_seconds%s", (int)strlen(name) - 3, name, suffix);
  else
    buf_printf(out, "%s%s", name, suffix);
}

/* Appends the text with what the format asks to be escaped in HELP: backslash and line feed. */
static void write_help(const char *text, bool in_ms, buf_t *out) {
  for (; *text; text++) {
    if (in_ms && !strcmp(text, ", ms.")) {
      buf_put_text(out, ", s.");
      return;
    }
    if (*text == '\\')
      buf_put_text(out, "\\\\");
    else if (*text == '\n')
      buf_put_text(out, "\\n");
    else
      buf_put_byte(out, (uint8_t)*text);
  }
}

static void write_number(double value, buf_t *out) {
  if (isfinite(value) && value == floor(value) && fabs(value) < 1e15) {
    buf_printf(out, "%.0f\n", value);
  } else {
    buf_printf(out, "%.9g\n", value);
  }
}

static void write_row(const char *name, const char *suffix, const char *service, const char *labels,
                      const char *more, double value, buf_t *out) {
  write_name(name, suffix, out);
  buf_printf(out, "{service=\"%s\"%s%s%s%s} ", service, labels[0] ? "," : "", labels,
             more[0] ? "," : "", more);
  write_number(is_in_ms(name) && strcmp(suffix, "_count") != 0 ? value / 1000 : value, out);
}

static void write_metric(const sys_metric_t *metric, const char *service, buf_t *out) {
  const char *labels = metric->labels;

  if (metric->type != SYS_METRIC_TYPE_SUMMARY) {
    write_row(metric->name, "", service, labels, "", metric->value, out);
    return;
  }
  if (metric->has_p50) {
    write_row(metric->name, "", service, labels, "quantile=\"0.5\"", metric->p50, out);
  }
  if (metric->has_p99) {
    write_row(metric->name, "", service, labels, "quantile=\"0.99\"", metric->p99, out);
  }
  write_row(metric->name, "_sum", service, labels, "", metric->value, out);
  write_row(metric->name, "_count", service, labels, "", (double)metric->count, out);
}

static void write_head(const char *name, const char *suffix, const char *help, const char *type,
                       buf_t *out) {
  buf_put_text(out, "# HELP ");
  write_name(name, suffix, out);
  buf_put_byte(out, ' ');
  write_help(help[0] ? help : "No help.", is_in_ms(name), out);
  buf_put_text(out, "\n# TYPE ");
  write_name(name, suffix, out);
  buf_printf(out, " %s\n", type);
}

/* Whether an earlier row, of an earlier service or of this one, has written the family already. */
static bool is_written(const latest_t *latest, uint32_t service, uint32_t row, const char *name) {
  for (uint32_t s = 0; s <= service; s++) {
    const sys_metrics_t *metrics = &latest->services[s].metrics;
    uint32_t end = s == service ? row : metrics->metrics_count;
    for (uint32_t i = 0; i < end; i++) {
      if (!strcmp(metrics->metrics[i].name, name)) return true;
    }
  }
  return false;
}

static void write_family(const latest_t *latest, const sys_metric_t *first, buf_t *out) {
  bool summary = first->type == SYS_METRIC_TYPE_SUMMARY;

  write_head(first->name, "", first->help, desc_enum_text(&SYS_METRIC_TYPE_ENUM, (int)first->type),
             out);
  for (int pass = 0; pass < (summary ? 2 : 1); pass++) {
    if (pass == 1) write_head(first->name, "_max", "Greatest of the last samples.", "gauge", out);
    for (uint32_t s = 0; s < latest->service_count; s++) {
      const latest_service_t *service = &latest->services[s];
      for (uint32_t i = 0; i < service->metrics.metrics_count; i++) {
        const sys_metric_t *metric = &service->metrics.metrics[i];
        if (metric->type != first->type || strcmp(metric->name, first->name) != 0) continue;
        if (pass == 0) write_metric(metric, service->name, out);
        if (pass == 1 && metric->has_max) {
          write_row(metric->name, "_max", service->name, metric->labels, "", metric->max, out);
        }
      }
    }
  }
}

typedef double (*health_value_fn)(const sys_health_t *health);

static double get_cpu(const sys_health_t *health) {
  return health->cpu;
}
static double get_restarts(const sys_health_t *health) {
  return health->restarts;
}
static double get_rss(const sys_health_t *health) {
  return (double)health->rss_bytes;
}
static double get_uptime(const sys_health_t *health) {
  return health->uptime;
}
static double get_gaps(const sys_health_t *health) {
  return (double)health->gaps;
}
static double get_dropped(const sys_health_t *health) {
  return (double)health->dropped;
}
static double get_refused(const sys_health_t *health) {
  return (double)health->refused;
}

typedef struct health_metric {
  const char *name, *help, *type;
  health_value_fn value;
} health_metric_t;

static const health_metric_t HEALTH_METRICS[] = {
    {"gantry_restarts", "Times the supervisor started the service again.", "gauge", get_restarts},
    {"gantry_cpu_cores", "Cores kept busy, in the last second.", "gauge", get_cpu},
    {"gantry_resident_bytes", "Resident memory.", "gauge", get_rss},
    {"gantry_uptime_seconds", "Since the start of the service.", "gauge", get_uptime},
    {"gantry_bus_gaps_total", "Messages lost on the way.", "counter", get_gaps},
    {"gantry_bus_dropped_total", "Messages given up for newer ones.", "counter", get_dropped},
    {"gantry_bus_refused_total", "Messages that did not decode.", "counter", get_refused},
};

static void write_health(const latest_t *latest, uint64_t now_ns, buf_t *out) {
  write_head("gantry_build_info", "", "1, under the version of the suite.", "gauge", out);
  write_row("gantry_build_info", "", "api-gateway", "version=\"" GANTRY_VERSION "\"", "", 1, out);
  write_head("gantry_up", "", "1 while the service has been heard of within three seconds.",
             "gauge", out);
  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    const latest_service_t *row = latest_find_service(latest, CATALOGUE_SERVICES[i]);
    bool up = row && !latest_is_silent(&row->health_at, now_ns, LATEST_STATE_MS);
    write_row("gantry_up", "", CATALOGUE_SERVICES[i], "", "", up ? 1 : 0, out);
  }
  for (size_t m = 0; m < sizeof HEALTH_METRICS / sizeof HEALTH_METRICS[0]; m++) {
    const health_metric_t *metric = &HEALTH_METRICS[m];
    write_head(metric->name, "", metric->help, metric->type, out);
    for (uint32_t s = 0; s < latest->service_count; s++) {
      const latest_service_t *row = &latest->services[s];
      if (!row->health_at.known) continue;
      write_row(metric->name, "", row->name, "", "", metric->value(&row->health), out);
    }
  }
}

void exposition_write(const latest_t *latest, uint64_t now_ns, buf_t *out) {
  for (uint32_t s = 0; s < latest->service_count; s++) {
    const sys_metrics_t *metrics = &latest->services[s].metrics;
    for (uint32_t i = 0; i < metrics->metrics_count; i++) {
      if (is_written(latest, s, i, metrics->metrics[i].name)) continue;
      write_family(latest, &metrics->metrics[i], out);
    }
  }
  write_health(latest, now_ns, out);
}
