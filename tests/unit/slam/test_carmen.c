/* Lines of CARMEN logs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/carmen.h>

static carmen_record_t record;
static gantry_fault_t fault;

Test(carmen, reads_odometry) {
  gantry_err_t err =
      carmen_parse("ODOM 1.5 -2.25 0.5 0.1 0.2 0 123.456789 nohost 123.456789\n", &record, &fault);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(record.kind, CARMEN_ODOM);
  cr_assert_float_eq(record.odometry.x, 1.5, 1e-12);
  cr_assert_float_eq(record.odometry.y, -2.25, 1e-12);
  cr_assert_float_eq(record.odometry.theta, 0.5, 1e-12);
  cr_assert_float_eq(record.time_s, 123.456789, 1e-9);
}

Test(carmen, reads_a_scan_with_its_odometry_and_time) {
  gantry_err_t err =
      carmen_parse("FLASER 3 1.25 81.9 0.5 9 9 9 1 2 -3 77.5 host 78", &record, &fault);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(record.kind, CARMEN_FLASER);
  cr_assert_eq(record.range_count, 3);
  cr_assert_float_eq(record.range_m[1], 81.9, 1e-5);
  cr_assert_float_eq(record.odometry.theta, -3.0, 1e-12);
  cr_assert_float_eq(record.time_s, 77.5, 1e-12);
}

Test(carmen, reads_the_beam_header) {
  gantry_err_t err =
      carmen_parse("# beam i angle_deg = -90 + 0.5*i ; range >= 80.5 means no return ; "
                   "laser_x_offset_m 0.18\n",
                   &record, &fault);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(record.kind, CARMEN_BEAM);
  cr_assert_float_eq(record.beam.first_rad, -M_PI / 2, 1e-12);
  cr_assert_float_eq(record.beam.step_rad, M_PI / 360, 1e-12);
  cr_assert_float_eq(record.beam.no_return_m, 80.5, 1e-12);
  cr_assert_float_eq(record.beam.laser_x_m, 0.18, 1e-12);
}

Test(carmen, reads_a_beam_header_that_runs_clockwise) {
  carmen_parse("# beam i angle_deg = 90 - 1*i ; range >= 50 means no return", &record, &fault);

  cr_assert_eq(record.kind, CARMEN_BEAM);
  cr_assert_float_eq(record.beam.step_rad, -M_PI / 180, 1e-12);
  cr_assert_float_eq(record.beam.laser_x_m, 0.0, 0);
}

Test(carmen, passes_over_what_it_has_no_use_for) {
  const char *const lines[] = {
      "",          "\n", "# comment", "PARAM robot_frontlaser_offset 0 nohost 0", "TRUEPOS 1 2 3",
      "ODOMETER 1"};

  for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
    cr_assert_eq(carmen_parse(lines[i], &record, &fault), GANTRY_OK);
    cr_assert_eq(record.kind, CARMEN_OTHER);
  }
}

Test(carmen, names_the_column_that_is_wrong) {
  static const struct {
    const char *line, *field;
  } BAD[] = {{"ODOM 1 2 oops 0 0 0 1 h 1", "theta"},
             {"ODOM 1 2 3 0 0", "accel"},
             {"ODOM 1 2 3 0 0 0", "time"},
             {"ODOM nan 2 3 0 0 0 1 h 1", "x"},
             {"FLASER x", "n"},
             {"FLASER 2.5 1 1", "n"},
             {"FLASER -1", "n"},
             {"FLASER 99999 1", "n"},
             {"FLASER 3 1 2", "range"},
             {"FLASER 1 1 0 0 0 1 2", "odom_theta"},
             {"FLASER 1 1 0 0 0 1 2 3 host", "time"},
             {"FLASER 1 1 0 0 0 1 2 3 10", "time"},
             {"ODOM 1 2 0.5 0 0 0 10.", "time"},
             {"FLASER 1 1 0 0 0 1 1e300 3 10 h 10", "odom_y"},
             {"FLASER 10000 1 1 1", "n"},
             {"# beam i angle_deg = wide", "beam"},
             {"# beam i angle_deg = -90", "beam"},
             {"# beam i angle_deg = -90 + 0*i", "beam"},
             {"# beam sideways", "beam"}};

  for (unsigned i = 0; i < sizeof BAD / sizeof *BAD; i++) {
    cr_assert_eq(carmen_parse(BAD[i].line, &record, &fault), GANTRY_E_SCHEMA, "%s", BAD[i].line);
    cr_assert_str_eq(fault.field, BAD[i].field, "%s", BAD[i].line);
  }
}

Test(carmen, takes_nan_and_inf_for_no_return) {
  cr_assert_eq(carmen_parse("FLASER 3 nan 1.5 inf 0 0 0 1 2 3 10 h 10", &record, &fault),
               GANTRY_OK);

  cr_assert(isnan(record.range_m[0]));
  cr_assert_float_eq(record.range_m[1], 1.5, 1e-6);
  cr_assert(isinf(record.range_m[2]));
}

Test(carmen, knows_the_usual_lasers_without_a_header) {
  cr_assert_float_eq(carmen_beam_default(180).step_rad, M_PI / 180, 1e-12);
  cr_assert_float_eq(carmen_beam_default(181).step_rad, M_PI / 180, 1e-12);
  cr_assert_float_eq(carmen_beam_default(361).step_rad, M_PI / 360, 1e-12);
  cr_assert_float_eq(carmen_beam_default(721).step_rad, M_PI / 720, 1e-12);
  cr_assert_float_eq(carmen_beam_default(361).first_rad, -M_PI / 2, 1e-12);
  cr_assert_float_eq(carmen_beam_default(361).no_return_m, 80.0, 0);
}
