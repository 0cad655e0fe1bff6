/* Objects of readings, as anybody may have written them, through all forms of an export: fields lie
   within their text, every row of the wide CSV has as many cells as its head, and a walk taken up
   again in the middle writes the same bytes.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_export
     build-fuzz/tests/fuzz/fuzz_export -max_total_time=20 -max_len=512 */
#include <stdlib.h>
#include <string.h>

#include "form.h"
#include "object.h"

#define ROWS 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_fields(const char *text) {
  const char *at = text, *end = text + strlen(text);
  object_field_t field;
  while (object_next(&at, &field))
    if (field.name <= text || field.name + field.name_len >= field.value || field.value_len == 0 ||
        field.value + field.value_len != at || at > end)
      abort();
}

static void put_row(form_t *form, const char *text, int64_t i, buf_t *out) {
  db_reading_t row = {.ts_us = i / 2, .seq = i, .data = i % 3 ? text : NULL, .has_value = true};
  row.value = (double)i / 8;
  form_turn(form, row.ts_us, out);
  form_put(form, (uint32_t)(i % 2), &row, out);
}

static void write_all(form_kind_t kind, const form_head_t *head, const char *text, buf_t *out) {
  buf_t index = {0}, part = {0};
  form_mark_t mark = {0};
  int64_t marked = -1;
  form_t *form = form_new(kind, head, &index);
  if (!form) abort();
  form_begin(form, out);
  for (int64_t i = 0; i < ROWS; i++) {
    form_turn(form, i / 2, out);
    if (marked < 0 && i > 1 && form_is_clean(form)) {
      if (!form_set_mark(form, &mark)) abort();
      marked = i;
    }
    put_row(form, text, i, out);
  }
  form_end(form, out);
  if (marked >= 0) {
    if (!form_resume(form, &mark)) abort();
    for (int64_t i = marked; i < ROWS; i++)
      put_row(form, text, i, &part);
    form_end(form, &part);
    if (mark.offset + part.len != out->len) abort();
    if (memcmp(out->data + mark.offset, part.data, part.len) != 0) abort();
  }
  form_mark_fini(&mark);
  form_destroy(&form);
  buf_fini(&index);
  buf_fini(&part);
}

static void count_cells(const buf_t *csv) {
  size_t cells = 1, head = 0;
  bool quoted = false;
  for (size_t i = 0; i < csv->len; i++) {
    if (csv->data[i] == '"') quoted = !quoted;
    if (quoted) continue;
    cells += csv->data[i] == ',';
    if (csv->data[i] != '\n') continue;
    if (head && cells != head) abort();
    head = cells;
    cells = 1;
  }
  if (quoted) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  if (!text) return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  walk_fields(text);
  form_head_t head = {.session = "s", .count = 2, .series = calloc(2, sizeof(form_series_t))};
  if (!head.series || !form_learn(&head.series[0], text) ||
      !form_learn(&head.series[1], "{\"a\":1}"))
    abort();
  form_head_finish(&head);
  for (form_kind_t kind = FORM_CSV; kind <= FORM_MCAP; kind++) {
    buf_t out = {0};
    write_all(kind, &head, text, &out);
    if (kind == FORM_CSV_WIDE) count_cells(&out);
    buf_fini(&out);
  }
  form_head_fini(&head);
  free(text);
  return 0;
}
