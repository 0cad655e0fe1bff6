/* One handler a topic: thins, makes a row of the message, hands it to the writer. Durable topics do
   not come this way: their producers' outboxes deliver them (append.c). */
#include "intake.h"

#include <gantry/clock.h>
#include <gantry/thin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

#define PRODUCERS_MAX 16
#define STATUS_HZ     0.2 /* sensor states that did not change */

/* What was last written of a producer's alerts. */
typedef struct producer {
  char service[33];
  uint64_t digest;
} producer_t;

struct intake {
  writer_t *writer;
  double pose_hz, module_hz; /* rows a second and sensor */
  thin_t thin;
  mapping_t mapping; /* the running session, or none */
  producer_t producers[PRODUCERS_MAX];
  uint32_t producer_count;
};

/* FNV-1a, to see that something changed. */
static uint64_t digest_add(uint64_t digest, const void *bytes, size_t len) {
  for (size_t i = 0; i < len; i++)
    digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
  return digest;
}

static row_t row_from(const intake_t *intake, const frame_t *frame) {
  row_t row = {0};
  row_from_frame(&row, frame);
  memcpy(row.session, intake->mapping.session, sizeof row.session);
  return row;
}

static bool passes(intake_t *intake, const frame_t *frame, double rate_hz) {
  return thin_pass(&intake->thin, frame->topic, rate_hz, clock_mono_ns());
}

static void on_sensor_status(const frame_t *frame, const void *body, void *arg) {
  intake_t *intake = arg;
  const sensor_status_t *status = body;
  row_t row = row_from(intake, frame);
  char key[72];
  /* A change of state has a key of its own, and so passes at once. */
  snprintf(key, sizeof key, "%s#%s", status->sensor,
           desc_enum_text(&SENSOR_STATE_ENUM, (int)status->state));
  if (!thin_pass(&intake->thin, key, STATUS_HZ, clock_mono_ns())) return;
  row.kind = ROW_STATUS;
  row.status = *status;
  (void)writer_add(intake->writer, &row);
}

static void on_loc_pose(const frame_t *frame, const void *body, void *arg) {
  intake_t *intake = arg;
  row_t row = row_from(intake, frame);
  if (!passes(intake, frame,
              intake->mapping.session[0] ? TOPIC_LOC_POSE->rate_hz : intake->pose_hz))
    return;
  row.kind = ROW_POSE;
  row.pose = *(const loc_pose_t *)body;
  (void)writer_add(intake->writer, &row);
}

static void on_robot_power(const frame_t *frame, const void *body, void *arg) {
  intake_t *intake = arg;
  row_t row = row_from(intake, frame);
  if (!passes(intake, frame, intake->module_hz)) return;
  if (reading_from_power(&row, body)) (void)writer_add(intake->writer, &row);
}

static void on_robot_module(const frame_t *frame, const void *body, void *arg) {
  intake_t *intake = arg;
  row_t row = row_from(intake, frame);
  if (!passes(intake, frame, intake->module_hz)) return;
  if (reading_from_module(&row, body)) (void)writer_add(intake->writer, &row);
}

/* A row whose body is kept whole. */
static void add_body(intake_t *intake, const frame_t *frame, row_kind_t kind, const void *body,
                     size_t size) {
  row_t row = row_from(intake, frame);
  row.kind = kind;
  row.data = malloc(size);
  if (!row.data) return;
  memcpy(row.data, body, size);
  (void)writer_add(intake->writer, &row);
}

static producer_t *find_producer(intake_t *intake, const char *service) {
  for (uint32_t i = 0; i < intake->producer_count; i++)
    if (strcmp(intake->producers[i].service, service) == 0) return &intake->producers[i];
  if (intake->producer_count == PRODUCERS_MAX) return NULL;
  producer_t *producer = &intake->producers[intake->producer_count++];
  snprintf(producer->service, sizeof producer->service, "%s", service);
  return producer;
}

static void on_alert(const frame_t *frame, const void *body, void *arg) {
  intake_t *intake = arg;
  const sys_alerts_t *alerts = body;
  producer_t *producer = find_producer(intake, frame->header.from);
  /* Begins apart from 0, so that the first list of a producer is always written. */
  uint64_t digest = 0xcbf29ce484222325u;
  for (uint32_t i = 0; i < alerts->alerts_count; i++) {
    const sys_alert_entry_t *alert = &alerts->alerts[i];
    digest = digest_add(digest, alert->id, strlen(alert->id) + 1);
    digest = digest_add(digest, alert->subject, strlen(alert->subject) + 1);
    digest = digest_add(digest, &alert->raised, sizeof alert->raised);
    digest = digest_add(digest, &alert->severity, sizeof alert->severity);
  }
  if (!producer || producer->digest == digest) return;
  producer->digest = digest;
  add_body(intake, frame, ROW_ALERTS, alerts, sizeof *alerts);
}

/* The writer has to know it too: for what outboxes deliver, perhaps long after. */
static void on_map_status(const frame_t *frame, const void *body, void *arg) {
  const map_status_t *status = body;
  intake_t *intake = arg;
  mapping_t *mapping = &intake->mapping;
  uint64_t now_us = frame->header.wall / 1000;
  bool begins = status->mapping && strcmp(mapping->session, status->session_id) != 0;
  if (begins) {
    *mapping = (mapping_t){.since_us = now_us, .until_us = UINT64_MAX};
    snprintf(mapping->session, sizeof mapping->session, "%s", status->session_id);
  } else if (!status->mapping && mapping->session[0]) {
    mapping->until_us = now_us;
  } else {
    return;
  }
  (void)writer_set_mapping(intake->writer, mapping);
  if (!status->mapping) mapping->session[0] = '\0';
}

static gantry_err_t subscribe(service_t *service, intake_t *intake) {
  const struct {
    const topic_t *topic;
    uint32_t queue; /* 0: the kind's own rule */
    bus_handler_fn handler;
  } TOPICS[] = {
      {TOPIC_SENSOR_STATUS, 0, on_sensor_status},
      {TOPIC_LOC_POSE, 64, on_loc_pose},
      {TOPIC_ROBOT_POWER, 0, on_robot_power},
      {TOPIC_ROBOT_MODULE, 0, on_robot_module},
      {TOPIC_ALERT, 0, on_alert},
      {TOPIC_MAP_STATUS, 0, on_map_status},
  };
  for (size_t i = 0; i < sizeof TOPICS / sizeof *TOPICS; i++)
    GANTRY_TRY(bus_subscribe(service->bus, TOPICS[i].topic, NULL, TOPICS[i].queue,
                             TOPICS[i].handler, intake));
  return GANTRY_OK;
}

gantry_err_t intake_new(service_t *service, writer_t *writer, intake_t **out) {
  *out = NULL;
  intake_t *intake = calloc(1, sizeof *intake);
  if (!intake) return GANTRY_E_INTERNAL;
  intake->writer = writer;
  intake->pose_hz = config_real(service->config, "pose_rate_hz");
  intake->module_hz = config_real(service->config, "module_rate_hz");
  gantry_err_t err = subscribe(service, intake);
  if (err == GANTRY_OK)
    *out = intake;
  else
    free(intake);
  return err;
}

void intake_destroy(intake_t **self) {
  free(*self);
  *self = NULL;
}
