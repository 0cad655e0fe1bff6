/* Look-ups in register profiles, and raw words to numbers. */
#include "registers.h"

#include <stdio.h>
#include <string.h>

#define ESTOP_LEAST_HZ 10.0 /* the loss of the safety module is noticed within 150 ms */

static const register_profile_t *const profiles[] = {&PROFILE_OHT50, &PROFILE_OHT50_ALT};
/* What these say is told in messages of their own. */
static const char *const own_modules[] = {"power",  "safety",           "travel_motor", "dock",
                                          "lifter", "safety_extension", "cargo_door"};

const register_profile_t *registers_profile(const char *name) {
  for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
    if (strcmp(profiles[i]->name, name) == 0) return profiles[i];
  return NULL;
}

const register_module_t *registers_module(const register_profile_t *profile, const char *name) {
  for (size_t i = 0; i < profile->module_count; i++)
    if (strcmp(profile->modules[i].name, name) == 0) return &profile->modules[i];
  return NULL;
}

const register_module_t *registers_module_at(const register_profile_t *profile, uint8_t address) {
  for (size_t i = 0; i < profile->module_count; i++)
    if (address != 0 && profile->modules[i].address == address) return &profile->modules[i];
  return NULL;
}

const register_module_t *registers_common(const register_profile_t *profile) {
  for (size_t i = 0; i < profile->module_count; i++)
    if (profile->modules[i].address == 0) return &profile->modules[i];
  return NULL;
}

const register_row_t *registers_find(const register_module_t *module, const char *name) {
  for (size_t i = 0; module && i < module->row_count; i++)
    if (strcmp(module->rows[i].name, name) == 0) return &module->rows[i];
  return NULL;
}

const register_row_t *registers_at(const register_module_t *module, uint16_t address) {
  for (size_t i = 0; module && i < module->row_count; i++)
    if (module->rows[i].address == address) return &module->rows[i];
  return NULL;
}

bool registers_readable(const register_module_t *module, uint32_t first, uint32_t end,
                        bool optional) {
  uint32_t next = first;
  for (size_t i = 0; i < module->row_count && next < end; i++) {
    const register_row_t *row = &module->rows[i];
    uint32_t row_end = (uint32_t)row->address + row->words;
    if (row_end <= first) continue;
    bool alike = ((row->flags & REGISTER_OPTIONAL) != 0) == optional;
    if (row->address > next || !(row->flags & REGISTER_READ) || !alike) return false;
    next = row_end;
  }
  return next >= end;
}

bool registers_has(const register_row_t *row, register_view_t view) {
  return row && row->address >= view.first &&
         (uint32_t)row->address + row->words <= (uint32_t)view.first + view.count;
}

int64_t registers_raw(const register_row_t *row, register_view_t view) {
  if (!registers_has(row, view)) return 0;
  const uint16_t *words = view.values + (row->address - view.first);
  uint32_t pair = row->words == 2 ? (uint32_t)words[1] << 16 | words[0] : words[0];
  if (row->type == REGISTER_I16) return (int16_t)words[0];
  if (row->type == REGISTER_I32) return (int32_t)pair;
  return pair;
}

double registers_value(const register_row_t *row, register_view_t view) {
  return registers_has(row, view) ? (double)registers_raw(row, view) * row->scale : 0.0;
}

void registers_text(const register_row_t *row, register_view_t view, char out[REGISTERS_TEXT4]) {
  memset(out, 0, REGISTERS_TEXT4);
  if (!registers_has(row, view) || row->words != 2) return;
  const uint16_t *words = view.values + (row->address - view.first);
  for (size_t i = 0; i < 4; i++) {
    unsigned letter = (unsigned)words[i / 2] >> (i % 2 ? 0 : 8) & 0xFFu;
    out[i] = (char)(letter >= ' ' && letter <= '~' ? letter : '?');
  }
}

void registers_words(const register_row_t *row, int64_t raw, uint16_t out[2]) {
  out[0] = (uint16_t)((uint64_t)raw & 0xFFFFu);
  out[1] = row->words == 2 ? (uint16_t)((uint64_t)raw >> 16 & 0xFFFFu) : 0;
}

bool registers_sensor(const register_module_t *module, const register_row_t *row, char *out,
                      size_t size) {
  if (row->poll_class == REGISTER_UNPOLLED || row->type == REGISTER_TEXT4) return false;
  if (row->sensor) {
    (void)snprintf(out, size, "%s", row->sensor);
    return true;
  }
  for (size_t i = 0; i < sizeof own_modules / sizeof own_modules[0]; i++)
    if (strcmp(module->name, own_modules[i]) == 0) return false;
  (void)snprintf(out, size, "%s_%s", module->name, row->name);
  return true;
}

static bool is_polled(const register_module_t *module) {
  for (size_t i = 0; module && i < module->row_count; i++)
    if (module->rows[i].poll_class != REGISTER_UNPOLLED) return true;
  return false;
}

/* What is wrong with the motors; NULL: nothing. */
static const char *motors_flaw(const register_profile_t *profile) {
  bool heard = registers_find(registers_module(profile, "travel_motor"), "odometry_x") != NULL;
  if (profile->motor_count == 0)
    return "motor is missing; name the registers that the robot drives with";
  for (size_t i = 0; i < profile->motor_count; i++) {
    const register_motor_t *motor = &profile->motors[i];
    if (strcmp(profile->modules[motor->module].name, "travel_motor") != 0)
      return "motor: the module that drives the robot is watched by its name; call it travel_motor";
    if (motor->full_scale != profile->motors[0].full_scale)
      return "motor: full_scale differs; the motors are driven alike: give both the same";
    heard = heard || (motor->speed && motor->speed->poll_class != REGISTER_UNPOLLED &&
                      motor->direction->poll_class != REGISTER_UNPOLLED);
  }
  if (heard) return NULL;
  return "motor: neither speed and direction nor travel_motor.odometry_x are polled, so nobody "
         "knows "
         "how the robot moves; give them a class";
}

bool registers_can_drive(const register_profile_t *profile, char *why, size_t size) {
  const register_row_t *estop = registers_find(registers_module(profile, "safety"), "estop");
  bool polled = estop && estop->poll_class != REGISTER_UNPOLLED &&
                profile->classes[estop->poll_class].rate_hz >= ESTOP_LEAST_HZ;
  const char *flaw = motors_flaw(profile);
  if (!is_polled(registers_module(profile, "power")))
    flaw =
        "module.power: nothing of it is polled, and a robot with a silent power module is stopped; "
        "give its registers a class";
  if (!estop)
    (void)snprintf(why, size,
                   "module.safety.register.estop is missing; without the emergency stop input the "
                   "robot does not move: add it");
  else if (!polled)
    (void)snprintf(why, size,
                   "module.safety.register.estop: its loss would not be noticed in time; give it a "
                   "class of %.0f Hz or more",
                   ESTOP_LEAST_HZ);
  else if (flaw)
    (void)snprintf(why, size, "%s", flaw);
  return polled && !flaw;
}
