/* A bridge, and readings from outside. */
#include "processor_play.h"

#include <stdio.h>
#include <stdlib.h>

#include <gantry/clock.h>

#include "processor.h"

void processor_play_begin(processor_play_t *play) {
  *play = (processor_play_t){.h = harness_new()};
  play->bridge = harness_peer(play->h, "rs485-bridge");
}

void processor_play_end(processor_play_t *play) {
  harness_destroy(&play->h);
}

void processor_play_open(processor_play_t *play, const char *const *settings) {
  static const char *const TOPICS[] = {"raw.scan.x", "raw.imu.x", "raw.range.x", "raw.value.x",
                                       "raw.tag.x"};
  harness_open(play->h, &SENSOR_PROCESSOR, settings);
  for (size_t i = 0; i < sizeof TOPICS / sizeof TOPICS[0]; i++)
    if (!harness_heard(play->h, play->bridge->bus, TOPICS[i], 2000)) abort();
}

gantry_err_t processor_play_ingest(processor_play_t *play, sensor_type_t type, const char *sensor,
                                   const char *data) {
  sensor_accepted_t gives;
  sensor_ingest_t *takes = calloc(1, sizeof *takes);
  if (!takes) abort();
  takes->type = type;
  takes->quality = 0.9;
  snprintf(takes->sensor, sizeof takes->sensor, "%s", sensor);
  snprintf(takes->data, sizeof takes->data, "%s", data);
  gantry_err_t err =
      harness_call(play->h, REQUEST_SENSOR_INGEST, NULL, takes, &gives, 2000, &play->fault);
  free(takes);
  return err;
}

sensor_readings_t *processor_play_batch(const char *sensor, const char *code, uint32_t n,
                                        uint64_t number, uint64_t time_ns) {
  static sensor_readings_t batch;
  batch = (sensor_readings_t){.series_count = 1, .series = {{.source = SYS_SOURCE_API}}};
  snprintf(batch.series[0].sensor, sizeof batch.series[0].sensor, "%s", sensor);
  snprintf(batch.series[0].type, sizeof batch.series[0].type, "%s", code);
  batch.which_count = batch.time_count = batch.number_count = n;
  batch.value_count = batch.quality_count = batch.validity_count = n;
  for (uint32_t i = 0; i < n; i++) {
    batch.time[i] = time_ns + i * GANTRY_NS_PER_S;
    batch.number[i] = number ? number + i : 0;
    batch.value[i] = i + 1;
    batch.quality[i] = 1;
  }
  return &batch;
}

gantry_err_t processor_play_send(processor_play_t *play, const sensor_readings_t *batch,
                                 sensor_taken_t *taken) {
  return harness_call(play->h, REQUEST_SENSOR_INGEST_BATCH, NULL, batch, taken, 5000, &play->fault);
}
