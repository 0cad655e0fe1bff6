/* How a life of the mapper goes on where the one before ended. A map is simply active again. A
   session that was cut off is drawn further only when localization still stands in that very map:
   otherwise nobody knows where the robot went meanwhile, and the session ends as a stored map. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapper_internal.h"
#include "memory.h"

#define FILE_NAME "active-map"
#define RESUME_NS (3ull * GANTRY_NS_PER_S)

static void path_of(const mapper_t *mapper, char *path, size_t size) {
  snprintf(path, size, "%s/" FILE_NAME, config_text(mapper->service->config, "data"));
}

gantry_err_t mapper_open_memory(mapper_t *mapper) {
  char path[512];
  path_of(mapper, path, sizeof path);
  return scribe_new(path, &mapper->scribe);
}

static void remember(mapper_t *mapper, map_phase_t phase, parcel_t *parcel) {
  const session_t *session = &mapper->session;
  memory_state_t state = {.phase = phase,
                          .extending = session->extending,
                          .integrated = session->integrated,
                          .first_scan = session->first_scan};
  scribe_write(mapper->scribe, &state, parcel);
  mapper->remembered = session->integrated;
}

void mapper_remember(mapper_t *mapper) {
  mapper->remember_due = mapper->session.slam && slam_is_searching(mapper->session.slam);
  if (mapper->remember_due) return;
  parcel_t *parcel = mapper_parcel(mapper, CONTENT_SESSION);
  if (!parcel) return;
  remember(mapper, mapper->unkept ? MAP_PHASE_STORING : mapper_phase(mapper), parcel);
  parcel_drop(&parcel);
}

void mapper_remember_unfinished(mapper_t *mapper, parcel_t *parcel) {
  remember(mapper, MAP_PHASE_FINISHING, parcel);
}

void mapper_look_at_memory(mapper_t *mapper) {
  bool failed = scribe_outcome(mapper->scribe) != GANTRY_OK;
  if (failed == mapper->forgetful) return;
  char path[512];
  path_of(mapper, path, sizeof path);
  if (failed)
    log_error("MAP-NOT-REMEMBERED", "%s cannot be written: a restart would lose the active map",
              path);
  else
    log_info("MAP-REMEMBERED", "%s can be written again", path);
  mapper->forgetful = failed;
}

void mapper_forget(const mapper_t *mapper) {
  scribe_forget(mapper->scribe);
}

static void say(mapper_t *mapper, const char *id, sys_severity_t severity, const char *what) {
  sys_event_t event = {.category = SYS_CATEGORY_STATE, .severity = severity};
  const session_t *session = &mapper->session;
  snprintf(event.id, sizeof event.id, "%s", id);
  snprintf(event.subject, sizeof event.subject, "%s", session->map_id);
  snprintf(event.message, sizeof event.message, "the mapper restarted: session %s %s",
           session->session_id, what);
  (void)bus_publish(mapper->service->bus, TOPIC_EVENT, mapper->service->name, &event);
  log_warn(id, "%s", event.message);
}

static void go_on(mapper_t *mapper) {
  mapper->resume_until_ns = 0;
  say(mapper, "MAP-SESSION-RESUMED", SYS_SEVERITY_WARNING,
      "goes on; what was seen in between is missing in its map");
  mapper_publish_status(mapper);
}

static void end(mapper_t *mapper) {
  mapper->resume_until_ns = 0;
  (void)session_end(&mapper->session, clock_wall_ns());
  say(mapper, "MAP-SESSION-ENDED", SYS_SEVERITY_WARNING,
      "was cut off and has ended; its map is kept as far as it was drawn");
  mapper_finish(mapper, (waiter_t){0});
}

bool mapper_recalling(const mapper_t *mapper) {
  return mapper->resume_until_ns != 0;
}

void mapper_recall_pose(mapper_t *mapper, const loc_pose_t *pose) {
  const session_t *session = &mapper->session;
  bool there = pose->has_map_id && strcmp(pose->map_id, session->map_id) == 0;
  /* A correction that this life does not know: the pose is in a frame that is lost. */
  bool known = !pose->has_correction || pose->correction <= session->correction;
  if (there && known)
    go_on(mapper);
  else
    end(mapper);
}

void mapper_recall_tick(mapper_t *mapper) {
  if (mapper_recalling(mapper) && clock_mono_ns() > mapper->resume_until_ns) end(mapper);
}

static gantry_err_t take(mapper_t *mapper, const memory_state_t *state,
                         const store_map_put_t *put) {
  session_t *session = &mapper->session;
  opened_t opened;
  GANTRY_TRY(opening_do(put, &mapper->config, &opened));
  GANTRY_TRY(mapper_take_map(mapper, put, &opened));
  session_resume_t resume = {.session_id = put->session_id,
                             .started_ns = put->started,
                             .scans = put->scans,
                             .integrated = state->integrated,
                             .first_scan = state->first_scan,
                             .mapping = state->phase == MAP_PHASE_MAPPING,
                             .extending = state->extending};
  return session_resume(session, &resume);
}

static void go_on_with(mapper_t *mapper, map_phase_t phase) {
  log_info("MAP-RECALLED", "map %s is the active one", mapper->session.map_id);
  if (phase == MAP_PHASE_MAPPING) mapper->resume_until_ns = clock_mono_ns() + RESUME_NS;
  if (phase == MAP_PHASE_FINISHING) mapper_finish(mapper, (waiter_t){0});
  /* Offered to storage with the first tick of the memory. */
  if (phase == MAP_PHASE_STORING) mapper->unkept = true;
}

void mapper_recall(mapper_t *mapper) {
  char path[512];
  memory_state_t state;
  parcel_t *parcel = NULL;
  path_of(mapper, path, sizeof path);
  gantry_err_t err = memory_read(path, &state, &parcel);
  if (err == GANTRY_OK) err = take(mapper, &state, &parcel->put);
  parcel_drop(&parcel);
  if (err == GANTRY_OK) {
    go_on_with(mapper, state.phase);
  } else if (err != GANTRY_E_NOT_FOUND) {
    log_error("MAP-NOT-RECALLED", "%s is set aside: %s", path, gantry_err_name(err));
    memory_set_aside(path);
  }
}
