/* Units: conversions that a person can check by heart. */
#include <criterion/criterion.h>

#include <string.h>

#include "units.h"

static double convert(double value, const char *from, const char *to) {
  double factor = 0, shift = 0;
  cr_assert(unit_convert(from, to, &factor, &shift), "%s to %s", from, to);
  return factor * value + shift;
}

Test(units, converts_within_one_quantity) {
  cr_expect_float_eq(convert(1.5, "kN", "N"), 1500, 1e-9);
  cr_expect_float_eq(convert(1500, "N", "kN"), 1.5, 1e-12);
  cr_expect_float_eq(convert(100, "lbf", "N"), 444.82216, 1e-4);
  cr_expect_float_eq(convert(1000, "mg", "m/s2"), 9.80665, 1e-9);
  cr_expect_float_eq(convert(212, "F", "C"), 100, 1e-9);
  cr_expect_float_eq(convert(0, "C", "K"), 273.15, 1e-9);
  cr_expect_float_eq(convert(32, "F", "K"), 273.15, 1e-9);
  cr_expect_float_eq(convert(6.283185307179586, "rad/s", "rpm"), 60, 1e-9);
  cr_expect_float_eq(convert(360, "deg/s", "rpm"), 60, 1e-9);
  cr_expect_float_eq(convert(0.5, "1", "%"), 50, 1e-12);
}

Test(units, leaves_a_unit_as_it_is_known_or_not) {
  cr_expect_eq(convert(3, "N", "N"), 3);
  cr_expect_eq(convert(3, "furlong", "furlong"), 3);
}

Test(units, converts_nothing_into_something_else) {
  double factor, shift;

  cr_expect_not(unit_convert("kg", "N", &factor, &shift));
  cr_expect_not(unit_convert("furlong", "m", &factor, &shift));
  cr_expect_not(unit_convert("", "m", &factor, &shift));
}

Test(units, lists_what_would_fit) {
  char text[64], small[8];

  unit_list("N", text, sizeof text);
  cr_expect_str_eq(text, "N, mN, kN, kgf, lbf");
  unit_list("furlong", text, sizeof text);
  cr_expect_str_eq(text, "furlong");
  unit_list("Pa", small, sizeof small);
  cr_expect_eq(strlen(small), sizeof small - 1);
}

Test(units, converts_there_and_back) {
  static const char *const PAIRS[][2] = {
      {"m", "in"}, {"cm", "mm"},  {"rad", "deg"}, {"F", "K"},    {"bar", "psi"}, {"V", "mV"},
      {"A", "mA"}, {"kPa", "Pa"}, {"s", "ms"},    {"g", "m/s2"}, {"Hz", "kHz"},  {"rad/s", "rpm"}};
  for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
    double there = convert(123.456, PAIRS[i][0], PAIRS[i][1]);
    cr_expect_float_eq(convert(there, PAIRS[i][1], PAIRS[i][0]), 123.456, 1e-9, "%s", PAIRS[i][0]);
  }
}
