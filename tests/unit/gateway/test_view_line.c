/* The lines in one word, the time a movement takes, registers by mode. */
#include "view.h"

#include <criterion/criterion.h>

static latest_t latest;
static const uint64_t NOW_NS = 100 * 1000000000ull;

static void hear_line(uint8_t port, bool open) {
  latest_line_t *row = latest_line(&latest, port);

  row->at = (stamp_t){.known = true, .heard_ns = NOW_NS};
  row->line = (robot_line_t){.port = port, .open = open, .requests = 10, .failures = 1};
}

static void hear_module(uint8_t address, robot_module_status_t status, bool mandatory) {
  latest_module_t *row = latest_module(&latest, 1, address);

  row->at = (stamp_t){.known = true, .heard_ns = NOW_NS};
  row->module.status = status;
  row->module.mandatory = mandatory;
}

static http_bus_status_t word(void) {
  http_bus_health_t bus;

  view_bus(&latest, NOW_NS, &bus);
  return bus.status;
}

Test(view_line, calls_the_lines_what_their_worst_part_is) {
  cr_expect_eq(word(), HTTP_BUS_STATUS_OFFLINE);
  hear_line(1, true);
  hear_module(2, ROBOT_MODULE_STATUS_HEALTHY, true);
  cr_expect_eq(word(), HTTP_BUS_STATUS_ONLINE);
  hear_module(3, ROBOT_MODULE_STATUS_QUARANTINED, false);
  cr_expect_eq(word(), HTTP_BUS_STATUS_ONLINE);
  hear_module(3, ROBOT_MODULE_STATUS_CONFLICT, false);
  cr_expect_eq(word(), HTTP_BUS_STATUS_WARNING);
  hear_module(3, ROBOT_MODULE_STATUS_OFFLINE, false);
  cr_expect_eq(word(), HTTP_BUS_STATUS_WARNING);
  hear_module(2, ROBOT_MODULE_STATUS_LOST, true);
  cr_expect_eq(word(), HTTP_BUS_STATUS_ERROR);
  hear_line(1, false);
  cr_expect_eq(word(), HTTP_BUS_STATUS_OFFLINE);
}

Test(view_line, warns_of_a_closed_line_beside_an_open_one) {
  hear_line(1, true);
  hear_line(2, false);

  cr_expect_eq(word(), HTTP_BUS_STATUS_WARNING);
}

Test(view_line, forgets_a_line_that_is_not_told_any_more) {
  http_bus_health_t bus;

  hear_line(1, true);
  view_bus(&latest, NOW_NS + 4 * 1000000000ull, &bus);

  cr_expect_eq(bus.status, HTTP_BUS_STATUS_OFFLINE);
  cr_expect_not(bus.has_error_rate || bus.has_throughput);
  cr_expect_eq(bus.lines_count, 0);
}

Test(view_line, times_a_trapezoid_and_a_triangle) {
  robot_status_t status = {.speed_limit = 1, .acceleration = 0.5, .deceleration = 1};

  cr_expect_float_eq(view_duration_s(&status, 0.5, 3), 6.75, 1e-9);
  cr_expect_float_eq(view_duration_s(&status, 2, 3), 4.5, 1e-9); /* the limit in force wins */
  /* 0.375 m at a peak of 0.5 m/s: 1 s up, 0.5 s down */
  cr_expect_float_eq(view_duration_s(&status, 1, 0.375), 1.5, 1e-9);
  status.speed_limit = 0;
  cr_expect_lt(view_duration_s(&status, 1, 1), 0);
}

Test(view_line, says_how_a_register_may_be_used_and_whether_it_is_in_range) {
  robot_register_value_t value = {.readable = true, .has_min = true, .min = 1, .value = 2};
  http_register_row_t row;

  view_register(&value, &row);
  cr_expect_eq(row.mode, HTTP_REGISTER_MODE_R);
  cr_expect_not(row.has_status);
  value.writable = value.has_value = true;
  view_register(&value, &row);
  cr_expect_eq(row.mode, HTTP_REGISTER_MODE_RW);
  cr_expect(row.has_status);
  cr_expect_eq(row.status, HTTP_REGISTER_STATUS_NORMAL);
  value.readable = false;
  value.value = 0.5;
  view_register(&value, &row);
  cr_expect_eq(row.mode, HTTP_REGISTER_MODE_W);
  cr_expect_eq(row.status, HTTP_REGISTER_STATUS_CRITICAL);
}

Test(view_line, writes_only_what_was_read) {
  static robot_register_values_t values = {.values_count = 2, .module = "dock", .address = 5};
  static http_module_registers_t out;

  values.values[0].has_value = true;
  values.values[0].has_age = true;
  values.values[0].age = 2;
  view_registers(&values, true, 10 * 1000000000ull, &out);

  cr_expect_eq(out.registers_count, 1);
  cr_expect_eq(out.last_updated, 8 * 1000000000ull);
  view_registers(&values, false, 0, &out);
  cr_expect_eq(out.registers_count, 2);
}
