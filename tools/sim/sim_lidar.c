/* The scanner's port: requests in, samples out at the moments they are taken. */
#include "sim_state.h"

#define HELD_UP_NS INT64_C(100000000) /* samples older than this are passed over */

static bool is_off(const sim_t *sim) {
  return sim->lidar_stopped || sim->mode == WORLD_STOPPED || sim->lidar_port.master < 0;
}

void sim_lidar_receive(sim_t *sim, int64_t now_ns) {
  uint8_t bytes[256], answer[LIDAR_ANSWER_MAX];
  size_t count = pty_read(&sim->lidar_port, bytes, sizeof bytes);
  for (size_t i = 0; i < count && !is_off(sim); i++) {
    size_t len = lidar_receive(&sim->lidar, now_ns, bytes[i], answer);
    if (len > 0) pty_write(&sim->lidar_port, answer, len);
  }
}

int64_t sim_lidar_next_ns(const sim_t *sim, int64_t now_ns) {
  if (sim->options.replay) return sim_replay_next_ns(sim, now_ns);
  return is_off(sim) ? INT64_MAX : lidar_next_ns(&sim->lidar);
}

/* The range at the moment of a sample. While time stands still every turn looks alike. */
static double sample_m(const sim_t *sim, int64_t at_ns, double angle_rad) {
  if (sim->lidar_blind) return 0.0;
  int64_t time_ns = sim_time_ns(sim, at_ns);
  double world_s = (double)sim->plant.world.step * WORLD_STEP_S;
  double lead_s = sim->mode == WORLD_RUNS ? (double)time_ns * 1e-9 - world_s : 0.0;
  uint64_t index = (uint64_t)(time_ns / LIDAR_SAMPLE_NS);
  if (sim->mode == WORLD_FROZEN) index += (uint64_t)(angle_rad * LIDAR_TURN_SAMPLES);
  return world_lidar_m(&sim->plant.world, lead_s, angle_rad, index);
}

static void encode(sim_t *sim, int64_t at_ns, double angle_rad, bool start, uint8_t *out) {
  bool weak = false;
  double range_m = lidar_fault_range(&sim->lidar_fault, sim->options.seed, sim->lidar.sample,
                                     sample_m(sim, at_ns, angle_rad), &weak);
  lidar_encode(start, angle_rad, range_m, out);
  if (weak) lidar_weaken(out);
}

void sim_lidar_run(sim_t *sim, int64_t now_ns) {
  uint8_t bytes[LIDAR_CHUNK_SAMPLES * LIDAR_SAMPLE_LEN];
  size_t len = 0;
  int64_t at_ns = 0;
  double angle_rad = 0.0;
  bool start = false;
  if (sim->options.replay) {
    sim_replay_run(sim, now_ns, !is_off(sim) && sim->lidar.scanning);
    return;
  }
  if (is_off(sim)) return;
  lidar_skip(&sim->lidar, now_ns - HELD_UP_NS);
  if (now_ns >= lidar_next_ns(&sim->lidar)) sim_advance(sim, now_ns);
  while (lidar_next_sample(&sim->lidar, now_ns, &at_ns, &angle_rad, &start)) {
    encode(sim, at_ns, angle_rad, start, bytes + len);
    len += LIDAR_SAMPLE_LEN;
    if (len == sizeof bytes) {
      pty_write(&sim->lidar_port, bytes, len);
      len = 0;
    }
  }
  if (len > 0) pty_write(&sim->lidar_port, bytes, len);
}
