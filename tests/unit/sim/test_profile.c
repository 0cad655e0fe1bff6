/* The simulator's own register tables against the bridge's profiles. They were written apart, so
   that a slip in one does not hide in the other: what they say of the same module must agree. */
#include <criterion/criterion.h>

#include "plant.h"
#include "registers.h"

static plant_t plant;

static void start(bool alt) {
  plant_cfg_t cfg = {.world = {.seed = 1, .range_noise_m = 0.004, .accel_noise_mg = 5.0},
                     .soc = 0.85,
                     .modules = {.alt = alt, .old_system = alt}};
  plant_init(&plant, &cfg);
  plant_advance(&plant, 1000);
}

static const bank_row_t *find(const bank_t *bank, uint32_t address) {
  for (size_t i = 0; i < bank->row_count; i++)
    if (address >= bank->rows[i].address && address < bank->rows[i].address + bank->rows[i].count)
      return &bank->rows[i];
  return NULL;
}

static void check_read(module_t *module, const register_row_t *row) {
  register_view_t view = {.first = row->address, .count = row->words};
  uint16_t words[2];
  view.values = words;
  cr_assert_eq(plant_read(&plant, module, row->address, row->words, words), MODBUS_FINE, "%02x %s",
               module->unit, row->name);
  if (!(row->flags & REGISTER_READ) || row->type == REGISTER_TEXT4) return;
  int64_t raw = registers_raw(row, view);
  cr_assert(raw >= row->min && raw <= row->max, "%02x %s reads %lld", module->unit, row->name,
            (long long)raw);
  if (row->initial != INT64_MIN && (row->flags & REGISTER_WRITE))
    cr_assert_eq(raw, row->initial, "%02x %s starts at %lld", module->unit, row->name,
                 (long long)raw);
}

static void check_row(module_t *module, const register_row_t *row) {
  for (uint32_t word = 0; word < row->words; word++) {
    const bank_row_t *own = find(&module->bank, row->address + word);
    cr_assert_not_null(own, "the simulator lacks %02x %s", module->unit, row->name);
    bool writable = (row->flags & REGISTER_WRITE) != 0;
    cr_assert_eq((own->mode & BANK_W) != 0, writable, "%02x %s", module->unit, row->name);
    cr_assert_eq((own->mode & BANK_R) != 0, (row->flags & REGISTER_READ) != 0, "%02x %s",
                 module->unit, row->name);
    if (!writable || row->words > 1 || row->type == REGISTER_I16) continue;
    cr_assert_eq(own->max, row->max, "%02x %s: %u", module->unit, row->name, own->max);
    cr_assert_eq(own->min, row->min, "%02x %s: %u", module->unit, row->name, own->min);
  }
  check_read(module, row);
}

static size_t check_module(const register_module_t *profile, module_t *module) {
  for (size_t i = 0; i < profile->row_count; i++)
    check_row(module, &profile->rows[i]);
  return profile->row_count;
}

static size_t check_profile(const register_profile_t *profile) {
  size_t rows = 0;
  for (size_t i = 0; i < PLANT_MODULES; i++) {
    module_t *module = &plant.modules[i];
    const register_module_t *known = registers_module_at(profile, module->unit);
    cr_assert_not_null(known, "%02x", module->unit);
    rows += check_module(known, module);
    rows += check_module(registers_common(profile), module);
  }
  return rows;
}

/* What the profiles leave alone: input types and relay functions of the safety module. */
static bool is_left_alone(uint8_t unit, uint32_t address) {
  return unit == MODULE_SAFETY && address >= 0x0060 && address <= 0x0083;
}

static bool is_known(const register_module_t *module, uint32_t address) {
  for (size_t i = 0; i < module->row_count; i++)
    if (address >= module->rows[i].address &&
        address < (uint32_t)module->rows[i].address + module->rows[i].words)
      return true;
  return false;
}

static void check_nothing_more(const register_profile_t *profile) {
  for (size_t i = 0; i < PLANT_MODULES; i++) {
    const module_t *module = &plant.modules[i];
    const register_module_t *known = registers_module_at(profile, module->unit);
    for (uint32_t address = 0; address <= 0xFFFF; address++)
      if (find(&module->bank, address) && !is_left_alone(module->unit, address))
        cr_assert(is_known(known, address) || is_known(registers_common(profile), address),
                  "the profile lacks %02x %04x", module->unit, address);
  }
}

Test(profile, and_simulator_agree_on_every_register) {
  start(false);
  cr_assert_gt(check_profile(&PROFILE_OHT50), 300);
  check_nothing_more(&PROFILE_OHT50);
}

Test(profile, and_simulator_agree_on_the_alternate_maps) {
  start(true);
  cr_assert_gt(check_profile(&PROFILE_OHT50_ALT), 300);
  check_nothing_more(&PROFILE_OHT50_ALT);
}
