/* Registers by name and number through the bridge. What reached the line is asserted on the
   simulator's transcript and registers, never on what the bridge says. */
#include "bridge_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bridge_rig_t rig;
static gantry_fault_t fault;
static robot_register_value_t written;

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_registers, .init = set_up, .fini = tear_down, .timeout = 40);

/* Frames in the transcript, which is written each 100 ms, that begin with these hex digits. */
static unsigned requests(const char *hex) {
  char text[1024], wanted[64];
  unsigned count = 0;
  harness_for(rig.harness, 250);
  FILE *file = fopen(rig.sim.transcript, "r");
  cr_assert_not_null(file);
  (void)snprintf(wanted, sizeof wanted, "\"hex\":\"%s", hex);
  while (fgets(text, sizeof text, file))
    count += strstr(text, "\"dir\":\"request\"") != NULL && strstr(text, wanted) != NULL;
  (void)fclose(file);
  return count;
}

static robot_register_write_t wish(uint8_t address, const char *name, double value) {
  robot_register_write_t write = {.address = address,
                                  .has_name = true,
                                  .has_value = true,
                                  .value = value,
                                  .access = ROBOT_REGISTER_ACCESS_ADMIN,
                                  .safety = true};
  (void)snprintf(write.name, sizeof write.name, "%s", name);
  return write;
}

static gantry_err_t write_it(const robot_register_write_t *write) {
  return harness_call(rig.harness, REQUEST_ROBOT_REGISTER_WRITE, NULL, write, &written, 1500,
                      &fault);
}

static gantry_err_t write_value(uint8_t address, const char *name, double value) {
  robot_register_write_t write = wish(address, name, value);
  return write_it(&write);
}

static robot_register_values_t *values_of(uint8_t address, const char *name) {
  static robot_register_values_t values;
  robot_registers_of_t of = {.address = address, .has_name = name != NULL};
  if (name) (void)snprintf(of.name, sizeof of.name, "%s", name);
  gantry_err_t err =
      harness_call(rig.harness, REQUEST_ROBOT_REGISTERS, NULL, &of, &values, 1500, &fault);
  return err == GANTRY_OK ? &values : NULL;
}

static const robot_register_value_t *named(const robot_register_values_t *values,
                                           const char *name) {
  for (uint32_t i = 0; values && i < values->values_count; i++)
    if (strcmp(values->values[i].name, name) == 0) return &values->values[i];
  return NULL;
}

static bool is_known(void *arg) {
  const robot_register_value_t *row = named(values_of(3, NULL), arg);
  return row && row->has_raw;
}

Test(bridge_registers, all_of_a_module_come_from_memory_with_their_ages) {
  cr_assert(harness_until(rig.harness, is_known, "range_2", 5000));
  const robot_register_values_t *values = values_of(3, NULL);

  cr_assert_str_eq(values->module, "safety");
  cr_assert_eq(values->port, 1);
  const robot_register_value_t *polled = named(values, "supply");
  cr_assert_float_eq(polled->value, 12.0, 1e-9);
  cr_assert_str_eq(polled->unit, "V");
  cr_assert(polled->has_age);
  cr_assert_lt(polled->age, 5.0);
  cr_assert_not(named(values, "proximity_limit")->has_raw, "nobody has read it yet");
  cr_assert(named(values, "firmware")->has_raw, "the discovery has read it");
  for (uint32_t i = 1; i < values->values_count; i++)
    cr_assert_lt(values->values[i - 1].register_, values->values[i].register_);
  cr_assert_eq(requests("03030050"), 0, "asking for what is known does not touch the line");
}

Test(bridge_registers, the_columns_of_the_profile_are_told) {
  const robot_register_value_t *row = named(values_of(3, NULL), "zone_1");
  cr_assert_not_null(row);
  cr_assert(row->readable && row->writable && row->safety);
  cr_assert_eq(row->access, ROBOT_REGISTER_ACCESS_ADMIN);
  cr_assert_float_eq(row->max, 10.0, 1e-9);
}

Test(bridge_registers, one_by_name_is_read_now) {
  (void)bridge_rig_ask(&rig, "reg 0x03 0x0050 70");
  const robot_register_values_t *values = values_of(3, "proximity_limit");
  cr_assert_not_null(values, "%s", fault.detail);
  cr_assert_eq(values->values_count, 1);
  cr_assert_eq(values->values[0].raw, (int64_t)bridge_rig_register(&rig, 3, 0x0050));
  cr_assert_geq(requests("030300500001"), 1);
}

Test(bridge_registers, letters_are_told_as_text) {
  const robot_register_values_t *values = values_of(4, "module_name");
  cr_assert_not_null(values, "%s", fault.detail);
  cr_assert_str_eq(values->values[0].text, "TRVL");
}

Test(bridge_registers, a_write_reaches_the_module_and_is_read_back) {
  inbox_t *audit = harness_collect(rig.harness, "audit.");

  cr_assert_eq(write_value(3, "zone_1", 0.8), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(bridge_rig_register(&rig, 3, 0x0040), 800);
  cr_assert_eq(written.raw, 800);
  cr_assert_float_eq(written.value, 0.8, 1e-9);
  cr_assert_geq(requests("030600400320"), 1); /* again when an answer came late */
  cr_assert_geq(requests("030300400001"), 1);
  cr_assert(harness_collected(rig.harness, audit, 1, 2000));
  const sys_audit_t *said = inbox_body(audit, 0);
  cr_assert(said->success);
  cr_assert_str_eq(said->action, "robot.register_write");
  cr_assert_not_null(strstr(said->detail, "zone_1"), "%s", said->detail);
}

Test(bridge_registers, a_write_by_number_takes_the_raw_value) {
  robot_register_write_t write = {.address = 3,
                                  .has_register = true,
                                  .register_ = 0x0041,
                                  .has_raw = true,
                                  .raw = 450,
                                  .access = ROBOT_REGISTER_ACCESS_ADMIN,
                                  .safety = true};
  cr_assert_eq(write_it(&write), GANTRY_OK, "%s", fault.detail);
  cr_assert_str_eq(written.name, "zone_2");
  cr_assert_eq(bridge_rig_register(&rig, 3, 0x0041), 450);
}

typedef struct refusal {
  uint8_t address;
  const char *name;
  double value;
  robot_register_access_t access;
  bool safety;
  gantry_err_t err;
  const char *words, *frame;
} refusal_t;

Test(bridge_registers, what_is_refused_never_reaches_the_line) {
  const robot_register_access_t admin = ROBOT_REGISTER_ACCESS_ADMIN,
                                user = ROBOT_REGISTER_ACCESS_USER;
  const refusal_t table[] = {
      {3, "zone_1", 10.5, admin, true, GANTRY_E_INVALID, "zone_1 takes 0 to 10 m", "03060040"},
      {3, "zone_1", 0.8, admin, false, GANTRY_E_FORBIDDEN, "only the safety role", "03060040"},
      {3, "zone_1", 0.8, user, true, GANTRY_E_FORBIDDEN, "the role admin", "03060040"},
      {3, "estop", 0, admin, true, GANTRY_E_REFUSED, "only read", "03060001"},
      {3, "auto_reset", 1, admin, true, GANTRY_E_REFUSED, "auto_reset stays 0", "03060052"},
      {4, "motor_1_enable", 1, admin, true, GANTRY_E_REFUSED, "the bridge's own", "04060001"},
      {4, "motor_2_setpoint", 9, admin, true, GANTRY_E_REFUSED, "the bridge's own", "04060012"},
      {4, "motor_1_direction", 1, admin, true, GANTRY_E_REFUSED, "the bridge's own", "04060007"},
      {4, "warp_drive", 9, admin, true, GANTRY_E_NOT_FOUND, "no such register", "0406FFFF"},
      {5, "command_dock", 2, admin, true, GANTRY_E_INVALID, "command_dock takes 0 to 1",
       "05068001"},
  };
  size_t count = sizeof table / sizeof table[0];
  inbox_t *audit = harness_collect(rig.harness, "audit.");
  for (size_t i = 0; i < count; i++) {
    robot_register_write_t write = wish(table[i].address, table[i].name, table[i].value);
    write.access = table[i].access;
    write.safety = table[i].safety;
    cr_expect_eq(write_it(&write), table[i].err, "%s: %s", table[i].name, fault.detail);
    cr_expect_not_null(strstr(fault.detail, table[i].words), "%s", fault.detail);
  }
  for (size_t i = 0; i < count; i++)
    cr_expect_eq(requests(table[i].frame), 0, "%s", table[i].name);
  cr_assert(harness_collected(rig.harness, audit, count - 1, 2000), "each refusal is on record");
  for (size_t i = 0; i < count - 1; i++)
    cr_expect_not(((const sys_audit_t *)inbox_body(audit, i))->success);
}

Test(bridge_registers, name_and_number_together_or_none_are_refused) {
  robot_register_write_t write = wish(3, "zone_1", 0.8);
  write.has_register = true;
  cr_assert_eq(write_it(&write), GANTRY_E_INVALID);
  write = wish(3, "zone_1", 0.8);
  write.has_value = false;
  cr_assert_eq(write_it(&write), GANTRY_E_INVALID);
}

Test(bridge_registers, a_write_that_is_acknowledged_but_not_taken_is_a_device_error) {
  inbox_t *audit = harness_collect(rig.harness, "audit.");
  (void)bridge_rig_ask(&rig, "fault 0x02 zeros");

  cr_assert_eq(write_value(2, "charger_voltage_set", 24.0), GANTRY_E_DEVICE, "%s", fault.detail);

  cr_assert_not_null(strstr(fault.detail, "wrote 240, reads back 0"), "%s", fault.detail);
  cr_assert(harness_collected(rig.harness, audit, 1, 2000));
  cr_assert_not(((const sys_audit_t *)inbox_body(audit, 0))->success);
}

Test(bridge_registers, a_module_s_refusal_is_named) {
  (void)bridge_rig_ask(&rig, "fault 0x02 exception 6");
  cr_assert_eq(write_value(2, "charger_voltage_set", 24.0), GANTRY_E_DEVICE);
  cr_assert_not_null(strstr(fault.detail, "busy"), "%s", fault.detail);
}

Test(bridge_registers, a_setting_is_written_again_when_its_answer_is_lost_and_a_command_is_not) {
  (void)bridge_rig_ask(&rig, "fault 0x02 crc 100%");
  cr_assert_eq(write_value(2, "charge_request", 1), GANTRY_E_DEVICE, "%s", fault.detail);
  cr_assert_eq(write_value(2, "reset_error", 1), GANTRY_E_DEVICE, "%s", fault.detail);

  cr_assert_eq(requests("0206003F0001"), 2);
  cr_assert_eq(requests("020601090001"), 1);
}

Test(bridge_registers, a_command_is_written_once_and_not_read_back) {
  cr_assert_eq(write_value(5, "command_clear", 1), GANTRY_OK, "%s", fault.detail);
  cr_assert_not(written.has_raw);
  cr_assert_eq(requests("050680040001"), 1);
  cr_assert_eq(requests("05038004"), 0);
}

Test(bridge_registers, what_is_only_written_is_not_read) {
  cr_assert_null(values_of(5, "command_dock"));
  cr_assert_not_null(strstr(fault.detail, "only written"), "%s", fault.detail);
}

Test(bridge_registers, a_module_that_is_silent_is_a_time_out) {
  (void)bridge_rig_ask(&rig, "fault 0x02 silent");
  cr_assert_eq(write_value(2, "charge_request", 1), GANTRY_E_TIMEOUT, "%s", fault.detail);
  cr_assert_not_null(strstr(fault.detail, "0x02"), "%s", fault.detail);
}

Test(bridge_registers, a_line_that_is_not_there_is_named) {
  robot_register_write_t write = wish(3, "zone_1", 0.8);
  write.has_port = true;
  write.port = 7;
  cr_assert_eq(write_it(&write), GANTRY_E_NOT_FOUND);
  cr_assert_not_null(strstr(fault.detail, "no line 7"), "%s", fault.detail);
}
