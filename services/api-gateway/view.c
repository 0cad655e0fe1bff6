/* Rows of the API from rows of the bus. */
#include "view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* As LOC poses leave the heading: within (-pi, pi]. */
static double wrap_rad(double angle) {
  return remainder(angle, 2 * M_PI);
}

/* Finer than any of our sensors, and an eighth of the time to write than all digits. */
static double rounded(double value, double steps) {
  return round(value * steps) / steps;
}

void view_position(const loc_pose_t *pose, uint64_t wall_ns, bool stale, http_map_position_t *out) {
  *out = (http_map_position_t){.x = rounded(pose->x * VIEW_MM, 1e3),
                               .y = rounded(pose->y * VIEW_MM, 1e3),
                               .theta = rounded(wrap_rad(pose->theta), 1e6),
                               .confidence = rounded(pose->confidence, 1e4),
                               .source = "hybrid",
                               .primary_source = pose->primary,
                               .sensor_count = pose->sensors,
                               .origin = pose->source,
                               .stale = stale,
                               .timestamp = wall_ns};
}

bool view_latest_position(const latest_t *latest, uint64_t now_ns, http_map_position_t *out) {
  const stamp_t *at = &latest->pose_at;

  if (!at->known) return false;
  view_position(&latest->pose, at->wall_ns, latest_is_stale(at, now_ns, LATEST_MOTION_MS), out);
  return true;
}

/* The metadata object with the origin as its first key; what stood there besides stays. */
static void write_metadata(const map_info_t *info, char *out, size_t size) {
  const char *rest = strchr(info->metadata, '{');
  size_t blank = rest ? strspn(rest + 1, " \t\r\n") : 0;
  const char *comma = ",";

  rest = rest ? rest + 1 + blank : "}";
  if (*rest == '}') comma = "";
  snprintf(out, size, "{\"origin\":{\"x\":%.6g,\"y\":%.6g}%s%s", info->origin_x * VIEW_MM,
           info->origin_y * VIEW_MM, comma, rest);
}

void view_localization(const latest_t *latest, http_localization_state_t *out) {
  memset(out, 0, sizeof *out);
  out->status = latest->loc_status;
  out->usage_count = latest->pose.has_usage ? latest->pose.usage_count : 0;
  memcpy(out->usage, latest->pose.usage, sizeof out->usage);
  if (latest->pose.covariance_count != 6) return;
  out->covariance_count = 3;
  out->covariance[0] = latest->pose.covariance[0]; /* xx xy xt yy yt tt */
  out->covariance[1] = latest->pose.covariance[1];
  out->covariance[2] = latest->pose.covariance[3];
}

void view_map(const map_info_t *info, http_map_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->map_id, sizeof out->map_id, "%s", info->map_id);
  snprintf(out->name, sizeof out->name, "%s", info->name);
  out->resolution = info->resolution * VIEW_MM;
  out->width = info->width;
  out->height = info->height;
  write_metadata(info, out->metadata, sizeof out->metadata);
  out->created_at = info->created;
  out->updated_at = info->updated;
}

void view_sensor_status(const latest_sensor_t *sensor, uint64_t now_ns, http_sensor_status_t *out) {
  const sensor_status_t *status = &sensor->status;
  bool silent = latest_is_silent(&sensor->at, now_ns, LATEST_STATE_MS);

  memset(out, 0, sizeof *out);
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", status->sensor);
  out->sensor_type = status->type;
  out->source = status->source;
  out->status = silent ? SENSOR_STATE_UNKNOWN : status->state;
  out->has_last_reading_time = status->has_last_reading;
  out->last_reading_time = status->last_reading;
  out->error_count = status->errors;
  out->health_score = status->health;
  out->updated_at = sensor->at.wall_ns;
}

void view_config(const loc_config_row_t *row, http_loc_config_row_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->config_key, sizeof out->config_key, "%s", row->key);
  snprintf(out->config_value, sizeof out->config_value, "%s", row->value);
  out->config_type = row->type;
  if (row->has_description) {
    snprintf(out->description, sizeof out->description, "%s", row->description);
  }
  out->is_active = row->active;
  out->created_at = row->created;
  out->updated_at = row->updated;
}

void view_tag(const store_tag_t *tag, http_rfid_tag_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->tag_id, sizeof out->tag_id, "%s", tag->tag);
  out->x = tag->x * VIEW_MM;
  out->y = tag->y * VIEW_MM;
  out->has_z = true;
  out->z = tag->z * VIEW_MM;
  out->has_orientation = tag->has_orientation;
  out->orientation = tag->orientation;
  out->has_tag_type = true;
  snprintf(out->tag_type, sizeof out->tag_type, "%s", tag->type);
  out->has_is_active = true;
  out->is_active = tag->active;
  out->has_description = tag->has_description;
  snprintf(out->description, sizeof out->description, "%s", tag->description);
}

void view_sensor_config(const store_sensor_config_t *config, http_sensor_configured_t *out) {
  const sensor_configure_t *given = &config->config;

  memset(out, 0, sizeof *out);
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", given->sensor);
  out->sensor_type = given->type;
  snprintf(out->name, sizeof out->name, "%s", given->name);
  if (given->has_description) {
    snprintf(out->description, sizeof out->description, "%s", given->description);
  }
  snprintf(out->configuration, sizeof out->configuration, "%s", given->configuration);
  out->has_calibration_data = given->has_calibration;
  snprintf(out->calibration_data, sizeof out->calibration_data, "%s", given->calibration);
  out->is_active = config->active;
  out->created_at = config->created;
  out->updated_at = config->updated;
}
