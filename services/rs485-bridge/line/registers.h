/* Register profiles: what each module's registers mean. The tables are generated at build time from
   schemas/registers/; here are their shapes and the look-ups. Pure data. */
#ifndef BRIDGE_REGISTERS_H
#define BRIDGE_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum register_type {
  REGISTER_U16,
  REGISTER_I16,
  REGISTER_BOOL,
  REGISTER_ENUM,
  REGISTER_BITS,
  REGISTER_U32,  /* low word first */
  REGISTER_I32,  /* low word first */
  REGISTER_TEXT4 /* four ASCII letters in two words */
} register_type_t;

/* Least role that may write. */
typedef enum register_access { REGISTER_USER, REGISTER_ADMIN, REGISTER_SYSTEM } register_access_t;

enum { REGISTER_READ = 1, REGISTER_WRITE = 2, REGISTER_SAFETY = 4, REGISTER_OPTIONAL = 8 };

typedef struct register_row {
  const char *name;
  const char *unit; /* of the scaled value, SI; "" for codes */
  const char *doc;
  double scale;     /* value = raw * scale */
  int64_t min, max; /* raw bounds of a write */
  uint16_t address;
  uint8_t words;
  register_type_t type;
  register_access_t access;
  unsigned flags; /* REGISTER_READ ... */
  int poll;       /* index of the poll that reads it, -1 none */
} register_row_t;

typedef struct register_module {
  const char *name;
  const char *doc;
  uint8_t address; /* default slave address; 0: at every address */
  uint16_t type;   /* type code */
  bool mandatory;
  const register_row_t *rows; /* by ascending address */
  size_t row_count;
} register_module_t;

typedef struct register_poll {
  const char *name;
  size_t module; /* index */
  uint16_t first, count;
  uint16_t least, most; /* the read may have these lengths instead, to differ from a late answer */
  double rate_hz;
  unsigned rank; /* lower goes first when both are due */
} register_poll_t;

typedef struct register_profile {
  const char *name;
  const char *doc;
  const register_module_t *modules;
  size_t module_count;
  const register_poll_t *polls;
  size_t poll_count;
} register_profile_t;

extern const register_profile_t PROFILE_OHT50;

/* Registers as read from one module: values[i] is register first + i. */
typedef struct register_view {
  uint16_t first, count;
  const uint16_t *values; /* borrowed */
} register_view_t;

/* The profile of that name, NULL when there is none. */
const register_profile_t *registers_profile(const char *name);
const register_module_t *registers_module(const register_profile_t *profile, const char *name);
/* The module with that default slave address, NULL when none. */
const register_module_t *registers_module_at(const register_profile_t *profile, uint8_t address);
/* The register of that name, NULL when the module has none. */
const register_row_t *registers_find(const register_module_t *module, const char *name);
/* Whether view holds all words of row (NULL: false). */
bool registers_has(const register_row_t *row, register_view_t view);
/* The raw number of row in view, sign and word order applied; 0 when the view does not hold it. */
int64_t registers_raw(const register_row_t *row, register_view_t view);
/* Scaled to row->unit; 0 when the view does not hold it. */
double registers_value(const register_row_t *row, register_view_t view);

#endif
