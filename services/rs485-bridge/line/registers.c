/* Look-ups in register profiles, and raw words to numbers. */
#include "registers.h"

#include <string.h>

static const register_profile_t *const profiles[] = {&PROFILE_OHT50};

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

const register_row_t *registers_find(const register_module_t *module, const char *name) {
  for (size_t i = 0; module && i < module->row_count; i++)
    if (strcmp(module->rows[i].name, name) == 0) return &module->rows[i];
  return NULL;
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
