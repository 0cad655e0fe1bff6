/* Sessions: fields renamed, nothing counted. */
#include "view_sessions.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void view_session(const session_session_t *session, uint64_t now_wall_ns, http_session_t *out) {
  uint64_t end_ns = session->has_stopped ? session->stopped : now_wall_ns;

  memset(out, 0, sizeof *out);
  snprintf(out->session_id, sizeof out->session_id, "%s", session->session);
  snprintf(out->name, sizeof out->name, "%s", session->name);
  snprintf(out->description, sizeof out->description, "%s", session->description);
  snprintf(out->started_by, sizeof out->started_by, "%s", session->started_by);
  memcpy(out->sensors, session->sensors, sizeof out->sensors);
  out->sensors_count = session->sensors_count;
  out->status = session->state;
  out->has_started_at = session->has_started;
  out->started_at = session->started;
  out->has_stopped_at = session->has_stopped;
  out->stopped_at = session->stopped;
  out->has_duration_seconds = session->has_started && end_ns >= session->started;
  if (out->has_duration_seconds) out->duration_seconds = (double)(end_ns - session->started) / 1e9;
}

void view_session_status(const session_status_t *status, uint64_t now_wall_ns,
                         http_session_status_t *out) {
  memset(out, 0, sizeof *out);
  view_session(&status->session, now_wall_ns, &out->session);
  out->recording = status->session.state == SESSION_STATE_RECORDING;
  out->total_readings = status->readings;
  out->findings = status->findings;
  out->waiting = status->waiting;
  memcpy(out->types, status->types, sizeof out->types);
  out->types_count = status->types_count;
  out->has_first_reading = status->has_first;
  out->first_reading = status->first;
  out->has_last_reading = status->has_last;
  out->last_reading = status->last;
  out->simulators = status->bench;
}

void view_session_row(const session_row_t *row, uint64_t now_wall_ns, http_session_row_t *out) {
  memset(out, 0, sizeof *out);
  view_session(&row->session, now_wall_ns, &out->session);
  out->total_readings = row->readings;
  out->findings = row->findings;
  out->has_first_reading = row->has_first;
  out->first_reading = row->first;
  out->has_last_reading = row->has_last;
  out->last_reading = row->last;
  out->pinned = row->pinned;
}

/* How its numbers lie; absent where there are none. */
static void view_spread(const session_sensor_summary_t *sensor, http_session_sensor_t *out) {
  out->has_average = sensor->has_mean;
  out->average = sensor->mean;
  out->has_deviation = sensor->has_deviation;
  out->deviation = sensor->deviation;
  out->has_min = sensor->has_min;
  out->min = sensor->min;
  out->has_max = sensor->has_max;
  out->max = sensor->max;
  out->has_p05 = sensor->has_p05;
  out->p05 = sensor->p05;
  out->has_p50 = sensor->has_p50;
  out->p50 = sensor->p50;
  out->has_p95 = sensor->has_p95;
  out->p95 = sensor->p95;
  out->has_p99 = sensor->has_p99;
  out->p99 = sensor->p99;
}

static void view_sensor(const session_sensor_summary_t *sensor, http_session_sensor_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", sensor->sensor);
  snprintf(out->sensor_type, sizeof out->sensor_type, "%s", sensor->type);
  snprintf(out->unit, sizeof out->unit, "%s", sensor->unit);
  out->source = sensor->source;
  out->readings = sensor->readings;
  out->warnings = sensor->warnings;
  out->errors = sensor->errors;
  out->findings = sensor->findings;
  out->numbers = sensor->numbers;
  view_spread(sensor, out);
  out->first_reading = sensor->first;
  out->last_reading = sensor->last;
  out->rate_hz = sensor->rate;
  out->gaps = sensor->gaps;
  out->longest_gap_s = sensor->longest;
  out->missing = sensor->missing;
}

void view_session_summary(const session_summary_t *summary, uint64_t now_wall_ns,
                          http_session_summary_t *out) {
  memset(out, 0, sizeof *out);
  view_session_row(&summary->row, now_wall_ns, &out->session);
  out->has_duration_seconds = summary->has_duration;
  out->duration_seconds = summary->duration;
  out->sensors_count = summary->sensors_count;
  for (uint32_t i = 0; i < summary->sensors_count; i++)
    view_sensor(&summary->sensors[i], &out->sensors[i]);
}

static void put_plain(const char *text, char *out, size_t size) {
  size_t len = strlen(out);

  for (; *text && len + 1 < size; text++)
    out[len++] = isalnum((unsigned char)*text) || *text == '-' ? *text : '_';
  out[len] = '\0';
}

void view_export_name(const session_export_t *what, char *out, size_t size) {
  static const char *const ENDINGS[SESSION_FORMAT_COUNT] = {
      [SESSION_FORMAT_CSV] = ".csv",
      [SESSION_FORMAT_CSV_WIDE] = "-wide.csv",
      [SESSION_FORMAT_JSONL] = ".jsonl",
      [SESSION_FORMAT_MCAP] = ".mcap",
  };

  snprintf(out, size, "session-");
  put_plain(what->session, out, size);
  if (what->has_sensor) {
    put_plain("-", out, size);
    put_plain(what->sensor, out, size);
  }
  size_t len = strlen(out);
  snprintf(out + len, size - len, "%s", ENDINGS[what->format]);
}
