/* The profile's shapes: fields renamed, times and numbers as its clients know them. */
#include "shapes.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gantry/clock.h>
#include <gantry/json.h>

char *shapes_local(uint64_t wall_ns, char text[SHAPES_LOCAL]) {
  time_t second = (time_t)(wall_ns / GANTRY_NS_PER_S);
  struct tm parts = {0};

  text[0] = '\0';
  if (!localtime_r(&second, &parts)) return text;
  size_t len = strftime(text, SHAPES_LOCAL, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + len, SHAPES_LOCAL - len, ".%06u", (unsigned)(wall_ns % GANTRY_NS_PER_S / 1000));
  return text;
}

double shapes_seconds(uint64_t wall_ns) {
  uint64_t wall_us = wall_ns / 1000;

  return (double)wall_us / 1e6;
}

void shapes_reading(const point_t *point, buf_t *number, bench_reading_t *out) {
  memset(out, 0, sizeof *out);
  out->timestamp = shapes_seconds(point->time_ns);
  out->sensor_type = point->type;
  if (point->object) {
    out->value = (blob_t){.data = (const uint8_t *)point->object, .len = strlen(point->object)};
    return;
  }
  buf_reset(number);
  json_write_fraction(number, point->value);
  out->value = (blob_t){.data = number->data, .len = number->len};
}

void shapes_alert(const sensor_finding_t *finding, bench_sensor_type_t type, uint64_t time_ns,
                  bench_alert_t *out) {
  bool warns = finding->severity < SYS_SEVERITY_ERROR;

  memset(out, 0, sizeof *out);
  out->sensor_type = type;
  out->timestamp = shapes_seconds(time_ns);
  snprintf(out->status, sizeof out->status, "%s", warns ? "warning" : "error");
  snprintf(out->message, sizeof out->message, "%s", finding->message);
  snprintf(out->details, sizeof out->details, "%s", finding->details);
}

/* ---- sessions */

void shapes_session(const session_status_t *status, uint32_t clients, shapes_session_t *out) {
  const session_session_t *session = &status->session;

  memset(out, 0, sizeof *out);
  snprintf(out->id, sizeof out->id, "%s", session->session);
  out->recording = session->state == SESSION_STATE_RECORDING;
  out->has_start = session->has_started;
  out->start_ns = session->started;
  out->has_stop = session->has_stopped;
  out->stop_ns = session->stopped;
  out->clients = clients;
  for (uint32_t i = 0; i < status->types_count; i++) {
    const session_by_type_t *row = &status->types[i];
    int type = desc_enum_value(&BENCH_SENSOR_TYPE_ENUM, row->type, strlen(row->type));
    if (type >= 0) out->sums.counts[type] = row->count;
  }
  out->sums.alerts = status->findings;
  out->sums.known = status->has_first && status->has_last;
  out->sums.first_ns = status->first;
  out->sums.last_ns = status->last;
}

uint64_t shapes_total(const point_sums_t *sums) {
  uint64_t total = 0;

  for (int i = 0; i < BENCH_SENSOR_TYPE_COUNT; i++)
    total += sums->counts[i];
  return total;
}

/* Last reading less first; false with fewer than two. */
static bool span_s(const point_sums_t *sums, double *out) {
  *out = 0;
  if (!sums->known || shapes_total(sums) < 2 || sums->last_ns < sums->first_ns) return false;
  *out = (double)(sums->last_ns - sums->first_ns) / 1e9;
  return true;
}

static void fill_breakdown(const point_sums_t *sums, bench_breakdown_t *out) {
  out->force = sums->counts[BENCH_SENSOR_TYPE_FORCE];
  out->motor = sums->counts[BENCH_SENSOR_TYPE_MOTOR];
  out->camera = sums->counts[BENCH_SENSOR_TYPE_CAMERA];
  out->has_force = out->force > 0;
  out->has_motor = out->motor > 0;
  out->has_camera = out->camera > 0;
}

void shapes_data_summary(const shapes_session_t *session, char *out, size_t size) {
  static const bench_no_data_t EMPTY = {.message = "No data available"};
  bench_data_summary_t summary = {.total_readings = shapes_total(&session->sums),
                                  .validation_alerts = session->sums.alerts,
                                  .recording_active = session->recording,
                                  .connected_clients = session->clients};
  buf_t text = {.limit = size};

  if (summary.total_readings) {
    fill_breakdown(&session->sums, &summary.sensor_breakdown);
    summary.has_session_duration_seconds =
        span_s(&session->sums, &summary.session_duration_seconds);
    (void)json_write(&BENCH_DATA_SUMMARY_DESC, &summary, &text);
  } else {
    (void)json_write(&BENCH_NO_DATA_DESC, &EMPTY, &text);
  }
  snprintf(out, size, "%s", buf_text(&text));
  buf_fini(&text);
}

void shapes_summary(const shapes_session_t *session, bool ended, bench_summary_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->session_id, sizeof out->session_id, "%s", session->id);
  out->total_readings = shapes_total(&session->sums);
  out->validation_alerts = session->sums.alerts;
  shapes_data_summary(session, out->summary_stats, sizeof out->summary_stats);
  if (!ended) {
    out->has_session_duration = span_s(&session->sums, &out->session_duration);
  } else if (session->has_start && session->has_stop && session->stop_ns >= session->start_ns) {
    out->has_session_duration = true;
    out->session_duration = (double)(session->stop_ns - session->start_ns) / 1e9;
  }
}

void shapes_stats(const point_sums_t *sums, bench_validation_stats_t *out) {
  *out = (bench_validation_stats_t){
      .total_validations_performed = shapes_total(sums),
      .force_readings_analyzed = sums->counts[BENCH_SENSOR_TYPE_FORCE],
      .motor_readings_analyzed = sums->counts[BENCH_SENSOR_TYPE_MOTOR],
      .camera_readings_analyzed = sums->counts[BENCH_SENSOR_TYPE_CAMERA],
      .validation_active = true,
  };
}

void shapes_spaced(const void *json, size_t len, buf_t *out) {
  const char *text = json;
  bool quoted = false;

  for (size_t i = 0; i < len; i++) {
    buf_put_byte(out, (uint8_t)text[i]);
    if (quoted && text[i] == '\\' && i + 1 < len)
      buf_put_byte(out, (uint8_t)text[++i]);
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == ',' || text[i] == ':'))
      buf_put_byte(out, ' ');
  }
}
