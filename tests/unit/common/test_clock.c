/* Clocks and times as text. */
#include <criterion/criterion.h>
#include <gantry/clock.h>

Test(clock, monotonic_time_does_not_go_back) {
  uint64_t first = clock_mono_ns();

  cr_assert_geq(clock_mono_ns(), first);
}

Test(clock, wall_time_is_of_this_century) {
  cr_assert_gt(clock_wall_ns(), (uint64_t)1600000000 * GANTRY_NS_PER_S);
}

Test(clock, age_is_in_milliseconds_and_never_negative) {
  cr_assert_eq(clock_age_ms(2500000, 1000000), 1.5);
  cr_assert_eq(clock_age_ms(1000000, 2500000), 0);
}

Test(clock, writes_microseconds_of_utc) {
  char text[28];

  cr_assert_str_eq(clock_iso(1769850307123456789u, text, sizeof text),
                   "2026-01-31T09:05:07.123456Z");
}

Test(clock, reads_what_it_writes) {
  char text[28];
  uint64_t wall_ns;

  cr_assert(clock_parse_iso(clock_iso(1769850307123456000u, text, sizeof text), &wall_ns));
  cr_assert_eq(wall_ns, 1769850307123456000u);
}

Test(clock, reads_zones_fractions_and_leap_days) {
  static const struct {
    const char *text;
    uint64_t wall_ns;
  } ROWS[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T07:00:00+07:00", 0},
      {"1970-01-01T00:00:00-00:30", 1800u * (uint64_t)GANTRY_NS_PER_S},
      {"1970-01-01t00:00:00.000000001z", 1},
      {"1970-01-01 00:00:01.5Z", 1500000000},
      {"1970-01-01T00:00:00.1234567899Z", 123456789},
      {"2000-02-29T00:00:00Z", 951782400u * (uint64_t)GANTRY_NS_PER_S},
  };
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    uint64_t wall_ns = 42;

    bool read = clock_parse_iso(ROWS[i].text, &wall_ns);

    cr_assert(read, "%s", ROWS[i].text);
    cr_assert_eq(wall_ns, ROWS[i].wall_ns, "%s", ROWS[i].text);
  }
}

Test(clock, refuses_what_is_no_time) {
  static const char *const TEXTS[] = {"",
                                      "now",
                                      "2026",
                                      "2026-01-31",
                                      "2026-13-01T00:00:00Z",
                                      "2026-02-29T00:00:00Z",
                                      "2100-02-29T00:00:00Z",
                                      "2026-01-31T24:00:00Z",
                                      "2026-01-31T09:60:00Z",
                                      "2026-01-31T09:05:60Z",
                                      "2026-01-31T09:05:07",
                                      "2026-01-31T09:05:07.Z",
                                      "2026-01-31T09:05:07Zx",
                                      "2026-01-31T09:05:07+7:00",
                                      "2026-01-31T09:05:07+07:60",
                                      "2026-01-31T09:05:07+25:00",
                                      "1970-01-01T00:00:00+00:01",
                                      "2026/01/31T09:05:07Z",
                                      "2026-01-00T09:05:07Z",
                                      "2026-01-31X09:05:07Z",
                                      "2026-01-31T09-05-07Z",
                                      "2026-01-31T09:05-07Z",
                                      "2026-01+31T09:05:07Z",
                                      "3000-01-31T09:05:07Z"};
  uint64_t wall_ns;
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    cr_assert_not(clock_parse_iso(TEXTS[i], &wall_ns), "%s", TEXTS[i]);
  }
}
