/* Commands, told and followed. */
#include "command_rig.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bridge_rig_t rig;
gantry_fault_t fault;
robot_status_t status;

void command_rig_open(const char *setting, const char *start) {
  const char *settings[] = {"require_pose=false", setting, NULL};
  const char *arguments[] = {"--wheel-error", "0", "--start", start, NULL};
  bridge_rig_open_with(&rig, settings, arguments);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

double place_m(void) {
  return sim_process_number(bridge_rig_ask(&rig, "state"), "rail_m");
}

gantry_err_t ask(robot_command_t command) {
  return harness_call(rig.harness, REQUEST_ROBOT_COMMAND, NULL, &command, &status, 1000, &fault);
}

gantry_err_t ask_kind(robot_command_kind_t kind) {
  return ask((robot_command_t){.kind = kind});
}

robot_command_t move(double distance_m, double speed) {
  return (robot_command_t){.kind = ROBOT_COMMAND_KIND_MOVE,
                           .has_distance = distance_m > 0.0,
                           .distance = distance_m,
                           .has_speed = true,
                           .speed = speed};
}

gantry_err_t set_mode(robot_mode_t mode) {
  robot_mode_set_t takes = {.mode = mode, .reason = "test"};
  return harness_call(rig.harness, REQUEST_ROBOT_MODE, NULL, &takes, &status, 1000, &fault);
}

static bool is_ready(void *arg) {
  const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
  return said && said->ready && said->mode == *(robot_mode_t *)arg;
}

void get_ready(robot_mode_t mode) {
  cr_assert_eq(set_mode(mode), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, is_ready, &mode, 10000), "not ready");
}

static bool has_ended(void *arg) {
  const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
  return said && said->command_id >= *(uint32_t *)arg &&
         said->command_state != ROBOT_COMMAND_STATE_RUNNING;
}

const robot_status_t *await_end(uint32_t ms) {
  uint32_t id = status.command_id;
  cr_assert(harness_until(rig.harness, has_ended, &id, ms), "the command does not end");
  return inbox_newest(rig.robot, "robot.status");
}

static bool stands(void *arg) {
  (void)arg;
  return fabs(sim_process_number(bridge_rig_ask(&rig, "state"), "speed_mps")) < 1e-4;
}

void await_standing(void) {
  cr_assert(harness_until(rig.harness, stands, NULL, 5000));
}

unsigned frames_with(const char *hex) {
  return bridge_rig_frames(&rig, hex);
}

unsigned fastest_frame(void) {
  static const char head[] = "\"04100001000204";
  char text[1024];
  unsigned most = 0, enable = 0, speed = 0;
  harness_for(rig.harness, 250);
  FILE *file = fopen(rig.sim.transcript, "r");
  cr_assert_not_null(file);
  while (fgets(text, sizeof text, file)) {
    const char *frame = strstr(text, head);
    if (frame && sscanf(frame + sizeof head - 1, "%4x%4x", &enable, &speed) == 2 && enable)
      most = speed > most ? speed : most;
  }
  (void)fclose(file);
  return most;
}

uint64_t first_frame_ns(const char *hex, uint64_t since_ns) {
  char text[1024];
  uint64_t found_ns = 0;
  harness_for(rig.harness, 250);
  FILE *file = fopen(rig.sim.transcript, "r");
  cr_assert_not_null(file);
  while (!found_ns && fgets(text, sizeof text, file)) {
    uint64_t start_ns = (uint64_t)sim_process_number(text, "start_ns");
    if (start_ns >= since_ns && strstr(text, hex)) found_ns = start_ns;
  }
  (void)fclose(file);
  return found_ns;
}
