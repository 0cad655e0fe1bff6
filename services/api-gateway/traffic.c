/* One histogram a route and class, all allocated at start-up. */
#include "traffic.h"

#include <stdlib.h>

static const uint64_t BOUNDS_NS[TRAFFIC_BOUNDS] = {
    500000,    1000000,   2500000,   5000000,    10000000,   25000000,  50000000,
    100000000, 250000000, 500000000, 1000000000, 2500000000, 5000000000};
static const char *const BOUNDS[TRAFFIC_BOUNDS + 1] = {"0.0005", "0.001", "0.0025", "0.005", "0.01",
                                                       "0.025",  "0.05",  "0.1",    "0.25",  "0.5",
                                                       "1",      "2.5",   "5",      "+Inf"};
static const char *const CLASSES[TRAFFIC_CLASSES] = {"2xx", "3xx", "4xx", "5xx"};

gantry_err_t traffic_init(traffic_t *traffic) {
  *traffic = (traffic_t){0};
  traffic->series = calloc(CATALOGUE_ENDPOINT_COUNT + 1, sizeof *traffic->series);
  return traffic->series ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void traffic_fini(traffic_t *traffic) {
  free(traffic->series);
  traffic->series = NULL;
}

void traffic_observe(traffic_t *traffic, uint32_t endpoint, int status, uint64_t now_ns,
                     uint64_t took_ns) {
  uint32_t row = endpoint < CATALOGUE_ENDPOINT_COUNT ? endpoint : CATALOGUE_ENDPOINT_COUNT;
  int class = status >= 500 ? 3 : status >= 400 ? 2 : status >= 300 ? 1 : 0;
  traffic_series_t *series = &traffic->series[row][class];
  uint32_t bucket = 0;

  while (bucket < TRAFFIC_BOUNDS && took_ns > BOUNDS_NS[bucket])
    bucket++;
  series->counts[bucket]++;
  series->sum_ns += took_ns;
  traffic->requests++;
  if (class == 3) traffic->errors++;
  recent_add(&traffic->recent, now_ns, took_ns);
}

/* ---- text */

static const char *method_name(uint32_t row) {
  static const char *const NAMES[] = {[HTTP_GET] = "GET",
                                      [HTTP_POST] = "POST",
                                      [HTTP_PUT] = "PUT",
                                      [HTTP_PATCH] = "PATCH",
                                      [HTTP_DELETE] = "DELETE"};

  return row < CATALOGUE_ENDPOINT_COUNT ? NAMES[CATALOGUE_ENDPOINTS[row].method] : "other";
}

static void write_labels(uint32_t row, int class, buf_t *out) {
  const char *path = row < CATALOGUE_ENDPOINT_COUNT ? CATALOGUE_ENDPOINTS[row].path : "other";

  buf_printf(out, "{service=\"api-gateway\",method=\"%s\",route=\"%s\",status=\"%s\"",
             method_name(row), path, CLASSES[class]);
}

static void write_series(const traffic_series_t *series, uint32_t row, int class, buf_t *out) {
  uint64_t count = 0;

  for (uint32_t i = 0; i <= TRAFFIC_BOUNDS; i++)
    count += series->counts[i];
  if (!count) return;
  count = 0;
  for (uint32_t i = 0; i <= TRAFFIC_BOUNDS; i++) {
    count += series->counts[i];
    buf_put_text(out, "gantry_http_request_seconds_bucket");
    write_labels(row, class, out);
    buf_printf(out, ",le=\"%s\"} %llu\n", BOUNDS[i], (unsigned long long)count);
  }
  buf_put_text(out, "gantry_http_request_seconds_sum");
  write_labels(row, class, out);
  buf_printf(out, "} %.9g\ngantry_http_request_seconds_count", (double)series->sum_ns / 1e9);
  write_labels(row, class, out);
  buf_printf(out, "} %llu\n", (unsigned long long)count);
}

void traffic_write(const traffic_t *traffic, buf_t *out) {
  buf_put_text(out, "# HELP gantry_http_request_seconds From a request's arrival to its answer.\n"
                    "# TYPE gantry_http_request_seconds histogram\n");
  for (uint32_t row = 0; row <= CATALOGUE_ENDPOINT_COUNT; row++) {
    for (int class = 0; class < TRAFFIC_CLASSES; class ++)
      write_series(&traffic->series[row][class], row, class, out);
  }
}
