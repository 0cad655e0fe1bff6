/* Replay in the loop: reads the log as its time comes, moves the odometry, sends the scans. The
   log's clock starts with the first scan request, so that nothing of the log is lost to a host
   that starts slowly. */
#include "sim_state.h"

#define PROGRESS_NS INT64_C(5000000000)

/* Reads the log until the replay has its next record or the log has ended. */
static void fill(sim_t *sim) {
  sim_replay_t *state = &sim->replay;
  gantry_fault_t fault = {0};
  while (replay_wants(&state->core)) {
    gantry_err_t err = carmen_next(state->log, &state->record, &fault);
    if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND)
      (void)fprintf(stderr, "gantry-sim: replay ends early: %s\n", fault.detail);
    replay_offer(&state->core, err == GANTRY_OK ? &state->record : NULL);
  }
}

bool sim_replay_open(sim_t *sim) {
  gantry_fault_t fault = {0};
  if (!sim->options.replay) return true;
  replay_init(&sim->replay.core);
  sim->replay.log = carmen_open(sim->options.replay, &fault);
  if (!sim->replay.log) {
    (void)fprintf(stderr, "gantry-sim: %s: %s\n", sim->options.replay, fault.detail);
    return false;
  }
  sim->plant.replay.on = true;
  fill(sim);
  return true;
}

void sim_replay_close(sim_t *sim) {
  carmen_close(&sim->replay.log);
}

double sim_replay_log_s(const sim_t *sim, int64_t now_ns) {
  if (!sim->replay.running) return 0.0;
  return (double)(sim_time_ns(sim, now_ns) - sim->replay.start_ns) * 1e-9 * sim->options.pace;
}

void sim_replay_update(sim_t *sim, int64_t now_ns) {
  double log_s = sim_replay_log_s(sim, now_ns);
  sim->plant.replay.odometry = replay_odometry(&sim->replay.core, log_s);
  sim->plant.replay.speed_mps = sim->replay.running ? replay_speed_mps(&sim->replay.core) : 0.0;
}

static void send_scan(sim_t *sim, const carmen_record_t *scan, bool heard) {
  uint8_t *bytes = sim->replay.turn;
  size_t len = heard ? replay_encode(&sim->replay.core, scan, bytes) : 0;
  if (len > 0) pty_write(&sim->lidar_port, bytes, len);
  sim->replay.scans += heard;
  sim->replay.scans_unheard += !heard;
}

void sim_replay_run(sim_t *sim, int64_t now_ns, bool heard) {
  sim_replay_t *state = &sim->replay;
  const carmen_record_t *scan = NULL;
  if (!state->running && heard) {
    state->running = true;
    state->start_ns = sim_time_ns(sim, now_ns);
  }
  if (!state->running) return;
  while (replay_take(&state->core, sim_replay_log_s(sim, now_ns), &scan)) {
    if (scan) send_scan(sim, scan, heard);
    fill(sim);
  }
}

int64_t sim_replay_next_ns(const sim_t *sim, int64_t now_ns) {
  const sim_replay_t *state = &sim->replay;
  if (!state->running || !state->core.has_next || sim->mode != WORLD_RUNS) return INT64_MAX;
  double wait_s = (state->core.next_s - sim_replay_log_s(sim, now_ns)) / sim->options.pace;
  return wait_s <= 0.0 ? now_ns : now_ns + (int64_t)(wait_s * 1e9) + 1000;
}

void sim_replay_report(sim_t *sim, int64_t now_ns) {
  sim_replay_t *state = &sim->replay;
  if (!state->running || state->told_end || now_ns < state->report_ns) return;
  state->report_ns = now_ns + PROGRESS_NS;
  state->told_end = state->core.ended && !state->core.has_next;
  (void)fprintf(stderr,
                "gantry-sim: replay%s at %.1f s of the log, %llu scans sent, %llu unheard\n",
                state->told_end ? " ended" : "", state->core.at_s, (unsigned long long)state->scans,
                (unsigned long long)state->scans_unheard);
}
