/* The profile's routes: readings and alerts out of the rings, faults by sensor-processor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>
#include <openapi_data.h>

#include "bench.h"
#include "call.h"
#include "sessions.h"

enum { READINGS_LIMIT = 100, ALERTS_LIMIT = 50, INTERVAL_S = 60, MINUTE_S = 60 };

#define HOUR_NS (3600 * GANTRY_NS_PER_S)

static bench_t *bench_of(exchange_t *x) {
  return x->gateway->bench;
}

static char *now_local(char text[SHAPES_LOCAL]) {
  return shapes_local(clock_wall_ns(), text);
}

/* ---- system */

static void on_root(exchange_t *x) {
  static const bench_banner_t BANNER = {
      .message = "Gantry test bench", .version = GANTRY_VERSION, .status = "operational"};

  exchange_answer(x, &BANNER);
}

static bool is_heard(const gateway_t *gateway, const char *service) {
  const latest_service_t *row = latest_find_service(gateway->latest, service);

  return row && !latest_is_silent(&row->health_at, clock_mono_ns(), LATEST_STATE_MS);
}

static void on_health(exchange_t *x) {
  bench_health_t health = {
      .services = {.sensor_simulator = is_heard(x->gateway, "sensor-processor"),
                   .data_manager = is_heard(x->gateway, "storage"),
                   .websocket = true}};
  bool whole = health.services.sensor_simulator && health.services.data_manager;

  snprintf(health.status, sizeof health.status, "%s", whole ? "healthy" : "degraded");
  now_local(health.timestamp);
  exchange_answer(x, &health);
}

static void on_docs(exchange_t *x) {
  files_answer(x, "/docs");
}

static void on_openapi(exchange_t *x) {
  exchange_begin(x);
  buf_put(&x->out, OPENAPI_BENCH_JSON, OPENAPI_BENCH_JSON_LEN);
  exchange_finish(x, 200, "application/json");
}

/* ---- readings */

/* Lists are bare, without an envelope. */
static void add_row(exchange_t *x, const desc_t *desc, const void *row, bool *first) {
  if (!*first) buf_put_byte(&x->out, ',');
  *first = false;
  (void)json_write(desc, row, &x->out);
}

static bool is_wanted(const bench_readings_params_t *params, const point_t *point) {
  double time_s = shapes_seconds(point->time_ns);

  if (params->has_sensor_type && point->type != params->sensor_type) return false;
  if (params->has_start_time && time_s < params->start_time) return false;
  return !params->has_end_time || time_s <= params->end_time;
}

static void on_readings(exchange_t *x) {
  const bench_readings_params_t *params = x->params;
  bench_t *bench = bench_of(x);
  const points_t *points = &bench->points;
  uint32_t limit = params->has_limit ? params->limit : READINGS_LIMIT, found = 0;
  size_t begin = points->readings.count;
  bench_reading_t row;
  bool first = true;

  while (begin > 0 && found < limit)
    found += is_wanted(params, points_at(points, --begin));
  exchange_begin(x);
  buf_put_byte(&x->out, '[');
  for (size_t i = begin; i < points->readings.count; i++) {
    if (!is_wanted(params, points_at(points, i))) continue;
    shapes_reading(points_at(points, i), &bench->number, &row);
    add_row(x, &BENCH_READING_DESC, &row, &first);
  }
  buf_put_byte(&x->out, ']');
  exchange_finish(x, 200, "application/json");
}

static bool newest(bench_t *bench, bench_sensor_type_t type, buf_t *number, bench_reading_t *out) {
  const point_t *point = points_newest(&bench->points, type);

  if (point) shapes_reading(point, number, out);
  return point != NULL;
}

static void on_latest(exchange_t *x) {
  bench_t *bench = bench_of(x);
  bench_latest_t latest = {.total_readings = shapes_total(&bench->points.sums)};
  bench_newest_t *row = &latest.latest_readings;

  row->has_force = newest(bench, BENCH_SENSOR_TYPE_FORCE, &bench->number, &row->force);
  row->has_motor = newest(bench, BENCH_SENSOR_TYPE_MOTOR, &bench->json, &row->motor);
  row->has_camera = newest(bench, BENCH_SENSOR_TYPE_CAMERA, &bench->text, &row->camera);
  now_local(latest.timestamp);
  exchange_answer(x, &latest);
}

static void answer_none(exchange_t *x, const char *sensor) {
  bench_no_data_t none = {0};

  snprintf(none.message, sizeof none.message, "No data found for sensor type: %s", sensor);
  exchange_begin(x);
  (void)json_write(&BENCH_NO_DATA_DESC, &none, &x->out);
  exchange_finish(x, 200, "application/json");
}

static void on_aggregated(exchange_t *x) {
  const bench_aggregated_params_t *params = x->params;
  bench_aggregated_t *answer = calloc(1, sizeof *answer);
  uint64_t now_ns = clock_wall_ns();
  uint32_t matched;

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->sensor_type = params->sensor_type;
  answer->interval_seconds = params->has_interval_seconds ? params->interval_seconds : INTERVAL_S;
  answer->hours_back = params->has_hours_back ? params->hours_back : 1;
  answer->data_count = answer->total_intervals = points_aggregate(
      &bench_of(x)->points, params->sensor_type, now_ns - answer->hours_back * HOUR_NS, now_ns,
      answer->interval_seconds, answer->data, &matched);
  for (uint32_t i = 0; i < answer->data_count; i++) {
    bench_bin_t *bin = &answer->data[i];
    shapes_local((uint64_t)(bin->interval_start * 1e6 + 0.5) * 1000, bin->timestamp);
  }
  if (matched)
    exchange_answer(x, answer);
  else
    answer_none(x, desc_enum_text(&BENCH_SENSOR_TYPE_ENUM, (int)params->sensor_type));
  free(answer);
}

static bench_sensor_t sensor_of(const bench_t *bench, bench_sensor_type_t type) {
  uint64_t now_ns = clock_wall_ns();

  return (bench_sensor_t){.active = bench_is_active(bench, type, now_ns),
                          .readings_per_minute = points_since(&bench->points, type,
                                                              now_ns - MINUTE_S * GANTRY_NS_PER_S)};
}

static void on_sensors_status(exchange_t *x) {
  const bench_t *bench = bench_of(x);
  bench_sensors_status_t status = {
      .sensors = {.force = sensor_of(bench, BENCH_SENSOR_TYPE_FORCE),
                  .motor = sensor_of(bench, BENCH_SENSOR_TYPE_MOTOR),
                  .camera = sensor_of(bench, BENCH_SENSOR_TYPE_CAMERA)},
      .system = {.recording = bench->recording,
                 .total_readings = shapes_total(&bench->points.sums),
                 .connected_clients = bench->client_count}};

  now_local(status.timestamp);
  exchange_answer(x, &status);
}

static void on_validation(exchange_t *x) {
  const bench_validation_params_t *params = x->params;
  const ring_t *alerts = &bench_of(x)->points.alerts;
  size_t limit = params->has_limit ? params->limit : ALERTS_LIMIT;
  bool first = true;

  exchange_begin(x);
  buf_put_byte(&x->out, '[');
  for (size_t i = alerts->count > limit ? alerts->count - limit : 0; i < alerts->count; i++)
    add_row(x, &BENCH_ALERT_DESC, ring_at(alerts, i), &first);
  buf_put_byte(&x->out, ']');
  exchange_finish(x, 200, "application/json");
}

/* ---- simulated faults */

static void on_simulated(exchange_t *x, const void *reply) {
  const sensor_simulated_t *fault = reply;
  const char *event = desc_enum_text(&SENSOR_FAULT_ENUM, (int)fault->event);
  bench_simulated_t answer = {0};

  snprintf(answer.message, sizeof answer.message, "Simulated %s event for %s sensor", event,
           fault->sensor_type);
  snprintf(answer.event_type, sizeof answer.event_type, "%s", event);
  snprintf(answer.note, sizeof answer.note, "%s for %g s, amplitude %g",
           fault->running ? "In the readings" : "Waits for the next session", fault->duration,
           fault->amplitude);
  now_local(answer.timestamp);
  exchange_answer(x, &answer);
}

/* The event has another name here. */
static void on_not_simulated(exchange_t *x, const gantry_fault_t *fault) {
  gantry_fault_t renamed = *fault;

  if (!strcmp(fault->field, "event")) snprintf(renamed.field, sizeof renamed.field, "event_type");
  exchange_fail_fault(x, &renamed);
}

static void on_simulate(exchange_t *x) {
  const bench_simulate_params_t *params = x->params;
  const char *event = params->has_event_type ? params->event_type : "spike";
  int fault = desc_enum_value(&SENSOR_FAULT_ENUM, event, strlen(event));
  sensor_simulate_t ask = {.has_duration = params->has_duration,
                           .duration = params->duration,
                           .has_amplitude = params->has_amplitude,
                           .amplitude = params->amplitude};

  if (fault < 0) {
    gantry_fault_t refusal;
    (void)fault_set(&refusal, GANTRY_E_SCHEMA, "event_type",
                    "Input should be spike, dropout, stuck, offset, noise, out_of_range, low_light "
                    "or overexposed");
    bench_refuse(x, &refusal, true);
    return;
  }
  ask.event = (sensor_fault_t)fault;
  snprintf(ask.sensor_type, sizeof ask.sensor_type, "%s",
           desc_enum_text(&BENCH_SENSOR_TYPE_ENUM, (int)params->sensor_type));
  exchange_call(x, REQUEST_SENSOR_SIMULATE, &ask, on_simulated, on_not_simulated);
}

/* ---- one a route */

static const exchange_fn HANDLERS[BENCH_ENDPOINT_COUNT] = {
    [BENCH_ENDPOINT_ROOT] = on_root,
    [BENCH_ENDPOINT_HEALTH] = on_health,
    [BENCH_ENDPOINT_DOCS] = on_docs,
    [BENCH_ENDPOINT_REDOC] = on_docs,
    [BENCH_ENDPOINT_OPENAPI] = on_openapi,
    [BENCH_ENDPOINT_SENSORS_READINGS] = on_readings,
    [BENCH_ENDPOINT_SENSORS_READINGS_LATEST] = on_latest,
    [BENCH_ENDPOINT_SENSORS_READINGS_AGGREGATED] = on_aggregated,
    [BENCH_ENDPOINT_SENSORS_STATUS] = on_sensors_status,
    [BENCH_ENDPOINT_SENSORS_VALIDATION] = on_validation,
    [BENCH_ENDPOINT_SENSORS_SIMULATE] = on_simulate,
    [BENCH_ENDPOINT_SESSIONS_START] = sessions_on_start,
    [BENCH_ENDPOINT_SESSIONS_STOP] = sessions_on_stop,
    [BENCH_ENDPOINT_SESSIONS_STATUS] = sessions_on_status,
    [BENCH_ENDPOINT_SESSIONS_RESET] = sessions_on_reset,
    [BENCH_ENDPOINT_SESSIONS_SUMMARY] = sessions_on_summary,
    [BENCH_ENDPOINT_SESSIONS_EXPORT] = sessions_on_export,
};

void bench_route(exchange_t *x, uint32_t endpoint) {
  HANDLERS[endpoint](x);
}
