/* One field of a described struct: every bound is checked here, for all codecs. */
#include "field.h"

#include "utf8.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

uint64_t field_get_unsigned(const desc_field_t *field, const void *at) {
  switch (field->type) {
  case DESC_BOOL:
    return *(const bool *)at;
  case DESC_U8:
    return *(const uint8_t *)at;
  case DESC_U16:
    return *(const uint16_t *)at;
  case DESC_U32:
    return *(const uint32_t *)at;
  default:
    return *(const uint64_t *)at;
  }
}

int64_t field_get_signed(const desc_field_t *field, const void *at) {
  if (field->type == DESC_I64) return *(const int64_t *)at;
  int32_t value; /* also enums, whose own C type is not known here */
  memcpy(&value, at, sizeof value);
  return value;
}

double field_get_real(const desc_field_t *field, const void *at) {
  return field->type == DESC_F32 ? (double)*(const float *)at : *(const double *)at;
}

void field_set_unsigned(const desc_field_t *field, void *at, uint64_t value) {
  switch (field->type) {
  case DESC_U8:
    *(uint8_t *)at = (uint8_t)value;
    break;
  case DESC_U16:
    *(uint16_t *)at = (uint16_t)value;
    break;
  case DESC_U32:
    *(uint32_t *)at = (uint32_t)value;
    break;
  default:
    *(uint64_t *)at = value;
  }
}

void field_get_bounds(const desc_field_t *field, uint64_t *min, uint64_t *max) {
  *min = 0;
  *max = UINT64_MAX >> (64 - 8 * field->size);
  if (!field->ranged) return;
  if (field->min > 0.0) *min = (uint64_t)ceil(field->min);
  if (field->max < (double)*max) *max = field->max > 0.0 ? (uint64_t)field->max : 0;
}

bool field_is_present(const desc_field_t *field, const void *value) {
  return !field->optional || *(const bool *)((const uint8_t *)value + field->has_offset);
}

uint32_t field_count(const desc_field_t *field, const void *value) {
  if (!field->array) return 1;
  uint32_t count;
  memcpy(&count, (const uint8_t *)value + field->count_offset, sizeof count);
  return count;
}

void field_set_present(const desc_field_t *field, void *value) {
  if (field->optional) *(bool *)((uint8_t *)value + field->has_offset) = true;
}

void field_set_count(const desc_field_t *field, void *value, uint32_t count) {
  memcpy((uint8_t *)value + field->count_offset, &count, sizeof count);
}

static gantry_err_t out_of_bounds(const desc_field_t *field, double value, double min, double max,
                                  gantry_fault_t *fault) {
  return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be %.9g to %.9g%s%s, is %.9g", min,
                   max, *field->unit ? " " : "", field->unit, value);
}

gantry_err_t field_check_real(const desc_field_t *field, double value, gantry_fault_t *fault) {
  if (!isfinite(value)) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be a finite number");
  }
  if (field->ranged && (value < field->min || value > field->max)) {
    return out_of_bounds(field, value, field->min, field->max, fault);
  }
  return GANTRY_OK;
}

/* Bounds lie within 2^53, so that comparing as double is exact where it matters. */
static gantry_err_t check_natural(const desc_field_t *field, double value, double min, double max,
                                  gantry_fault_t *fault) {
  if (value < min || value > max) return out_of_bounds(field, value, min, max, fault);
  return field_check_real(field, value, fault);
}

gantry_err_t field_put_unsigned(const desc_field_t *field, void *at, uint64_t value,
                                gantry_fault_t *fault) {
  double real = (double)value;
  switch (field->type) {
  case DESC_U8:
    GANTRY_TRY(check_natural(field, real, 0, UINT8_MAX, fault));
    *(uint8_t *)at = (uint8_t)value;
    return GANTRY_OK;
  case DESC_U16:
    GANTRY_TRY(check_natural(field, real, 0, UINT16_MAX, fault));
    *(uint16_t *)at = (uint16_t)value;
    return GANTRY_OK;
  case DESC_U32:
    GANTRY_TRY(check_natural(field, real, 0, UINT32_MAX, fault));
    *(uint32_t *)at = (uint32_t)value;
    return GANTRY_OK;
  case DESC_U64:
    GANTRY_TRY(field_check_real(field, real, fault));
    *(uint64_t *)at = value;
    return GANTRY_OK;
  case DESC_F32:
  case DESC_F64:
    return field_put_real(field, at, real, fault);
  case DESC_I32:
  case DESC_I64:
    if (value > INT64_MAX) {
      return out_of_bounds(field, real, (double)INT64_MIN, (double)INT64_MAX, fault);
    }
    return field_put_signed(field, at, (int64_t)value, fault);
  default:
    return field_wrong_type(field, fault);
  }
}

gantry_err_t field_put_signed(const desc_field_t *field, void *at, int64_t value,
                              gantry_fault_t *fault) {
  double real = (double)value;
  switch (field->type) {
  case DESC_I32:
    GANTRY_TRY(check_natural(field, real, INT32_MIN, INT32_MAX, fault));
    *(int32_t *)at = (int32_t)value;
    return GANTRY_OK;
  case DESC_I64:
    GANTRY_TRY(field_check_real(field, real, fault));
    *(int64_t *)at = value;
    return GANTRY_OK;
  default:
    if (value >= 0) return field_put_unsigned(field, at, (uint64_t)value, fault);
    break;
  }
  if (field->type == DESC_F32 || field->type == DESC_F64) {
    return field_put_real(field, at, real, fault);
  }
  if (field->type >= DESC_U8 && field->type <= DESC_U64) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must not be negative, is %lld",
                     (long long)value);
  }
  return field_wrong_type(field, fault);
}

gantry_err_t field_put_real(const desc_field_t *field, void *at, double value,
                            gantry_fault_t *fault) {
  if (field->type == DESC_F64) {
    GANTRY_TRY(field_check_real(field, value, fault));
    *(double *)at = value;
    return GANTRY_OK;
  }
  if (field->type != DESC_F32) return field_wrong_type(field, fault);
  if (isfinite(value) && fabs(value) > (double)FLT_MAX) {
    return out_of_bounds(field, value, (double)-FLT_MAX, (double)FLT_MAX, fault);
  }
  /* As float before the check: a bound of 0.1 allows the float nearest to 0.1, which is greater. */
  float narrow = (float)value;
  GANTRY_TRY(field_check_real(field, (double)narrow, fault));
  *(float *)at = narrow;
  return GANTRY_OK;
}

gantry_err_t field_check_text(const desc_field_t *field, const char *text, size_t len,
                              gantry_fault_t *fault) {
  if (len > field->max_len || len < field->min_len) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be %u to %u bytes long, is %zu",
                     field->min_len, field->max_len, len);
  }
  if (!utf8_is_valid((const uint8_t *)text, len)) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be UTF-8");
  }
  if (len > 0 && memchr(text, '\0', len)) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must not hold a NUL character");
  }
  return GANTRY_OK;
}

gantry_err_t field_put_text(const desc_field_t *field, void *at, const char *text, size_t len,
                            gantry_fault_t *fault) {
  GANTRY_TRY(field_check_text(field, text, len, fault));
  memcpy(at, text, len);
  ((char *)at)[len] = '\0';
  return GANTRY_OK;
}

gantry_err_t field_put_enum(const desc_field_t *field, void *at, const char *text, size_t len,
                            gantry_fault_t *fault) {
  int value = desc_enum_value(field->enumeration, text, len);
  if (value < 0) {
    char known[160] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < field->enumeration->count && used < sizeof known; i++) {
      used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                               field->enumeration->texts[i]);
    }
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be one of %s", known);
  }
  memcpy(at, &value, sizeof value);
  return GANTRY_OK;
}

gantry_err_t field_check_count(const desc_field_t *field, uint64_t count, gantry_fault_t *fault) {
  if (count <= field->capacity) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must have at most %u elements, has %llu",
                   field->capacity, (unsigned long long)count);
}

gantry_err_t field_wrong_type(const desc_field_t *field, gantry_fault_t *fault) {
  static const char *const WORDS[] = {
      [DESC_BOOL] = "true or false", [DESC_U8] = "an integer",  [DESC_U16] = "an integer",
      [DESC_U32] = "an integer",     [DESC_U64] = "an integer", [DESC_I32] = "an integer",
      [DESC_I64] = "an integer",     [DESC_F32] = "a number",   [DESC_F64] = "a number",
      [DESC_TEXT] = "text",          [DESC_BLOB] = "bytes",     [DESC_ENUM] = "a word of its list",
      [DESC_MESSAGE] = "an object",
  };
  return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be %s", WORDS[field->type]);
}

gantry_err_t field_missing(const desc_field_t *field, gantry_fault_t *fault) {
  return fault_set(fault, GANTRY_E_SCHEMA, field->name, "is missing");
}

gantry_err_t field_within(const desc_field_t *outer, uint32_t index, gantry_err_t err,
                          gantry_fault_t *fault) {
  if (!fault) return err;
  char path[sizeof fault->field];
  char number[16] = "";
  if (outer->array) snprintf(number, sizeof number, "[%u]", index);
  const char *dot = fault->field[0] ? "." : "";
  int len = snprintf(path, sizeof path, "%s%s%s%s", outer->name, number, dot, fault->field);
  if (len > 0) memcpy(fault->field, path, sizeof path);
  return err;
}

gantry_err_t field_element(const desc_field_t *field, uint32_t index, gantry_err_t err,
                           gantry_fault_t *fault) {
  if (fault && field->array) {
    snprintf(fault->field, sizeof fault->field, "%s[%u]", field->name, index);
  }
  return err;
}
