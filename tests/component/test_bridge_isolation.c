/* What one module does to the others on its line: nothing. Asserted on the simulator's transcript.
 */
#include "bridge_rig.h"
#include "line_frames.h"

#include <criterion/criterion.h>

static bridge_rig_t rig;

static void set_up(void) {
  static const char *const arguments[] = {"--realtime", NULL};
  bridge_rig_open_with(&rig, NULL, arguments);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_isolation, .init = set_up, .fini = tear_down, .timeout = 90);

static bool dock_says(robot_module_status_t status) {
  const robot_module_t *module = inbox_newest(rig.robot, "robot.module.dock");
  return module && module->status == status;
}

static bool dock_is_gone(void *arg) {
  (void)arg;
  return dock_says(ROBOT_MODULE_STATUS_OFFLINE) || dock_says(ROBOT_MODULE_STATUS_LOST);
}

/* Polls of the healthy modules: unit, first register, period. */
typedef struct poll_row {
  unsigned unit, first;
  double period_ms;
} poll_row_t;

static const poll_row_t rows[] = {
    {3, 0x0000, 50.0}, {3, 0x0010, 100.0}, {4, 0x0040, 50.0}, {4, 0x0005, 200.0}};

/* Whether every poll kept its rate and came before two periods were over, for 3 s. */
static bool keeps_its_rates(void) {
  bool kept = true;
  long offset = line_frames_now(rig.harness, &rig.sim);
  harness_for(rig.harness, 3000);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    line_gap_t gap = {.unit = rows[i].unit, .first = rows[i].first};
    line_frames_gap(rig.harness, &rig.sim, offset, &gap);
    kept = kept && gap.count >= 0.97 * 3000.0 / rows[i].period_ms &&
           gap.worst_ms < 2.0 * rows[i].period_ms;
  }
  return kept;
}

/* A machine that stands still for a moment spoils a span; a bridge that waits spoils them all. */
static bool keeps_its_rates_in_one_of(int spans) {
  for (int i = 0; i < spans; i++)
    if (keeps_its_rates()) return true;
  return false;
}

Test(bridge_isolation, a_silent_module_takes_nothing_from_the_others) {
  (void)bridge_rig_ask(&rig, "fault 0x05 silent");
  cr_assert(harness_until(rig.harness, dock_is_gone, NULL, 10000));
  cr_assert(keeps_its_rates_in_one_of(4));
}

Test(bridge_isolation, a_module_that_answers_garbage_takes_no_rates_from_the_others) {
  (void)bridge_rig_ask(&rig, "fault 0x05 garbage");
  harness_for(rig.harness, 1000);
  cr_assert(keeps_its_rates_in_one_of(4));
}

Test(bridge_isolation, a_silent_module_is_asked_again_each_1_to_5_seconds) {
  (void)bridge_rig_ask(&rig, "fault 0x05 silent");
  cr_assert(harness_until(rig.harness, dock_is_gone, NULL, 10000));
  long offset = line_frames_now(rig.harness, &rig.sim);

  harness_for(rig.harness, 10000);

  unsigned asked = line_frames_count(rig.harness, &rig.sim, offset, 5, ANY, ANY);
  cr_assert(asked >= 2 && asked <= 10, "%u in 10 s, each probe repeated at most once", asked);
  line_gap_t gap = {.unit = 5, .first = 0x0100};
  line_frames_gap(rig.harness, &rig.sim, offset, &gap);
  cr_assert_lt(gap.worst_ms, 6000.0);
}

Test(bridge_isolation, a_busy_module_is_no_lost_one) {
  (void)bridge_rig_ask(&rig, "fault 0x05 exception 6");
  harness_for(rig.harness, 2000);
  cr_assert_not(dock_is_gone(NULL));
  inbox_t *imu = harness_collect(rig.harness, "raw.imu.");

  (void)bridge_rig_ask(&rig, "fault 0x05 clear");

  cr_assert(harness_collected(rig.harness, imu, 5, 2000), "polled all the time");
}
