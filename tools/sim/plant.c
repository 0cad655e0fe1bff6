/* The plant in time: motor registers move the robot, motion drains the battery, tags pass by. */
#include "plant.h"

#include <math.h>
#include <string.h>

#include "layout.h"

#define MOTOR_BASE(i)    ((uint16_t)((i)*0x10))
#define DRIVE_ACCEL_MPS2 1.0
#define RAMP_PERIOD_S    0.1 /* a linear ramp takes one step, a share of full speed, this often */
#define SLOW_STEPS       10  /* dock, tag and battery are looked at every 10 ms */
#define CHARGE_A         5.0

static const uint8_t units[PLANT_MODULES] = {MODULE_POWER, MODULE_SAFETY, MODULE_TRAVEL,
                                             MODULE_DOCK};

void plant_init(plant_t *plant, const plant_cfg_t *cfg) {
  memset(plant, 0, sizeof *plant);
  plant->cfg = *cfg;
  world_init(&plant->world, &cfg->world);
  battery_init(&plant->battery, cfg->world.seed, cfg->soc);
  for (size_t i = 0; i < PLANT_MODULES; i++) {
    plant->modules[i].unit = units[i];
    (void)module_table_load(&plant->modules[i].bank, units[i]);
  }
}

void plant_power_on(plant_t *plant) {
  for (size_t i = 0; i < PLANT_MODULES; i++)
    bank_reset(&plant->modules[i].bank);
  plant->world.odometry = (pose2_t){0};
  plant->power_on_step = plant->world.step;
  plant->dock = (dock_t){0};
  plant->tag_ever = false;
  plant->tag_present = false;
  plant->tag_id = 0;
}

module_t *plant_module(plant_t *plant, uint8_t unit) {
  for (size_t i = 0; i < PLANT_MODULES; i++)
    if (plant->modules[i].unit == unit) return &plant->modules[i];
  return NULL;
}

/* The motor outputs that the registers ask for and the hardware chain lets through. */
static world_command_t motor_command(plant_t *plant) {
  const bank_t *bank = &plant_module(plant, MODULE_TRAVEL)->bank;
  bool powered = bank_get(&plant_module(plant, MODULE_POWER)->bank, 0x000C) != 0;
  world_command_t command = {.accel_mps2 = DRIVE_ACCEL_MPS2, .brake = plant->estop_input};
  for (int i = 0; i < 2; i++) {
    uint16_t base = MOTOR_BASE(i);
    uint16_t direction = bank_get(bank, base + 0x07);
    double speed = bank_get(bank, base + 0x02) * WORLD_SPEED_MAX_MPS / 255.0;
    bool on = powered && bank_get(bank, base + 0x01) != 0 && direction != 0;
    command.target_mps[i] = on ? (direction == 2 ? -speed : speed) : 0.0;
    if (bank_get(bank, base) == 2) {
      double ramp = bank_get(bank, base + 0x04) / 100.0 * WORLD_SPEED_MAX_MPS / RAMP_PERIOD_S;
      if (ramp > 0.0 && ramp < command.accel_mps2) command.accel_mps2 = ramp;
    }
  }
  return command;
}

/* Signed distance along the rail to the dock, positive while it lies ahead. */
static double dock_distance_m(const plant_t *plant) {
  double ahead_m = layout_wrap_m(LAYOUT_DOCK_S_M - plant->world.s_m);
  return ahead_m > LAYOUT_RAIL_M / 2.0 ? ahead_m - LAYOUT_RAIL_M : ahead_m;
}

static void update_dock(plant_t *plant) {
  bank_t *bank = &plant_module(plant, MODULE_DOCK)->bank;
  double now_s = (double)plant->world.step * WORLD_STEP_S;
  double distance_m = dock_distance_m(plant);
  dock_limits_t limits = {.approach_m = bank_get(bank, 0xA000) / 1000.0,
                          .accuracy_m = bank_get(bank, 0x7004) / 1000.0,
                          .timeout_s = bank_get(bank, 0xA003)};
  dock_update(&plant->dock, &limits, now_s, distance_m, plant->world.speed_mps, plant->estop_input);
  bool docked = plant->dock.status & DOCK_DOCKED;
  bank_set(bank, 0x7001, docked ? bank_get(bank, 0x7000) : 0);
  bank_set(bank, 0x7005, plant->dock.status);
  bank_set(bank, 0x7006, (uint16_t)fmin(65535.0, fabs(distance_m) * 1000.0));
  bank_set(bank, 0x7304, docked);
}

static void update_slow(plant_t *plant) {
  const bank_t *power = &plant_module(plant, MODULE_POWER)->bank;
  bool docked = plant->dock.status & DOCK_DOCKED;
  bool charging = docked && bank_get(power, 0x003D) && bank_get(power, 0x003F);
  battery_step(&plant->battery, SLOW_STEPS * WORLD_STEP_S, plant->world.speed_mps,
               plant->world.accel_mps2, charging ? CHARGE_A : 0.0);
  if (plant->replay.on) return; /* tags and dock belong to the world, not to the log */
  update_dock(plant);
  plant->tag_present = world_tag(&plant->world, &plant->tag_id, &plant->tag_rssi);
  if (plant->tag_present) {
    plant->tag_step = plant->world.step;
    plant->tag_ever = true;
  }
}

void plant_advance(plant_t *plant, uint64_t step) {
  if (plant->world.step >= step) return;
  world_command_t command = motor_command(plant);
  if (plant->replay.on) command = (world_command_t){.accel_mps2 = DRIVE_ACCEL_MPS2};
  while (plant->world.step < step) {
    world_step(&plant->world, &command);
    if (plant->world.step % SLOW_STEPS == 0) update_slow(plant);
  }
}

void plant_estop(plant_t *plant, bool open) {
  bank_t *travel = &plant_module(plant, MODULE_TRAVEL)->bank;
  plant->estop_input = open;
  for (int i = 0; i < 2 && open; i++)
    bank_set(travel, MOTOR_BASE(i) + 0x01, 0);
}
