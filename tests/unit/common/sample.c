/* Values for the tests of the codecs. */
#include "sample.h"

#include <float.h>
#include <string.h>

static const uint8_t BYTES[] = {0, 1, 254, 255};

probe_all_t sample_all(void) {
  return (probe_all_t){.flag = true,
                       .u8 = 200,
                       .u16 = 60000,
                       .u32 = 4000000000,
                       .u64 = 9000000000000000001u,
                       .i32 = -5,
                       .i64 = -9000000000000000001,
                       .f32 = 0.1f,
                       .f64 = -123456.789,
                       .text = "h\xc3\xa9llo",
                       .blob = {BYTES, sizeof BYTES},
                       .colour = PROBE_COLOUR_BLUE,
                       .point = {.x = 1.5, .y = -2},
                       .time = 1769850307123456000u,
                       .hex = 0xfedcba9876543210u,
                       .json = "{\"a\":[1,2.5,null]}"};
}

probe_lists_t sample_lists(void) {
  probe_lists_t value = {.flags_count = 2,
                         .flags = {true, false},
                         .shorts_count = 4,
                         .shorts = {0, 127, 128, 1000},
                         .floats_count = 3,
                         .floats = {0, 12.34f, 100},
                         .doubles_count = 1,
                         .doubles = {-0.25},
                         .texts_count = 2,
                         .texts = {"", "abcde"},
                         .colours_count = 1,
                         .colours = {PROBE_COLOUR_GREEN},
                         .points_count = 2,
                         .points = {{1, 2}, {3, 4}},
                         .blobs_count = 1,
                         .blobs = {{BYTES, 2}}};
  return value;
}

static void fill_number(const desc_field_t *field, uint8_t *at, bool high, bool exact64) {
  double bound = high ? field->max : field->min;
  if (field->ranged) {
    float narrow = (float)bound;
    int64_t whole = bound < 9e18 ? (int64_t)bound : INT64_MAX;
    uint64_t bits = (uint64_t)whole;
    if (field->type == DESC_F32)
      memcpy(at, &narrow, sizeof narrow);
    else if (field->type == DESC_F64)
      memcpy(at, &bound, sizeof bound);
    else
      memcpy(at, &bits, field->size);
    return;
  }
  bool is_signed = field->type == DESC_I32 || field->type == DESC_I64;
  unsigned bits = field->size * 8 - (is_signed || (field->size == 8 && !exact64));
  uint64_t top = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
  uint64_t value = high ? top : is_signed ? ~top : 0;
  if (field->format == DESC_TIME && high) value = 1769850307123456000u; /* what a date can tell */
  memcpy(at, &value, field->size);
}

static void fill_element(const desc_field_t *field, uint8_t *at, bool high, bool exact64) {
  static uint8_t letters[1 << 20];
  if (!letters[0]) memset(letters, '7', sizeof letters); /* digits are JSON too */
  switch (field->type) {
  case DESC_BOOL:
    *(bool *)at = high;
    break;
  case DESC_TEXT: {
    size_t len = high ? field->max_len : field->min_len;
    if (field->format == DESC_JSON) len = len > 12 ? 12 : len; /* an integer of twelve digits */
    memset(at, '7', len);
    if (field->format == DESC_JSON && len == 0) memcpy(at, "1", 2);
    break;
  }
  case DESC_BLOB: {
    size_t len = field->max_len < sizeof letters ? field->max_len : sizeof letters;
    *(blob_t *)at = (blob_t){letters, high ? len : 0};
    break;
  }
  case DESC_ENUM: {
    int value = high ? (int)field->enumeration->count - 1 : 0;
    memcpy(at, &value, sizeof value);
    break;
  }
  case DESC_MESSAGE:
    sample_fill(field->message, at, high, exact64);
    break;
  default:
    fill_number(field, at, high, exact64);
  }
}

void sample_fill(const desc_t *desc, void *value, bool high, bool exact64) {
  uint8_t *bytes = value;
  memset(value, 0, desc->size);
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    if (field->optional && !high) continue;
    if (field->optional) *(bool *)(bytes + field->has_offset) = true;
    uint32_t count = field->array && !high ? 0 : field->capacity;
    if (field->array) memcpy(bytes + field->count_offset, &count, sizeof count);
    for (uint32_t k = 0; k < count; k++) {
      fill_element(field, bytes + field->offset + (size_t)k * field->size, high, exact64);
    }
  }
}

bool sample_has_blob(const desc_t *desc) {
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    if (field->type == DESC_BLOB) return true;
    if (field->type == DESC_MESSAGE && sample_has_blob(field->message)) return true;
  }
  return false;
}

static bool element_equal(const desc_field_t *field, const uint8_t *a, const uint8_t *b) {
  if (field->type == DESC_MESSAGE) return sample_equal(field->message, a, b);
  if (field->type == DESC_TEXT) return strcmp((const char *)a, (const char *)b) == 0;
  if (field->type != DESC_BLOB) return memcmp(a, b, field->size) == 0;
  const blob_t *left = (const blob_t *)a, *right = (const blob_t *)b;
  return left->len == right->len &&
         (left->len == 0 || memcmp(left->data, right->data, left->len) == 0);
}

bool sample_equal(const desc_t *desc, const void *a, const void *b) {
  const uint8_t *left = a, *right = b;
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    if (field->optional) {
      bool present = *(const bool *)(left + field->has_offset);
      if (present != *(const bool *)(right + field->has_offset)) return false;
      if (!present) continue;
    }
    uint32_t count = 1;
    if (field->array) {
      memcpy(&count, left + field->count_offset, sizeof count);
      if (memcmp(&count, right + field->count_offset, sizeof count) != 0) return false;
    }
    for (uint32_t k = 0; k < count; k++) {
      size_t at = field->offset + (size_t)k * field->size;
      if (!element_equal(field, left + at, right + at)) return false;
    }
  }
  return true;
}
