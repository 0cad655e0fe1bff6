/* What is said of the active map. While it is being finished, its slam is out of reach: then the
   map is as it was. */
#include <gantry/clock.h>
#include <gantry/unpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapper_internal.h"

map_phase_t mapper_phase(const mapper_t *mapper) {
  if (mapper->finisher || mapper->finish_due) return MAP_PHASE_FINISHING;
  if (mapper->session.mapping) return MAP_PHASE_MAPPING;
  return keeper_busy(mapper->keeper) ? MAP_PHASE_STORING : MAP_PHASE_IDLE;
}

void mapper_info(const mapper_t *mapper, map_info_t *info) {
  const session_t *session = &mapper->session;
  grid_box_t box = session_box(session);
  double resolution_m = session->resolution_m;
  *info = (map_info_t){.resolution = resolution_m,
                       .width = box.width,
                       .height = box.height,
                       .origin_x = box.min_x * resolution_m,
                       .origin_y = box.min_y * resolution_m,
                       .revision = session->revision,
                       .created = session->created_ns,
                       .updated = session->updated_ns,
                       .has_correction = true,
                       .correction = session->correction};
  snprintf(info->map_id, sizeof info->map_id, "%s", session->map_id);
  snprintf(info->name, sizeof info->name, "%s", session->name);
  snprintf(info->metadata, sizeof info->metadata, "%s", session->metadata);
}

/* ---- status */

#define LOOK_MS 3.0 /* what the loop gives to it at a time */

void mapper_look(mapper_t *mapper) {
  const grid_t *grid = session_grid(&mapper->session);
  if (!grid || mapper->looking || mapper->quality_of == grid_revision(grid) + 1) return;
  mapper->look = (slam_look_t){0};
  mapper->look_of = grid_revision(grid) + 1;
  mapper->looking = true;
}

void mapper_look_on(mapper_t *mapper) {
  const slam_t *slam = mapper->session.slam;
  uint64_t begun_ns = clock_mono_ns();
  if (!slam || !mapper->looking) return;
  while (!slam_look_on(slam, &mapper->look, &mapper->quality))
    if (clock_age_ms(clock_mono_ns(), begun_ns) > LOOK_MS) return;
  mapper->quality_of = mapper->look_of;
  mapper->looking = false;
}

static map_quality_t terms_of(const slam_quality_t *quality) {
  return (map_quality_t){.coverage = quality->coverage,
                         .residual = quality->residual_m,
                         .inliers = quality->inliers,
                         .consistency = quality->consistency,
                         .keyframes = quality->keyframes,
                         .submaps = quality->submaps,
                         .closures = quality->closures,
                         .refused = quality->refused};
}

static void fill_session(const session_t *session, map_status_t *status) {
  uint64_t now_ns = clock_wall_ns();
  status->has_started = status->has_duration = true;
  status->started = session->started_ns;
  status->duration =
      now_ns > session->started_ns ? (double)(now_ns - session->started_ns) / 1e9 : 0.0;
  snprintf(status->session_id, sizeof status->session_id, "%s", session->session_id);
}

void mapper_publish_status(mapper_t *mapper) {
  const session_t *session = &mapper->session;
  /* Not known yet whether the session goes on: localization would leave its map for any answer. */
  if (mapper_recalling(mapper)) return;
  session_extent_t extent = session_measure(session);
  map_status_t status = {.mapping = session->mapping,
                         .localizing = session->extending,
                         .scans = session->scans,
                         .integrated = session->integrated,
                         .quality = extent.coverage,
                         .revision = session->revision,
                         .explored = extent.known_cells,
                         .width = extent.known.width,
                         .height = extent.known.height,
                         .resolution = session->resolution_m,
                         .has_phase = true,
                         .phase = mapper_phase(mapper),
                         .has_correction = true,
                         .correction = mapper->said,
                         .has_drawn = true,
                         .drawn = mapper->drawn,
                         .has_terms = mapper->quality_of != 0,
                         .terms = terms_of(&mapper->quality)};
  snprintf(status.map_id, sizeof status.map_id, "%s", session->map_id);
  snprintf(status.name, sizeof status.name, "%s", session->name);
  if (session->mapping) fill_session(session, &status);
  status.has_progress = status.phase == MAP_PHASE_FINISHING;
  if (mapper->finisher) status.progress = finisher_progress(mapper->finisher);
  status.has_scan_age = mapper->last_scan_ns != 0;
  status.scan_age = clock_age_ms(clock_mono_ns(), mapper->last_scan_ns) / 1000.0;
  (void)bus_publish(mapper->service->bus, TOPIC_MAP_STATUS, NULL, &status);
}

/* ---- closures */

static map_closure_t closure_of(const slam_t *slam, const slam_closure_t *from) {
  pose2_t earlier = slam_keyframe_pose(slam, from->from);
  pose2_t later = slam_keyframe_pose(slam, from->to);
  return (map_closure_t){.from = from->from,
                         .to = from->to,
                         .verdict = (map_verdict_t)from->verdict,
                         .score = from->score,
                         .residual = from->residual_m,
                         .x = from->measured.x,
                         .y = from->measured.y,
                         .theta = from->measured.theta,
                         .from_x = earlier.x,
                         .from_y = earlier.y,
                         .to_x = later.x,
                         .to_y = later.y};
}

void mapper_closures(const mapper_t *mapper, map_closures_t *out) {
  const slam_t *slam = mapper->session.slam;
  const slam_closure_t *closures = NULL;
  const uint32_t most = sizeof out->closures / sizeof *out->closures;
  if (!slam) {
    memcpy(out, &mapper->closures, sizeof *out);
    return;
  }
  memset(out, 0, sizeof *out);
  snprintf(out->map_id, sizeof out->map_id, "%s", mapper->session.map_id);
  out->total = slam_closures(slam, &closures);
  out->closures_count = out->total < most ? out->total : most;
  for (uint32_t i = 0; i < out->closures_count; i++)
    out->closures[i] = closure_of(slam, &closures[out->total - 1 - i]);
}

/* ---- path */

/* The session's scans, evenly thinned to what fits; the last one is always there. */
static void fill_path(const session_t *session, map_trajectory_t *out) {
  const size_t most = sizeof out->points / sizeof *out->points;
  size_t count = slam_scan_count(session->slam) - session->first_scan;
  size_t step = (count + most - 1) / most;
  out->total = count;
  out->points_count = (uint32_t)((count + step - 1) / step);
  for (size_t i = 0; i < out->points_count; i++) {
    double time_s = 0;
    size_t scan = session->first_scan + count - 1 - (out->points_count - 1 - i) * step;
    pose2_t pose = slam_scan_pose(session->slam, scan, &time_s);
    out->points[i] = (map_trajectory_point_t){.x = (float)pose.x,
                                              .y = (float)pose.y,
                                              .theta = (float)wrap_rad(pose.theta),
                                              .time = (uint64_t)(time_s * 1e9)};
  }
}

void mapper_path(const mapper_t *mapper, map_trajectory_t *out) {
  const session_t *session = &mapper->session;
  blob_t packed = {.data = mapper->path.data, .len = mapper->path.len};
  gantry_fault_t fault;
  memset(out, 0, sizeof *out);
  if (session->slam && slam_scan_count(session->slam) > session->first_scan)
    fill_path(session, out);
  else if (!session->slam && mapper->still)
    packed = mapper->still->put.trajectory;
  if (out->points_count == 0 && packed.len &&
      unpack_message(&MAP_TRAJECTORY_DESC, packed.data, packed.len, out, &fault) != GANTRY_OK)
    memset(out, 0, sizeof *out);
  snprintf(out->map_id, sizeof out->map_id, "%s", session->map_id);
}
