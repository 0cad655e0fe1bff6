/* The command line. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "options.h"

#define PARSE(options, ...)                                                                        \
  options_parse(options, (int)(sizeof((char *[]){"sim", __VA_ARGS__}) / sizeof(char *)),           \
                (char *[]){"sim", __VA_ARGS__})

Test(options, has_defaults_for_everything_but_the_ports) {
  options_t options;

  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a"), OPTIONS_RUN);

  cr_assert_str_eq(options.rs485, "/tmp/a");
  cr_assert_null(options.lidar);
  cr_assert_eq(options.baud, 115200);
  cr_assert_eq(options.seed, 1);
  cr_assert_float_eq(options.pace, 20.0, 1e-12);
  cr_assert_float_eq(options.lidar_noise_m, 0.03, 1e-12);
  cr_assert_not(options.unpaced);
}

Test(options, takes_values_apart_or_behind_an_equals_sign) {
  options_t options;

  cr_assert_eq(PARSE(&options, "--lidar=/tmp/l", "--seed", "42", "--baud=38400", "--unpaced",
                     "--wheel-error=-0.02"),
               OPTIONS_RUN);

  cr_assert_str_eq(options.lidar, "/tmp/l");
  cr_assert_eq(options.seed, 42);
  cr_assert_eq(options.baud, 38400);
  cr_assert(options.unpaced);
  cr_assert_float_eq(options.wheel_error, -0.02, 1e-12);
}

Test(options, refuses_what_it_does_not_know_or_cannot_take, .init = cr_redirect_stderr) {
  options_t options;

  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--drive"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "stray"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--unpaced=1"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--baud", "115200.5"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--baud", "fast"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--soc", "1.1"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--soc", "nan"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--seed", "1"), OPTIONS_WRONG);
}

Test(options, takes_modules_maps_and_what_they_lack) {
  options_t options;

  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--modules", "2,3,0x0B", "--profile=oht50-alt",
                     "--without", "optional,system"),
               OPTIONS_RUN);

  cr_assert_eq(options.modules, 1u << 2 | 1u << 3 | 1u << 11);
  cr_assert(options.alt && options.without_optional && options.old_system);
  cr_assert_not(options.without_odometry);
}

Test(options, refuses_modules_and_maps_that_there_are_not, .init = cr_redirect_stderr) {
  options_t options;

  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--modules", "2,9"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--modules", "2;3"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--modules", ""), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--profile", "oht51"), OPTIONS_WRONG);
  cr_assert_eq(PARSE(&options, "--rs485", "/tmp/a", "--without", "brakes"), OPTIONS_WRONG);
}

Test(options, prints_every_option_in_its_help, .init = cr_redirect_stdout) {
  options_t options;
  char text[8192] = "";

  cr_assert_eq(PARSE(&options, "--help"), OPTIONS_DONE);

  (void)fflush(stdout);
  (void)fread(text, 1, sizeof text - 1, cr_get_redirected_stdout());
  cr_assert(strstr(text, "--transcript"));
  cr_assert(strstr(text, "--pace         log seconds a second in replay (20; 0.01 to 1000)"));
}

Test(options, prints_the_surveyed_tags_and_walls, .init = cr_redirect_stdout) {
  options_t options;
  static char text[32768];

  cr_assert_eq(PARSE(&options, "--print-tags", "--print-world"), OPTIONS_DONE);

  (void)fflush(stdout);
  (void)fread(text, 1, sizeof text - 1, cr_get_redirected_stdout());
  cr_assert(strstr(text, "{\"tag_id\":\"5C3A1000\",\"x\":-8.8584,\"y\":-5.0000,\"theta\":0.0000"));
  cr_assert(
      strstr(text, "\"rail\":{\"length_m\":60,\"closed\":true,\"points\":[[-8.8584,-5.0000]"));
  cr_assert(strstr(text, "\"walls\":[[-12.7,-6.8,-5,-6.8]"));
}
