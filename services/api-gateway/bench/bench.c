/* From the bus to rings and WebSockets. Readings come by the batch, in the order of their rows;
   what a rule found in one is told before it. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "feed.h"
#include "http.h"
#include "profile.h"

enum { TICK_MS = 20, SECOND_MS = 1000, STALE_S = 3, WAIT_S = 3 };

/* ---- what is known */

bool bench_is_active(const bench_t *bench, bench_sensor_type_t type, uint64_t now_wall_ns) {
  const point_t *newest = bench->recording ? points_newest(&bench->points, type) : NULL;

  return newest && newest->time_ns + STALE_S * GANTRY_NS_PER_S > now_wall_ns;
}

void bench_active(const bench_t *bench, bench_active_t *out) {
  uint64_t now_ns = clock_wall_ns();

  out->force = bench_is_active(bench, BENCH_SENSOR_TYPE_FORCE, now_ns);
  out->motor = bench_is_active(bench, BENCH_SENSOR_TYPE_MOTOR, now_ns);
  out->camera = bench_is_active(bench, BENCH_SENSOR_TYPE_CAMERA, now_ns);
}

void bench_session(const bench_t *bench, shapes_session_t *out) {
  *out = (shapes_session_t){
      .sums = bench->points.sums, .recording = bench->recording, .clients = bench->client_count};
  snprintf(out->id, sizeof out->id, "%s", bench->session);
}

/* ---- sessions */

static void tell_changed(bench_t *bench) {
  uint64_t started_ns = bench->gateway->started_ns;
  bench_ws_changed_t changed = {.force_sensor = true,
                                .motor_controller = true,
                                .camera = true,
                                .recording = bench->recording,
                                .uptime_seconds = clock_age_ms(clock_mono_ns(), started_ns) / 1e3,
                                .data_points_collected = shapes_total(&bench->points.sums)};

  bench_tell(bench, "system_status", &BENCH_WS_CHANGED_DESC, &changed);
}

/* Another session takes the place of the one known. */
static void take_up(bench_t *bench, const char *session) {
  if (!strcmp(bench->session, session)) return;
  points_clear(&bench->points);
  snprintf(bench->session, sizeof bench->session, "%s", session);
}

static void take_session(bench_t *bench, const session_session_t *session) {
  bool gone = session->state == SESSION_STATE_DISCARDED || session->state == SESSION_STATE_IDLE;
  bool was = bench->recording;

  take_up(bench, gone ? "" : session->session);
  bench->recording = session->state == SESSION_STATE_RECORDING;
  if (bench->recording != was) tell_changed(bench);
}

static void on_changed(const frame_t *frame, const void *body, void *arg) {
  (void)frame;
  take_session(((gateway_t *)arg)->bench, body);
}

/* For a gateway that came later than the session, or missed its end: a status is repeated each
   second, and one that was on its way when the session changed is not believed. */
static void on_status(const frame_t *frame, const void *body, void *arg) {
  bench_t *bench = ((gateway_t *)arg)->bench;
  const session_session_t *session = &((const session_status_t *)body)->session;
  bool recording = session->state == SESSION_STATE_RECORDING;
  bool agrees = recording == bench->recording && !strcmp(session->session, bench->session);

  (void)frame;
  bench->doubts = agrees ? 0 : bench->doubts + 1;
  if (bench->doubts < 2 && bench->session[0]) return;
  bench->doubts = 0;
  take_session(bench, session);
}

/* ---- readings */

static void tell_alert(bench_t *bench, const sensor_finding_t *finding, const point_t *point) {
  bench_alert_t alert;

  shapes_alert(finding, point->type, point->time_ns, &alert);
  points_alert(&bench->points, &alert);
  bench_tell(bench, "validation", &BENCH_ALERT_DESC, &alert);
}

static void tell_reading(bench_t *bench, const point_t *point) {
  bench_reading_t reading;

  if (!bench_is_heard(bench)) return;
  shapes_reading(point, &bench->number, &reading);
  bench_tell(bench, "sensor_data", &BENCH_READING_DESC, &reading);
}

/* Walks a batch: the objects and findings lie in the order of the rows. */
typedef struct walk {
  const sensor_readings_t *batch;
  uint32_t object, finding; /* next ones */
  size_t offset;            /* of the next object */
} walk_t;

/* The row's object, NULL when it is a number. */
static const char *take_object(walk_t *walk, uint32_t row, size_t *len) {
  const sensor_readings_t *batch = walk->batch;
  const char *text = (const char *)batch->objects.data + walk->offset;

  if (walk->object >= batch->which_objects_count || batch->which_objects[walk->object] != row ||
      walk->offset >= batch->objects.len)
    return NULL;
  *len = strnlen(text, batch->objects.len - walk->offset);
  walk->offset += *len + 1;
  walk->object++;
  return text;
}

static void take_row(bench_t *bench, walk_t *walk, uint32_t row) {
  const sensor_readings_t *batch = walk->batch;
  const sensor_series_key_t *series = &batch->series[batch->which[row]];
  int type = desc_enum_value(&BENCH_SENSOR_TYPE_ENUM, series->type, strlen(series->type));
  point_t point = {.time_ns = batch->time[row], .value = batch->value[row]};
  size_t len = 0;
  const char *object = take_object(walk, row, &len);
  bool ours = type >= 0 && series->session[0];

  if (ours) {
    take_up(bench, series->session);
    point.type = (bench_sensor_type_t)type;
  }
  for (; walk->finding < batch->findings_count && batch->findings[walk->finding].row <= row;
       walk->finding++) {
    if (ours && batch->findings[walk->finding].row == row)
      tell_alert(bench, &batch->findings[walk->finding], &point);
  }
  if (!ours) return;
  points_add(&bench->points, &point, object, len);
  const point_t *kept = points_at(&bench->points, bench->points.readings.count - 1);
  if (kept) tell_reading(bench, kept);
}

static void on_readings(const frame_t *frame, const void *body, void *arg) {
  const sensor_readings_t *batch = body;
  bench_t *bench = ((gateway_t *)arg)->bench;
  walk_t walk = {.batch = batch};

  (void)frame;
  for (uint32_t row = 0;
       row < batch->which_count && row < batch->time_count && row < batch->value_count; row++) {
    if (batch->which[row] < batch->series_count) take_row(bench, &walk, row);
  }
}

/* ---- waiting for storage */

bool bench_ask_later(bench_t *bench, exchange_t *x, exchange_fn fn) {
  uint32_t room = sizeof bench->waits / sizeof bench->waits[0];
  uint64_t since_ns = x->cause.born_ns;

  if (clock_mono_ns() > since_ns + WAIT_S * GANTRY_NS_PER_S || bench->wait_count == room)
    return false;
  x->holds++;
  bench->waits[bench->wait_count++] = (bench_wait_t){.x = x, .fn = fn};
  return true;
}

static void on_tick(void *arg) {
  bench_t *bench = arg;
  bench_wait_t waits[sizeof bench->waits / sizeof bench->waits[0]];
  uint32_t count = bench->wait_count;

  memcpy(waits, bench->waits, sizeof waits);
  bench->wait_count = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (waits[i].x->gateway) waits[i].fn(waits[i].x);
    exchange_release(waits[i].x);
  }
}

static void on_second(void *arg) {
  bench_sockets_tick(arg);
}

/* ---- opening */

static bool is_loopback(const char *host) {
  return !strncmp(host, "127.", 4) || !strcmp(host, "::1") || !strcmp(host, "localhost");
}

/* /docs of this listener may try its routes. */
static void add_own_origins(bench_t *bench, const http_listener_t *listener) {
  size_t len = strlen(bench->origins);

  snprintf(bench->origins + len, sizeof bench->origins - len,
           "http://localhost:%d http://127.0.0.1:%d http://%s:%d ", listener->port, listener->port,
           listener->host, listener->port);
}

static gantry_err_t add_origin(const json_item_t *item, size_t index, void *arg) {
  bench_t *bench = arg;
  char origin[128];
  size_t len = strlen(bench->origins);

  (void)index;
  GANTRY_TRY(json_item_text(item, NULL, origin, sizeof origin));
  if (len + strlen(origin) + 2 > sizeof bench->origins) return GANTRY_E_TOO_LARGE;
  snprintf(bench->origins + len, sizeof bench->origins - len, "%s ", origin);
  return GANTRY_OK;
}

static gantry_err_t check_options(bench_t *bench, const config_t *config, const char *host,
                                  gantry_fault_t *fault) {
  if (!is_loopback(host) && !config_bool(config, "bench_exposed")) {
    return fault_set(fault, GANTRY_E_INVALID, "bench_host",
                     "%s: nobody logs in there, so it listens on 127.0.0.1 only; set bench_exposed "
                     "to true if everybody who reaches it may start and stop sessions",
                     host);
  }
  if (json_each(config_text(config, "bench_origins"), "", add_origin, bench) == GANTRY_OK)
    return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "bench_origins",
                   "is a JSON list of texts, e.g. [\"http://localhost:3000\"]");
}

gantry_err_t bench_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {
      {TOPIC_SESSION_STATUS, on_status},
      {TOPIC_SESSION_CHANGED, on_changed},
      {TOPIC_SENSOR_READINGS, on_readings},
  };
  const config_t *config = gateway->service->config;
  http_listener_t listener = {&PROFILE_BENCH, "bench_port", config_text(config, "bench_host"),
                              (int)config_int(config, "bench_port")};

  if (listener.port == 0) return GANTRY_OK;
  bench_t *bench = gateway->bench = calloc(1, sizeof *bench);
  if (!bench) return GANTRY_E_INTERNAL;
  bench->gateway = gateway;
  GANTRY_TRY(points_init(&bench->points));
  GANTRY_TRY(check_options(bench, config, listener.host, fault));
  GANTRY_TRY(http_listen(gateway, &listener, &listener.port, fault));
  add_own_origins(bench, &listener);
  GANTRY_TRY(feed_subscribe(gateway, ROWS, sizeof ROWS / sizeof ROWS[0], fault));
  bench->timer = loop_every(gateway->service->loop, TICK_MS, on_tick, bench);
  bench->second = loop_every(gateway->service->loop, SECOND_MS, on_second, bench);
  if (!bench->timer || !bench->second) return GANTRY_E_INTERNAL;
  log_info("BENCH-LISTENS", "http://%s:%d, without login", listener.host, listener.port);
  return GANTRY_OK;
}

void bench_stop(gateway_t *gateway) {
  bench_t *bench = gateway->bench;

  if (!bench) return;
  if (bench->timer) loop_cancel(gateway->service->loop, bench->timer);
  if (bench->second) loop_cancel(gateway->service->loop, bench->second);
  for (uint32_t i = 0; i < bench->wait_count; i++)
    exchange_release(bench->waits[i].x);
  bench_sockets_close(bench);
  points_fini(&bench->points);
  buf_fini(&bench->number);
  buf_fini(&bench->json);
  buf_fini(&bench->text);
  free(bench);
  gateway->bench = NULL;
}
