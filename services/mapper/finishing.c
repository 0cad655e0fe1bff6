/* From the end of a session to its map in storage: finished on a thread, then stored. Whoever
   stopped the session is answered when it is stored. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <stdio.h>
#include <string.h>

#include "mapper_internal.h"

#define END_MS  1200u /* of the three seconds a service has to end */
#define WAIT_MS 300u

/* ---- storing */

static void answer_done(mapper_t *mapper, const waiter_t *waiter) {
  map_info_t info;
  map_stopped_t stopped = {.scans = mapper->session.scans,
                           .quality = session_measure(&mapper->session).coverage};
  switch (waiter->kind) {
  case WAITER_STOP:
    snprintf(stopped.map_id, sizeof stopped.map_id, "%s", mapper->session.map_id);
    snprintf(stopped.session_id, sizeof stopped.session_id, "%s", mapper->session.session_id);
    rpc_reply(waiter->call, &stopped);
    break;
  case WAITER_INFO:
    mapper_info(mapper, &info);
    rpc_reply(waiter->call, &info);
    break;
  case WAITER_SHAPES:
    rpc_reply(waiter->call, &mapper->shapes);
    break;
  }
}

static void on_stored(gantry_err_t err, const gantry_fault_t *fault, void *arg) {
  mapper_t *mapper = arg;
  waiter_t waiter = mapper->waiter;
  mapper->waiter = (waiter_t){0};
  mapper->unkept = err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE && err != GANTRY_E_TIMEOUT;
  mapper_remember(mapper);
  mapper_publish_status(mapper);
  if (!waiter.call) return;
  if (err == GANTRY_OK)
    answer_done(mapper, &waiter);
  else
    rpc_fail(waiter.call, GANTRY_E_UNAVAILABLE, "",
             mapper->unkept
                 ? "map %s is finished, but neither storage nor the data folder takes it;"
                   " it stays in memory and is tried again (%s)"
                 : "map %s is finished and kept; it is stored when storage is back (%s)",
             mapper->session.map_id, fault ? fault->detail : gantry_err_name(err));
}

void mapper_store(mapper_t *mapper, waiter_t waiter, content_t content) {
  parcel_t *parcel = mapper_parcel(mapper, content);
  mapper->waiter = waiter;
  gantry_err_t err =
      parcel ? keeper_put(mapper->keeper, parcel, on_stored, mapper) : GANTRY_E_TOO_LARGE;
  parcel_drop(&parcel);
  if (err != GANTRY_OK)
    on_stored(err, NULL, mapper);
  else
    mapper_remember(mapper);
  mapper_publish_status(mapper);
}

void mapper_keep_again(mapper_t *mapper) {
  if (!mapper->unkept || mapper_busy_with(mapper)) return;
  mapper_store(mapper, (waiter_t){0}, CONTENT_SESSION);
}

/* ---- finishing */

static void take_back(mapper_t *mapper, const finished_t *done) {
  session_t *session = &mapper->session;
  session_take_back(session, done->slam);
  mapper->quality = done->quality;
  mapper->looking = false;
  mapper->quality_of = grid_revision(session_grid(session)) + 1;
  parcel_drop(&mapper->still);
  metric_observe(mapper->finish_ms, done->took_s * 1000.0);
  if (done->err != GANTRY_OK)
    log_warn("MAP-NOT-FINISHED", "map %s is kept as it was drawn: %s", session->map_id,
             gantry_err_name(done->err));
  else
    log_info("MAP-FINISHED", "map %s after %.1f s: %u keyframes, %u closures, residual %.3f m",
             session->map_id, done->took_s, done->quality.keyframes, done->quality.closures,
             done->quality.residual_m);
}

static void on_finished(void *arg) {
  mapper_t *mapper = arg;
  loop_unwatch(mapper->service->loop, finisher_fd(mapper->finisher));
  finished_t done = finisher_end(&mapper->finisher);
  take_back(mapper, &done);
  if (session_number(&mapper->session, &done.correction)) mapper_moved(mapper, &done.correction);
  mapper_store(mapper, mapper->waiter, CONTENT_SESSION);
}

static void begin_finishing(mapper_t *mapper) {
  session_t *session = &mapper->session;
  mapper->finish_due = false;
  mapper_say_correction(mapper);
  mapper_closures(mapper, &mapper->closures);
  mapper->still = mapper_parcel(mapper, CONTENT_SESSION);
  grid_box_t bounds = session_box(session);
  slam_t *slam = session_lend(session);
  if (!mapper->still ||
      finisher_start(slam, &session->overlay, bounds, &mapper->finisher) != GANTRY_OK) {
    log_error("MAP-NOT-FINISHED", "map %s is stored as it was drawn", session->map_id);
    session_take_back(session, slam);
    parcel_drop(&mapper->still);
    mapper_store(mapper, mapper->waiter, CONTENT_SESSION);
    return;
  }
  loop_watch(mapper->service->loop, finisher_fd(mapper->finisher), on_finished, mapper);
  mapper_remember(mapper);
}

void mapper_finish(mapper_t *mapper, waiter_t waiter) {
  mapper->waiter = waiter;
  mapper->finish_due = true;
  mapper->checkpoint_due = false;
  mapper_do_due(mapper);
  mapper_publish_status(mapper);
}

static void checkpoint(mapper_t *mapper) {
  mapper->checkpoint_due = false;
  parcel_t *parcel = mapper_parcel(mapper, CONTENT_SESSION);
  if (parcel && keeper_put(mapper->keeper, parcel, NULL, NULL) == GANTRY_OK)
    mapper->checkpointed = mapper->session.integrated;
  parcel_drop(&parcel);
}

void mapper_do_due(mapper_t *mapper) {
  const slam_t *slam = mapper->session.slam;
  if (!slam || slam_is_searching(slam)) return;
  if (mapper->finish_due)
    begin_finishing(mapper);
  else if (mapper->remember_due)
    mapper_remember(mapper);
  else if (mapper->checkpoint_due)
    checkpoint(mapper);
}

/* ---- the end of the service */

void mapper_save_at_end(mapper_t *mapper) {
  if (mapper->finisher) finisher_hurry(mapper->finisher);
  mapper_say_correction(mapper);
  keeper_finish(mapper->keeper, WAIT_MS);
  bool unfinished = mapper_phase(mapper) == MAP_PHASE_FINISHING;
  bool drawing = session_end(&mapper->session, clock_wall_ns()) == GANTRY_OK;
  parcel_t *parcel = drawing || unfinished ? mapper_parcel(mapper, CONTENT_SESSION) : NULL;
  if (parcel) {
    mapper_remember_unfinished(mapper, parcel);
    (void)keeper_put_at_end(mapper->keeper, parcel, END_MS);
  }
  parcel_drop(&parcel);
  if (!mapper->finisher) return;
  loop_unwatch(mapper->service->loop, finisher_fd(mapper->finisher));
  finished_t done = finisher_end(&mapper->finisher);
  session_take_back(&mapper->session, done.slam);
}
