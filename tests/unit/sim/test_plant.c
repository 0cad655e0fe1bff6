/* The modules look into the world and act on it. */
#include <math.h>

#include <criterion/criterion.h>

#include "layout.h"
#include "plant.h"

static const plant_cfg_t cfg = {
    .world = {.seed = 1, .wheel_error = 0.01, .range_noise_m = 0.004, .accel_noise_mg = 5.0},
    .soc = 0.85};

static plant_t plant;

static void setup(void) {
  plant_init(&plant, &cfg);
}

TestSuite(plant, .init = setup);

static uint16_t read_one(plant_t *robot, uint8_t unit, uint16_t address) {
  uint16_t value = 0;
  cr_assert_eq(plant_read(robot, plant_module(robot, unit), address, 1, &value), MODBUS_FINE,
               "%02x %04x", unit, address);
  return value;
}

static modbus_exception_t write_one(plant_t *robot, uint8_t unit, uint16_t address,
                                    uint16_t value) {
  return plant_write(robot, plant_module(robot, unit), address, 1, &value);
}

static void drive(plant_t *robot, uint16_t speed, uint16_t direction) {
  for (uint16_t base = 0; base <= 0x10; base = (uint16_t)(base + 0x10)) {
    cr_assert_eq(write_one(robot, MODULE_TRAVEL, base + 1, 1), MODBUS_FINE);
    cr_assert_eq(write_one(robot, MODULE_TRAVEL, base + 2, speed), MODBUS_FINE);
    cr_assert_eq(write_one(robot, MODULE_TRAVEL, base + 7, direction), MODBUS_FINE);
  }
}

static int32_t read_long(plant_t *robot, uint16_t address) {
  uint16_t words[2];
  cr_assert_eq(plant_read(robot, plant_module(robot, MODULE_TRAVEL), address, 2, words),
               MODBUS_FINE);
  return (int32_t)((uint32_t)words[1] << 16 | words[0]);
}

Test(plant, has_the_system_block_in_every_module) {
  for (uint8_t unit = MODULE_POWER; unit <= MODULE_DOCK; unit++) {
    uint16_t block[8], names[8];
    module_t *module = plant_module(&plant, unit);
    cr_assert_eq(plant_read(&plant, module, 0x0100, 8, block), MODBUS_FINE);
    cr_assert_eq(plant_read(&plant, module, 0x00F8, 8, names), MODBUS_FINE);
    cr_assert_eq(block[0], unit);
    cr_assert_eq(block[4], unit);
    cr_assert_eq(block[1], 5);
  }
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x00F8), 0x5452);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x00F9), 0x564C);
}

Test(plant, answers_every_block_of_the_poll_plan) {
  static const struct {
    uint8_t unit;
    uint16_t address, count;
  } blocks[] = {{3, 0x0000, 8}, {3, 0x0010, 4}, {5, 0x7200, 3}, {5, 0x7100, 5},  {5, 0x7300, 5},
                {5, 0x7000, 8}, {4, 0x0040, 8}, {4, 0x0005, 8}, {4, 0x0015, 8},  {2, 0x0000, 11},
                {2, 0x0014, 6}, {2, 0x001C, 6}, {2, 0x0030, 8}, {2, 0x0040, 9},  {2, 0x0049, 4},
                {2, 0x003E, 1}, {2, 0x004D, 1}, {2, 0x0100, 8}, {5, 0x9000, 10}, {5, 0xA000, 7},
                {5, 0x8000, 8}, {3, 0x0030, 5}, {3, 0x0040, 4}, {3, 0x0050, 4},  {4, 0x0020, 5}};
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
    uint16_t values[16];
    cr_assert_eq(plant_read(&plant, plant_module(&plant, blocks[i].unit), blocks[i].address,
                            blocks[i].count, values),
                 MODBUS_FINE, "block %zu", i);
  }
}

Test(plant, moves_the_robot_by_the_motor_registers) {
  drive(&plant, 128, 1);

  plant_advance(&plant, 4000);

  cr_assert_float_eq(plant.world.speed_mps, 128.0 / 255.0 * 2.0, 1e-9);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x0006), 128);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x000B), 1 | 2 | 8);
}

Test(plant, drives_in_reverse_by_direction_two) {
  drive(&plant, 64, 2);

  plant_advance(&plant, 2000);

  cr_assert_lt(plant.world.speed_mps, 0.0);
  cr_assert_gt(read_one(&plant, MODULE_TRAVEL, 0x0016), 0);
}

Test(plant, ramps_by_the_linear_step_in_mode_two) {
  for (uint16_t base = 0; base <= 0x10; base = (uint16_t)(base + 0x10)) {
    cr_assert_eq(write_one(&plant, MODULE_TRAVEL, base, 2), MODBUS_FINE);
    cr_assert_eq(write_one(&plant, MODULE_TRAVEL, base + 4, 1), MODBUS_FINE);
  }
  drive(&plant, 255, 1);

  plant_advance(&plant, 1000);

  cr_assert_float_eq(plant.world.speed_mps, 0.2, 1e-6);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x0005), 1);
}

Test(plant, cuts_the_motors_by_the_emergency_stop_chain) {
  drive(&plant, 128, 1);
  plant_advance(&plant, 3000);

  plant_estop(&plant, true);
  plant_advance(&plant, 3300);

  cr_assert_eq(plant.world.speed_mps, 0.0);
  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0001), 1);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x0001), 0);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x000C), 9);
  cr_assert_eq(write_one(&plant, MODULE_TRAVEL, 0x0011, 1), MODBUS_DEVICE_FAILURE);
  cr_assert_eq(write_one(&plant, MODULE_TRAVEL, 0x0011, 0), MODBUS_FINE);
}

Test(plant, stays_disabled_when_the_chain_closes_again) {
  drive(&plant, 128, 1);
  plant_estop(&plant, true);
  plant_estop(&plant, false);

  plant_advance(&plant, 1000);

  cr_assert_eq(plant.world.speed_mps, 0.0);
  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0001), 0);
  cr_assert_eq(write_one(&plant, MODULE_TRAVEL, 0x0001, 1), MODBUS_FINE);
}

Test(plant, latches_the_odometry_when_its_first_register_is_read) {
  drive(&plant, 128, 1);
  plant_advance(&plant, 3000);
  int32_t before = read_long(&plant, 0x0040);
  int32_t clock_before = read_long(&plant, 0x0046);

  plant_advance(&plant, 4000);

  cr_assert_float_eq(before, 1.01 * 2.508 * 1e4, 300.0);
  cr_assert_eq(clock_before, 3000);
  cr_assert_eq(read_long(&plant, 0x0046), 3000);
  cr_assert_gt(read_long(&plant, 0x0040), before + 9000);
  cr_assert_eq(read_long(&plant, 0x0046), 4000);
}

Test(plant, counts_odometry_backwards_below_zero) {
  plant.world.s_m = 5.0;
  drive(&plant, 128, 2);

  plant_advance(&plant, 3000);

  cr_assert_float_eq(read_long(&plant, 0x0040), plant.world.odometry.x * 1e4, 1.0);
  cr_assert_lt(read_long(&plant, 0x0040), -10000);
}

Test(plant, names_the_zone_of_the_nearest_range) {
  static const struct {
    double gap_m;
    uint16_t zone;
  } cases[] = {{1.5, 0}, {0.8, 1}, {0.4, 2}, {0.15, 3}, {0.05, 4}};
  for (size_t i = 0; i < 5; i++) {
    pose2_t pose = world_pose(&plant.world, 0.0);
    world_obstacle_clear(&plant.world);
    cr_assert(world_obstacle_add(&plant.world, pose.x + 0.3 + cases[i].gap_m + 0.5, pose.y, 0.5));
    cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0002), cases[i].zone, "gap %g", cases[i].gap_m);
    cr_assert_float_eq(read_one(&plant, MODULE_SAFETY, 0x0010), cases[i].gap_m * 1000.0, 20.0);
  }
}

Test(plant, detects_what_is_close_by_proximity) {
  pose2_t pose = world_pose(&plant.world, 0.0);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7302), 1000);

  cr_assert(world_obstacle_add(&plant.world, pose.x + 0.3 + 0.1 + 0.5, pose.y, 0.5));

  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7300), 1);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7301), 0);
  cr_assert_float_eq(read_one(&plant, MODULE_DOCK, 0x7302), 100, 20);
}

Test(plant, reads_tags_as_they_pass) {
  plant_advance(&plant, 100);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7103), 1);
  uint32_t id =
      (uint32_t)read_one(&plant, MODULE_DOCK, 0x7101) << 16 | read_one(&plant, MODULE_DOCK, 0x7100);
  cr_assert_eq(id, layout_tag(0).id);
  drive(&plant, 128, 1);

  plant_advance(&plant, 3100);

  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7103), 0);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7102), 0);
  cr_assert_gt(read_one(&plant, MODULE_DOCK, 0x7104), 1500);
}

Test(plant, feels_gravity_in_milli_g) {
  cr_assert_float_eq(read_one(&plant, MODULE_DOCK, 0x7202), 1000, 30);
  cr_assert_float_eq((int16_t)read_one(&plant, MODULE_DOCK, 0x7200), 0, 30);
}

Test(plant, drains_the_battery_while_it_drives) {
  cr_assert_eq(read_one(&plant, MODULE_POWER, 0x0002), 850);
  drive(&plant, 255, 1);

  plant_advance(&plant, 300000);

  cr_assert_lt(read_one(&plant, MODULE_POWER, 0x0002), 840);
  cr_assert_lt((int16_t)read_one(&plant, MODULE_POWER, 0x0001), -20);
  cr_assert_eq(read_one(&plant, MODULE_POWER, 0x0039), 5);
}

Test(plant, stops_when_the_discharge_switch_opens) {
  drive(&plant, 128, 1);
  plant_advance(&plant, 3000);

  cr_assert_eq(write_one(&plant, MODULE_POWER, 0x000C, 0), MODBUS_FINE);
  plant_advance(&plant, 4000);

  cr_assert_eq(plant.world.speed_mps, 0.0);
}

Test(plant, switches_a_rail_off_with_its_relay) {
  cr_assert_eq(read_one(&plant, MODULE_POWER, 0x0040), 121);

  cr_assert_eq(write_one(&plant, MODULE_POWER, 0x0049, 0), MODBUS_FINE);

  cr_assert_eq(read_one(&plant, MODULE_POWER, 0x0040), 0);
}

Test(plant, shows_relays_as_bits_and_one_by_one) {
  cr_assert_eq(write_one(&plant, MODULE_SAFETY, 0x0030, 5), MODBUS_FINE);
  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0033), 1);
  cr_assert_eq(write_one(&plant, MODULE_SAFETY, 0x0032, 1), MODBUS_FINE);
  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0004), 7);
  cr_assert_eq(write_one(&plant, MODULE_SAFETY, 0x0004, 0), MODBUS_FINE);

  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0030), 0);
}

Test(plant, refuses_automatic_reset) {
  cr_assert_eq(write_one(&plant, MODULE_SAFETY, 0x0052, 1), MODBUS_BAD_VALUE);
}

Test(plant, docks_and_charges) {
  plant.world.s_m = LAYOUT_DOCK_S_M - 0.0005;
  cr_assert_eq(write_one(&plant, MODULE_DOCK, 0x8001, 1), MODBUS_FINE);
  cr_assert_eq(write_one(&plant, MODULE_POWER, 0x003D, 1), MODBUS_FINE);
  cr_assert_eq(write_one(&plant, MODULE_POWER, 0x003F, 1), MODBUS_FINE);

  plant_advance(&plant, 1000);

  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7005), DOCK_DOCKED);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7304), 1);
  cr_assert_eq(read_one(&plant, MODULE_POWER, 0x003E), 2);
  cr_assert_gt((int16_t)read_one(&plant, MODULE_POWER, 0x0001), 0);
}

Test(plant, takes_dock_settings_from_commands) {
  cr_assert_eq(write_one(&plant, MODULE_DOCK, 0x8006, 1234), MODBUS_FINE);
  cr_assert_eq(write_one(&plant, MODULE_DOCK, 0x8007, 700), MODBUS_FINE);
  cr_assert_eq(write_one(&plant, MODULE_DOCK, 0x8002, 1), MODBUS_FINE);
  cr_assert_eq(write_one(&plant, MODULE_DOCK, 0x8004, 1), MODBUS_FINE);

  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7000), 1234);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0xA000), 700);
}

Test(plant, clears_the_system_error_on_reset) {
  bank_set(&plant_module(&plant, MODULE_SAFETY)->bank, 0x0108, 3);

  cr_assert_eq(write_one(&plant, MODULE_SAFETY, 0x0109, 2), MODBUS_BAD_VALUE);
  cr_assert_eq(write_one(&plant, MODULE_SAFETY, 0x0109, 1), MODBUS_FINE);

  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0108), 0);
}

Test(plant, starts_anew_after_a_power_cut) {
  drive(&plant, 128, 1);
  plant_advance(&plant, 3000);

  plant_power_on(&plant);
  plant_advance(&plant, 5000);

  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x0001), 0);
  cr_assert_eq(read_long(&plant, 0x0046), 0);
  (void)read_one(&plant, MODULE_TRAVEL, 0x0040);
  cr_assert_eq(read_long(&plant, 0x0046), 2000);
  cr_assert_gt(plant.world.s_m, 2.0);
}

/* Register by register: what a master can read. */
static void assert_same_registers(plant_t *one, plant_t *other, uint8_t unit) {
  const bank_t *here = &plant_module(one, unit)->bank, *there = &plant_module(other, unit)->bank;
  cr_assert_arr_eq(here->values, there->values, here->value_count * sizeof here->values[0]);
}

Test(plant, repeats_itself_for_the_same_seed_and_writes) {
  plant_t one, other;
  plant_t *plants[2] = {&one, &other};
  for (int i = 0; i < 2; i++) {
    plant_init(plants[i], &cfg);
    drive(plants[i], 200, 1);
    plant_advance(plants[i], 4321);
    drive(plants[i], 50, 2);
    plant_advance(plants[i], 9876);
    for (uint8_t unit = MODULE_POWER; unit <= MODULE_DOCK; unit++)
      plant_refresh(plants[i], plant_module(plants[i], unit));
  }

  for (uint8_t unit = MODULE_POWER; unit <= MODULE_DOCK; unit++)
    assert_same_registers(&one, &other, unit);
  cr_assert_eq(one.world.s_m, other.world.s_m);
}

Test(plant, does_not_care_in_which_pieces_time_passes) {
  plant_t one, other;
  plant_init(&one, &cfg);
  plant_init(&other, &cfg);
  drive(&one, 200, 1);
  drive(&other, 200, 1);

  plant_advance(&one, 5000);
  for (uint64_t step = 0; step <= 5000; step += 7)
    plant_advance(&other, step);
  plant_advance(&other, 5000);

  cr_assert_eq(one.world.s_m, other.world.s_m);
  cr_assert_eq(one.world.odometry.x, other.world.odometry.x);
}

Test(plant, shows_the_log_instead_of_the_world_in_replay) {
  plant.replay = (plant_replay_t){
      .on = true, .odometry = {.x = 1.5, .y = -2.0, .theta = 7.0}, .speed_mps = 0.5};
  drive(&plant, 200, 1);
  plant_advance(&plant, 1000);

  cr_assert_eq(read_long(&plant, 0x0040), 15000);
  cr_assert_eq(read_long(&plant, 0x0042), -20000);
  cr_assert_eq(read_long(&plant, 0x0044), 700000);
  cr_assert_eq(read_one(&plant, MODULE_TRAVEL, 0x0006), 64);
  cr_assert_eq(read_one(&plant, MODULE_SAFETY, 0x0010), 5000);
  cr_assert_eq(read_one(&plant, MODULE_DOCK, 0x7103), 0);
}

Test(plant, knows_no_other_modules) {
  static const module_cfg_t none = {0};
  bank_t bank;

  cr_assert_null(plant_module(&plant, 0x08));
  cr_assert_not(module_table_load(&bank, 0x08, &none));
}
