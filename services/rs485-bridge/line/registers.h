/* Register profiles: what each module's registers mean. The built-in tables are generated from
   schemas/registers/, a user's own come from a file (profile_json.h); here are their shapes and the
   look-ups. Pure data. */
#ifndef BRIDGE_REGISTERS_H
#define BRIDGE_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTERS_MODULES_MAX 32
#define REGISTERS_ROWS_MAX    160 /* of one module, with those that every module has */
#define REGISTERS_CLASSES_MAX 32
#define REGISTERS_MOTORS_MAX  2
#define REGISTERS_TEXT4       5 /* bytes of a text4, its end included */

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

enum {
  REGISTER_READ = 1,
  REGISTER_WRITE = 2,
  REGISTER_ONCE = 4,     /* a command: each write acts; neither repeated nor read back */
  REGISTER_SAFETY = 8,   /* written only with the safety role */
  REGISTER_OPTIONAL = 16 /* some modules answer exception 02 */
};

#define REGISTER_UNPOLLED (-1)

typedef struct register_row {
  const char *name;
  const char *unit; /* of the scaled value, SI; "" for codes */
  const char *doc;
  const char *sensor; /* id its value is published under; NULL: see registers_sensor */
  double scale;       /* value = raw * scale */
  int64_t min, max;   /* raw: bounds of a write, plausible span of a read */
  int64_t initial;    /* raw, as the module leaves the factory; INT64_MIN: not documented */
  uint16_t address;
  uint8_t words;
  register_type_t type;
  register_access_t access;
  unsigned flags; /* REGISTER_READ ... */
  int poll_class; /* index of its class, REGISTER_UNPOLLED */
} register_row_t;

typedef struct register_module {
  const char *name;
  const char *doc;
  uint8_t address; /* default slave address; 0: the block that every module has */
  uint16_t type;   /* type code */
  bool mandatory;
  const register_row_t *rows; /* by ascending address */
  size_t row_count;
} register_module_t;

/* How often registers are polled; which of them share a read is the plan's (plan.h). */
typedef struct register_class {
  const char *name;
  const char *doc;
  double rate_hz;
  unsigned rank;  /* lower goes first when two are due */
  uint16_t least; /* registers that a read keeps when its length has to differ; 0: the plan's */
} register_class_t;

/* What the bridge drives one motor with. */
typedef struct register_motor {
  size_t module; /* index */
  const register_row_t *enable, *setpoint, *direction;
  const register_row_t *speed, *error; /* NULL: none */
  uint16_t full_scale;                 /* set-point and speed at the highest speed */
  uint16_t forward, reverse;           /* codes of direction */
} register_motor_t;

typedef struct register_profile {
  const char *name;
  const char *doc;
  const register_class_t *classes;
  size_t class_count;
  const register_module_t *modules;
  size_t module_count;
  const register_motor_t *motors; /* left or only one first */
  size_t motor_count;
} register_profile_t;

extern const register_profile_t PROFILE_OHT50, PROFILE_OHT50_ALT;

/* Registers as read from one module: values[i] is register first + i. */
typedef struct register_view {
  uint16_t first, count;
  const uint16_t *values; /* borrowed */
} register_view_t;

/* The built-in profile of that name, NULL when there is none. */
const register_profile_t *registers_profile(const char *name);
const register_module_t *registers_module(const register_profile_t *profile, const char *name);
/* The module with that default slave address, NULL when none. */
const register_module_t *registers_module_at(const register_profile_t *profile, uint8_t address);
/* The block that every module has, NULL when none. */
const register_module_t *registers_common(const register_profile_t *profile);
/* The register of that name, NULL when the module has none (module NULL: none). */
const register_row_t *registers_find(const register_module_t *module, const char *name);
/* The register that begins at address, NULL when none does. */
const register_row_t *registers_at(const register_module_t *module, uint16_t address);
/* Whether every register from first to before end is readable and, as `optional` says, found on
   some modules only or on all: whether they may go into one read. */
bool registers_readable(const register_module_t *module, uint32_t first, uint32_t end,
                        bool optional);
/* Whether view holds all words of row (NULL: false). */
bool registers_has(const register_row_t *row, register_view_t view);
/* The raw number of row in view, sign and word order applied; 0 when the view does not hold it. */
int64_t registers_raw(const register_row_t *row, register_view_t view);
/* Scaled to row->unit; 0 when the view does not hold it. */
double registers_value(const register_row_t *row, register_view_t view);
/* The letters of a REGISTER_TEXT4, unprintable ones as '?'; "" when the view does not hold it. */
void registers_text(const register_row_t *row, register_view_t view, char out[REGISTERS_TEXT4]);
/* The words that a write of raw takes: row->words of them, low one first. */
void registers_words(const register_row_t *row, int64_t raw, uint16_t out[2]);
/* The id under which a polled register is published as a value of its own: its `sensor`, or else
   module_register for modules that the bridge has no messages for. False when it is not. */
bool registers_sensor(const register_module_t *module, const register_row_t *row, char *out,
                      size_t size);
/* Names as profiles write them. registers_mode_name looks at READ, WRITE and ONCE. */
#define REGISTERS_TYPES  "u16, i16, bool, enum, bits, u32, i32, text4"
#define REGISTERS_MODES  "r, w, rw, once"
#define REGISTERS_ACCESS "user, admin, system"
const char *registers_type_name(register_type_t type);
const char *registers_mode_name(unsigned flags);
const char *registers_access_name(register_access_t access);
bool registers_parse_type(const char *name, register_type_t *out);
bool registers_parse_mode(const char *name, unsigned *flags);
bool registers_parse_access(const char *name, register_access_t *out);
/* Words and raw numbers that a type can hold. */
unsigned registers_width(register_type_t type);
void registers_limits(register_type_t type, int64_t *low, int64_t *high);
/* What a profile lacks for driving the robot: false with a sentence in why. */
bool registers_can_drive(const register_profile_t *profile, char *why, size_t size);

#endif
