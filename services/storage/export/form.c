/* What all forms share: where they stand, and the fields they learn of. */
#include "form_internal.h"

#include <stdlib.h>
#include <string.h>

#include "object.h"

static uint32_t kind_of(char first) {
  switch (first) {
  case '"':
    return FORM_TEXT;
  case '{':
    return FORM_OBJECT;
  case '[':
    return FORM_ARRAY;
  case 't':
  case 'f':
    return FORM_BOOL;
  case 'n':
    return FORM_NULL;
  default:
    return FORM_NUMBER;
  }
}

static form_field_t *field_of(form_series_t *series, const object_field_t *seen) {
  for (uint32_t i = 0; i < series->field_count; i++) {
    form_field_t *field = &series->fields[i];
    if (strncmp(field->name, seen->name, seen->name_len) == 0 && !field->name[seen->name_len])
      return field;
  }
  if (series->field_count == FORM_FIELDS_MAX) return NULL;
  form_field_t *field = &series->fields[series->field_count++];
  memcpy(field->name, seen->name, seen->name_len);
  return field;
}

bool form_learn(form_series_t *series, const char *object) {
  object_field_t seen;
  if (!series->fields) series->fields = calloc(FORM_FIELDS_MAX, sizeof *series->fields);
  if (!series->fields) return false;
  while (object_next(&object, &seen)) {
    form_field_t *field = seen.name_len < FORM_NAME_SIZE ? field_of(series, &seen) : NULL;
    if (field) field->kinds |= kind_of(*seen.value);
  }
  return true;
}

void form_head_finish(form_head_t *head) {
  head->schema_count = 0;
  for (uint32_t i = 0; i < head->count; i++) {
    uint32_t same = 0;
    while (strcmp(head->series[same].type, head->series[i].type) != 0)
      same++;
    head->series[i].schema = same == i ? head->schema_count++ : head->series[same].schema;
  }
}

void form_head_fini(form_head_t *head) {
  for (uint32_t i = 0; head->series && i < head->count; i++)
    free(head->series[i].fields);
  free(head->series);
  *head = (form_head_t){0};
}

void form_mark_fini(form_mark_t *mark) {
  free(mark->counts);
  *mark = (form_mark_t){0};
}

/* Keeps the memory of out's counts. */
static void copy_mark(const form_mark_t *mark, uint32_t series, form_mark_t *out) {
  uint64_t *counts = out->counts;
  *out = *mark;
  out->counts = counts;
  if (mark->counts)
    memcpy(counts, mark->counts, series * sizeof *counts);
  else
    memset(counts, 0, series * sizeof *counts);
}

form_t *form_new(form_kind_t kind, const form_head_t *head, buf_t *index) {
  static const form_ops_t *const OPS[] = {[FORM_CSV] = &FORM_CSV_OPS,
                                          [FORM_CSV_WIDE] = &FORM_WIDE_OPS,
                                          [FORM_JSONL] = &FORM_JSONL_OPS,
                                          [FORM_MCAP] = &FORM_MCAP_OPS};
  form_t *form = calloc(1, OPS[kind]->size);
  if (!form) return NULL;
  form->ops = OPS[kind];
  form->head = head;
  form->index = index;
  form->at.counts = calloc(head->count + 1, sizeof *form->at.counts);
  if (!form->at.counts || (form->ops->init && !form->ops->init(form))) form_destroy(&form);
  return form;
}

void form_destroy(form_t **self) {
  form_t *form = *self;
  if (!form) return;
  if (form->ops->fini) form->ops->fini(form);
  form_mark_fini(&form->at);
  free(form);
  *self = NULL;
}

bool form_resume(form_t *form, const form_mark_t *mark) {
  if (form->ops->fini) form->ops->fini(form);
  copy_mark(mark, form->head->count, &form->at);
  form->failed = form->ops->init && !form->ops->init(form);
  return !form->failed;
}

bool form_set_mark(const form_t *form, form_mark_t *mark) {
  if (!mark->counts) mark->counts = calloc(form->head->count + 1, sizeof *mark->counts);
  if (!mark->counts) return false;
  copy_mark(&form->at, form->head->count, mark);
  return true;
}

uint64_t form_place(const form_t *form, const buf_t *out) {
  return form->at.offset + (out->len - form->from);
}

static void account(form_t *form, const buf_t *out) {
  form->at.offset = form_place(form, out);
  if (out->failed) form->failed = true;
}

void form_begin(form_t *form, buf_t *out) {
  form->from = out->len;
  form->ops->begin(form, out);
  account(form, out);
}

void form_turn(form_t *form, int64_t ts_us, buf_t *out) {
  if (!form->ops->turn) return;
  form->from = out->len;
  form->ops->turn(form, ts_us, out);
  account(form, out);
}

bool form_is_clean(const form_t *form) {
  return !form->ops->is_clean || form->ops->is_clean(form);
}

void form_put(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out) {
  form->from = out->len;
  form->at.rows++;
  form->at.last_us = row->ts_us;
  form->at.counts[which]++;
  form->ops->put(form, which, row, out);
  account(form, out);
}

void form_end(form_t *form, buf_t *out) {
  form->from = out->len;
  if (form->ops->end) form->ops->end(form, out);
  account(form, out);
}

uint64_t form_rows(const form_t *form) {
  return form->at.rows;
}

gantry_err_t form_err(const form_t *form) {
  return form->failed ? GANTRY_E_INTERNAL : GANTRY_OK;
}
