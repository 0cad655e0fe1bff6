/* What changed in the cells, five times a second, at most eight rectangles at a time; when the map
   has moved, first its patches, then the correction: who holds a pose switches both in one step. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <stdio.h>

#include "mapper_internal.h"
#include "patch.h"

#define PATCH_BYTES (1u << 20) /* map.patch */
#define TICKS_MAX   25u        /* five seconds: a map that changes all the time delays nothing */

static void publish_patch(mapper_t *mapper, grid_box_t box) {
  session_t *session = &mapper->session;
  map_patch_t patch = {.previous = session->revision,
                       .revision = session->revision + 1,
                       .resolution = session->resolution_m,
                       .column = box.min_x,
                       .row = box.min_y,
                       .width = box.width,
                       .height = box.height};
  buf_reset(&mapper->cells);
  mapper->cells.limit = PATCH_BYTES;
  gantry_err_t err = patch_encode(session_grid(session), box, &mapper->cells);
  snprintf(patch.map_id, sizeof patch.map_id, "%s", session->map_id);
  patch.cells = (blob_t){.data = mapper->cells.data, .len = mapper->cells.len};
  /* The revision counts also a patch that could not be sent: who has the one before asks for the
   * grid. */
  session->revision++;
  if (err == GANTRY_OK) err = bus_publish(mapper->service->bus, TOPIC_MAP_PATCH, NULL, &patch);
  if (err != GANTRY_OK) return;
  metric_add(mapper->patches, 1);
  metric_add(mapper->patch_bytes, (double)patch.cells.len);
}

/* True when all that changed is said. */
static bool publish_some(mapper_t *mapper) {
  patch_set_t changed;
  if (!session_grid(&mapper->session)) return true;
  patch_collect(session_grid(&mapper->session), &changed);
  for (uint32_t i = 0; i < changed.count; i++)
    publish_patch(mapper, changed.boxes[i]);
  return changed.count < PATCH_BOXES_MAX;
}

void mapper_publish_changes(mapper_t *mapper) {
  (void)publish_some(mapper);
}

void mapper_moved(mapper_t *mapper, const slam_correction_t *correction) {
  mapper->unsaid = (unsaid_t){.correction = *correction};
  metric_add(mapper->corrections, 1);
  /* Before it is said: a life after a crash must not stand in a frame that nobody is in. */
  mapper_remember(mapper);
}

void mapper_say_correction(mapper_t *mapper) {
  const slam_correction_t *step = &mapper->unsaid.correction;
  if (step->number == 0) return;
  map_correction_t said = {
      .number = step->number, .x = step->step.x, .y = step->step.y, .theta = step->step.theta};
  snprintf(said.map_id, sizeof said.map_id, "%s", mapper->session.map_id);
  (void)bus_publish(mapper->service->bus, TOPIC_MAP_CORRECTION, NULL, &said);
  log_info("MAP-MOVED", "map %s: correction %u moves the robot by (%.3f, %.3f) m, %.4f rad",
           said.map_id, said.number, said.x, said.y, said.theta);
  mapper->said = step->number;
  mapper->unsaid = (unsaid_t){0};
  mapper_publish_status(mapper);
}

/* Whoever draws has to know that loops are found in vain. */
static void look_at_search(mapper_t *mapper) {
  const session_t *session = &mapper->session;
  gantry_err_t err = session->mapping && session->slam ? slam_error(session->slam) : GANTRY_OK;
  if (err == mapper->search_err) return;
  mapper->search_err = err;
  if (err == GANTRY_OK)
    alerts_clear(mapper->service->alerts, "MAP-NOT-CORRECTED", "");
  else
    alerts_raise(mapper->service->alerts, "MAP-NOT-CORRECTED", "", SYS_SEVERITY_ERROR,
                 "a loop closed in map %s cannot be taken over (%s): end the session, and draw in "
                 "parts or raise the mapper's `tiles`",
                 mapper->session.map_id, gantry_err_name(err));
}

void mapper_patch_tick(void *arg) {
  mapper_t *mapper = arg;
  slam_correction_t correction;
  uint64_t begun_ns = clock_mono_ns();
  /* One at a time, so that each is said with its own step. */
  if (mapper->unsaid.correction.number == 0 && session_poll(&mapper->session, &correction))
    mapper_moved(mapper, &correction);
  look_at_search(mapper);
  mapper_do_due(mapper);
  bool all_said = publish_some(mapper);
  mapper->unsaid.ticks++;
  bool kept = !mapper->remember_due && scribe_idle(mapper->scribe);
  if ((all_said && kept) || mapper->unsaid.ticks > TICKS_MAX) mapper_say_correction(mapper);
  metric_observe(mapper->tick_ms, clock_age_ms(clock_mono_ns(), begun_ns));
  mapper_look_on(mapper);
}
