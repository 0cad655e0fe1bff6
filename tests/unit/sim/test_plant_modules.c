/* Further modules, other maps, and what can be done to the plant from outside. */
#include <string.h>

#include <criterion/criterion.h>

#include "layout.h"
#include "plant.h"

static plant_t plant;

static void start(const plant_cfg_t *cfg) {
  plant_init(&plant, cfg);
}

static void start_plain(void) {
  static const plant_cfg_t cfg = {.world = {.seed = 1, .accel_noise_mg = 5.0}, .soc = 0.85};
  start(&cfg);
}

static uint16_t get(uint8_t unit, uint16_t address) {
  uint16_t value = 0;
  cr_assert_eq(plant_read(&plant, plant_module(&plant, unit), address, 1, &value), MODBUS_FINE,
               "%02x %04x", unit, address);
  return value;
}

static modbus_exception_t put(uint8_t unit, uint16_t address, uint16_t value) {
  return plant_write(&plant, plant_module(&plant, unit), address, 1, &value);
}

static bool has(uint8_t unit, uint16_t address) {
  return bank_has(&plant_module(&plant, unit)->bank, address);
}

static void drive(uint16_t speed, uint16_t direction) {
  for (uint16_t base = 0; base <= 0x10; base = (uint16_t)(base + 0x10)) {
    cr_assert_eq(put(MODULE_TRAVEL, base + 1, 1), MODBUS_FINE);
    cr_assert_eq(put(MODULE_TRAVEL, base + 2, speed), MODBUS_FINE);
    cr_assert_eq(put(MODULE_TRAVEL, base + 7, direction), MODBUS_FINE);
  }
}

Test(modules, are_four_unless_more_are_asked_for) {
  plant_cfg_t cfg = {.soc = 0.85};
  start(&cfg);
  cr_assert(plant_module(&plant, MODULE_DOCK)->present);
  cr_assert_not(plant_module(&plant, MODULE_LIFTER)->present);

  cfg.units = 1u << MODULE_ENVIRONMENT;
  start(&cfg);

  cr_assert(plant_module(&plant, MODULE_ENVIRONMENT)->present);
  cr_assert_not(plant_module(&plant, MODULE_DOCK)->present);
  cr_assert_float_eq(get(MODULE_ENVIRONMENT, 0x0000), 220, 20);
}

Test(modules, tell_their_types) {
  start_plain();

  cr_assert_eq(get(MODULE_LIFTER, 0x0104), 7);
  cr_assert_eq(get(MODULE_DOOR, 0x0104), 8);
  cr_assert_eq(get(MODULE_ENVIRONMENT, 0x0104), 0);
  cr_assert_eq(get(MODULE_LIFTER, 0x0100), MODULE_LIFTER);
}

Test(modules, lift_the_cargo_to_the_position_asked_for) {
  plant_cfg_t cfg = {.soc = 0.85, .units = 0x7C};
  start(&cfg);
  cr_assert_eq(put(MODULE_LIFTER, 0x0002, 500), MODBUS_FINE);
  plant_advance(&plant, 1000);
  cr_assert_eq(get(MODULE_LIFTER, 0x0003), 0);

  cr_assert_eq(put(MODULE_LIFTER, 0x0001, 1), MODBUS_FINE);
  plant_advance(&plant, 2000);
  cr_assert_eq(get(MODULE_LIFTER, 0x0003), 200);
  cr_assert(get(MODULE_LIFTER, 0x0000) & AXIS_MOVING);
  plant_advance(&plant, 5000);

  cr_assert_eq(get(MODULE_LIFTER, 0x0003), 500);
  cr_assert_eq(get(MODULE_LIFTER, 0x0000), AXIS_READY | AXIS_AT_TARGET);
  cr_assert_eq(get(MODULE_LIFTER, 0x0007), 1);
}

Test(modules, give_a_jammed_lifter_up_until_errors_are_reset) {
  plant_cfg_t cfg = {.soc = 0.85, .units = 0x7C};
  start(&cfg);
  plant_axis(&plant, MODULE_LIFTER)->jammed = true;
  cr_assert_eq(put(MODULE_LIFTER, 0x0002, 1000), MODBUS_FINE);
  cr_assert_eq(put(MODULE_LIFTER, 0x0001, 1), MODBUS_FINE);

  plant_advance(&plant, 1500);
  cr_assert_eq(get(MODULE_LIFTER, 0x0005), AXIS_FAULT_POSITION);
  plant_axis(&plant, MODULE_LIFTER)->jammed = false;
  cr_assert_eq(put(MODULE_LIFTER, 0x0001, 1), MODBUS_DEVICE_FAILURE);
  cr_assert_eq(put(MODULE_LIFTER, 0x0109, 1), MODBUS_FINE);
  plant_advance(&plant, 9000);

  cr_assert_eq(get(MODULE_LIFTER, 0x0003), 1000);
}

Test(modules, stop_the_lifter_by_the_emergency_stop_chain) {
  plant_cfg_t cfg = {.soc = 0.85, .units = 0x7C};
  start(&cfg);
  cr_assert_eq(put(MODULE_LIFTER, 0x0002, 1000), MODBUS_FINE);
  cr_assert_eq(put(MODULE_LIFTER, 0x0001, 1), MODBUS_FINE);
  plant_advance(&plant, 1000);

  plant_estop(&plant, true);
  uint16_t position = get(MODULE_LIFTER, 0x0003);
  plant_advance(&plant, 2000);

  cr_assert_eq(get(MODULE_LIFTER, 0x0003), position);
  cr_assert_eq(get(MODULE_LIFTER, 0x0001), 0);
  cr_assert_eq(put(MODULE_LIFTER, 0x0001, 1), MODBUS_DEVICE_FAILURE);
}

Test(modules, lack_what_they_are_told_to_lack) {
  plant_cfg_t cfg = {.soc = 0.85, .modules = {.without_optional = true, .without_odometry = true}};
  start(&cfg);

  cr_assert_not(has(MODULE_POWER, 0x0005));
  cr_assert_not(has(MODULE_POWER, 0x0010));
  cr_assert_not(has(MODULE_POWER, 0x0039));
  cr_assert(has(MODULE_POWER, 0x0007));
  cr_assert_not(has(MODULE_TRAVEL, 0x0040));
}

Test(modules, have_the_older_system_block_when_asked) {
  plant_cfg_t cfg = {.soc = 0.85, .modules = {.old_system = true}};
  start(&cfg);

  cr_assert_not(has(MODULE_SAFETY, 0x0100));
  cr_assert_eq(get(MODULE_SAFETY, 0x00F0), MODULE_SAFETY);
  cr_assert_eq(get(MODULE_SAFETY, 0x00F7), 3);
  cr_assert_eq(get(MODULE_SAFETY, 0x00F5), 5);
}

Test(alternate_map, drives_by_speeds_to_ten_thousand) {
  plant_cfg_t cfg = {.soc = 0.85, .modules = {.alt = true}};
  start(&cfg);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0000, 1), MODBUS_FINE);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0006, 1), MODBUS_FINE);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0002, 5000), MODBUS_FINE);

  plant_advance(&plant, 3000);
  cr_assert_float_eq(plant.world.speed_mps, 1.0, 1e-9);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0003), 5000);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0025), 1);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0021, 1), MODBUS_FINE);
  plant_advance(&plant, 4000);

  cr_assert_eq(plant.world.speed_mps, 0.0);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0026), 1);
}

Test(alternate_map, stops_hard_and_refuses_to_go_home) {
  plant_cfg_t cfg = {.soc = 0.85, .modules = {.alt = true}};
  start(&cfg);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0000, 1), MODBUS_FINE);

  cr_assert_eq(put(MODULE_TRAVEL, 0x0022, 1), MODBUS_DEVICE_FAILURE);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0024, 1), MODBUS_FINE);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0000), 0);
  plant_estop(&plant, true);

  cr_assert_eq(get(MODULE_TRAVEL, 0x0014), 1);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0027), 9);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0000, 1), MODBUS_DEVICE_FAILURE);
}

Test(alternate_map, scales_charge_and_temperatures_otherwise) {
  plant_cfg_t cfg = {.soc = 0.85, .modules = {.alt = true}};
  start(&cfg);

  cr_assert_eq(get(MODULE_POWER, 0x0002), 85);
  cr_assert_eq(get(MODULE_POWER, 0x0008), 250);
  cr_assert_eq(get(MODULE_POWER, 0x004D), 118);
  cr_assert_eq(get(MODULE_DOCK, 0x7203), 260);
}

Test(unique, gives_every_register_a_value_of_its_own) {
  static bool taken[65536];
  start_plain();
  plant.unique = true;
  for (uint8_t unit = MODULE_POWER; unit <= MODULE_ENVIRONMENT; unit++) {
    module_t *module = plant_module(&plant, unit);
    for (uint32_t address = 0; module && address <= 0xFFFF; address++) {
      uint16_t value = 0;
      if (address >= 0x00F0 && address <= 0x0109) continue;
      if (plant_read(&plant, module, (uint16_t)address, 1, &value) != MODBUS_FINE) continue;
      cr_assert_eq(value, plant_unique(unit, (uint16_t)address));
      cr_assert_not(taken[value], "unit %u, address %x", unit, address);
      taken[value] = true;
    }
  }
  cr_assert_eq(get(MODULE_SAFETY, 0x0100), MODULE_SAFETY);
}

Test(motor, trips_by_a_fault_and_is_enabled_after_a_reset_of_errors) {
  start_plain();
  drive(128, 1);
  plant_advance(&plant, 3000);

  plant_motor_fault(&plant, 0, 4);
  cr_assert_eq(get(MODULE_TRAVEL, 0x000C), 4);
  cr_assert_eq(get(MODULE_TRAVEL, 0x001C), 0);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0001), 0);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0001, 1), MODBUS_DEVICE_FAILURE);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0011, 1), MODBUS_FINE);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0109, 1), MODBUS_FINE);

  cr_assert_eq(get(MODULE_TRAVEL, 0x000C), 0);
  cr_assert_eq(put(MODULE_TRAVEL, 0x0001, 1), MODBUS_FINE);
}

Test(imu, freezes_without_a_word_and_fails_with_one) {
  start_plain();
  plant_advance(&plant, 100);
  uint16_t before = get(MODULE_DOCK, 0x7200);
  int moved = 0;
  for (uint64_t step = 110; step < 400; step += 10) {
    plant_advance(&plant, step);
    moved += get(MODULE_DOCK, 0x7200) != before;
  }
  cr_assert_gt(moved, 5);

  before = get(MODULE_DOCK, 0x7200);
  plant.imu = IMU_FROZEN;
  plant_advance(&plant, 1000);
  cr_assert_eq(get(MODULE_DOCK, 0x7200), before);
  cr_assert_eq(get(MODULE_DOCK, 0x7204), 1);
  plant.imu = IMU_FAILED;

  cr_assert_eq(get(MODULE_DOCK, 0x7204), 0);
  cr_assert_eq(get(MODULE_DOCK, 0x7202), 0);
}

Test(inputs, show_as_bits_and_one_by_one) {
  start_plain();
  plant.inputs = 0x0A;

  cr_assert_eq(get(MODULE_SAFETY, 0x0020), 0x0A);
  cr_assert_eq(get(MODULE_SAFETY, 0x0022), 1);
  cr_assert_eq(get(MODULE_SAFETY, 0x0023), 0);
  cr_assert_eq(get(MODULE_SAFETY, 0x0024), 1);
}

Test(docking, brings_the_robot_to_the_mark_and_lets_it_leave_backwards) {
  start_plain();
  plant.world.s_m = LAYOUT_DOCK_S_M - 1.0;
  cr_assert_eq(put(MODULE_DOCK, 0x8001, 1), MODBUS_FINE);
  drive(25, 1);
  uint16_t seen = 0;
  for (uint64_t step = 100; step < 20000 && get(MODULE_DOCK, 0x7304) == 0; step += 100) {
    plant_advance(&plant, step);
    seen |= get(MODULE_DOCK, 0x7005);
  }
  cr_assert_eq(seen, DOCK_APPROACHING | DOCK_ALIGNING | DOCK_DOCKING | DOCK_DOCKED);
  cr_assert_leq(get(MODULE_DOCK, 0x7006), 2);
  cr_assert_eq(get(MODULE_DOCK, 0x9007), 1);
  cr_assert_gt(get(MODULE_DOCK, 0x9009), 1000);

  cr_assert_eq(put(MODULE_DOCK, 0x8002, 1), MODBUS_FINE);
  cr_assert_eq(get(MODULE_DOCK, 0x8001), 0);
  cr_assert_eq(put(MODULE_DOCK, 0x8001, 1), MODBUS_BUSY);
  drive(25, 2);
  plant_advance(&plant, plant.world.step + 1000);
  cr_assert_eq(get(MODULE_DOCK, 0x7005), DOCK_UNDOCKING);
  plant_advance(&plant, plant.world.step + 5000);

  cr_assert_eq(get(MODULE_DOCK, 0x7005), 0);
}

Test(charging, needs_dock_relay_request_and_a_sound_charger) {
  start_plain();
  plant.dock.status = DOCK_DOCKED;
  plant.world.s_m = LAYOUT_DOCK_S_M;
  cr_assert_eq(get(MODULE_POWER, 0x003E), 1);
  cr_assert_eq(put(MODULE_POWER, 0x003D, 1), MODBUS_FINE);
  cr_assert_eq(get(MODULE_POWER, 0x003E), 1);
  cr_assert_eq(put(MODULE_POWER, 0x003F, 1), MODBUS_FINE);
  plant_advance(&plant, 60000);
  cr_assert_eq(get(MODULE_POWER, 0x003E), 2);
  cr_assert_eq(get(MODULE_POWER, 0x0033), 50);
  cr_assert_gt((int16_t)get(MODULE_POWER, 0x0001), 30);
  cr_assert_gt(battery_soc(&plant.battery), 0.852);

  plant.charger_fault = true;
  plant_advance(&plant, 61000);

  cr_assert_eq(get(MODULE_POWER, 0x003E), 1);
  cr_assert_eq(get(MODULE_POWER, 0x0033), 0);
  cr_assert(get(MODULE_POWER, 0x0023) & 0x80);
  cr_assert_eq(get(MODULE_POWER, 0x004C), 1);
}

Test(charging, fades_towards_full) {
  start_plain();
  plant.dock.status = DOCK_DOCKED;
  plant.world.s_m = LAYOUT_DOCK_S_M;
  cr_assert_eq(put(MODULE_POWER, 0x003D, 1), MODBUS_FINE);
  cr_assert_eq(put(MODULE_POWER, 0x003F, 1), MODBUS_FINE);
  battery_set_soc(&plant.battery, 0.99);

  plant_advance(&plant, 1000);

  cr_assert_float_eq(get(MODULE_POWER, 0x0033), 10, 1);
}

Test(battery, says_when_it_is_low) {
  start_plain();
  battery_set_soc(&plant.battery, 0.05);

  cr_assert_eq(get(MODULE_POWER, 0x0002), 50);
  cr_assert(get(MODULE_POWER, 0x0023) & 0x40);
}

Test(modules, start_anew_after_their_own_power_cut) {
  start_plain();
  drive(128, 1);
  plant_advance(&plant, 3000);
  module_t *travel = plant_module(&plant, MODULE_TRAVEL);

  plant_module_power(&plant, travel, false);
  plant_advance(&plant, 5000);
  cr_assert_eq(plant.world.speed_mps, 0.0);
  plant_module_power(&plant, travel, true);
  plant_advance(&plant, 6000);

  cr_assert_eq(get(MODULE_TRAVEL, 0x0001), 0);
  (void)get(MODULE_TRAVEL, 0x0040);
  cr_assert_eq(get(MODULE_TRAVEL, 0x0046), 1000);
  cr_assert_eq(get(MODULE_DOCK, 0x9006), 6);
}
