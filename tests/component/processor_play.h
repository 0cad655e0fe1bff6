/* The neighbours of sensor-processor as its component tests play them. */
#ifndef PROCESSOR_PLAY_H
#define PROCESSOR_PLAY_H

#include "harness.h"

typedef struct processor_play {
  harness_t *h;
  harness_peer_t *bridge;
  gantry_fault_t fault; /* of the last call */
} processor_play_t;

void processor_play_begin(processor_play_t *play);
void processor_play_end(processor_play_t *play);
/* Opens the service and waits until it listens to the bridge. */
void processor_play_open(processor_play_t *play, const char *const *settings);
/* Calls sensor.ingest with a quality of 0.9. */
gantry_err_t processor_play_ingest(processor_play_t *play, sensor_type_t type, const char *sensor,
                                   const char *data);

/* A batch of one series: n readings of the values 1, 2, ... with that first number, a second apart
   from that wall time on. The struct is the play's own, for the test to change. */
sensor_readings_t *processor_play_batch(const char *sensor, const char *code, uint32_t n,
                                        uint64_t number, uint64_t time_ns);
/* Calls sensor.ingest_batch. */
gantry_err_t processor_play_send(processor_play_t *play, const sensor_readings_t *batch,
                                 sensor_taken_t *taken);

#endif
