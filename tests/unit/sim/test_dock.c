/* The docking sequence, step by step. */
#include <criterion/criterion.h>

#include "dock.h"

static const dock_limits_t limits = {.approach_m = 0.5, .accuracy_m = 0.002, .timeout_s = 30.0};

Test(dock, goes_from_approach_to_docked) {
  dock_t dock = {0};
  dock_start(&dock, 1.0);
  cr_assert_eq(dock.status, DOCK_APPROACHING);

  dock_update(&dock, &limits, 2.0, 0.4, 0.05, false);
  cr_assert_eq(dock.status, DOCK_DOCKING);
  dock_update(&dock, &limits, 3.0, 0.001, 0.0, false);

  cr_assert_eq(dock.status, DOCK_DOCKED);
  cr_assert_eq(dock.done, 1);
  cr_assert_eq(dock.last_ms, 2000);
}

Test(dock, is_not_docked_while_moving) {
  dock_t dock = {0};
  dock_start(&dock, 1.0);

  dock_update(&dock, &limits, 3.0, 0.001, 0.05, false);

  cr_assert_eq(dock.status, DOCK_DOCKING);
}

Test(dock, fails_after_its_time_out) {
  dock_t dock = {0};
  dock_start(&dock, 1.0);

  dock_update(&dock, &limits, 31.5, 5.0, 0.0, false);

  cr_assert_eq(dock.status, DOCK_FAULT);
  cr_assert_eq(dock.fault_code, DOCK_FAULT_TIMEOUT);
  cr_assert_eq(dock.failed, 1);
}

Test(dock, fails_on_an_emergency_stop_until_cleared) {
  dock_t dock = {0};
  dock_start(&dock, 1.0);
  dock_update(&dock, &limits, 2.0, 5.0, 0.0, true);
  cr_assert_eq(dock.status, DOCK_ESTOP);

  dock_start(&dock, 3.0);
  cr_assert_eq(dock.status, DOCK_ESTOP);
  dock_clear(&dock);

  cr_assert_eq(dock.status, 0);
  cr_assert_eq(dock.fault_count, 1);
}

Test(dock, undocks_until_beyond_the_approach) {
  dock_t dock = {.status = DOCK_DOCKED};
  dock_stop(&dock);
  cr_assert_eq(dock.status, DOCK_UNDOCKING);

  dock_update(&dock, &limits, 2.0, 0.3, -0.1, false);
  cr_assert_eq(dock.status, DOCK_UNDOCKING);
  dock_update(&dock, &limits, 5.0, 0.6, -0.1, false);

  cr_assert_eq(dock.status, 0);
}

Test(dock, notices_being_driven_off) {
  dock_t dock = {.status = DOCK_DOCKED};

  dock_update(&dock, &limits, 2.0, 0.1, 0.2, false);

  cr_assert_eq(dock.status, DOCK_UNDOCKING);
}

Test(dock, ends_an_approach_on_stop) {
  dock_t dock = {0};
  dock_start(&dock, 1.0);

  dock_stop(&dock);

  cr_assert_eq(dock.status, 0);
}
