/* The power module's registers: battery, charger, rails, relays. */
#include <math.h>

#include "plant_internal.h"

#define CELL_HIGH_MV 4250
#define CELL_LOW_MV  2800
#define BALANCE_MV   8    /* above the lowest cell, while it charges */
#define TAPER_SHARE  0.05 /* of the capacity: from here on the current falls */
#define CHARGER_IN_V 48.0 /* at the dock's contacts */

enum { FAULT_OVER_V = 0x01, FAULT_UNDER_V = 0x02, FAULT_BATTERY_LOW = 0x40, FAULT_CHARGE = 0x80 };

bool plant_is_charging(plant_t *plant) {
  const bank_t *bank = &plant_module(plant, MODULE_POWER)->bank;
  bool docked = plant->dock.status & DOCK_DOCKED;
  return docked && !plant->charger_fault && bank_get(bank, 0x000B) && bank_get(bank, 0x003D) &&
         bank_get(bank, 0x003F);
}

double plant_charge_a(plant_t *plant) {
  const bank_t *bank = &plant_module(plant, MODULE_POWER)->bank;
  double missing = 1.0 - battery_soc(&plant->battery);
  bool reaches = bank_get(bank, 0x0030) / 10.0 > battery_pack_v(&plant->battery);
  if (!plant_is_charging(plant) || !reaches) return 0.0;
  return bank_get(bank, 0x0031) / 10.0 * fmin(1.0, missing / TAPER_SHARE);
}

static void refresh_cells(const battery_t *battery, bool charging, bank_t *bank) {
  uint16_t max = 0, min = 0, balanced = 0;
  for (uint16_t i = 0; i < BATTERY_CELLS; i++) {
    bank_set(bank, 0x0014 + i, plant_word(battery_cell_v(battery, i) * 1000.0));
    if (bank_get(bank, 0x0014 + i) > bank_get(bank, 0x0014 + max)) max = i;
    if (bank_get(bank, 0x0014 + i) < bank_get(bank, 0x0014 + min)) min = i;
  }
  uint16_t high = bank_get(bank, 0x0014 + max), low = bank_get(bank, 0x0014 + min);
  for (uint16_t i = 0; i < BATTERY_CELLS; i++) {
    uint16_t on = charging && bank_get(bank, 0x0014 + i) > low + BALANCE_MV;
    bank_set(bank, 0x001C + i, on);
    balanced |= on;
  }
  bank_set(bank, 0x0003, high);
  bank_set(bank, 0x0004, low);
  bank_set(bank, 0x0005, max);
  bank_set(bank, 0x0006, min);
  bank_set(bank, 0x0007, (uint16_t)(high - low));
  bank_set(bank, 0x0022, balanced);
}

static uint16_t fault_flags(const plant_t *plant, const bank_t *bank) {
  uint16_t flags = plant->charger_fault ? FAULT_CHARGE : 0;
  if (bank_get(bank, 0x0003) > CELL_HIGH_MV) flags |= FAULT_OVER_V;
  if (bank_get(bank, 0x0004) < CELL_LOW_MV) flags |= FAULT_UNDER_V;
  if (battery_soc(&plant->battery) < 0.1) flags |= FAULT_BATTERY_LOW;
  return flags;
}

static void refresh_charger(plant_t *plant, bank_t *bank, bool charging) {
  double volts = charging ? battery_pack_v(&plant->battery) : 0.0;
  double amps = charging ? plant->battery.charge_a : 0.0;
  bool docked = plant->dock.status & DOCK_DOCKED;
  bank_set(bank, 0x0032, plant_word(volts * 10.0));
  bank_set(bank, 0x0033, plant_word(amps * 10.0));
  bank_set(bank, 0x0034, plant_word(volts * amps * 10.0));
  bank_set(bank, 0x0035, docked ? plant_word(CHARGER_IN_V * 10.0) : 0);
  bank_set(bank, 0x0036, plant_word(volts * amps / CHARGER_IN_V * 10.0));
  bank_set(bank, 0x0037, plant_word(25.0 + 2.0 * amps));
  bank_set(bank, 0x003B, (uint16_t)(charging | plant->charger_fault << 1));
  bool waits = docked || bank_get(bank, 0x003F);
  bank_set(bank, 0x003E, charging ? 2 : waits ? 1 : 0);
}

static void refresh_rail(bank_t *bank, uint16_t address, bool on, double volts, double amps) {
  bank_set(bank, address, on ? plant_word(volts * 10.0) : 0);
  bank_set(bank, address + 1, on ? plant_word(amps * 10.0) : 0);
  bank_set(bank, address + 2, on ? plant_word(volts * amps * 10.0) : 0);
}

static void refresh_counters(plant_t *plant, bank_t *bank) {
  uint64_t used_s = (plant->world.step - plant_module(plant, MODULE_POWER)->since) / 1000;
  bank_set(bank, 0x000D, (uint16_t)(used_s & 0xFF));
  bank_set(bank, 0x0038, (uint16_t)(used_s / 3600));
  bank_set(bank, 0x0039, (uint16_t)(used_s / 60 % 60));
  bank_set(bank, 0x003A, (uint16_t)(used_s % 60));
}

void plant_refresh_power(plant_t *plant, bank_t *bank) {
  const battery_t *battery = &plant->battery;
  bool alt = plant->cfg.modules.alt, charging = plant_is_charging(plant);
  refresh_cells(battery, charging, bank);
  bank_set(bank, 0x0000, plant_word(battery_pack_v(battery) * 10.0));
  bank_set(bank, 0x0001, plant_signed_word(battery->current_a * 10.0));
  bank_set(bank, 0x0002, plant_word(battery_soc(battery) * (alt ? 100.0 : 1000.0)));
  bank_set(bank, 0x0008, plant_word(battery->temperature_c * (alt ? 10.0 : 1.0)));
  bank_set(bank, 0x000A, battery->current_a > 0.0 ? 1 : 2);
  bank_set(bank, 0x000E, plant_word(battery->charge_ah * 1000.0));
  bank_set(bank, 0x0011, battery->current_a > 0.0);
  bank_set(bank, 0x0012, battery->current_a < 0.0);
  bank_set(bank, 0x001A, plant_word(battery->temperature_c));
  bank_set(bank, 0x001B, plant_word(battery->temperature_c + 1.0));
  bank_set(bank, 0x0023, fault_flags(plant, bank));
  bank_set(bank, 0x004C, fault_flags(plant, bank) != 0);
  refresh_charger(plant, bank, charging);
  refresh_counters(plant, bank);
  refresh_rail(bank, 0x0040, bank_get(bank, 0x0049), 12.1, 0.8);
  refresh_rail(bank, 0x0043, bank_get(bank, 0x004A), 5.0, 1.9);
  refresh_rail(bank, 0x0046, bank_get(bank, 0x004B), 3.3, 0.6);
}
