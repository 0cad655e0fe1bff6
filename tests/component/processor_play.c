/* A bridge, and readings from outside. */
#include "processor_play.h"

#include <stdio.h>
#include <stdlib.h>

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
