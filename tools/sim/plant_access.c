/* The master's access to the modules: what a read latches, what a write does. */
#include <math.h>

#include "plant_internal.h"

static void set_long(bank_t *bank, uint16_t address, uint32_t value) {
  bank_set(bank, address, (uint16_t)(value & 0xFFFF));
  bank_set(bank, address + 1, (uint16_t)(value >> 16));
}

void plant_latch_odometry(plant_t *plant, module_t *module) {
  pose2_t pose = plant->replay.on ? plant->replay.odometry : plant->world.odometry;
  uint64_t clock_ms = plant->world.step - module->since;
  set_long(&module->bank, 0x0040, (uint32_t)(int32_t)lround(pose.x * 1e4));
  set_long(&module->bank, 0x0042, (uint32_t)(int32_t)lround(pose.y * 1e4));
  set_long(&module->bank, 0x0044, (uint32_t)(int32_t)lround(pose.theta * 1e5));
  set_long(&module->bank, 0x0046, (uint32_t)clock_ms);
}

bool plant_touches(uint16_t address, uint16_t count, uint16_t first, uint16_t last) {
  return address <= last && (uint32_t)address + count > first;
}

uint16_t plant_unique(uint8_t unit, uint16_t address) {
  return (uint16_t)(unit << 12 | ((address & 0x0FFF) + (address >> 12) * 0x50));
}

/* The system block, by which modules are found, keeps its values. */
static bool is_identity(uint16_t address) {
  return address >= 0x00F0 && address <= 0x0109;
}

modbus_exception_t plant_read(plant_t *plant, module_t *module, uint16_t address, uint16_t count,
                              uint16_t *out) {
  plant_refresh(plant, module);
  if (module->unit == MODULE_TRAVEL && plant_touches(address, count, 0x0040, 0x0040))
    plant_latch_odometry(plant, module);
  modbus_exception_t exception = bank_read(&module->bank, address, count, out);
  for (uint16_t i = 0; i < count && exception == MODBUS_FINE; i++) {
    uint16_t at = (uint16_t)(address + i);
    if (module->fault.zeros) out[i] = 0;
    if (plant->unique && !is_identity(at)) out[i] = plant_unique(module->unit, at);
    out[i] = register_fault_read(&plant->faults, plant->world.step, module->unit, at, out[i]);
  }
  return exception;
}

/* Relay bitmaps and single relays are two views of the same outputs. */
static void sync_relays(bank_t *bank, uint16_t address, uint16_t count) {
  uint16_t bits = 0;
  if (plant_touches(address, count, 0x0004, 0x0004))
    bits = bank_get(bank, 0x0004);
  else if (plant_touches(address, count, 0x0031, 0x0034))
    for (uint16_t i = 0; i < 4; i++)
      bits = (uint16_t)(bits | bank_get(bank, 0x0031 + i) << i);
  else if (plant_touches(address, count, 0x0030, 0x0030))
    bits = bank_get(bank, 0x0030);
  else
    return;
  bank_set(bank, 0x0004, bits);
  bank_set(bank, 0x0030, bits);
  for (uint16_t i = 0; i < 4; i++)
    bank_set(bank, 0x0031 + i, bits >> i & 1);
}

/* Commands of the dock module that cannot be refused, and its settings. */
static void dock_written(plant_t *plant, bank_t *bank, uint16_t address, uint16_t value) {
  if (address == 0x8000) dock_enable(&plant->dock, value != 0);
  if (address == 0x8002 && value) dock_stop(&plant->dock);
  if (address == 0x8003 && value) dock_estop(&plant->dock);
  if (address == 0x8004 && value) dock_clear(&plant->dock);
  if (address == 0x8006) bank_set(bank, 0x7000, value);
  if (address == 0x8007) bank_set(bank, 0xA000, value);
}

static modbus_exception_t dock_command(plant_t *plant, uint16_t address, uint16_t value) {
  double now_s = (double)plant->world.step * WORLD_STEP_S;
  dock_outcome_t outcome = DOCK_TAKEN;
  if (address == 0x8001 && value == 1) outcome = dock_start(&plant->dock, now_s);
  if (address == 0x8005 && value == 1) outcome = dock_calibrate(&plant->dock, now_s);
  if (outcome == DOCK_OCCUPIED) return MODBUS_BUSY;
  return outcome == DOCK_REFUSED ? MODBUS_DEVICE_FAILURE : MODBUS_FINE;
}

/* A drive that tripped, or whose E-stop chain is open, refuses to be enabled. */
static bool refuses_enable(const plant_t *plant, uint16_t address, uint16_t value) {
  if (value == 0) return false;
  bool tripped[2] = {plant->motor_fault[0] != 0, plant->motor_fault[1] != 0};
  if (plant->cfg.modules.alt)
    return address == 0x0000 && (plant->estop_input || tripped[0] || tripped[1]);
  return (address == 0x0001 && (plant->estop_input || tripped[0])) ||
         (address == 0x0011 && (plant->estop_input || tripped[1]));
}

/* What a module refuses though register and value are good. */
static modbus_exception_t refusal(plant_t *plant, const module_t *module, uint16_t address,
                                  uint16_t value) {
  if (module->unit == MODULE_TRAVEL && refuses_enable(plant, address, value))
    return MODBUS_DEVICE_FAILURE;
  if (module->unit == MODULE_TRAVEL && plant->cfg.modules.alt && address == 0x0022 && value)
    return MODBUS_DEVICE_FAILURE; /* there is no home switch */
  if (module->unit == MODULE_DOCK) return dock_command(plant, address, value);
  const axis_t *axis = plant_axis(plant, module->unit);
  if (axis && address == 0x0001 && value && (plant->estop_input || axis->fault))
    return MODBUS_DEVICE_FAILURE;
  return MODBUS_FINE;
}

/* Reset of errors: what tripped may be enabled again. */
static void reset_errors(plant_t *plant, module_t *module) {
  axis_t *axis = plant_axis(plant, module->unit);
  bank_set(&module->bank, 0x0108, 0);
  bank_set(&module->bank, 0x00F3, 0);
  if (axis) axis->fault = 0;
  for (int i = 0; i < PLANT_MOTORS && module->unit == MODULE_TRAVEL; i++)
    plant_motor_fault(plant, i, 0);
}

static void written(plant_t *plant, module_t *module, uint16_t address, uint16_t value) {
  if (module->unit == MODULE_DOCK) dock_written(plant, &module->bank, address, value);
  if (module->unit == MODULE_TRAVEL && plant->cfg.modules.alt)
    plant_alt_written(plant, &module->bank, address, value);
  if (address == 0x0109 || address == 0x00F4) reset_errors(plant, module);
}

modbus_exception_t plant_write(plant_t *plant, module_t *module, uint16_t address, uint16_t count,
                               const uint16_t *values) {
  modbus_exception_t exception = bank_check(&module->bank, address, count, values);
  for (uint16_t i = 0; i < count && exception == MODBUS_FINE; i++)
    exception = refusal(plant, module, (uint16_t)(address + i), values[i]);
  if (exception != MODBUS_FINE) return exception;
  (void)bank_write(&module->bank, address, count, values);
  if (module->unit == MODULE_SAFETY) sync_relays(&module->bank, address, count);
  for (uint16_t i = 0; i < count; i++)
    written(plant, module, (uint16_t)(address + i), values[i]);
  return MODBUS_FINE;
}
