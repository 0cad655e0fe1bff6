/* Rows to batches, batches to the outbox. Batches that must not be lost are numbered when they are
   published; the outbox answers in the same order, so that two counts say which of them are on
   disk. Nobody is told of the others: they may lie for a moment before they are written. */
#include "recorder.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/thin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

#define RETRY_MS    20u /* after an outbox without room */
#define SENSORS_MAX 32u /* of session.start */
#define TEXT(field) sizeof((sensor_series_key_t *)0)->field

/* Somebody who waits for batches up to a number; first and last 0: for the turn's end. */
typedef struct wait {
  uint64_t first, last;
  outbox_done_fn fn;
  void *arg;
} wait_t;

struct recorder {
  bus_t *bus;
  loop_t *loop;
  recorder_settings_t settings;
  char service[33];
  int alarm;
  thin_t thin;
  batch_t batch;
  cause_t cause; /* of the batch's first row */
  bool precious; /* the batch has rows that must not be lost */
  char session[TEXT(session)];
  char sensors[SENSORS_MAX][TEXT(sensor)];
  uint32_t sensor_count;
  uint64_t published, answered; /* precious batches */
  uint64_t given_up;            /* newest batch that the outbox gave up */
  bool unmade;                  /* precious rows made no message since the last flush */
  wait_t waits[RECORDER_WAITS]; /* those for the turn's end come last */
  uint32_t wait_count, at_turns_end;
  recorder_counts_t counts;
  bool closing; /* destroyed, but the outbox has still to answer */
};

static void recorder_free(recorder_t *recorder) {
  batch_fini(&recorder->batch);
  free(recorder);
}

/* Answers whoever waits for batches that have been answered. */
static void answer_waits(recorder_t *recorder) {
  while (recorder->wait_count > recorder->at_turns_end &&
         recorder->waits[0].last <= recorder->answered) {
    wait_t wait = recorder->waits[0];
    memmove(recorder->waits, recorder->waits + 1, --recorder->wait_count * sizeof wait);
    wait.fn(recorder->given_up >= wait.first ? GANTRY_E_UNAVAILABLE : GANTRY_OK, wait.arg);
  }
}

static void on_kept(gantry_err_t err, void *arg) {
  recorder_t *recorder = arg;
  recorder->answered++;
  if (err != GANTRY_OK) recorder->given_up = recorder->answered;
  answer_waits(recorder);
  if (recorder->closing && recorder->answered == recorder->published) recorder_free(recorder);
}

static uint32_t recorded_rows(const sensor_readings_t *message) {
  uint32_t rows = 0;
  for (uint32_t i = 0; i < message->which_count; i++)
    rows += message->series[message->which[i]].session[0] != '\0';
  return rows;
}

static void batch_gone(recorder_t *recorder) {
  batch_clear(&recorder->batch);
  recorder->precious = false;
}

/* False: the rows stay, there was no room for them. */
static bool publish(recorder_t *recorder) {
  const sensor_readings_t *message = batch_message(&recorder->batch);
  if (message->which_count == 0) return true;
  outbox_done_fn fn = recorder->precious ? on_kept : NULL;
  gantry_err_t err = bus_publish_durable(recorder->bus, &recorder->cause, TOPIC_SENSOR_READINGS,
                                         recorder->service, message, fn, recorder);
  if (err == GANTRY_E_UNAVAILABLE) {
    loop_set(recorder->loop, recorder->alarm, RETRY_MS);
    return false;
  }
  if (err == GANTRY_OK) {
    recorder->published += recorder->precious;
  } else {
    recorder->counts.refused += message->which_count;
    recorder->counts.lost += recorded_rows(message);
    recorder->unmade |= recorder->precious;
    log_error("RECORDER-BATCH-LOST", "%u readings make no message: %s", message->which_count,
              gantry_err_name(err));
  }
  batch_gone(recorder);
  return true;
}

/* One batch for all who have flushed in this turn: a message and a commit each would cost ten times
   what the rows do. */
static void on_alarm(void *arg) {
  recorder_t *recorder = arg;
  bool done = publish(recorder) && !recorder->unmade;
  uint32_t asked = recorder->at_turns_end;
  wait_t waits[RECORDER_WAITS];
  wait_t *first = &recorder->waits[recorder->wait_count - asked];

  recorder->unmade = false;
  recorder->at_turns_end = 0;
  if (done && recorder->answered < recorder->published) {
    for (uint32_t i = 0; i < asked; i++) {
      first[i].first = recorder->answered + 1;
      first[i].last = recorder->published;
    }
    return;
  }
  memcpy(waits, first, asked * sizeof waits[0]);
  recorder->wait_count -= asked;
  for (uint32_t i = 0; i < asked; i++)
    waits[i].fn(done ? GANTRY_OK : GANTRY_E_UNAVAILABLE, waits[i].arg);
}

gantry_err_t recorder_new(bus_t *bus, loop_t *loop, const recorder_settings_t *settings,
                          recorder_t **out) {
  recorder_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  self->bus = bus;
  self->loop = loop;
  self->settings = *settings;
  snprintf(self->service, sizeof self->service, "%s", settings->service);
  self->alarm = loop_alarm(loop, on_alarm, self);
  if (self->alarm == 0) {
    recorder_free(self);
    return GANTRY_E_INTERNAL;
  }
  *out = self;
  return GANTRY_OK;
}

void recorder_destroy(recorder_t **self) {
  recorder_t *recorder = *self;
  if (!recorder) return;
  *self = NULL;
  if (!publish(recorder))
    log_error("RECORDER-BATCH-LOST", "the outbox did not take the last %u readings",
              recorder->batch.message.which_count);
  loop_cancel(recorder->loop, recorder->alarm);
  recorder->closing = true;
  for (uint32_t i = 0; i < recorder->wait_count; i++)
    recorder->waits[i].fn(GANTRY_E_UNAVAILABLE, recorder->waits[i].arg);
  recorder->wait_count = 0;
  if (recorder->answered == recorder->published) recorder_free(recorder);
}

void recorder_mark(recorder_t *recorder, const char *session, const char (*sensors)[51],
                   uint32_t count) {
  (void)publish(recorder);
  snprintf(recorder->session, sizeof recorder->session, "%s", session);
  recorder->sensor_count = count < SENSORS_MAX ? count : SENSORS_MAX;
  for (uint32_t i = 0; i < recorder->sensor_count; i++)
    memcpy(recorder->sensors[i], sensors[i], sizeof recorder->sensors[i]);
  if (!session[0]) return;
  recorder->counts =
      (recorder_counts_t){.thinned = recorder->counts.thinned, .refused = recorder->counts.refused};
}

bool recorder_is_recorded(const recorder_t *recorder, const char *sensor) {
  if (!recorder->session[0]) return false;
  for (uint32_t i = 0; i < recorder->sensor_count; i++)
    if (strcmp(recorder->sensors[i], sensor) == 0) return true;
  return recorder->sensor_count == 0;
}

static double rate_hz(const recorder_t *recorder, sensor_type_t family) {
  if (family == SENSOR_TYPE_RFID) return INFINITY;
  return family == SENSOR_TYPE_LIDAR ? recorder->settings.scan_hz : recorder->settings.sample_hz;
}

bool recorder_wants(recorder_t *recorder, const char *sensor, sensor_type_t family) {
  if (recorder_is_recorded(recorder, sensor)) return true;
  bool wanted =
      thin_would_pass(&recorder->thin, sensor, rate_hz(recorder, family), clock_mono_ns());
  recorder->counts.thinned += !wanted;
  return wanted;
}

static void count_type(recorder_counts_t *counts, const char *code) {
  uint32_t i = 0;
  while (i < counts->type_count && strcmp(counts->types[i].type, code) != 0)
    i++;
  if (i == RECORDER_TYPES) return;
  if (i == counts->type_count) {
    snprintf(counts->types[i].type, sizeof counts->types[i].type, "%s", code);
    counts->type_count++;
  }
  counts->types[i].count++;
}

static void count(recorder_counts_t *counts, const recorder_row_t *row, uint32_t findings) {
  counts->readings++;
  counts->findings += findings;
  if (counts->first_ns == 0 || row->time_ns < counts->first_ns) counts->first_ns = row->time_ns;
  if (row->time_ns > counts->last_ns) counts->last_ns = row->time_ns;
  count_type(counts, row->code);
}

gantry_err_t recorder_add(recorder_t *recorder, const cause_t *cause, const recorder_row_t *row,
                          const sensor_finding_t *findings, uint32_t finding_count,
                          gantry_fault_t *fault) {
  bool recorded = recorder_is_recorded(recorder, row->sensor);
  bool kept = recorded || row->always || finding_count > 0;
  if (!kept &&
      !thin_pass(&recorder->thin, row->sensor, rate_hz(recorder, row->family), clock_mono_ns())) {
    recorder->counts.thinned++;
    return GANTRY_OK;
  }
  const char *session = recorded ? recorder->session : "";
  batch_t *batch = &recorder->batch;
  gantry_err_t err = batch_add(batch, row, session, findings, finding_count, fault);
  if (err == GANTRY_E_TOO_LARGE && publish(recorder))
    err = batch_add(batch, row, session, findings, finding_count, fault);
  if (err == GANTRY_E_INVALID) return err;
  if (err != GANTRY_OK) {
    recorder->counts.refused++;
    recorder->counts.lost += recorded;
    return fault_set(fault, GANTRY_E_UNAVAILABLE, "",
                     "the outbox takes no more: look after storage and the disk");
  }
  recorder->precious |= recorded || row->always;
  if (batch->message.which_count == 1) {
    recorder->cause = *cause;
    loop_set(recorder->loop, recorder->alarm,
             recorder->at_turns_end ? 0 : recorder->settings.gather_ms);
  }
  if (recorded) count(&recorder->counts, row, finding_count);
  return GANTRY_OK;
}

void recorder_flush(recorder_t *recorder, outbox_done_fn fn, void *arg) {
  if (recorder->wait_count == RECORDER_WAITS) {
    fn(GANTRY_E_UNAVAILABLE, arg);
    return;
  }
  recorder->waits[recorder->wait_count++] = (wait_t){.fn = fn, .arg = arg};
  if (recorder->at_turns_end++ == 0) loop_set(recorder->loop, recorder->alarm, 0);
}

const recorder_counts_t *recorder_get_counts(const recorder_t *recorder) {
  return &recorder->counts;
}
