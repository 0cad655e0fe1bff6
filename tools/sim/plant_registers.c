/* What the world looks like to each module. */
#include <math.h>

#include "plant_internal.h"

#define MOTOR_FAULT_ESTOP 9
#define PROX_DETECT_M     0.2

uint16_t plant_word(double value) {
  if (value < 0.0) return 0;
  return value > 65535.0 ? 65535 : (uint16_t)lround(value);
}

uint16_t plant_signed_word(double value) {
  return (uint16_t)(int16_t)lround(fmin(fmax(value, -32768.0), 32767.0));
}

/* The zone of the nearest range: 0 none to 4 critical, by the four thresholds. */
static uint16_t zone_of(const bank_t *bank, uint16_t nearest_mm) {
  uint16_t zone = 0;
  for (uint16_t i = 0; i < 4; i++)
    if (nearest_mm <= bank_get(bank, 0x0040 + i)) zone = (uint16_t)(i + 1);
  return zone;
}

static void refresh_safety(plant_t *plant, bank_t *bank) {
  uint16_t nearest_mm = 65535;
  for (uint16_t i = 0; i < (uint16_t)WORLD_SIDES; i++) {
    double range_m =
        plant->replay.on ? WORLD_RANGE_MAX_M : world_range_m(&plant->world, (world_side_t)i);
    uint16_t range_mm = plant_word(range_m * 1000.0);
    bank_set(bank, 0x0010 + i, range_mm);
    bank_set(bank, 0x0014 + i, plant_word(range_m / WORLD_RANGE_MAX_M * 4095.0));
    if (range_mm < nearest_mm) nearest_mm = range_mm;
  }
  uint16_t zone = zone_of(bank, nearest_mm);
  uint16_t close = nearest_mm <= bank_get(bank, 0x0050);
  uint16_t estop = plant->estop_input;
  bank_set(bank, 0x0000, (uint16_t)(1 | estop << 1 | (zone != 0) << 2 | close << 3));
  bank_set(bank, 0x0001, estop);
  bank_set(bank, 0x0002, zone);
  bank_set(bank, 0x0003, close);
  uint16_t inputs = (uint16_t)(estop | plant->inputs);
  bank_set(bank, 0x0020, inputs);
  for (uint16_t i = 0; i < 4; i++)
    bank_set(bank, 0x0021 + i, inputs >> i & 1);
}

/* A digital output: as it is put, or what its function says of the motor of the same number. */
static uint16_t digital_output(const bank_t *bank, uint16_t i) {
  uint16_t status = bank_get(bank, (uint16_t)(i * 0x10 + 0x0B));
  switch (bank_get(bank, (uint16_t)(0x0032 + 2 * i))) {
  case 1: /* running */
    return status >> 1 & 1;
  case 2: /* fault */
    return status >> 2 & 1;
  case 3: /* at speed */
    return status >> 3 & 1;
  case 4: /* ready */
    return !(status >> 2 & 1);
  default:
    return bank_get(bank, (uint16_t)(0x0031 + 2 * i));
  }
}

static void refresh_travel(plant_t *plant, bank_t *bank) {
  for (int i = 0; i < 2; i++) {
    uint16_t base = (uint16_t)(i * 0x10);
    double speed = plant->replay.on ? plant->replay.speed_mps : world_wheel_mps(&plant->world, i);
    uint16_t actual = plant_word(fmin(255.0, fabs(speed) / WORLD_SPEED_MAX_MPS * 255.0));
    uint16_t enabled = bank_get(bank, base + 0x01);
    uint16_t wanted = enabled && bank_get(bank, base + 0x07) ? bank_get(bank, base + 0x02) : 0;
    uint16_t fault = plant->estop_input ? MOTOR_FAULT_ESTOP : plant->motor_fault[i];
    bank_set(bank, base + 0x05, wanted > actual);
    bank_set(bank, base + 0x06, actual);
    bank_set(bank, base + 0x0B,
             (uint16_t)(enabled | (actual > 0) << 1 | (fault != 0) << 2 |
                        (enabled && wanted == actual) << 3));
    bank_set(bank, base + 0x0C, fault);
  }
  uint16_t outputs = 0;
  for (uint16_t i = 0; i < 2; i++)
    outputs = (uint16_t)(outputs | digital_output(bank, i) << i);
  bank_set(bank, 0x0030, outputs);
}

/* A frozen sensor gives its last values on and says nothing; a failed one says so. */
static void refresh_imu(const plant_t *plant, bank_t *bank) {
  double accel_mg[3] = {0};
  if (plant->imu == IMU_FROZEN) return;
  if (plant->imu == IMU_RUNS) world_accel_mg(&plant->world, accel_mg);
  for (uint16_t i = 0; i < 3; i++)
    bank_set(bank, 0x7200 + i, plant_signed_word(accel_mg[i]));
  bank_set(bank, 0x7203, plant->cfg.modules.alt ? 260 : 26);
  bank_set(bank, 0x7204, plant->imu == IMU_RUNS);
}

static void refresh_dock(plant_t *plant, bank_t *bank) {
  uint64_t since_ms = plant->world.step - plant->tag_step;
  refresh_imu(plant, bank);
  for (uint16_t i = 0; i < 2; i++) {
    double near_m =
        plant->replay.on ? WORLD_PROX_MAX_M : world_proximity_m(&plant->world, (world_side_t)i);
    bank_set(bank, 0x7300 + i, near_m < PROX_DETECT_M);
    bank_set(bank, 0x7302 + i, plant_word(near_m * 1000.0));
  }
  bank_set(bank, 0x7100, (uint16_t)(plant->tag_id & 0xFFFF));
  bank_set(bank, 0x7101, (uint16_t)(plant->tag_id >> 16));
  bank_set(bank, 0x7102, plant->tag_present ? plant_word(plant->tag_rssi) : 0);
  bank_set(bank, 0x7103, plant->tag_present);
  bank_set(bank, 0x7104, plant->tag_ever && since_ms < 65535 ? (uint16_t)since_ms : 65535);
  bank_set(bank, 0x9000, (plant->dock.status & (DOCK_FAULT | DOCK_ESTOP)) != 0);
  bank_set(bank, 0x9001, plant->dock.fault_code);
  bank_set(bank, 0x9002, plant->dock.fault_count);
  uint64_t used_s = (plant->world.step - plant_module(plant, MODULE_DOCK)->since) / 1000;
  bank_set(bank, 0x9006, plant_word((double)used_s));
  bank_set(bank, 0x9007, plant->dock.done);
  bank_set(bank, 0x9008, plant->dock.failed);
  bank_set(bank, 0x9009, plant->dock.last_ms);
  plant_refresh_orientation(plant, bank);
}

static void refresh_axis(const axis_t *axis, bank_t *bank) {
  bool moving = axis->status & AXIS_MOVING;
  bank_set(bank, 0x0000, axis->status);
  bank_set(bank, 0x0003, plant_word(axis->position * 1000.0));
  bank_set(bank, 0x0005, axis->fault);
  bank_set(bank, 0x0006, moving ? 1800 : axis->stuck_s > 0.0 ? 6500 : 40);
  bank_set(bank, 0x0007, axis->moves);
}

/* A hall whose air warms and cools by two degrees in ten minutes. */
static void refresh_environment(const plant_t *plant, bank_t *bank) {
  double swing = sin(2.0 * M_PI * (double)plant->world.step * WORLD_STEP_S / 600.0);
  bank_set(bank, 0x0000, plant_signed_word(220.0 + 20.0 * swing));
  bank_set(bank, 0x0001, plant_word(450.0 - 30.0 * swing));
  bank_set(bank, 0x0002, plant_word(10132.0 + 5.0 * swing));
  bank_set(bank, 0x0003, plant_word(600.0 + 40.0 * swing));
  bank_set(bank, 0x0004, 320);
}

void plant_refresh(plant_t *plant, module_t *module) {
  bank_t *bank = &module->bank;
  if (module->unit == MODULE_POWER) plant_refresh_power(plant, bank);
  if (module->unit == MODULE_SAFETY) refresh_safety(plant, bank);
  if (module->unit == MODULE_TRAVEL && plant->cfg.modules.alt) plant_alt_refresh(plant, bank);
  if (module->unit == MODULE_TRAVEL && !plant->cfg.modules.alt) refresh_travel(plant, bank);
  if (module->unit == MODULE_DOCK) refresh_dock(plant, bank);
  if (module->unit == MODULE_ENVIRONMENT) refresh_environment(plant, bank);
  const axis_t *axis = plant_axis(plant, module->unit);
  if (axis) refresh_axis(axis, bank);
}
