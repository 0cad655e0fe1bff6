/* Descriptor tables: look-ups by name, and how large a packed value can become. */
#include <gantry/desc.h>

#include <string.h>

enum { LONG_TEXT = 4096 };

/* Bytes of the longest msgpack headers: array, map, text and blob with 32-bit counts. */
enum { HEADER_MAX = 5, NUMBER_MAX = 9 };

const char *desc_enum_text(const desc_enum_t *enumeration, int value) {
  if (value < 0 || (uint32_t)value >= enumeration->count) return "?";
  return enumeration->texts[value];
}

int desc_enum_value(const desc_enum_t *enumeration, const char *text, size_t len) {
  for (uint32_t i = 0; i < enumeration->count; i++) {
    const char *known = enumeration->texts[i];
    if (strlen(known) == len && memcmp(known, text, len) == 0) return (int)i;
  }
  return -1;
}

const desc_field_t *desc_find(const desc_t *desc, const char *name, size_t len) {
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const char *known = desc->fields[i].name;
    if (strlen(known) == len && memcmp(known, name, len) == 0) return &desc->fields[i];
  }
  return NULL;
}

void desc_reset(const desc_t *desc, void *value) {
  char *bytes = value;
  size_t from = 0; /* fields stand in the order of the struct */
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    if (field->type != DESC_TEXT || field->array || field->size <= LONG_TEXT) continue;
    memset(bytes + from, 0, field->offset + 1 - from);
    from = field->offset + field->size;
  }
  memset(bytes + from, 0, desc->size - from);
}

static size_t element_max(const desc_field_t *field) {
  size_t longest = 0;
  switch (field->type) {
  case DESC_TEXT:
  case DESC_BLOB:
    return HEADER_MAX + field->max_len;
  case DESC_MESSAGE:
    return desc_packed_max(field->message);
  case DESC_ENUM:
    for (uint32_t i = 0; i < field->enumeration->count; i++) {
      size_t len = strlen(field->enumeration->texts[i]);
      if (len > longest) longest = len;
    }
    return HEADER_MAX + longest;
  default:
    return NUMBER_MAX;
  }
}

size_t desc_packed_max(const desc_t *desc) {
  size_t size = HEADER_MAX;
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    size += HEADER_MAX + strlen(field->name);
    if (field->array) size += HEADER_MAX;
    size += field->capacity * element_max(field);
  }
  return size;
}
