#include "place.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void setup(void) {
  snprintf(path, sizeof path, "/tmp/gantry_place_XXXXXX");
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
  unlink(path);
}

static void teardown(void) {
  unlink(path);
}

TestSuite(place, .init = setup, .fini = teardown);

static place_t somewhere(void) {
  return (place_t){.map_id = "map_0badcafe",
                   .has_fix = true,
                   .pose = {1.5, -2.25, M_PI / 2},
                   .boot = 0xfedcba9876543210u,
                   .module_odometry = true,
                   .clock_s = 12.5,
                   .odometry = {10, 0, 0}};
}

Test(place, comes_back_as_it_was_written) {
  place_t written = somewhere(), read;

  cr_assert_eq(place_write(path, &written), GANTRY_OK);
  cr_assert_eq(place_read(path, &read), GANTRY_OK);

  cr_assert_str_eq(read.map_id, written.map_id);
  cr_assert(read.has_fix);
  cr_assert_eq(read.boot, written.boot);
  cr_assert(read.module_odometry);
  cr_assert_eq(read.clock_s, 12.5);
  cr_assert_eq(read.pose.x, 1.5);
  cr_assert_eq(read.pose.theta, M_PI / 2);
  cr_assert_eq(read.odometry.x, 10);
}

Test(place, may_be_in_no_map) {
  place_t written = somewhere(), read;
  written.map_id[0] = '\0';

  cr_assert_eq(place_write(path, &written), GANTRY_OK);
  cr_assert_eq(place_read(path, &read), GANTRY_OK);

  cr_assert_str_eq(read.map_id, "");
  cr_assert_eq(read.pose.y, -2.25);
}

Test(place, is_not_found_where_nothing_was_written) {
  place_t read;

  cr_assert_eq(place_read(path, &read), GANTRY_E_NOT_FOUND);
}

Test(place, refuses_what_is_cut_off_or_not_finite) {
  static const char *const BAD[] = {
      "",
      "\n",
      "gantry-place 1 [",
      "gantry-place 1 [map_1] 1 0 0 0 5 1 0 0 0 0\n",
      "gantry-place 1 [map_1] 1 nan 0 0 5 1 0 0 0 0 end\n",
      "gantry-place 1 [map_1] 1 0 0 0 5 1 0 0 inf 0 end\n",
      "gantry-place 1 [map_1] 1 1e300 0 0 5 1 0 0 0 0 end\n",
      "gantry-place 2 [map_1] 1 0 0 0 5 1 0 0 0 0 end\n",
      "gantry-place 1 [012345678901234567890123456789012345678901234567890123] 1 0 0 0 5 1 0 0 0 0 "
      "end\n",
  };
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
    place_t read;
    FILE *file = fopen(path, "w");
    fputs(BAD[i], file);
    fclose(file);

    cr_assert_eq(place_read(path, &read), GANTRY_E_SCHEMA, "%s", BAD[i]);
  }
}

Test(place, says_when_it_cannot_be_written) {
  place_t written = somewhere();

  cr_assert_eq(place_write("/nonexistent/gantry/place", &written), GANTRY_E_INTERNAL);
}

Test(place, goes_on_with_the_odometry) {
  place_t place = somewhere(), now = place;
  pose2_t pose;
  now.clock_s = 13;
  now.odometry = (pose2_t){12, 1, 0.5};

  cr_assert(place_now(&place, &now, &pose));

  cr_assert_float_eq(pose.x, 0.5, 1e-9);
  cr_assert_float_eq(pose.y, -0.25, 1e-9);
  cr_assert_float_eq(pose.theta, M_PI / 2 + 0.5, 1e-9);
}

Test(place, stays_where_it_was_when_the_odometry_began_anew) {
  place_t place = somewhere();
  place_t others[3] = {place, place, place};
  others[0].boot++;
  others[1].module_odometry = false;
  others[2].clock_s = 3;
  for (int i = 0; i < 3; i++) {
    pose2_t pose;
    others[i].odometry = (pose2_t){0};

    cr_assert_not(place_now(&place, &others[i], &pose));

    cr_assert_eq(pose.x, 1.5);
    cr_assert_eq(pose.y, -2.25);
  }
}
