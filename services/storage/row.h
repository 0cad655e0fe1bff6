/* One row on its way from the bus to the database: a value; `data` is the only thing to free. */
#ifndef STORAGE_ROW_H
#define STORAGE_ROW_H

#include <messages.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum row_kind {
  ROW_READING, /* a reading of a sensor, or of the robot itself */
  ROW_STATUS,  /* state of a sensor */
  ROW_POSE,
  ROW_EVENT,
  ROW_AUDIT,
  ROW_SAFETY,
  ROW_COMMAND,
  ROW_ALERTS,  /* the active alerts of one service */
  ROW_SESSION, /* what becomes of a recording session */
} row_kind_t;

/* A reading is named by its producer, boot and seq: delivered twice, it is one. */
typedef struct row_reading {
  char sensor[51];
  char type[16]; /* of the series: a sensor family, or power, module, motion */
  char unit[16];
  bool has_value;
  double value;
  double quality;
  sensor_validity_t validity;
  sys_source_t source;
} row_reading_t;

typedef struct row {
  row_kind_t kind;
  uint64_t ts_us;   /* wall time, since 1970 UTC */
  char service[33]; /* producer */
  char robot[51];
  char session[51]; /* mapping session, or "" */
  uint64_t trace, boot, seq;
  void *data; /* malloc'd, owned: READING: JSON text or NULL; EVENT: sys_event_t; AUDIT:
                 sys_audit_t; COMMAND: robot_commanded_t; SAFETY: robot_safety_t; ALERTS:
                 sys_alerts_t; SESSION: session_session_t */
  union {
    row_reading_t reading;
    sensor_status_t status;
    loc_pose_t pose;
  };
} row_t;

#endif
