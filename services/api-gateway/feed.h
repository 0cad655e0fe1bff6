/* What the gateway hears on the bus: into the newest values, out to the WebSockets. */
#ifndef GATEWAY_FEED_H
#define GATEWAY_FEED_H

#include "gateway_internal.h"
#include "ws_frames.h"

/* When the next frame of a sensor may leave. */
typedef struct feed_pace {
  char sensor[51];
  uint64_t next_ns;
} feed_pace_t;

struct feed {
  buf_t scratch; /* of frames */
  buf_t data;    /* of sensor payloads and cells */
  uint64_t position_next_ns;
  feed_pace_t paces[LATEST_SENSORS];
  uint32_t pace_count;
  bool status_changed;
  bool hears_sensors;
  uint64_t marked_ns;  /* when somebody did something about an alert last */
  bool alerts_changed; /* the list of those that hold and that nobody has resolved */
  uint64_t status_sent_ns;
  uint64_t second_ns, lines_sent_ns;
  int timer, log_timer;
};

/* Subscribes to everything the door shows and starts its timers. */
gantry_err_t feed_start(gateway_t *gateway, gantry_fault_t *fault);
void feed_stop(gateway_t *gateway);

/* What a new subscriber of type is told first, one frame a call: telemetry or status, or a position
   that has turned stale (index 0), each active alert. NULL: no more. The caller owns the reference.
 */
ws_frame_t *feed_snapshot(gateway_t *gateway, ws_type_t type, uint32_t index);

/* Subscribes to the alerts of all services. */
gantry_err_t feed_alerts_start(gateway_t *gateway, gantry_fault_t *fault);
/* The index-th `alert` frame of those that hold; NULL: no more. */
ws_frame_t *feed_alert_snapshot(gateway_t *gateway, uint32_t index);
/* The gateway's own alerts have changed: a service does not hear itself. */
void feed_own_alerts(gateway_t *gateway);
/* All that hold and that nobody has resolved, as one frame. */
ws_frame_t *feed_active_alerts(gateway_t *gateway, bool to_all);
/* Tells the list when it has changed. */
void feed_alerts_tick(gateway_t *gateway);

/* What a WebSocket's path tells first, beside what is subscribed; NULL: nothing. */
ws_frame_t *feed_greeting(gateway_t *gateway, const char *path);

/* Frames of the lines (feed_lines.c): everything; a module that is new or of another status; the
   search for modules, its state or its progress. */
ws_frame_t *feed_lines_frame(gateway_t *gateway);
void feed_module_changed(gateway_t *gateway, const latest_module_t *row, bool known,
                         robot_module_status_t previous);
void feed_scan_changed(gateway_t *gateway, const robot_discovery_t *discovery, bool state);
/* How the search for modules goes, as the bridge tells it or has just answered. */
void feed_discovery(gateway_t *gateway, const robot_discovery_t *discovery, const stamp_t *at);
void feed_lines_tick(gateway_t *gateway, uint64_t now_ns);

/* Subscribes to what the bridge tells of the robot and its lines. */
gantry_err_t feed_robot_start(gateway_t *gateway, gantry_fault_t *fault);
/* Subscribes to sensor data and map patches. */
gantry_err_t feed_data_start(gateway_t *gateway, gantry_fault_t *fault);
/* Subscribes to recording sessions and to readings by the batch. */
gantry_err_t feed_session_start(gateway_t *gateway, gantry_fault_t *fault);
/* Subscribes to the log lines of all services; keeps them in gateway->logs. */
gantry_err_t feed_log_start(gateway_t *gateway, gantry_fault_t *fault);
void feed_log_stop(gateway_t *gateway);
/* The `session` frame; NULL while nothing is known. to_all: ws_seq. */
ws_frame_t *feed_session_frame(gateway_t *gateway, bool to_all);

/* Readings come over the bus only while a WebSocket wants them: thousands a second may be handed
 * in.
 */
void feed_hear_sensors(gateway_t *gateway, bool on);
/* Its part: readings by the batch. */
void feed_hear_batches(gateway_t *gateway, bool on);
/* Whether anybody wants a frame of that sensor now. */
bool feed_sensor_is_due(gateway_t *gateway, const char *sensor);
/* Hands a `sensor_data` frame to those who listen; the code of the sensor's type is added. */
void feed_sensor_send(gateway_t *gateway, const frame_t *frame, http_ws_sensor_t *data);

/* Whether a frame may leave now at one a period on average; a quarter early is still in time. */
bool feed_allows(uint64_t *next_ns, uint64_t now_ns, uint32_t period_ms);

/* Subscribes gateway to each row. */
typedef struct feed_row {
  const topic_t *topic;
  bus_handler_fn handler;
} feed_row_t;
gantry_err_t feed_subscribe(gateway_t *gateway, const feed_row_t *rows, size_t count,
                            gantry_fault_t *fault);

#endif
