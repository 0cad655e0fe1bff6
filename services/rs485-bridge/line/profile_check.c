/* What a profile may say. Order and words are those of schemas/gen/registers_gen.py. */
#include "profile_check.h"

#include <stdio.h>
#include <string.h>

#define ID_MAX         80 /* two names and what is between */
#define SENSOR_LONGEST 50
#define SENSOR_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static bool check_words(complaint_t *to, const draft_row_t *draft, const char *place,
                        register_row_t *out) {
  if (!registers_parse_type(draft->type, &out->type))
    return complain(to, place, "type %s is none of %s", draft->type, REGISTERS_TYPES);
  unsigned mode = 0;
  if (!registers_parse_mode(draft->mode, &mode))
    return complain(to, place, "mode %s is none of %s", draft->mode, REGISTERS_MODES);
  if (!registers_parse_access(draft->access, &out->access))
    return complain(to, place, "access %s is none of %s", draft->access, REGISTERS_ACCESS);
  out->flags |= mode;
  out->words = (uint8_t)registers_width(out->type);
  return true;
}

static bool check_bounds(complaint_t *to, const draft_row_t *draft, const char *place,
                         register_row_t *out) {
  int64_t low, high;
  registers_limits(out->type, &low, &high);
  out->min = draft->has_min ? draft->min : low;
  out->max = draft->has_max ? draft->max : high;
  out->initial = draft->has_initial ? draft->initial : INT64_MIN;
  if (out->min < low || out->min > out->max || out->max > high)
    return complain(to, place, "%lld to %lld does not fit %s; stay within %lld to %lld",
                    (long long)out->min, (long long)out->max, draft->type, (long long)low,
                    (long long)high);
  if (!draft->has_initial) return true;
  return keys_check_range(to, out->initial, out->min, out->max, "default", place);
}

static int class_of(const register_profile_t *profile, const char *name) {
  for (size_t i = 0; name && i < profile->class_count; i++)
    if (strcmp(profile->classes[i].name, name) == 0) return (int)i;
  return REGISTER_UNPOLLED;
}

static bool check_poll(complaint_t *to, const register_profile_t *profile, bool common,
                       const draft_row_t *draft, const char *place, register_row_t *out) {
  out->poll_class = class_of(profile, draft->poll_class);
  if (draft->poll_class && out->poll_class == REGISTER_UNPOLLED)
    return complain(to, place, "there is no class %s; add it to class or use another",
                    draft->poll_class);
  if (draft->poll_class && common)
    return complain(to, place, "class: what every module has is not polled; remove class");
  if (draft->poll_class && !(out->flags & REGISTER_READ))
    return complain(to, place, "class: it cannot be read; remove class or let mode be r or rw");
  if (!out->sensor) return true;
  if (!out->sensor[0] || strspn(out->sensor, SENSOR_LETTERS) != strlen(out->sensor))
    return complain(to, place, "sensor %s has letters that no id has; use A-Z, a-z, 0-9, _ and -",
                    out->sensor);
  if (!draft->poll_class || out->type == REGISTER_TEXT4)
    return complain(to, place,
                    "sensor: only a polled number is published; give it a class or remove sensor");
  return true;
}

bool check_register(complaint_t *to, const register_profile_t *profile, bool common,
                    const draft_row_t *draft, const char *place, register_row_t *out) {
  if (!check_words(to, draft, place, out)) return false;
  if (draft->address < 0 || draft->address > 0x10000 - out->words)
    return complain(to, place, "address %lld is beyond the last register; stay below 65536",
                    (long long)draft->address);
  out->address = (uint16_t)draft->address;
  if (out->scale == 0.0) return complain(to, place, "scale 0 makes every value 0; give another");
  if (out->type == REGISTER_TEXT4 && (out->flags & REGISTER_WRITE))
    return complain(to, place, "mode: text4 is only read; let mode be r");
  return check_bounds(to, draft, place, out) && check_poll(to, profile, common, draft, place, out);
}

/* The register that a motor names; one word, readable, and writable where it is to be. */
static bool find_row(complaint_t *to, const register_module_t *module, const char *key,
                     const char *name, bool writable, const char *place,
                     const register_row_t **out) {
  *out = NULL;
  if (!name && !writable) return true;
  const register_row_t *row = name ? registers_find(module, name) : NULL;
  unsigned needs = REGISTER_READ | (writable ? REGISTER_WRITE : 0u);
  if (!row) {
    (void)complain(to, place, "%s: module %s has no register %s; name one it has", key,
                   module->name, name ? name : "");
    return false;
  }
  *out = row;
  if ((row->flags & needs) == needs && row->words == 1) return true;
  return complain(to, place, "%s: %s has to be one word of mode %s", key, row->name,
                  writable ? "rw" : "r or rw");
}

static bool find_rows(complaint_t *to, const register_module_t *module, const draft_motor_t *draft,
                      const char *place, register_motor_t *out) {
  return find_row(to, module, "enable", draft->enable, true, place, &out->enable) &&
         find_row(to, module, "setpoint", draft->setpoint, true, place, &out->setpoint) &&
         find_row(to, module, "direction", draft->direction, true, place, &out->direction) &&
         find_row(to, module, "speed", draft->speed, false, place, &out->speed) &&
         find_row(to, module, "error", draft->error, false, place, &out->error);
}

bool check_motor(complaint_t *to, const register_profile_t *profile, const draft_motor_t *draft,
                 const char *place, register_motor_t *out) {
  const register_module_t *module = registers_module(profile, draft->module);
  if (!module || module->address == 0)
    return complain(to, place, "module: there is no module %s with an address; name one",
                    draft->module);
  if (!find_rows(to, module, draft, place, out)) return false;
  const register_row_t *turn = out->direction;
  if (!keys_check_range(to, draft->full_scale, 1, out->setpoint->max, "full_scale", place) ||
      !keys_check_range(to, draft->forward, turn->min, turn->max, "forward", place) ||
      !keys_check_range(to, draft->reverse, turn->min, turn->max, "reverse", place))
    return false;
  if (draft->forward == draft->reverse)
    return complain(to, place, "forward and reverse are the same; tell them apart");
  out->module = (size_t)(module - profile->modules);
  out->full_scale = (uint16_t)draft->full_scale;
  out->forward = (uint16_t)draft->forward;
  out->reverse = (uint16_t)draft->reverse;
  return true;
}

/* The register of the block, among its first `count`, that has the word; NULL when none. */
static const register_row_t *holder_of(const register_module_t *block, size_t count,
                                       uint32_t word) {
  for (size_t i = 0; block && i < count; i++)
    if (word >= block->rows[i].address &&
        word < (uint32_t)block->rows[i].address + block->rows[i].words)
      return &block->rows[i];
  return NULL;
}

static bool check_overlaps(complaint_t *to, const register_module_t *module,
                           const register_module_t *common) {
  size_t common_count = common && common != module ? common->row_count : 0;
  for (size_t i = 0; i < module->row_count; i++) {
    const register_row_t *row = &module->rows[i];
    for (uint32_t word = row->address; word < (uint32_t)row->address + row->words; word++) {
      const register_row_t *other = holder_of(common, common_count, word);
      if (!other) other = holder_of(module, i, word);
      if (!other) continue;
      char place[PLACE_MAX];
      (void)snprintf(place, sizeof place, "module.%s.register.%s", module->name, row->name);
      return complain(to, place, "overlaps %s at 0x%04x; move one of them", other->name, word);
    }
  }
  if (module->row_count + common_count <= REGISTERS_ROWS_MAX) return true;
  char place[PLACE_MAX];
  (void)snprintf(place, sizeof place, "module.%s", module->name);
  return complain(to, place, "more than %d registers, those of every module included; remove some",
                  REGISTERS_ROWS_MAX);
}

/* The id of what is polled, said or made of its names; false for what has none. */
static bool id_of(const register_module_t *module, const register_row_t *row, char out[ID_MAX]) {
  if (row->poll_class == REGISTER_UNPOLLED || row->type == REGISTER_TEXT4) return false;
  if (row->sensor)
    (void)snprintf(out, ID_MAX, "%s", row->sensor);
  else
    (void)snprintf(out, ID_MAX, "%s_%s", module->name, row->name);
  return true;
}

/* The register before this one with its id; NULL when none. */
static const register_row_t *same_id(const register_profile_t *profile, const register_row_t *row,
                                     const char *id, const char **owner) {
  char other_id[ID_MAX];
  for (size_t m = 0; m < profile->module_count; m++)
    for (size_t i = 0; i < profile->modules[m].row_count; i++) {
      const register_row_t *other = &profile->modules[m].rows[i];
      *owner = profile->modules[m].name;
      if (other == row) return NULL;
      if (id_of(&profile->modules[m], other, other_id) && strcmp(other_id, id) == 0) return other;
    }
  return NULL;
}

static bool check_sensors(complaint_t *to, const register_profile_t *profile,
                          const register_module_t *module) {
  char id[ID_MAX], place[PLACE_MAX];
  for (size_t i = 0; i < module->row_count; i++) {
    const register_row_t *row = &module->rows[i];
    const char *owner = "";
    if (!id_of(module, row, id)) continue;
    (void)snprintf(place, sizeof place, "module.%s.register.%s", module->name, row->name);
    if (strlen(id) > SENSOR_LONGEST)
      return complain(to, place, "its id %s is longer than %d bytes; give it a sensor", id,
                      SENSOR_LONGEST);
    const register_row_t *other = same_id(profile, row, id, &owner);
    if (other)
      return complain(to, place, "sensor %s is %s.%s's; give each its own", id, owner, other->name);
  }
  return true;
}

bool check_modules(complaint_t *to, const register_profile_t *profile) {
  const register_module_t *common = registers_common(profile);
  for (size_t m = 0; m < profile->module_count; m++) {
    const register_module_t *module = &profile->modules[m];
    for (size_t k = 0; k < m; k++) {
      if (profile->modules[k].address != module->address) continue;
      char place[PLACE_MAX];
      (void)snprintf(place, sizeof place, "module.%s", module->name);
      return complain(to, place, "address 0x%02x is %s's; give each its own", module->address,
                      profile->modules[k].name);
    }
    if (!check_overlaps(to, module, common) || !check_sensors(to, profile, module)) return false;
  }
  return true;
}
