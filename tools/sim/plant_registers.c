/* The plant's registers: what the world looks like to each module, and what a write does. */
#include "plant.h"

#include <math.h>

#define MOTOR_FAULT_ESTOP 9
#define PROX_DETECT_M     0.2

static uint16_t word(double value) {
  if (value < 0.0) return 0;
  return value > 65535.0 ? 65535 : (uint16_t)lround(value);
}

static uint16_t signed_word(double value) {
  return (uint16_t)(int16_t)lround(fmin(fmax(value, -32768.0), 32767.0));
}

static void refresh_cells(const battery_t *battery, bank_t *bank) {
  uint16_t max = 0, min = 0;
  for (uint16_t i = 0; i < BATTERY_CELLS; i++) {
    bank_set(bank, 0x0014 + i, word(battery_cell_v(battery, i) * 1000.0));
    if (bank_get(bank, 0x0014 + i) > bank_get(bank, 0x0014 + max)) max = i;
    if (bank_get(bank, 0x0014 + i) < bank_get(bank, 0x0014 + min)) min = i;
  }
  uint16_t high = bank_get(bank, 0x0014 + max), low = bank_get(bank, 0x0014 + min);
  bank_set(bank, 0x0003, high);
  bank_set(bank, 0x0004, low);
  bank_set(bank, 0x0005, max);
  bank_set(bank, 0x0006, min);
  bank_set(bank, 0x0007, (uint16_t)(high - low));
}

static void refresh_rail(bank_t *bank, uint16_t address, bool on, double volts, double amps) {
  bank_set(bank, address, on ? word(volts * 10.0) : 0);
  bank_set(bank, address + 1, on ? word(amps * 10.0) : 0);
  bank_set(bank, address + 2, on ? word(volts * amps * 10.0) : 0);
}

static void refresh_power(plant_t *plant, bank_t *bank) {
  const battery_t *battery = &plant->battery;
  bool docked = plant->dock.status & DOCK_DOCKED;
  bool charging = docked && bank_get(bank, 0x003D) && bank_get(bank, 0x003F);
  double pack_v = battery_pack_v(battery), soc = battery_soc(battery);
  uint64_t used_s = (plant->world.step - plant->power_on_step) / 1000;
  refresh_cells(battery, bank);
  bank_set(bank, 0x0000, word(pack_v * 10.0));
  bank_set(bank, 0x0001, signed_word(battery->current_a * 10.0));
  bank_set(bank, 0x0002, word(soc * 1000.0));
  bank_set(bank, 0x0008, word(battery->temperature_c));
  bank_set(bank, 0x000A, battery->current_a > 0.0 ? 1 : 2);
  bank_set(bank, 0x000D, (uint16_t)(used_s & 0xFF));
  bank_set(bank, 0x000E, word(battery->charge_ah * 1000.0));
  bank_set(bank, 0x0011, battery->current_a > 0.0);
  bank_set(bank, 0x0012, battery->current_a < 0.0);
  bank_set(bank, 0x001A, word(battery->temperature_c));
  bank_set(bank, 0x001B, word(battery->temperature_c));
  bank_set(bank, 0x0023, soc < 0.1 ? 0x40 : 0);
  bank_set(bank, 0x0032, charging ? word(pack_v * 10.0) : 0);
  bank_set(bank, 0x0033, charging ? 50 : 0);
  bank_set(bank, 0x0034, charging ? word(pack_v * 50.0) : 0);
  bank_set(bank, 0x0035, docked ? 480 : 0);
  bank_set(bank, 0x0036, charging ? word(pack_v * 50.0 / 48.0) : 0);
  uint64_t used_h = used_s / 3600;
  bank_set(bank, 0x0038, word((double)used_h));
  bank_set(bank, 0x0039, (uint16_t)(used_s / 60 % 60));
  bank_set(bank, 0x003A, (uint16_t)(used_s % 60));
  bank_set(bank, 0x003B, charging);
  bank_set(bank, 0x003E, charging ? 2 : docked ? 1 : 0);
  refresh_rail(bank, 0x0040, bank_get(bank, 0x0049), 12.1, 0.8);
  refresh_rail(bank, 0x0043, bank_get(bank, 0x004A), 5.0, 1.9);
  refresh_rail(bank, 0x0046, bank_get(bank, 0x004B), 3.3, 0.6);
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
    uint16_t range_mm = word(range_m * 1000.0);
    bank_set(bank, 0x0010 + i, range_mm);
    bank_set(bank, 0x0014 + i, word(range_m / WORLD_RANGE_MAX_M * 4095.0));
    if (range_mm < nearest_mm) nearest_mm = range_mm;
  }
  uint16_t zone = zone_of(bank, nearest_mm);
  uint16_t close = nearest_mm <= bank_get(bank, 0x0050);
  uint16_t estop = plant->estop_input;
  bank_set(bank, 0x0000, (uint16_t)(1 | estop << 1 | (zone != 0) << 2 | close << 3));
  bank_set(bank, 0x0001, estop);
  bank_set(bank, 0x0002, zone);
  bank_set(bank, 0x0003, close);
  bank_set(bank, 0x0020, estop);
  bank_set(bank, 0x0021, estop);
}

static void refresh_travel(plant_t *plant, bank_t *bank) {
  for (int i = 0; i < 2; i++) {
    uint16_t base = (uint16_t)(i * 0x10);
    double speed = plant->replay.on ? plant->replay.speed_mps : world_wheel_mps(&plant->world, i);
    uint16_t actual = word(fmin(255.0, fabs(speed) / WORLD_SPEED_MAX_MPS * 255.0));
    uint16_t enabled = bank_get(bank, base + 0x01);
    uint16_t wanted = enabled && bank_get(bank, base + 0x07) ? bank_get(bank, base + 0x02) : 0;
    uint16_t fault = plant->estop_input ? MOTOR_FAULT_ESTOP : 0;
    bank_set(bank, base + 0x05, wanted > actual);
    bank_set(bank, base + 0x06, actual);
    bank_set(bank, base + 0x0B,
             (uint16_t)(enabled | (actual > 0) << 1 | (fault != 0) << 2 |
                        (enabled && wanted == actual) << 3));
    bank_set(bank, base + 0x0C, fault);
  }
  bank_set(bank, 0x0030, (uint16_t)(bank_get(bank, 0x0031) | bank_get(bank, 0x0033) << 1));
}

static void refresh_dock(plant_t *plant, bank_t *bank) {
  double accel_mg[3];
  uint64_t since_ms = plant->world.step - plant->tag_step;
  world_accel_mg(&plant->world, accel_mg);
  for (uint16_t i = 0; i < 3; i++)
    bank_set(bank, 0x7200 + i, signed_word(accel_mg[i]));
  for (uint16_t i = 0; i < 2; i++) {
    double near_m =
        plant->replay.on ? WORLD_PROX_MAX_M : world_proximity_m(&plant->world, (world_side_t)i);
    bank_set(bank, 0x7300 + i, near_m < PROX_DETECT_M);
    bank_set(bank, 0x7302 + i, word(near_m * 1000.0));
  }
  bank_set(bank, 0x7100, (uint16_t)(plant->tag_id & 0xFFFF));
  bank_set(bank, 0x7101, (uint16_t)(plant->tag_id >> 16));
  bank_set(bank, 0x7102, plant->tag_present ? word(plant->tag_rssi) : 0);
  bank_set(bank, 0x7103, plant->tag_present);
  bank_set(bank, 0x7104, plant->tag_ever && since_ms < 65535 ? (uint16_t)since_ms : 65535);
  bank_set(bank, 0x9000, (plant->dock.status & (DOCK_FAULT | DOCK_ESTOP)) != 0);
  bank_set(bank, 0x9001, plant->dock.fault_code);
  bank_set(bank, 0x9002, plant->dock.fault_count);
  uint64_t used_s = (plant->world.step - plant->power_on_step) / 1000;
  bank_set(bank, 0x9006, word((double)used_s));
  bank_set(bank, 0x9007, plant->dock.done);
  bank_set(bank, 0x9008, plant->dock.failed);
  bank_set(bank, 0x9009, plant->dock.last_ms);
}

void plant_refresh(plant_t *plant, module_t *module) {
  if (module->unit == MODULE_POWER) refresh_power(plant, &module->bank);
  if (module->unit == MODULE_SAFETY) refresh_safety(plant, &module->bank);
  if (module->unit == MODULE_TRAVEL) refresh_travel(plant, &module->bank);
  if (module->unit == MODULE_DOCK) refresh_dock(plant, &module->bank);
}

static void set_long(bank_t *bank, uint16_t address, uint32_t value) {
  bank_set(bank, address, (uint16_t)(value & 0xFFFF));
  bank_set(bank, address + 1, (uint16_t)(value >> 16));
}

void plant_latch_odometry(plant_t *plant, module_t *module) {
  pose2_t pose = plant->replay.on ? plant->replay.odometry : plant->world.odometry;
  uint64_t clock_ms = plant->world.step - plant->power_on_step;
  set_long(&module->bank, 0x0040, (uint32_t)(int32_t)lround(pose.x * 1e4));
  set_long(&module->bank, 0x0042, (uint32_t)(int32_t)lround(pose.y * 1e4));
  set_long(&module->bank, 0x0044, (uint32_t)(int32_t)lround(pose.theta * 1e5));
  set_long(&module->bank, 0x0046, (uint32_t)clock_ms);
}

static bool touches(uint16_t address, uint16_t count, uint16_t first, uint16_t last) {
  return address <= last && (uint32_t)address + count > first;
}

modbus_exception_t plant_read(plant_t *plant, module_t *module, uint16_t address, uint16_t count,
                              uint16_t *out) {
  plant_refresh(plant, module);
  if (module->unit == MODULE_TRAVEL && touches(address, count, 0x0040, 0x0040))
    plant_latch_odometry(plant, module);
  return bank_read(&module->bank, address, count, out);
}

/* Relay bitmaps and single relays are two views of the same outputs. */
static void sync_relays(bank_t *bank, uint16_t address, uint16_t count) {
  uint16_t bits = 0;
  if (touches(address, count, 0x0004, 0x0004))
    bits = bank_get(bank, 0x0004);
  else if (touches(address, count, 0x0031, 0x0034))
    for (uint16_t i = 0; i < 4; i++)
      bits = (uint16_t)(bits | bank_get(bank, 0x0031 + i) << i);
  else if (touches(address, count, 0x0030, 0x0030))
    bits = bank_get(bank, 0x0030);
  else
    return;
  bank_set(bank, 0x0004, bits);
  bank_set(bank, 0x0030, bits);
  for (uint16_t i = 0; i < 4; i++)
    bank_set(bank, 0x0031 + i, bits >> i & 1);
}

/* Commands of the dock module: 8001 start, 8002 stop, 8004 clear, 8006 and 8007 settings. */
static void dock_command(plant_t *plant, bank_t *bank, uint16_t address, uint16_t value) {
  if (address == 0x8001 && value)
    dock_start(&plant->dock, (double)plant->world.step * WORLD_STEP_S);
  if ((address == 0x8002 || address == 0x8003) && value) dock_stop(&plant->dock);
  if (address == 0x8004 && value) dock_clear(&plant->dock);
  if (address == 0x8006) bank_set(bank, 0x7000, value);
  if (address == 0x8007) bank_set(bank, 0xA000, value);
}

/* A drive whose E-stop chain is open refuses to be enabled. */
static bool enables_motor(uint16_t address, uint16_t count, const uint16_t *values) {
  for (uint32_t i = 0; i < count; i++)
    if ((address + i == 0x0001 || address + i == 0x0011) && values[i] == 1) return true;
  return false;
}

modbus_exception_t plant_write(plant_t *plant, module_t *module, uint16_t address, uint16_t count,
                               const uint16_t *values) {
  bank_t *bank = &module->bank;
  if (module->unit == MODULE_TRAVEL && plant->estop_input && enables_motor(address, count, values))
    return MODBUS_DEVICE_FAILURE;
  modbus_exception_t exception = bank_write(bank, address, count, values);
  if (exception != MODBUS_FINE) return exception;
  if (module->unit == MODULE_SAFETY) sync_relays(bank, address, count);
  for (uint16_t i = 0; i < count; i++) {
    if (module->unit == MODULE_DOCK) dock_command(plant, bank, (uint16_t)(address + i), values[i]);
    if (address + i == 0x0109) bank_set(bank, 0x0108, 0);
  }
  return MODBUS_FINE;
}
