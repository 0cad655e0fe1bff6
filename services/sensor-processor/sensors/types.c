/* Types by code. */
#include "types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCALIZATION "localization"
#define BENCH        "test_bench"

/* A built-in type: how the localization families are checked stands in the options. */
static const struct built_in {
  const char *code;
  sensor_type_t family;
  sensor_type_rule_t rule;
} BUILT_IN[] = {
    {"rfid",
     SENSOR_TYPE_RFID,
     {.kind = SENSOR_VALUE_KIND_OBJECT, .family = LOCALIZATION, .doc = "Tags met by a reader."}},
    {"accelerometer",
     SENSOR_TYPE_ACCELEROMETER,
     {.kind = SENSOR_VALUE_KIND_OBJECT,
      .unit = "m/s2",
      .family = LOCALIZATION,
      .doc = "Acceleration along x, y and z, gravity included."}},
    {"proximity",
     SENSOR_TYPE_PROXIMITY,
     {.kind = SENSOR_VALUE_KIND_OBJECT,
      .unit = "m",
      .family = LOCALIZATION,
      .doc = "Distance to what is near, with a switch."}},
    {"lidar",
     SENSOR_TYPE_LIDAR,
     {.kind = SENSOR_VALUE_KIND_OBJECT,
      .unit = "m",
      .family = LOCALIZATION,
      .doc = "Sweeps of a planar LiDAR."}},
    {"range",
     SENSOR_TYPE_RANGE,
     {.kind = SENSOR_VALUE_KIND_OBJECT,
      .unit = "m",
      .family = LOCALIZATION,
      .doc = "Distance to what is ahead."}},
    {"value", SENSOR_TYPE_VALUE, {.kind = SENSOR_VALUE_KIND_SCALAR, .doc = "Any number."}},
    {"object", SENSOR_TYPE_OBJECT, {.kind = SENSOR_VALUE_KIND_OBJECT, .doc = "Any object."}},
    {"force",
     SENSOR_TYPE_VALUE,
     {.kind = SENSOR_VALUE_KIND_SCALAR,
      .unit = "N",
      .has_min = true,
      .min = 0,
      .has_max = true,
      .max = 1000,
      .family = BENCH,
      .doc = "Force of the test bench."}},
    {"motor",
     SENSOR_TYPE_VALUE,
     {.kind = SENSOR_VALUE_KIND_SCALAR,
      .unit = "rpm",
      .has_min = true,
      .min = -100,
      .has_max = true,
      .max = 100,
      .family = BENCH,
      .doc = "Speed of the test bench's motor."}},
    {"camera",
     SENSOR_TYPE_OBJECT,
     {.kind = SENSOR_VALUE_KIND_OBJECT,
      .fields_count = 4,
      /* The counter of images goes on beyond the four digits it begins with. */
      .fields = {{"image_id", SENSOR_FIELD_KIND_INTEGER, .has_min = true, .min = 1000,
                  .required = true},
                 {"resolution", SENSOR_FIELD_KIND_TEXT, .required = true, .has_pattern = true,
                  .pattern = "^[0-9]+x[0-9]+$"},
                 {"brightness", SENSOR_FIELD_KIND_NUMBER, .has_min = true, .min = 0,
                  .has_max = true, .max = 255, .required = true},
                 {"exposure", SENSOR_FIELD_KIND_NUMBER, .has_min = true, .min = 0.1,
                  .has_max = true, .max = 2, .required = true}},
      .family = BENCH,
      .doc = "What the test bench's camera says of an image."}},
};
#define BUILT_IN_COUNT (sizeof BUILT_IN / sizeof BUILT_IN[0])

bool type_is_open(sensor_type_t family) {
  return family == SENSOR_TYPE_VALUE || family == SENSOR_TYPE_OBJECT;
}

static void free_patterns(type_row_t *row) {
  for (int i = 0; i < TYPE_FIELDS_MAX; i++)
    if (row->has_pattern[i]) regfree(&row->patterns[i]);
  memset(row->has_pattern, 0, sizeof row->has_pattern);
}

/* The reader's row of one field: the value lies in its slot of object_values_t. */
static desc_field_t field_of(const sensor_type_field_t *field, uint32_t i) {
  static const desc_type_t KINDS[] = {
      [SENSOR_FIELD_KIND_NUMBER] = DESC_F64,
      [SENSOR_FIELD_KIND_INTEGER] = DESC_I64,
      [SENSOR_FIELD_KIND_TEXT] = DESC_TEXT,
      [SENSOR_FIELD_KIND_BOOL] = DESC_BOOL,
  };
  bool text = field->kind == SENSOR_FIELD_KIND_TEXT;
  size_t slot = i * sizeof(object_value_t), at = slot + offsetof(object_value_t, as);
  return (desc_field_t){
      .name = field->name,
      .type = KINDS[field->kind],
      .optional = true, /* so that it tells which were given; type_read asks for the required */
      .ranged = field->has_min || field->has_max,
      .offset = (uint32_t)at,
      .has_offset = (uint32_t)(slot + offsetof(object_value_t, given)),
      .size = text ? sizeof((object_value_t *)0)->as.text : sizeof(double),
      .capacity = 1,
      .max_len = text ? sizeof((object_value_t *)0)->as.text - 1 : 0,
      .min = field->has_min ? field->min : -1e300,
      .max = field->has_max ? field->max : 1e300,
      .unit = "",
      .doc = "",
  };
}

static gantry_err_t check_field(const sensor_type_field_t *field, uint32_t i,
                                gantry_fault_t *fault) {
  char path[64];
  snprintf(path, sizeof path, "fields[%u]", i);
  if (field->has_min && field->has_max && field->min > field->max)
    return fault_set(fault, GANTRY_E_INVALID, path, "min is above max");
  if (field->has_pattern && field->kind != SENSOR_FIELD_KIND_TEXT)
    return fault_set(fault, GANTRY_E_INVALID, path, "only a text has a pattern");
  return GANTRY_OK;
}

static gantry_err_t fill(type_row_t *row, const char *code, sensor_type_t family,
                         const sensor_type_rule_t *rule, gantry_fault_t *fault) {
  free_patterns(row);
  snprintf(row->code, sizeof row->code, "%s", code);
  row->family = family;
  row->rule = *rule;
  for (uint32_t i = 0; i < rule->fields_count; i++) {
    const sensor_type_field_t *field = &row->rule.fields[i];
    row->fields[i] = field_of(field, i);
    if (!field->has_pattern) continue;
    if (regcomp(&row->patterns[i], field->pattern, REG_EXTENDED | REG_NOSUB) != 0)
      return fault_set(fault, GANTRY_E_INVALID, "fields",
                       "the pattern of %s is no POSIX extended regular expression", field->name);
    row->has_pattern[i] = true;
  }
  row->desc = (desc_t){.name = row->code,
                       .doc = row->rule.doc,
                       .fields = row->fields,
                       .field_count = rule->fields_count,
                       .size = sizeof(object_values_t)};
  return GANTRY_OK;
}

static void put_built_in(types_t *types) {
  gantry_fault_t fault;
  for (size_t i = 0; i < BUILT_IN_COUNT; i++)
    fill(&types->rows[types->count++], BUILT_IN[i].code, BUILT_IN[i].family, &BUILT_IN[i].rule,
         &fault);
}

gantry_err_t types_init(types_t *types) {
  *types = (types_t){.rows = calloc(TYPES_MAX, sizeof *types->rows)};
  if (!types->rows) return GANTRY_E_INTERNAL;
  put_built_in(types);
  return GANTRY_OK;
}

void types_fini(types_t *types) {
  for (uint32_t i = 0; types->rows && i < TYPES_MAX; i++)
    free_patterns(&types->rows[i]);
  free(types->rows);
  *types = (types_t){0};
}

void types_reset(types_t *types) {
  types->count = 0;
  put_built_in(types);
}

const type_row_t *types_find(const types_t *types, const char *code) {
  for (uint32_t i = 0; i < types->count; i++)
    if (strcmp(types->rows[i].code, code) == 0) return &types->rows[i];
  return NULL;
}

const type_row_t *types_of_family(const types_t *types, sensor_type_t family) {
  return types_find(types, desc_enum_text(&SENSOR_TYPE_ENUM, (int)family));
}

gantry_err_t types_put(types_t *types, const char *code, const sensor_type_rule_t *rule,
                       gantry_fault_t *fault) {
  type_row_t *known = (type_row_t *)types_find(types, code);
  size_t len = strlen(code);
  if (len == 0 || len > TYPE_CODE_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "scope", "a code has 1 to %d characters",
                     TYPE_CODE_MAX);
  if (known && !type_is_open(known->family))
    return fault_set(fault, GANTRY_E_INVALID, "scope", "%s is built in; its bounds are options",
                     code);
  if (rule->has_min && rule->has_max && rule->min > rule->max)
    return fault_set(fault, GANTRY_E_INVALID, "min", "is above max");
  for (uint32_t i = 0; i < rule->fields_count; i++)
    GANTRY_TRY(check_field(&rule->fields[i], i, fault));
  if (!known && types->count == TYPES_MAX)
    return fault_set(fault, GANTRY_E_TOO_LARGE, "", "at most %d types", TYPES_MAX);
  type_row_t *row = known ? known : &types->rows[types->count];
  sensor_type_t family =
      rule->kind == SENSOR_VALUE_KIND_SCALAR ? SENSOR_TYPE_VALUE : SENSOR_TYPE_OBJECT;
  GANTRY_TRY(fill(row, code, family, rule, fault));
  if (!known) types->count++;
  return GANTRY_OK;
}

gantry_err_t type_read(const type_row_t *type, const char *json, size_t len, object_values_t *out,
                       gantry_fault_t *fault) {
  if (json_read(&type->desc, json, len, false, out, fault) != GANTRY_OK)
    return fault->err = GANTRY_E_INVALID;
  for (uint32_t i = 0; i < type->desc.field_count; i++) {
    const sensor_type_field_t *field = &type->rule.fields[i];
    if (field->required && !out->fields[i].given)
      return fault_set(fault, GANTRY_E_INVALID, field->name, "required of a reading of type %s",
                       type->code);
    if (type->has_pattern[i] && out->fields[i].given &&
        regexec(&type->patterns[i], out->fields[i].as.text, 0, NULL, 0) != 0)
      return fault_set(fault, GANTRY_E_INVALID, field->name, "must match %s", field->pattern);
  }
  return GANTRY_OK;
}

static bool is_number(const sensor_type_field_t *field, const char *name) {
  return strcmp(field->name, name) == 0 &&
         (field->kind == SENSOR_FIELD_KIND_NUMBER || field->kind == SENSOR_FIELD_KIND_INTEGER);
}

bool type_number(const type_row_t *type, const object_values_t *values, const char *name,
                 double *out) {
  for (uint32_t i = 0; i < type->rule.fields_count; i++) {
    const object_value_t *value = &values->fields[i];
    if (!value->given || !is_number(&type->rule.fields[i], name)) continue;
    *out = type->rule.fields[i].kind == SENSOR_FIELD_KIND_INTEGER ? (double)value->as.integer
                                                                  : value->as.number;
    return true;
  }
  return false;
}

bool type_has_number(const type_row_t *type, const char *name) {
  for (uint32_t i = 0; i < type->rule.fields_count; i++)
    if (is_number(&type->rule.fields[i], name)) return true;
  return false;
}
