/* Recorder: every reading that leaves the pipeline comes here, and from here into the database, by
   batches on sensor.readings.{service}: all of them while a session records (marked with it, never
   dropped), else at most so many a second and sensor. Nothing here blocks. One thread: the loop's.
 */
#ifndef SENSOR_RECORDER_H
#define SENSOR_RECORDER_H

#include <gantry/bus.h>
#include <gantry/loop.h>

#define RECORDER_TYPES 32  /* types counted apart, as session.status tells them */
#define RECORDER_WAITS 256 /* flushes that wait for the disk */

typedef struct recorder recorder_t;

typedef struct recorder_settings {
  const char *service; /* instance of the topic */
  double scan_hz;      /* rows a second and sensor outside of sessions: sweeps; 0: none */
  double sample_hz;    /* all others but tags, of which none is left out */
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
  const char *json; /* one JSON object of at most 65,535 bytes; NULL: a bare number */
  size_t json_len;
  float quality; /* 0 .. 1 */
  sensor_validity_t validity;
  bool always; /* not left out between sessions: its sender was told that it is kept */
} recorder_row_t;

/* bus is borrowed and outlives the recorder. */
gantry_err_t recorder_new(bus_t *bus, loop_t *loop, const recorder_settings_t *settings,
                          recorder_t **out);
/* Publishes what waits; who waits for the disk is answered GANTRY_E_UNAVAILABLE. NULL-safe. */
void recorder_destroy(recorder_t **self);

/* From now on rows are marked with that session and none is left out; "" ends it. What waits goes
   first, under the old mark. sensors: count ids that are recorded, none: all; others are treated as
   between sessions. Counts of the session begin anew with a mark, and stay when it ends. */
void recorder_mark(recorder_t *recorder, const char *session, const char (*sensors)[51],
                   uint32_t count);
/* Whether a session records that sensor. */
bool recorder_is_recorded(const recorder_t *recorder, const char *sensor);
/* Whether a row of that sensor would be kept now: what is left out need not be made into text.
   false counts it as left out; true does not bind: recorder_add decides. */
bool recorder_wants(recorder_t *recorder, const char *sensor, sensor_type_t family);
/* cause of the first row of a batch becomes the batch's. findings: their `row` is set here; a row
   in which something was found is not left out. Rows of full batches go at once, others after
   gather_ms. GANTRY_E_UNAVAILABLE: the outbox took no more, and the row is not kept;
   GANTRY_E_INVALID with the field: such a row cannot be stored. fault may be NULL. */
gantry_err_t recorder_add(recorder_t *recorder, const cause_t *cause, const recorder_row_t *row,
                          const sensor_finding_t *findings, uint32_t finding_count,
                          gantry_fault_t *fault);
/* Publishes what waits at the end of this turn of the loop, in one batch for all who ask in it; fn
   is called once, when all rows of sessions, and those that are always kept, that were added before
   are on disk (GANTRY_OK), or some of them were given up. At most RECORDER_WAITS wait, the next is
   answered GANTRY_E_UNAVAILABLE at once. */
void recorder_flush(recorder_t *recorder, outbox_done_fn fn, void *arg);

typedef struct recorder_counts {
  uint64_t readings, findings; /* of the session that is marked, or was last */
  uint64_t lost;              /* of that session: found no room in the outbox, or made no message */
  uint64_t thinned;           /* left out between sessions, since recorder_new */
  uint64_t refused;           /* found no room in the outbox, the same */
  uint64_t first_ns, last_ns; /* times of the session's readings; 0: none */
  session_by_type_t types[RECORDER_TYPES];
  uint32_t type_count;
} recorder_counts_t;
/* Borrowed, valid until the next call. */
const recorder_counts_t *recorder_get_counts(const recorder_t *recorder);

#endif
