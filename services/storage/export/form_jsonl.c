/* jsonl: an object a reading, a line each. */
#include "form_internal.h"

#include <gantry/json.h>
#include <math.h>
#include <messages.h>
#include <string.h>

#include "form_text.h"

typedef struct jsonl {
  form_t form;
  form_clock_t clock;
} jsonl_t;

static void put_text(buf_t *out, const char *key, const char *text) {
  buf_put_text(out, key);
  json_write_text(out, text, strlen(text));
}

/* A line break can only be space between two tokens. */
static void put_object(buf_t *out, const char *object) {
  size_t at = out->len;
  buf_put_text(out, object);
  for (; at < out->len; at++)
    if (out->data[at] == '\n' || out->data[at] == '\r') out->data[at] = ' ';
}

void form_put_fields(const db_reading_t *row, buf_t *out) {
  put_text(out, "\"source\":", desc_enum_text(&SYS_SOURCE_ENUM, row->source));
  buf_put_text(out, ",\"number\":");
  json_write_unsigned(out, (uint64_t)row->seq);
  if (row->data) {
    buf_put_text(out, ",\"data\":");
    put_object(out, row->data);
  }
  if (row->has_value && isfinite(row->value)) {
    buf_put_text(out, ",\"value\":");
    json_write_number(out, row->value);
  }
  buf_put_text(out, ",\"quality\":");
  json_write_float(out, (float)row->quality);
  put_text(out, ",\"validity\":", desc_enum_text(&SENSOR_VALIDITY_ENUM, row->validity));
  buf_put_byte(out, '}');
}

static void begin(form_t *form, buf_t *out) {
  (void)form;
  (void)out;
}

static void put(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out) {
  const form_series_t *series = &form->head->series[which];
  char time[FORM_TIME_SIZE], *end = form_date(&((jsonl_t *)form)->clock, false, time, row->ts_us);
  buf_put_text(out, "{\"time\":\"");
  buf_put(out, time, (size_t)(end - time));
  put_text(out, "Z\",\"sensor\":", series->sensor);
  put_text(out, ",\"type\":", series->type);
  put_text(out, ",\"unit\":", series->unit);
  buf_put_byte(out, ',');
  form_put_fields(row, out);
  buf_put_byte(out, '\n');
}

const form_ops_t FORM_JSONL_OPS = {.size = sizeof(jsonl_t), .begin = begin, .put = put};
