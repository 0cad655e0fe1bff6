/* Recorder: every reading that leaves the pipeline comes here, and from here into the database, by
   batches on sensor.readings.{service}: all of them while a session records (marked with it, never
   dropped), else at most so many a second and sensor. Nothing here blocks. One thread: the loop's.
 */
#ifndef SENSOR_RECORDER_H
#define SENSOR_RECORDER_H

#include <gantry/bus.h>
#include <gantry/loop.h>

typedef struct recorder recorder_t;

typedef struct recorder_settings {
  const char *service; /* instance of the topic */
  double scan_hz;      /* rows a second and sensor outside of sessions, by family; 0: none */
  double sample_hz;    /* imu, range, value, object */
  uint32_t gather_ms;  /* longest that a row waits for company: 5 */
} recorder_settings_t;

/* One reading; texts and json are copied. */
typedef struct recorder_row {
  const char *sensor, *code, *unit; /* code: of the type in the registry */
  sensor_type_t family;
  sys_source_t source;
  uint64_t time_ns; /* wall */
  uint64_t number;  /* orders rows of one time */
  bool has_value;
  double value;
  const char *json; /* NULL: a bare number */
  size_t json_len;
  float quality;
  sensor_validity_t validity;
} recorder_row_t;

gantry_err_t recorder_new(bus_t *bus, loop_t *loop, const recorder_settings_t *settings,
                          recorder_t **out);
/* Publishes what waits. NULL-safe. */
void recorder_destroy(recorder_t **self);

/* From now on rows are marked with that session and none is left out; "" ends it. What waits goes
   first, under the old mark. sensors: count ids that are recorded, none: all. */
void recorder_mark(recorder_t *recorder, const char *session, const char (*sensors)[51],
                   uint32_t count);
/* Whether a row of that sensor would be kept now: what is left out need not be made into text. false
   counts it as left out; true does not bind: recorder_add decides. */
bool recorder_wants(recorder_t *recorder, const char *sensor, sensor_type_t family,
                    uint64_t time_ns);
/* cause of the first row of a batch becomes the batch's. findings: their `row` is set here. Rows of
   full batches go at once, others after gather_ms. GANTRY_E_UNAVAILABLE: the outbox took no more,
   and the row is not kept. */
gantry_err_t recorder_add(recorder_t *recorder, const cause_t *cause, const recorder_row_t *row,
                          const sensor_finding_t *findings, uint32_t finding_count);
/* Publishes what waits; fn, which may be NULL, is called once all that was added before is on disk
   or was given up (see bus_publish_durable), perhaps at once. */
void recorder_flush(recorder_t *recorder, outbox_done_fn fn, void *arg);

typedef struct recorder_counts {
  uint64_t readings, findings; /* of the session that is marked */
  uint64_t thinned;            /* left out between sessions */
  uint64_t refused;            /* by a full outbox */
  uint64_t first_ns, last_ns;  /* times of the session's readings; 0: none */
} recorder_counts_t;
recorder_counts_t recorder_get_counts(const recorder_t *recorder);

#endif
