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

#define FILE_NAME      "active-map"
#define RESUME_NS      (3ull * GANTRY_NS_PER_S)
#define REVISIONS_LOST 1000u /* more than are published between two writes of the memory */

static void path_of(const mapper_t *mapper, char *path, size_t size) {
  snprintf(path, size, "%s/" FILE_NAME, config_text(mapper->service->config, "data"));
}

void mapper_remember(mapper_t *mapper) {
  char path[512];
  store_map_put_t put;
  const session_t *session = &mapper->session;
  if (!session->grid) return;
  memory_state_t state = {.mapping = session->mapping,
                          .extending = session->extending,
                          .has_pose = session->inserted,
                          .pose = session->last_insert,
                          .integrated = session->integrated};
  path_of(mapper, path, sizeof path);
  gantry_err_t err = mapper_fill_put(mapper, &put);
  if (err == GANTRY_OK) err = memory_write(path, &state, &put);
  if (err != GANTRY_OK && !mapper->forgetful)
    log_error("MAP-NOT-REMEMBERED", "%s cannot be written: a restart would lose the active map",
              path);
  if (err == GANTRY_OK && mapper->forgetful)
    log_info("MAP-REMEMBERED", "%s can be written again", path);
  mapper->forgetful = err != GANTRY_OK;
  mapper->remembered = session->integrated;
}

void mapper_forget(const mapper_t *mapper) {
  char path[512];
  path_of(mapper, path, sizeof path);
  (void)remove(path);
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
  mapper->unkept = true;
  mapper_keep_again(mapper);
  mapper_remember(mapper);
  mapper_publish_status(mapper);
}

bool mapper_recalling(const mapper_t *mapper) {
  return mapper->resume_until_ns != 0;
}

void mapper_recall_pose(mapper_t *mapper, const loc_pose_t *pose) {
  bool there = pose->has_map_id && strcmp(pose->map_id, mapper->session.map_id) == 0;
  if (there)
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
  GANTRY_TRY(mapper_take_map(mapper, &put->grid));
  session->revision += REVISIONS_LOST;
  if (!state->mapping) return GANTRY_OK;
  session_resume_t resume = {.session_id = put->session_id,
                             .started_ns = put->started,
                             .scans = put->scans,
                             .integrated = state->integrated,
                             .extending = state->extending,
                             .has_pose = state->has_pose,
                             .pose = state->pose};
  return session_resume(session, &resume, clock_wall_ns());
}

void mapper_recall(mapper_t *mapper) {
  char path[512];
  memory_state_t state;
  store_map_put_t put;
  uint8_t *bytes = NULL;
  path_of(mapper, path, sizeof path);
  gantry_err_t err = memory_read(path, &state, &put, &bytes);
  if (err == GANTRY_OK) err = take(mapper, &state, &put);
  free(bytes);
  if (err == GANTRY_E_NOT_FOUND) return;
  if (err != GANTRY_OK) {
    log_error("MAP-NOT-RECALLED", "%s is set aside: %s", path, gantry_err_name(err));
    memory_set_aside(path);
    return;
  }
  log_info("MAP-RECALLED", "map %s is the active one", mapper->session.map_id);
  if (state.mapping) mapper->resume_until_ns = clock_mono_ns() + RESUME_NS;
}
