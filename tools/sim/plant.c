/* The plant in time: motor registers move the robot, motion drains the battery, tags pass by. */
#include <math.h>
#include <string.h>

#include "layout.h"
#include "plant_internal.h"

#define MOTOR_BASE(i)    ((uint16_t)((i)*0x10))
#define DRIVE_ACCEL_MPS2 1.0
#define RAMP_PERIOD_S    0.1 /* a linear ramp takes one step, a share of full speed, this often */
#define SLOW_STEPS       10  /* dock, tag and battery are looked at every 10 ms */
#define DECIDEGREE       (M_PI / 1800.0)

static const uint8_t units[PLANT_MODULES] = {MODULE_POWER,      MODULE_SAFETY, MODULE_TRAVEL,
                                             MODULE_DOCK,       MODULE_LIFTER, MODULE_DOOR,
                                             MODULE_ENVIRONMENT};

void plant_init(plant_t *plant, const plant_cfg_t *cfg) {
  uint32_t present = cfg->units ? cfg->units : PLANT_UNITS_DEFAULT;
  memset(plant, 0, sizeof *plant);
  plant->cfg = *cfg;
  plant->faults.seed = cfg->world.seed;
  world_init(&plant->world, &cfg->world);
  battery_init(&plant->battery, cfg->world.seed, cfg->soc);
  for (size_t i = 0; i < PLANT_MODULES; i++) {
    plant->modules[i].unit = units[i];
    plant->modules[i].present = (present >> units[i] & 1) != 0;
    (void)module_table_load(&plant->modules[i].bank, units[i], &cfg->modules);
  }
}

static void start_module(plant_t *plant, module_t *module) {
  bank_reset(&module->bank);
  module->since = plant->world.step;
  axis_t *axis = plant_axis(plant, module->unit);
  if (axis) *axis = (axis_t){.position = axis->position, .jammed = axis->jammed};
  if (module->unit == MODULE_TRAVEL) {
    plant->world.odometry = (pose2_t){0};
    memset(plant->motor_fault, 0, sizeof plant->motor_fault);
  }
  if (module->unit == MODULE_DOCK) {
    plant->dock = (dock_t){0};
    plant->tag_ever = false;
    plant->tag_present = false;
    plant->tag_id = 0;
  }
}

void plant_power_on(plant_t *plant) {
  for (size_t i = 0; i < PLANT_MODULES; i++)
    start_module(plant, &plant->modules[i]);
}

void plant_module_power(plant_t *plant, module_t *module, bool on) {
  if (on && !module->present) start_module(plant, module);
  module->present = on;
}

module_t *plant_module(plant_t *plant, uint8_t unit) {
  for (size_t i = 0; i < PLANT_MODULES; i++)
    if (plant->modules[i].unit == unit) return &plant->modules[i];
  return NULL;
}

axis_t *plant_axis(plant_t *plant, uint8_t unit) {
  if (unit == MODULE_LIFTER) return &plant->axes[0];
  return unit == MODULE_DOOR ? &plant->axes[1] : NULL;
}

static double motor_target_mps(const bank_t *bank, uint16_t base) {
  uint16_t direction = bank_get(bank, base + 0x07);
  double speed = bank_get(bank, base + 0x02) * WORLD_SPEED_MAX_MPS / 255.0;
  if (bank_get(bank, base + 0x01) == 0 || direction == 0) return 0.0;
  return direction == 2 ? -speed : speed;
}

/* The motor outputs that the registers ask for and the hardware chain lets through. */
static world_command_t motor_command(plant_t *plant) {
  const module_t *travel = plant_module(plant, MODULE_TRAVEL);
  const bank_t *bank = &travel->bank;
  bool powered = travel->present && bank_get(&plant_module(plant, MODULE_POWER)->bank, 0x000C) != 0;
  world_command_t command = {.accel_mps2 = DRIVE_ACCEL_MPS2, .brake = plant->estop_input};
  if (plant->cfg.modules.alt) plant_alt_command(bank, command.target_mps);
  for (int i = 0; i < PLANT_MOTORS; i++) {
    uint16_t base = MOTOR_BASE(i);
    if (!plant->cfg.modules.alt) command.target_mps[i] = motor_target_mps(bank, base);
    if (!powered || plant->motor_fault[i]) command.target_mps[i] = 0.0;
    if (!plant->cfg.modules.alt && bank_get(bank, base) == 2) {
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

/* The robot's heading against the dock's. */
static double dock_angle_rad(const plant_t *plant) {
  double heading = layout_rail_pose(plant->world.s_m).theta;
  return remainder(heading - layout_rail_pose(LAYOUT_DOCK_S_M).theta - plant->dock_askew_rad,
                   2.0 * M_PI);
}

static void update_dock(plant_t *plant) {
  bank_t *bank = &plant_module(plant, MODULE_DOCK)->bank;
  double distance_m = dock_distance_m(plant);
  double angle_rad = dock_angle_rad(plant);
  dock_limits_t limits = {.approach_m = bank_get(bank, 0xA000) / 1000.0,
                          .accuracy_m = bank_get(bank, 0x7004) / 1000.0,
                          .timeout_s = bank_get(bank, 0xA003),
                          .debounce_s = bank_get(bank, 0xA005) / 1000.0,
                          .tolerance_rad = bank_get(bank, 0xA006) * DECIDEGREE,
                          .retries = bank_get(bank, 0xA004)};
  dock_look_t look = {.now_s = (double)plant->world.step * WORLD_STEP_S,
                      .distance_m = distance_m,
                      .angle_rad = angle_rad,
                      .speed_mps = plant->world.speed_mps,
                      .estop = plant->estop_input};
  dock_update(&plant->dock, &limits, &look);
  bool docked = plant->dock.status & DOCK_DOCKED;
  bank_set(bank, 0x7001, docked ? bank_get(bank, 0x7000) : 0);
  bank_set(bank, 0x7005, plant->dock.status);
  bank_set(bank, 0x7006, (uint16_t)fmin(65535.0, fabs(distance_m) * 1000.0));
  bank_set(bank, 0x7007, plant_signed_word(angle_rad / DECIDEGREE));
  bank_set(bank, 0x7304, docked);
}

static void update_axes(plant_t *plant) {
  static const uint8_t of[2] = {MODULE_LIFTER, MODULE_DOOR};
  for (size_t i = 0; i < 2; i++) {
    const module_t *module = plant_module(plant, of[i]);
    axis_command_t command = {.enabled = module->present && bank_get(&module->bank, 0x0001),
                              .estop = plant->estop_input,
                              .target = bank_get(&module->bank, 0x0002) / 1000.0,
                              .speed = bank_get(&module->bank, 0x0004) / 100.0};
    axis_step(&plant->axes[i], &command, SLOW_STEPS * WORLD_STEP_S);
  }
}

static void update_slow(plant_t *plant) {
  battery_step(&plant->battery, SLOW_STEPS * WORLD_STEP_S, plant->world.speed_mps,
               plant->world.accel_mps2, plant_charge_a(plant));
  update_axes(plant);
  if (plant->replay.on) return; /* tags and dock belong to the world, not to the log */
  update_dock(plant);
  plant->tag_present = world_tag(&plant->world, &plant->tag_id, &plant->tag_rssi);
  if (plant->tag_present) {
    plant->tag_step = plant->world.step;
    plant->tag_ever = true;
  }
}

/* The dock module's say in what the motors do. */
static world_command_t steered(plant_t *plant, const world_command_t *wanted) {
  const module_t *module = plant_module(plant, MODULE_DOCK);
  world_command_t command = *wanted;
  double accuracy_m = bank_get(&module->bank, 0x7004) / 1000.0;
  if (!module->present || plant->dock.status == 0) return command;
  for (int i = 0; i < PLANT_MOTORS; i++)
    command.target_mps[i] =
        dock_steer_mps(&plant->dock, dock_distance_m(plant), accuracy_m, wanted->target_mps[i]);
  return command;
}

void plant_advance(plant_t *plant, uint64_t step) {
  if (plant->world.step >= step) return;
  world_command_t wanted = motor_command(plant), command = steered(plant, &wanted);
  if (plant->replay.on) command = (world_command_t){.accel_mps2 = DRIVE_ACCEL_MPS2};
  while (plant->world.step < step) {
    world_step(&plant->world, &command);
    if (plant->world.step % SLOW_STEPS != 0) continue;
    update_slow(plant);
    if (!plant->replay.on) command = steered(plant, &wanted);
  }
}

static void disable_motor(plant_t *plant, int motor) {
  bank_t *travel = &plant_module(plant, MODULE_TRAVEL)->bank;
  bank_set(travel, plant->cfg.modules.alt ? 0x0000 : MOTOR_BASE(motor) + 0x01, 0);
}

void plant_estop(plant_t *plant, bool open) {
  plant->estop_input = open;
  for (int i = 0; i < PLANT_MOTORS && open; i++) {
    disable_motor(plant, i);
    bank_set(&plant_module(plant, i == 0 ? MODULE_LIFTER : MODULE_DOOR)->bank, 0x0001, 0);
  }
}

void plant_motor_fault(plant_t *plant, int motor, uint16_t code) {
  plant->motor_fault[motor] = code;
  if (code) disable_motor(plant, motor);
}
