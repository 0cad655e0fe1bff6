/* csv: the test bench's layout, lines ended by CRLF. */
#include "form_internal.h"

#include <string.h>

#include <gantry/json.h>

#include "form_text.h"

#define LINE_MAX_LEN 512 /* of a line, but for a type that is quoted and an object */

typedef struct csv {
  form_t form;
  form_clock_t clock;
} csv_t;

static void begin(form_t *form, buf_t *out) {
  (void)form;
  buf_put_text(out, "timestamp,sensor_type,value,datetime,session_time\r\n");
}

static char *put_text(char *at, const char *text, size_t len) {
  memcpy(at, text, len);
  return at + len;
}

/* The part of a line that needs no growing. */
static void put_times(csv_t *csv, int64_t ts_us, buf_t *out) {
  char line[LINE_MAX_LEN], *at = line;
  *at++ = ',';
  at = form_date(&csv->clock, true, at, ts_us);
  *at++ = ',';
  at = form_seconds(at, ts_us - csv->form.head->start_us);
  at = put_text(at, "\r\n", 2);
  buf_put(out, line, (size_t)(at - line));
}

static void put(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out) {
  const char *type = form->head->series[which].type;
  char seconds[FORM_TIME_SIZE], *end = form_seconds(seconds, row->ts_us);
  *end++ = ',';
  buf_put(out, seconds, (size_t)(end - seconds));
  form_cell(out, type, strlen(type));
  buf_put_byte(out, ',');
  if (row->data)
    form_cell(out, row->data, strlen(row->data));
  else if (row->has_value)
    json_write_fraction(out, row->value);
  put_times((csv_t *)form, row->ts_us, out);
}

const form_ops_t FORM_CSV_OPS = {.size = sizeof(csv_t), .begin = begin, .put = put};
