/* Types: the registry of what sensors measure, by code: the built-in ones and those that people
   have registered (setting sensor.type_rule, scope = code). Objects are checked field by field.
   Needs no bus and no clock. */
#ifndef SENSOR_TYPES_H
#define SENSOR_TYPES_H

#include <regex.h>

#include <gantry/json.h>
#include <messages.h>

#define TYPE_FIELDS_MAX 16
#define TYPES_MAX       224 /* built-in ones and as many settings as storage lists */
#define TYPE_CODE_MAX   31

/* What is known of one type. */
typedef struct type_row {
  char code[TYPE_CODE_MAX + 1];
  sensor_type_t family;
  sensor_type_rule_t rule;
  desc_field_t fields[TYPE_FIELDS_MAX]; /* the reader's table of an object's fields */
  desc_t desc;                          /* */
  regex_t patterns[TYPE_FIELDS_MAX];    /* */
  bool has_pattern[TYPE_FIELDS_MAX];    /* */
} type_row_t;

typedef struct types {
  type_row_t *rows; /* TYPES_MAX of them; a row stays where it is until types_reset */
  uint32_t count;
} types_t;

/* The fields of one object, in the order of its type. */
typedef struct object_value {
  bool given;
  union {
    double number;
    int64_t integer;
    bool flag;
    char text[128];
  } as;
} object_value_t;
typedef struct object_values {
  object_value_t fields[TYPE_FIELDS_MAX];
} object_values_t;

/* The built-in rows alone. GANTRY_E_INTERNAL without memory. */
gantry_err_t types_init(types_t *types);
/* Harmless on zeroed memory. */
void types_fini(types_t *types);
/* Forgets all but the built-in rows: pointers to rows are void. */
void types_reset(types_t *types);
/* Adds a type or takes the place of a built-in one. GANTRY_E_INVALID with the field: a code or a
   pattern that cannot be, bounds the wrong way round, a localization family. */
gantry_err_t types_put(types_t *types, const char *code, const sensor_type_rule_t *rule,
                       gantry_fault_t *fault);
/* NULL when unknown. */
const type_row_t *types_find(const types_t *types, const char *code);
/* The row of a family: its code is the family's wire name. */
const type_row_t *types_of_family(const types_t *types, sensor_type_t family);

/* Whether readings are single numbers that any sensor of the family may have. */
bool type_is_open(sensor_type_t family);
/* Reads and checks one object. GANTRY_E_INVALID with the field (`brightness`) and what it may be.
 */
gantry_err_t type_read(const type_row_t *type, const char *json, size_t len, object_values_t *out,
                       gantry_fault_t *fault);
/* The number in that field; false when the type has no such number or the object left it out. */
bool type_number(const type_row_t *type, const object_values_t *values, const char *name,
                 double *out);
/* Whether the type has a number of that name. */
bool type_has_number(const type_row_t *type, const char *name);

#endif
