/* Telemetry: records out of storage, newest values out of memory, the recorder started and stopped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"
#include "settings.h"
#include "telemetry_view.h"

enum {
  HISTORY_LIMIT = 100,
  PAGE = 1000,
  DENSE = 50,       /* rows a span: beyond, its newest is asked for alone */
  READS_MAX = 1000, /* of storage */
  SCAN_MS = 3000
};

static const sys_empty_t NOTHING = {0};

/* ---- history: pages of storage, newest first, thinned as asked: after a page it goes on before
   the span of the row given last. The rows written so far stand behind the state in x->scratch */

typedef struct walk {
  store_readings_get_t get;
  uint32_t limit, given, reads;
  uint64_t interval_ns, span; /* of the row given last */
} walk_t;

static void answer_history(exchange_t *x) {
  exchange_begin(x);
  buf_put_byte(&x->out, '[');
  buf_put(&x->out, x->scratch.data + sizeof(walk_t), x->scratch.len - sizeof(walk_t));
  buf_put_byte(&x->out, ']');
  exchange_finish(x, 200, "application/json");
}

static bool add_history(exchange_t *x, walk_t *state, const store_readings_row_t *row) {
  http_telemetry_row_t out;
  uint64_t span = state->interval_ns ? row->time / state->interval_ns : 0;

  if (state->interval_ns && state->given && span == state->span) return true;
  if (view_telemetry_row(row, &out) != GANTRY_OK) return true; /* somebody else's `robot` */
  if (state->given) buf_put_byte(&x->scratch, ',');
  state->given++;
  state->span = span;
  (void)json_write(&HTTP_TELEMETRY_ROW_DESC, &out, &x->scratch);
  return buf_err(&x->scratch) == GANTRY_OK;
}

/* What to ask for next: of each span one row is wanted, whatever it holds. */
static void go_on(walk_t *state, const store_readings_page_t *page, uint32_t given_before) {
  uint32_t given = state->given - given_before, left = state->limit - state->given;
  uint64_t spans = given ? given : 1, rows = page->rows_count / spans;

  if (state->interval_ns && given) {
    state->get.has_cursor = false;
    state->get.has_to = true;
    state->get.to = state->span * state->interval_ns;
    if (rows > DENSE)
      state->get.limit = 1; /* and so it stays */
    else if (state->get.limit > 1)
      state->get.limit = left * (uint32_t)(rows + 1);
    if (state->get.limit > PAGE) state->get.limit = PAGE;
  } else {
    state->get.has_cursor = true;
    memcpy(state->get.cursor, page->cursor, sizeof state->get.cursor);
  }
}

static bool is_at_end(const walk_t *state, const store_readings_page_t *page) {
  uint64_t span_ns = state->span * state->interval_ns;
  bool before_all = state->interval_ns && state->given && state->get.has_from;

  return state->given == state->limit || !page->cursor[0] ||
         (before_all && span_ns <= state->get.from);
}

static void ask_history(exchange_t *x, const walk_t *state);

static void on_history_page(exchange_t *x, const void *reply) {
  const store_readings_page_t *page = reply;
  walk_t state;

  memcpy(&state, x->scratch.data, sizeof state);
  uint32_t given = state.given;
  for (uint32_t i = 0; i < page->rows_count && state.given < state.limit; i++) {
    if (add_history(x, &state, &page->rows[i])) continue;
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  if (is_at_end(&state, page)) {
    answer_history(x);
  } else if (++state.reads == READS_MAX) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "interval",
                  "the records asked for lie too far apart; narrow start_time and end_time, or ask "
                  "for fewer");
  } else {
    go_on(&state, page, given);
    ask_history(x, &state);
  }
}

/* Nothing was recorded yet: storage knows no such sensor. */
static void on_no_history(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err == GANTRY_E_NOT_FOUND)
    answer_history(x);
  else
    exchange_fail_fault(x, fault);
}

static void ask_history(exchange_t *x, const walk_t *state) {
  memcpy(x->scratch.data, state, sizeof *state);
  exchange_call(x, REQUEST_STORE_READINGS, &state->get, on_history_page, on_no_history);
}

static void on_history(exchange_t *x) {
  const http_telemetry_history_params_t *params = x->params;
  walk_t state = {.limit = params->has_limit ? params->limit : HISTORY_LIMIT};

  if (params->has_interval) state.interval_ns = (uint64_t)(params->interval * 1e9);
  state.get = (store_readings_get_t){.has_sensor = true,
                                     .sensor = "robot",
                                     .has_type = true,
                                     .type = "telemetry",
                                     .has_from = params->has_start_time,
                                     .from = params->start_time,
                                     .has_to = params->has_end_time,
                                     .to = params->end_time,
                                     .limit = state.limit};
  if (params->has_start_time && params->has_end_time && params->start_time >= params->end_time) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "start_time", "has to lie before end_time");
    return;
  }
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &state, sizeof state);
  if (buf_err(&x->scratch) == GANTRY_OK)
    ask_history(x, &state);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

/* ---- how much there is */

static void on_state(exchange_t *x, const void *reply) {
  const store_state_t *state = reply;
  http_telemetry_summary_t answer = {.timestamp = clock_wall_ns()};

  for (uint32_t i = 0; i < state->groups_count; i++) {
    const store_series_state_t *group = &state->groups[i];
    answer.data_points += group->readings;
    if (strcmp(group->type, "telemetry") != 0) continue;
    answer.total_records = group->readings;
    answer.has_latest_timestamp = group->has_newest;
    answer.latest_timestamp = group->newest;
    answer.has_oldest_timestamp = group->has_oldest;
    answer.oldest_timestamp = group->oldest;
  }
  exchange_answer(x, &answer);
}

static void on_summary(exchange_t *x) {
  exchange_call(x, REQUEST_STORE_STATE, &NOTHING, on_state, NULL);
}

/* ---- the recorder */

static void on_started(exchange_t *x, const robot_in_force_t *before) {
  exchange_done(x, before->telemetry_collected ? "Telemetry is being recorded already."
                                               : "Telemetry is recorded from now on.");
}

static void on_stopped(exchange_t *x, const robot_in_force_t *before) {
  exchange_done(x, before->telemetry_collected ? "Telemetry is not recorded from now on."
                                               : "Telemetry was not being recorded.");
}

static void on_start(exchange_t *x) {
  robot_settings_t patch = {.has_telemetry_collected = true, .telemetry_collected = true};

  settings_change(x, &patch, "collection started by the API", on_started);
}

static void on_stop(exchange_t *x) {
  robot_settings_t patch = {.has_telemetry_collected = true, .telemetry_collected = false};

  settings_change(x, &patch, "collection stopped by the API", on_stopped);
}

static void on_recorder(exchange_t *x, const void *reply) {
  const robot_in_force_t *in_force = reply;
  http_telemetry_collection_t answer = {.running = in_force->telemetry_collected,
                                        .interval_ms = in_force->telemetry_interval,
                                        .records = in_force->samples,
                                        .unkept = in_force->unkept,
                                        .has_last_record = in_force->has_newest,
                                        .last_record = in_force->newest,
                                        .timestamp = clock_wall_ns()};

  exchange_answer(x, &answer);
}

static void on_stats(exchange_t *x) {
  exchange_call(x, REQUEST_ROBOT_SETTINGS, &NOTHING, on_recorder, NULL);
}

/* ---- out of memory */

static bool put_source(exchange_t *x, const telemetry_source_t *source, uint64_t now_ns) {
  const latest_t *latest = x->gateway->latest;
  const stamp_t *at = telemetry_stamp(source, latest);
  http_telemetry_raw_t row = {.timestamp = at->wall_ns, .age_ms = latest_age_ms(at, now_ns)};

  if (!at->known) return false;
  snprintf(row.source, sizeof row.source, "%s", source->name);
  snprintf(row.service, sizeof row.service, "%s", source->service);
  buf_reset(&x->scratch);
  (void)json_write(source->topic->message, telemetry_value(source, latest), &x->scratch);
  row.data = (blob_t){.data = x->scratch.data, .len = x->scratch.len};
  if (x->out.len && x->out.data[x->out.len - 1] != '[') buf_put_byte(&x->out, ',');
  (void)json_write(&HTTP_TELEMETRY_RAW_DESC, &row, &x->out);
  return true;
}

static bool is_source(exchange_t *x, const char *name) {
  for (size_t i = 0; i < TELEMETRY_SOURCE_COUNT; i++)
    if (!strcmp(TELEMETRY_SOURCES[i].name, name)) return true;
  exchange_fail(x, GANTRY_E_SCHEMA, NULL, "source",
                "no source %s; /telemetry/performance names them", name);
  return false;
}

static void on_latest(exchange_t *x) {
  const http_telemetry_raw_params_t *params = x->params;
  uint64_t now_ns = clock_mono_ns();
  uint32_t left = params->has_limit ? params->limit : UINT32_MAX;

  if (params->has_source && !is_source(x, params->source)) return;
  exchange_begin(x);
  buf_put_byte(&x->out, '[');
  for (size_t i = 0; i < TELEMETRY_SOURCE_COUNT && left; i++) {
    const telemetry_source_t *source = &TELEMETRY_SOURCES[i];
    if (params->has_source && strcmp(params->source, source->name) != 0) continue;
    if (put_source(x, source, now_ns)) left--;
  }
  buf_put_byte(&x->out, ']');
  exchange_finish(x, 200, "application/json");
}

static void on_scan(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  uint64_t now_ns = clock_mono_ns();
  http_lidar_scan_t *answer;

  if (latest_is_stale(&latest->scan_at, now_ns, SCAN_MS)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, "MODULE_OFFLINE", "",
                  "No LiDAR has delivered a sweep within the last 3 s.");
    return;
  }
  answer = malloc(sizeof *answer);
  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  view_lidar_scan(&latest->scan, answer);
  answer->timestamp = latest->scan_at.wall_ns;
  answer->age_ms = latest_age_ms(&latest->scan_at, now_ns);
  exchange_answer(x, answer);
  free(answer);
}

static void on_performance(exchange_t *x) {
  http_telemetry_performance_t answer;

  view_telemetry_performance(x->gateway->latest, clock_mono_ns(), &answer);
  answer.timestamp = clock_wall_ns();
  exchange_answer(x, &answer);
}

const call_route_t ROUTES_TELEMETRY[] = {
    {ENDPOINT_TELEMETRY_HISTORY, on_history},
    {ENDPOINT_TELEMETRY_SUMMARY, on_summary},
    {ENDPOINT_TELEMETRY_COLLECTION_START, on_start},
    {ENDPOINT_TELEMETRY_COLLECTION_STOP, on_stop},
    {ENDPOINT_TELEMETRY_COLLECTION_STATS, on_stats},
    {ENDPOINT_TELEMETRY_DATA_LATEST, on_latest},
    {ENDPOINT_TELEMETRY_LIDAR_SCAN, on_scan},
    {ENDPOINT_TELEMETRY_PERFORMANCE, on_performance},
    {0, NULL},
};
