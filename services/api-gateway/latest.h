/* The newest of what the bus said, with its age: what answers a request without asking anybody.
   Pure; time is an argument. */
#ifndef GATEWAY_LATEST_H
#define GATEWAY_LATEST_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/frame.h>
#include <messages.h>

#define LATEST_SENSORS  128
#define LATEST_MODULES  32
#define LATEST_SERVICES 8
#define LATEST_LINES    16

#define LATEST_MOTION_MS 500  /* pose and motion are stale when older: ten periods */
#define LATEST_STATE_MS  3000 /* states are repeated each second: three were missed */
#define LATEST_POWER_MS  5000 /* polled once a second from the line */

/* When a value was measured and when it came. */
typedef struct stamp {
  bool known;
  uint64_t heard_ns; /* arrival here, monotonic */
  uint64_t born_ns;  /* birth of the datum on our monotonic clock */
  uint64_t wall_ns;  /* wall time of the birth */
  uint64_t trace;
} stamp_t;

typedef struct latest_module {
  stamp_t at;
  robot_module_t module;
} latest_module_t;

typedef struct latest_line {
  stamp_t at;
  robot_line_t line;
} latest_line_t;

typedef struct latest_sensor {
  stamp_t at;
  sensor_status_t status;
} latest_sensor_t;

/* Whose messages are counted. */
typedef enum latest_rate {
  LATEST_RATE_MOTION,
  LATEST_RATE_POWER,
  LATEST_RATE_SAFETY,
  LATEST_RATE_STATUS,
  LATEST_RATE_LED,
  LATEST_RATE_DISCOVERY,
  LATEST_RATE_POSE,
  LATEST_RATE_LOCALIZATION,
  LATEST_RATE_MAP,
  LATEST_RATE_SESSION,
  LATEST_RATES
} latest_rate_t;

typedef struct latest_count {
  uint64_t began_ns; /* of the second that is being counted; 0: nothing came yet */
  uint32_t count;
  double rate_hz; /* of the one before */
} latest_count_t;

typedef struct latest_service {
  char name[33];
  stamp_t health_at, alerts_at;
  sys_health_t health;
  sys_alerts_t alerts;
  sys_metrics_t metrics;
} latest_service_t;

typedef struct latest {
  double hot_c; /* battery, as set by the owner */
  stamp_t pose_at, loc_status_at, map_status_at, motion_at, power_at, safety_at;
  stamp_t status_at, limits_at, led_at, discovery_at, session_at;
  loc_pose_t pose;
  loc_status_t loc_status;
  map_status_t map_status;
  latest_count_t rates[LATEST_RATES];
  stamp_t scan_at;
  sensor_scan_t scan; /* of whichever LiDAR was last */
  robot_motion_t motion;
  robot_power_t power;
  robot_safety_t safety;
  robot_status_t status;
  robot_limits_t limits;
  robot_led_t led;
  robot_discovery_t discovery;
  session_status_t session;
  uint32_t module_count, sensor_count, service_count, line_count;
  latest_module_t modules[LATEST_MODULES];
  latest_sensor_t sensors[LATEST_SENSORS];
  latest_service_t services[LATEST_SERVICES];
  latest_line_t lines[LATEST_LINES];
} latest_t;

/* The stamp of a frame that is handled at now_ns. The age at sending is the sender's own (mono
   minus born), so that the clocks of two hosts are never compared; on one host its way over the
   bus, and how long it waited for us, count as well. */
stamp_t latest_stamp(const frame_t *frame, uint64_t now_ns);
/* A message has come. */
void latest_note(latest_t *latest, latest_rate_t whose, uint64_t now_ns);
/* Messages a second over the last full second; 0 when none came for three. */
double latest_rate_hz(const latest_t *latest, latest_rate_t whose, uint64_t now_ns);
/* The speeds, mode and preset that the bridge has just answered with hold before it tells them. */
void latest_take_settings(latest_t *latest, const robot_status_t *status);
/* Milliseconds since the value was born; 0 when unknown. */
double latest_age_ms(const stamp_t *at, uint64_t now_ns);
/* Unknown, or born longer than limit_ms ago. */
bool latest_is_stale(const stamp_t *at, uint64_t now_ns, double limit_ms);
/* Unknown, or not heard for limit_ms: for states, which hold until another is told. */
bool latest_is_silent(const stamp_t *at, uint64_t now_ns, double limit_ms);

/* Number of the line a module hangs on; 1 when it does not say. */
uint8_t latest_port(const robot_module_t *module);
/* The row of that sensor, module, line or service, made when absent; NULL when the table is full.
 */
latest_sensor_t *latest_sensor(latest_t *latest, const char *sensor);
latest_module_t *latest_module(latest_t *latest, uint8_t port, uint8_t address);
latest_line_t *latest_line(latest_t *latest, uint8_t port);
/* Drops the modules that are not told any more, while others are: the bridge has forgotten them. */
void latest_drop_modules(latest_t *latest, uint64_t now_ns);
latest_service_t *latest_service(latest_t *latest, const char *service);
/* The same without making one; NULL when absent. */
const latest_sensor_t *latest_find_sensor(const latest_t *latest, const char *sensor);
const latest_service_t *latest_find_service(const latest_t *latest, const char *service);

#endif
