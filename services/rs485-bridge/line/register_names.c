/* The words of the profile language. */
#include <string.h>

#include "registers.h"

static const char *const types[] = {"u16", "i16", "bool", "enum", "bits", "u32", "i32", "text4"};
static const char *const accesses[] = {"user", "admin", "system"};

typedef struct mode_row {
  const char *name;
  unsigned flags;
} mode_row_t;

static const mode_row_t modes[] = {{"r", REGISTER_READ},
                                   {"w", REGISTER_WRITE},
                                   {"rw", REGISTER_READ | REGISTER_WRITE},
                                   {"once", REGISTER_WRITE | REGISTER_ONCE}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool parse(const char *name, const char *const *names, size_t count, size_t *out) {
  for (*out = 0; *out < count; (*out)++)
    if (strcmp(names[*out], name) == 0) return true;
  return false;
}

const char *registers_type_name(register_type_t type) {
  return types[type];
}

const char *registers_access_name(register_access_t access) {
  return accesses[access];
}

const char *registers_mode_name(unsigned flags) {
  for (size_t i = 0; i < COUNT(modes); i++)
    if (modes[i].flags == (flags & (REGISTER_READ | REGISTER_WRITE | REGISTER_ONCE)))
      return modes[i].name;
  return "";
}

bool registers_parse_type(const char *name, register_type_t *out) {
  size_t place;
  if (!parse(name, types, COUNT(types), &place)) return false;
  *out = (register_type_t)place;
  return true;
}

bool registers_parse_access(const char *name, register_access_t *out) {
  size_t place;
  if (!parse(name, accesses, COUNT(accesses), &place)) return false;
  *out = (register_access_t)place;
  return true;
}

bool registers_parse_mode(const char *name, unsigned *flags) {
  for (size_t i = 0; i < COUNT(modes); i++)
    if (strcmp(modes[i].name, name) == 0) {
      *flags = modes[i].flags;
      return true;
    }
  return false;
}

unsigned registers_width(register_type_t type) {
  return type == REGISTER_U32 || type == REGISTER_I32 || type == REGISTER_TEXT4 ? 2 : 1;
}

void registers_limits(register_type_t type, int64_t *low, int64_t *high) {
  *low = 0;
  *high = registers_width(type) == 2 ? UINT32_MAX : UINT16_MAX;
  if (type == REGISTER_BOOL) *high = 1;
  if (type == REGISTER_I16) {
    *low = INT16_MIN;
    *high = INT16_MAX;
  } else if (type == REGISTER_I32) {
    *low = INT32_MIN;
    *high = INT32_MAX;
  }
}
