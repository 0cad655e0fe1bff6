/* The frames that tell and ask the motors, in both profiles. */
#include <criterion/criterion.h>

#include "motors.h"

static motors_t motors;
static job_t job;

static void check_job(size_t index, line_function_t function, uint16_t first, uint16_t count) {
  motors_stop_job(&motors, index, &job);
  cr_expect_eq(job.unit, 4);
  cr_expect_eq(job.function, function, "frame %zu", index);
  cr_expect_eq(job.first, first, "frame %zu", index);
  cr_expect_eq(job.count, count, "frame %zu", index);
}

Test(motors, a_stop_is_one_frame_a_motor_where_enable_and_set_point_are_neighbours) {
  motors_init(&motors, &PROFILE_OHT50);

  cr_assert_eq(motors.stop_count, 4);
  check_job(0, LINE_WRITE_MANY, 0x0001, 2);
  check_job(1, LINE_WRITE_MANY, 0x0011, 2);
  check_job(2, LINE_READ_HOLDING, 0x0001, 2);
  check_job(3, LINE_READ_HOLDING, 0x0011, 2);
}

Test(motors, a_stop_disables_first_where_they_are_apart) {
  motors_init(&motors, &PROFILE_OHT50_ALT);

  cr_assert_eq(motors.stop_count, 3);
  check_job(0, LINE_WRITE_ONE, 0x0000, 1);
  cr_assert_eq(job.values[0], 0);
  check_job(1, LINE_WRITE_ONE, 0x0002, 1);
  cr_assert_eq(job.values[0], 0);
  check_job(2, LINE_READ_HOLDING, 0x0000, 3);
}

Test(motors, a_read_back_can_differ_from_ten_late_answers) {
  motors_init(&motors, &PROFILE_OHT50);
  check_job(2, LINE_READ_HOLDING, 0x0001, 2);
  cr_assert_eq(job.most - job.least, 10);
}

Test(motors, only_zeros_show_a_motor_off) {
  const uint16_t off[] = {0, 0}, enabled[] = {1, 0}, turning[] = {0, 3};
  motors_init(&motors, &PROFILE_OHT50);
  cr_assert(motors_stop_shows_off(&motors, 2, off));
  cr_assert_not(motors_stop_shows_off(&motors, 2, enabled));
  cr_assert_not(motors_stop_shows_off(&motors, 3, turning));
  cr_assert_not(motors_stop_shows_off(&motors, 0, off), "a write shows nothing");
}

Test(motors, what_lies_between_does_not_count) {
  const uint16_t off[] = {0, 1, 0}, turning[] = {0, 0, 9};
  motors_init(&motors, &PROFILE_OHT50_ALT);
  cr_assert(motors_stop_shows_off(&motors, 2, off));
  cr_assert_not(motors_stop_shows_off(&motors, 2, turning));
}

Test(motors, a_speed_fills_its_frames) {
  motors_init(&motors, &PROFILE_OHT50);
  motors_speed_job(&motors, 1, 0, 1, 200, &job);
  cr_assert_eq(job.first, 0x0011);
  cr_assert_eq(job.values[0], 1);
  cr_assert_eq(job.values[1], 200);

  motors_init(&motors, &PROFILE_OHT50_ALT);
  cr_assert_eq(motors.motors[0].write_count, 2);
  motors_speed_job(&motors, 0, 1, 1, 9000, &job);
  cr_assert_eq(job.first, 0x0002);
  cr_assert_eq(job.values[0], 9000);
}

Test(motors, a_direction_is_written_by_the_profile_s_codes) {
  motors_init(&motors, &PROFILE_OHT50_ALT);
  motors_direction_job(&motors, 0, true, &job);
  cr_assert_eq(job.first, 0x0006);
  cr_assert_eq(job.values[0], 2);
}

Test(motors, the_bridge_owns_what_it_drives_with) {
  const register_module_t *travel = registers_module(&PROFILE_OHT50, "travel_motor");
  motors_init(&motors, &PROFILE_OHT50);
  cr_assert(motors_owns(&motors, 4, registers_find(travel, "motor_2_enable")));
  cr_assert(motors_owns(&motors, 4, registers_find(travel, "motor_1_direction")));
  cr_assert_not(motors_owns(&motors, 4, registers_find(travel, "motor_1_kp")));
  cr_assert_not(motors_owns(&motors, 5, registers_find(travel, "motor_2_enable")));
}
