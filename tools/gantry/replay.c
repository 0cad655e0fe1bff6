/* gantry replay: a recorded session through the sensors again, in its own rhythm or faster. Each
   reading comes with the time at which it is played, a number of its own and source replay. */
#include <gantry/clock.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arena.h>

#include "commands.h"
#include "recording.h"

#define STEP_MS      10u /* readings go out this much late, together */
#define BATCH_ROWS   1000u
#define OBJECT_BYTES (1u << 20)
#define PROGRESS_NS  (GANTRY_NS_PER_S / 5)

static const char HELP[] =
    "Usage: gantry replay --session SESSION [--rate 2x|max] [--from S] [--to S] [--sensor ID]\n"
    "                     [--loop] [--bus BASE]\n"
    "Hands the readings of a recorded session (`last`: the newest) to sensor-processor again, "
    "with\n"
    "source replay: they are not calibrated or filtered twice. --rate says how much faster than "
    "they\n"
    "were recorded, --from and --to are seconds after the first reading, --loop begins anew at "
    "the\n"
    "end. Ctrl-C ends it.\n";

typedef struct replay {
  ask_t asked;
  store_readings_get_t get;
  double rate; /* INFINITY: as fast as it goes */
  uint64_t first_ns, last_ns;
  uint64_t begin_mono_ns, begin_wall_ns; /* when this turn began */
  uint64_t number, played, refused, total, shown_ns;
  char fault[192];            /* of the first that was refused */
  store_readings_page_t page; /* being played */
  sensor_readings_t batch;    /* gathered */
  char objects[OBJECT_BYTES]; /* of the batch */
  sensor_ingest_t single;     /* of a family that goes one by one */
} replay_t;

/* ---- what is asked for */

static bool read_rate(ask_t *asked, double *out) {
  char *end;
  *out = 1;
  if (!asked->rate) return true;
  if (strcmp(asked->rate, "max") == 0) *out = INFINITY;
  if (isinf(*out)) return true;
  *out = strtod(asked->rate, &end);
  if (*end == 'x') end++;
  if (end != asked->rate && !*end && *out >= 0.001 && *out <= 100000) return true;
  return ask_wrong(asked, "--rate is `max` or a number from 0.001 to 100000, e.g. 2x, not `%s`.",
                   asked->rate) == 0;
}

static bool read_span(replay_t *self, const session_row_t *row) {
  double from = 0, to = INFINITY;
  if (!ask_number(&self->asked, "--from", self->asked.from, 0, 1e9, &from) ||
      !ask_number(&self->asked, "--to", self->asked.to, 0, 1e9, &to))
    return false;
  if (to <= from) return ask_wrong(&self->asked, "--to lies before --from.") == 0;
  self->first_ns = row->first + (uint64_t)(from * 1e9);
  self->last_ns = isinf(to) ? row->last + 1 : row->first + (uint64_t)(to * 1e9);
  self->get.has_from = self->get.has_to = true;
  self->get.from = self->first_ns;
  self->get.to = self->last_ns;
  return true;
}

static bool prepare(replay_t *self) {
  static session_summary_t summary;
  ask_t *asked = &self->asked;
  session_key_t key = {0};
  if (!recording_find(asked, asked->session_id, key.session, sizeof key.session)) return false;
  if (!ask(asked, REQUEST_SESSION_SUMMARY, &key, &summary)) return false;
  if (!summary.row.has_first) return ask_wrong(asked, "the session has no readings.") == 0;
  self->total = summary.row.readings;
  self->get = (store_readings_get_t){.has_session = true,
                                     .has_order = true,
                                     .order = STORE_ORDER_OLDEST_FIRST,
                                     .has_sensor = asked->sensor != NULL,
                                     .limit = BATCH_ROWS};
  memcpy(self->get.session, key.session, sizeof self->get.session);
  snprintf(self->get.sensor, sizeof self->get.sensor, "%s", asked->sensor ? asked->sensor : "");
  return read_span(self, &summary.row);
}

/* ---- out */

static void show(replay_t *self, uint64_t time_ns) {
  uint64_t now_ns = clock_mono_ns();
  if (now_ns - self->shown_ns < PROGRESS_NS) return;
  self->shown_ns = now_ns;
  ask_progress("%llu of %llu readings, %.1f s of %.1f s, %llu refused",
               (unsigned long long)self->played, (unsigned long long)self->total,
               (double)(time_ns - self->first_ns) / 1e9,
               (double)(self->last_ns - self->first_ns) / 1e9, (unsigned long long)self->refused);
}

static bool flush(replay_t *self) {
  sensor_readings_t *batch = &self->batch;
  sensor_taken_t taken;
  uint32_t rows = batch->which_count;
  if (rows == 0) return true;
  batch->time_count = batch->number_count = batch->value_count = batch->quality_count =
      batch->validity_count = rows;
  batch->objects.data = (const uint8_t *)self->objects;
  if (!ask_patiently(&self->asked, REQUEST_SENSOR_INGEST_BATCH, batch, &taken)) return false;
  self->played += rows;
  self->refused += taken.refused;
  if (!self->fault[0]) snprintf(self->fault, sizeof self->fault, "%s", taken.fault);
  batch->which_count = batch->which_objects_count = batch->series_count = 0;
  batch->objects.len = 0;
  return true;
}

static bool is_of(const sensor_series_key_t *key, const store_readings_row_t *row) {
  return strcmp(key->sensor, row->sensor) == 0 && strcmp(key->type, row->type) == 0;
}

/* Its index; as many as there are already when there is no room for one more. */
static uint32_t series_of(sensor_readings_t *batch, const store_readings_row_t *row) {
  const uint32_t most = sizeof batch->series / sizeof *batch->series;
  uint32_t i = 0;
  while (i < batch->series_count && !is_of(&batch->series[i], row))
    i++;
  if (i == most || i < batch->series_count) return i;
  sensor_series_key_t *key = &batch->series[batch->series_count++];
  *key = (sensor_series_key_t){.source = SYS_SOURCE_REPLAY};
  memcpy(key->sensor, row->sensor, sizeof key->sensor);
  memcpy(key->type, row->type, sizeof key->type);
  memcpy(key->unit, row->unit, sizeof key->unit);
  return i;
}

static uint64_t time_of(const replay_t *self, uint64_t due_ns) {
  return isinf(self->rate) ? clock_wall_ns() : self->begin_wall_ns + due_ns;
}

static bool gather(replay_t *self, const store_readings_row_t *row, uint64_t due_ns) {
  sensor_readings_t *batch = &self->batch;
  size_t len = row->has_data ? row->data.len + 1 : 0;
  if (batch->which_count == BATCH_ROWS || batch->objects.len + len > OBJECT_BYTES)
    if (!flush(self)) return false;
  uint32_t which = series_of(batch, row), i = batch->which_count;
  if (which == sizeof batch->series / sizeof *batch->series) {
    if (!flush(self)) return false;
    which = series_of(batch, row);
    i = 0;
  }
  batch->which_count++;
  batch->which[i] = (uint8_t)which;
  batch->time[i] = time_of(self, due_ns);
  batch->number[i] = self->number++;
  batch->value[i] = row->has_value ? row->value : 0;
  batch->quality[i] = (float)row->quality;
  batch->validity[i] = (uint8_t)row->validity;
  if (!row->has_data) return true;
  batch->which_objects[batch->which_objects_count++] = (uint16_t)i;
  memcpy(self->objects + batch->objects.len, row->data.data, row->data.len);
  self->objects[batch->objects.len + row->data.len] = '\0';
  batch->objects.len += len;
  return true;
}

static void refuse(replay_t *self, const char *why) {
  self->refused++;
  if (!self->fault[0]) snprintf(self->fault, sizeof self->fault, "%s", why);
}

static bool send_single(replay_t *self, const store_readings_row_t *row, int family,
                        uint64_t due_ns) {
  sensor_ingest_t *single = &self->single;
  sensor_accepted_t accepted;
  gantry_fault_t fault = {0};
  self->played++;
  if (!row->has_data || row->data.len >= sizeof single->data) {
    refuse(self, "a reading of the robot's own sensors without its object");
    return true;
  }
  *single = (sensor_ingest_t){.type = (sensor_type_t)family,
                              .quality = row->quality,
                              .has_time = true,
                              .time = time_of(self, due_ns),
                              .has_source = true,
                              .source = SYS_SOURCE_REPLAY};
  memcpy(single->sensor, row->sensor, sizeof single->sensor);
  memcpy(single->data, row->data.data, row->data.len);
  if (!flush(self)) return false;
  gantry_err_t err = rpc_call_wait(self->asked.session.client, REQUEST_SENSOR_INGEST, NULL, single,
                                   0, &accepted, &fault);
  if (err == GANTRY_E_UNAVAILABLE || err == GANTRY_E_TIMEOUT)
    return ask_patiently(&self->asked, REQUEST_SENSOR_INGEST, single, &accepted);
  if (err != GANTRY_OK) refuse(self, fault.detail);
  return true;
}

/* Readings of the open families go by the batch, those of the robot's own one by one. */
static bool play_row(replay_t *self, const store_readings_row_t *row) {
  uint64_t due_ns = (uint64_t)((double)(row->time - self->first_ns) / self->rate);
  uint64_t now_ns = clock_mono_ns() - self->begin_mono_ns;
  if (due_ns > now_ns) {
    uint32_t wait_ms = (uint32_t)((due_ns - now_ns) / GANTRY_NS_PER_MS) + 1;
    if (!flush(self)) return false;
    show(self, row->time);
    if (!ask_pause(&self->asked, wait_ms > STEP_MS ? wait_ms : STEP_MS)) return false;
  }
  int family = desc_enum_value(&SENSOR_TYPE_ENUM, row->type, strlen(row->type));
  if (family < 0 || family == SENSOR_TYPE_VALUE || family == SENSOR_TYPE_OBJECT)
    return gather(self, row, due_ns);
  return send_single(self, row, family, due_ns);
}

static bool play_page(replay_t *self) {
  for (uint32_t i = 0; i < self->page.rows_count; i++) {
    if (!play_row(self, &self->page.rows[i])) return false;
    if (i % 100 == 0) show(self, self->page.rows[i].time);
  }
  return !loop_stopped(self->asked.session.loop);
}

/* The page is borrowed until the next answer: its objects are copied first. */
static bool get_page(replay_t *self, arena_t *texts) {
  arena_fini(texts);
  if (!ask_patiently(&self->asked, REQUEST_STORE_READINGS, &self->get, &self->page)) return false;
  for (uint32_t i = 0; i < self->page.rows_count; i++) {
    blob_t *data = &self->page.rows[i].data;
    if (self->page.rows[i].has_data) data->data = arena_copy(texts, data->data, data->len);
    if (self->page.rows[i].has_data && !data->data) return false;
  }
  self->get.has_cursor = self->page.cursor[0] != '\0';
  memcpy(self->get.cursor, self->page.cursor, sizeof self->get.cursor);
  return true;
}

/* Once through the span. */
static bool play_turn(replay_t *self) {
  arena_t texts = {0};
  bool good = true;
  self->begin_mono_ns = clock_mono_ns();
  self->begin_wall_ns = clock_wall_ns();
  self->get.has_cursor = false;
  do
    good = get_page(self, &texts) && play_page(self);
  while (good && self->get.has_cursor);
  arena_fini(&texts);
  return flush(self) && good;
}

static int run(replay_t *self) {
  bool good = prepare(self);
  if (!good) return 1;
  /* Behind all numbers that an earlier replay gave. */
  self->number = clock_wall_ns() / 1000;
  uint64_t before;
  do {
    before = self->played;
    good = play_turn(self);
  } while (good && self->asked.loop && self->played > before);
  ask_progress("%s", "");
  printf("%llu readings played, %llu refused\n", (unsigned long long)self->played,
         (unsigned long long)self->refused);
  if (self->fault[0]) fprintf(stderr, "gantry replay: refused: %s\n", self->fault);
  if (loop_stopped(self->asked.session.loop)) return ASK_INTERRUPTED;
  return good ? 0 : 1;
}

int command_replay(int argc, char **argv) {
  replay_t *self = calloc(1, sizeof *self);
  if (!self) return 1;
  self->asked = (ask_t){.name = "replay", .help = HELP};
  int code = ask_parse(&self->asked, argc, argv, "ixouOn");
  if (code < 0 && !self->asked.session_id)
    code =
        ask_wrong(&self->asked, "--session SESSION says which one; `gantry session` lists them.");
  if (code < 0 && !read_rate(&self->asked, &self->rate)) code = ASK_USAGE;
  if (code < 0 && !session_open(&self->asked.session, self->asked.base)) code = ASK_SETTINGS;
  if (code < 0) {
    code = run(self);
    session_close(&self->asked.session);
  }
  free(self);
  return code;
}
