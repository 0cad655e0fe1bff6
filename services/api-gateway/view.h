/* How values look at the door: bus messages and newest values turned into the API's shapes and
   units (millimetres on map and localization routes). Pure; time is an argument. */
#ifndef GATEWAY_VIEW_H
#define GATEWAY_VIEW_H

#include <gantry/slam/map_codec.h>

#include "latest.h"

#define VIEW_MM 1000.0 /* millimetres a metre */

#define VIEW_BATTERY_HOT_C 60.0 /* safety_temperature_threshold of the settings */

void view_position(const loc_pose_t *pose, uint64_t wall_ns, bool stale, http_map_position_t *out);
/* The newest pose; false when there has been none. */
bool view_latest_position(const latest_t *latest, uint64_t now_ns, http_map_position_t *out);
/* What localization says of itself; SI units. */
void view_localization(const latest_t *latest, http_localization_state_t *out);
/* origin is put into the metadata object. */
void view_map(const map_info_t *info, http_map_t *out);
void view_sensor_status(const latest_sensor_t *sensor, uint64_t now_ns, http_sensor_status_t *out);
void view_config(const loc_config_row_t *row, http_loc_config_row_t *out);
void view_tag(const store_tag_t *tag, http_rfid_tag_t *out);
void view_sensor_config(const store_sensor_config_t *config, http_sensor_configured_t *out);

/* One word for the robot: "offline" when nothing is heard of it. */
const char *view_robot_word(const latest_t *latest, uint64_t now_ns);
/* normal, warning, emergency or unavailable. */
const char *view_safety_word(const latest_t *latest, uint64_t now_ns);
/* mapping, localizing, idle or unavailable. */
const char *view_mapping_word(const latest_t *latest, uint64_t now_ns);
void view_robot_status(const latest_t *latest, const char *robot, uint64_t now_ns, uint64_t wall_ns,
                       http_robot_status_t *out);
void view_safety(const latest_t *latest, uint64_t now_ns, uint64_t wall_ns,
                 http_safety_status_t *out);
/* Metres and degrees; false when the pose is unknown or stale. */
bool view_position_deg(const latest_t *latest, uint64_t now_ns, http_position_deg_t *out);
/* False when the power module has not been heard lately. */
bool view_battery(const latest_t *latest, uint64_t now_ns, http_battery_t *out);
void view_module(const latest_t *latest, const latest_module_t *row, uint64_t now_ns,
                 http_module_info_t *out);
void view_telemetry(const latest_t *latest, uint64_t now_ns, uint64_t wall_ns,
                    http_telemetry_t *out);

/* Whether the bridge has told lately what the robot does. */
bool view_status_known(const latest_t *latest, uint64_t now_ns);
/* Whether it has told lately what the robot may do at most. */
bool view_limits_known(const latest_t *latest, uint64_t now_ns);
/* The last command; false when there was none. */
bool view_command(const robot_status_t *status, http_command_row_t *out);
/* Speed and ramps as shares of the limits; the caller fills message and time. */
void view_speed(const robot_status_t *status, const robot_limits_t *limits,
                http_speed_answer_t *out);
/* Seconds that distance_m takes at no more than speed_mps with the ramps and the limit in force;
   below 0 when the robot would not move. */
double view_duration_s(const robot_status_t *status, double speed_mps, double distance_m);

/* Whether a module in that state answers. */
bool view_is_answering(robot_module_status_t status);
/* How many modules answer now. */
uint32_t view_answering(const latest_t *latest, uint64_t now_ns);
void view_bus(const latest_t *latest, uint64_t now_ns, http_bus_health_t *out);
void view_scan(const robot_discovery_t *discovery, http_scan_t *out);
void view_scan_result(const robot_module_t *module, http_scan_result_t *out);
void view_register(const robot_register_value_t *row, http_register_row_t *out);
/* only_read: without what was never read. */
void view_registers(const robot_register_values_t *values, bool only_read, uint64_t wall_ns,
                    http_module_registers_t *out);

/* A map's size and place without its cells. */
http_occupancy_t view_occupancy(const map_info_t *info);

/* Cells as JSON rows, written piece by piece. Pure. */
typedef struct view_rows {
  map_decoder_t decoder; /* of borrowed cells */
  uint32_t width;
  uint64_t total, done; /* cells */
  uint32_t run;         /* cells left of the run at hand */
  int8_t state;         /* theirs */
} view_rows_t;

view_rows_t view_rows_begin(const blob_t *cells, uint32_t width, uint32_t height);
/* Appends up to `most` cells, and what closes the array behind the last: *ended then.
   GANTRY_E_SCHEMA when the cells do not fill the rectangle exactly. */
gantry_err_t view_rows_put(view_rows_t *rows, uint32_t most, buf_t *out, bool *ended);
/* Bytes of all that view_rows_put will write, of rows just begun; errors likewise. */
gantry_err_t view_rows_length(view_rows_t rows, uint64_t *len);

/* Appends rows of -1, 0 and 1 from run lengths (value byte, LEB128 count): row 0 first.
   GANTRY_E_SCHEMA when the runs do not fill width times height cells exactly. */
gantry_err_t view_grid_rows(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out);
/* Appends the same as [value,count,...]. */
gantry_err_t view_grid_runs(const blob_t *cells, uint32_t width, uint32_t height, buf_t *out);

#endif
