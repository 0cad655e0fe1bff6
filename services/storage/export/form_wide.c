/* csv_wide: a row a time. A sensor's own column holds its number, or those fields of an object that
   have no column; two readings of one sensor and time make two rows. */
#include "form_internal.h"

#include <gantry/json.h>
#include <stdlib.h>
#include <string.h>

#include "form_text.h"
#include "object.h"

typedef struct cell {
  size_t at, len; /* in the texts of the row; len 0: empty */
} cell_t;

typedef struct wide {
  form_t form;
  form_clock_t clock;
  uint32_t *columns; /* owned; of each series the first: its own, its fields behind it */
  cell_t *cells;     /* owned; of the row under way */
  uint32_t count;    /* cells */
  buf_t texts;       /* of the cells */
  bool open;         /* a row is under way */
  int64_t ts_us;     /* its time */
} wide_t;

static bool init(form_t *form) {
  wide_t *wide = (wide_t *)form;
  const form_head_t *head = form->head;
  wide->count = 0;
  wide->open = false;
  wide->columns = calloc(head->count + 1, sizeof *wide->columns);
  if (!wide->columns) return false;
  for (uint32_t i = 0; i < head->count; i++) {
    wide->columns[i] = wide->count;
    wide->count += 1 + head->series[i].field_count;
  }
  wide->cells = calloc(wide->count + 1, sizeof *wide->cells);
  return wide->cells != NULL;
}

static void fini(form_t *form) {
  wide_t *wide = (wide_t *)form;
  buf_fini(&wide->texts);
  free(wide->columns);
  free(wide->cells);
  wide->columns = NULL;
  wide->cells = NULL;
}

/* A sensor of two robots is named with each of them. */
static bool is_twice(const form_head_t *head, uint32_t which) {
  for (uint32_t i = 0; i < head->count; i++)
    if (i != which && strcmp(head->series[i].sensor, head->series[which].sensor) == 0) return true;
  return false;
}

static void put_name(const form_head_t *head, uint32_t which, const char *field, buf_t *out) {
  const form_series_t *series = &head->series[which];
  buf_t name = {0};
  if (is_twice(head, which)) buf_printf(&name, "%s/", series->robot);
  buf_put_text(&name, series->sensor);
  if (field) buf_printf(&name, ".%s", field);
  buf_put_byte(out, ',');
  form_cell(out, buf_text(&name), name.len);
  if (name.failed) out->failed = true;
  buf_fini(&name);
}

static void begin(form_t *form, buf_t *out) {
  const form_head_t *head = form->head;
  buf_put_text(out, "time");
  for (uint32_t i = 0; i < head->count; i++) {
    put_name(head, i, NULL, out);
    for (uint32_t k = 0; k < head->series[i].field_count; k++)
      put_name(head, i, head->series[i].fields[k].name, out);
  }
  buf_put_text(out, "\r\n");
}

static void put_row(wide_t *wide, buf_t *out) {
  char time[FORM_TIME_SIZE + 1], *end = form_date(&wide->clock, false, time, wide->ts_us);
  *end++ = 'Z';
  buf_put(out, time, (size_t)(end - time));
  for (uint32_t i = 0; i < wide->count; i++) {
    buf_put_byte(out, ',');
    const cell_t *cell = &wide->cells[i];
    if (cell->len) form_cell(out, (const char *)wide->texts.data + cell->at, cell->len);
    wide->cells[i] = (cell_t){0};
  }
  buf_put_text(out, "\r\n");
  if (wide->texts.failed) out->failed = true;
  buf_reset(&wide->texts);
  wide->open = false;
}

static void turn(form_t *form, int64_t ts_us, buf_t *out) {
  wide_t *wide = (wide_t *)form;
  if (wide->open && wide->ts_us != ts_us) put_row(wide, out);
}

static bool is_clean(const form_t *form) {
  return !((const wide_t *)form)->open;
}

static void put_cell(wide_t *wide, uint32_t column, const char *text, size_t len) {
  wide->cells[column] = (cell_t){.at = wide->texts.len, .len = len};
  buf_put(&wide->texts, text, len);
}

/* What a field holds, as a cell: a text without its quotes where nothing in it is escaped. */
static void put_value(wide_t *wide, uint32_t column, const object_field_t *seen) {
  bool plain = seen->value[0] == '"' && !memchr(seen->value, '\\', seen->value_len);
  if (seen->value_len == 4 && memcmp(seen->value, "null", 4) == 0) return;
  put_cell(wide, column, seen->value + plain, seen->value_len - (plain ? 2 : 0));
}

static uint32_t column_of(const form_series_t *series, const object_field_t *seen) {
  for (uint32_t i = 0; i < series->field_count; i++) {
    const char *name = series->fields[i].name;
    if (strncmp(name, seen->name, seen->name_len) == 0 && !name[seen->name_len]) return i + 1;
  }
  return 0;
}

static void put_object(wide_t *wide, uint32_t which, const char *object) {
  const form_series_t *series = &wide->form.head->series[which];
  object_field_t seen;
  buf_t others = {0};
  while (object_next(&object, &seen)) {
    uint32_t column = seen.name_len < FORM_NAME_SIZE ? column_of(series, &seen) : 0;
    if (column) {
      put_value(wide, wide->columns[which] + column, &seen);
      continue;
    }
    buf_put_byte(&others, others.len ? ',' : '{');
    buf_put(&others, seen.name - 1, (size_t)(seen.value + seen.value_len - seen.name) + 1);
  }
  if (others.len) buf_put_byte(&others, '}');
  if (others.len) put_cell(wide, wide->columns[which], (const char *)others.data, others.len);
  if (others.failed) wide->texts.failed = true;
  buf_fini(&others);
}

static bool is_taken(const wide_t *wide, uint32_t which) {
  const cell_t *cells = &wide->cells[wide->columns[which]];
  for (uint32_t i = 0; i <= wide->form.head->series[which].field_count; i++)
    if (cells[i].len) return true;
  return false;
}

static void put_number(wide_t *wide, uint32_t column, double value) {
  size_t before = wide->texts.len;
  json_write_number(&wide->texts, value);
  wide->cells[column] = (cell_t){.at = before, .len = wide->texts.len - before};
}

static void put(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out) {
  wide_t *wide = (wide_t *)form;
  if (wide->open && is_taken(wide, which)) put_row(wide, out);
  wide->open = true;
  wide->ts_us = row->ts_us;
  if (row->data) put_object(wide, which, row->data);
  uint32_t own = wide->columns[which];
  if (row->has_value && !wide->cells[own].len) put_number(wide, own, row->value);
}

static void end(form_t *form, buf_t *out) {
  wide_t *wide = (wide_t *)form;
  if (wide->open) put_row(wide, out);
}

const form_ops_t FORM_WIDE_OPS = {.size = sizeof(wide_t),
                                  .init = init,
                                  .fini = fini,
                                  .begin = begin,
                                  .turn = turn,
                                  .put = put,
                                  .end = end,
                                  .is_clean = is_clean};
