/* Readings, sessions and alerts in the shapes of the test-bench profile. Pure. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <gantry/buf.h>

#include "points.h"

#define SHAPES_LOCAL 27 /* bytes of a local time with its NUL */

/* "2026-01-31T09:05:07.123456": local time, without zone. Returns text. */
char *shapes_local(uint64_t wall_ns, char text[SHAPES_LOCAL]);
/* Seconds since 1970, microseconds kept. */
double shapes_seconds(uint64_t wall_ns);

/* out->value is borrowed from number or from point. */
void shapes_reading(const point_t *point, buf_t *number, bench_reading_t *out);
/* What rules have found, as the profile says it. */
void shapes_alert(const sensor_finding_t *finding, bench_sensor_type_t type, uint64_t time_ns,
                  bench_alert_t *out);

/* A session in figures. */
typedef struct shapes_session {
  char id[51];
  point_sums_t sums;
  bool recording, has_start, has_stop;
  uint64_t start_ns, stop_ns;
  uint32_t clients; /* open WebSockets */
} shapes_session_t;

/* As sensor-processor tells it: readings of the bench's types alone. */
void shapes_session(const session_status_t *status, uint32_t clients, shapes_session_t *out);
uint64_t shapes_total(const point_sums_t *sums);
/* Writes data_summary, or {message} when the session is empty. */
void shapes_data_summary(const shapes_session_t *session, char *out, size_t size);
/* ended: the session's duration is that from start to stop, else last reading less first. */
void shapes_summary(const shapes_session_t *session, bool ended, bench_summary_t *out);
void shapes_stats(const point_sums_t *sums, bench_validation_stats_t *out);

/* Appends JSON with ", " and ": " between its parts. */
void shapes_spaced(const void *json, size_t len, buf_t *out);

#endif
