/* Schemas hold for every reading: what is fixed by its message is a rule; of the fields of objects,
   of which only the first are looked at and which a registry may change between two readings, they
   name those seen, and forbid nothing. */
#include "form_schema.h"

#include <gantry/json.h>
#include <messages.h>
#include <string.h>

static void put_words(const desc_enum_t *words, buf_t *out) {
  buf_put_text(out, "{\"type\":\"string\",\"enum\":[");
  for (uint32_t i = 0; i < words->count; i++)
    buf_printf(out, "%s\"%s\"", i ? "," : "", words->texts[i]);
  buf_put_text(out, "]}");
}

/* As a word for people: a rule of this would refuse what comes later with another kind. */
static void put_kinds(uint32_t kinds, buf_t *out) {
  static const char *const NAMES[] = {"number", "string", "boolean", "null", "object", "array"};
  const char *gap = "";
  buf_put_text(out, "{\"description\":\"");
  for (uint32_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    if (!(kinds >> i & 1)) continue;
    buf_printf(out, "%s%s", gap, NAMES[i]);
    gap = " or ";
  }
  buf_put_text(out, " in the first readings\"}");
}

static const form_field_t *find(const form_series_t *series, const char *name) {
  for (uint32_t i = 0; i < series->field_count; i++)
    if (strcmp(series->fields[i].name, name) == 0) return &series->fields[i];
  return NULL;
}

/* All that was seen of a name in any series of the schema; 0 when one before `until` had it. */
static uint32_t kinds_of(const form_head_t *head, uint32_t schema, const char *name,
                         uint32_t until) {
  uint32_t kinds = 0;
  for (uint32_t i = 0; i < head->count; i++) {
    const form_series_t *series = &head->series[i];
    const form_field_t *field = series->schema == schema ? find(series, name) : NULL;
    if (field && i < until) return 0;
    if (field) kinds |= field->kinds;
  }
  return kinds;
}

static void put_fields(const form_head_t *head, uint32_t schema, buf_t *out) {
  const char *gap = "";
  for (uint32_t i = 0; i < head->count; i++) {
    const form_series_t *series = &head->series[i];
    for (uint32_t k = 0; series->schema == schema && k < series->field_count; k++) {
      uint32_t kinds = kinds_of(head, schema, series->fields[k].name, i);
      if (!kinds) continue;
      buf_printf(out, "%s\"%s\":", gap, series->fields[k].name);
      put_kinds(kinds, out);
      gap = ",";
    }
  }
}

void form_schema_write(const form_head_t *head, uint32_t which, buf_t *out) {
  const char *type = head->series[which].type, *unit = head->series[which].unit;
  buf_put_text(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":");
  json_write_text(out, type, strlen(type));
  buf_put_text(out, ",\"type\":\"object\",\"properties\":{\"source\":");
  put_words(&SYS_SOURCE_ENUM, out);
  buf_put_text(out,
               ",\"number\":{\"type\":\"integer\",\"minimum\":0},\"value\":{\"type\":\"number\"");
  if (unit[0]) {
    buf_put_text(out, ",\"description\":");
    json_write_text(out, unit, strlen(unit));
  }
  buf_put_text(out, "},\"data\":{\"type\":\"object\",\"properties\":{");
  put_fields(head, head->series[which].schema, out);
  buf_put_text(out,
               "}},\"quality\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},\"validity\":");
  put_words(&SENSOR_VALIDITY_ENUM, out);
  buf_put_text(out, "},\"required\":[\"source\",\"number\",\"quality\",\"validity\"]}");
}
