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

typedef struct latest_service {
  char name[33];
  stamp_t health_at, alerts_at;
  sys_health_t health;
  sys_alerts_t alerts;
  sys_metrics_t metrics;
} latest_service_t;

typedef struct latest {
  stamp_t pose_at, loc_status_at, map_status_at, motion_at, power_at, safety_at;
  stamp_t status_at, led_at, discovery_at, session_at;
  loc_pose_t pose;
  loc_status_t loc_status;
  map_status_t map_status;
  robot_motion_t motion;
  robot_power_t power;
  robot_safety_t safety;
  robot_status_t status;
  robot_led_t led;
  robot_discovery_t discovery;
  session_status_t session;
  uint32_t module_count, sensor_count, service_count, line_count;
  latest_module_t modules[LATEST_MODULES];
  latest_sensor_t sensors[LATEST_SENSORS];
  latest_service_t services[LATEST_SERVICES];
  latest_line_t lines[LATEST_LINES];
} latest_t;

/* The stamp of a frame that arrives at now_ns. The age at sending is the sender's own (mono minus
   born), so that the clocks of two hosts are never compared. */
stamp_t latest_stamp(const sys_header_t *header, uint64_t now_ns);
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
