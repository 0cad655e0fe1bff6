/* A ring of readings. */
#include "history.h"

#include <stdlib.h>

gantry_err_t history_resize(history_t *history, uint32_t size) {
  if (history->rows && history->size == size) return GANTRY_OK;
  history_row_t *rows = calloc(size, sizeof *rows);
  if (!rows) return GANTRY_E_INTERNAL;
  free(history->rows);
  *history = (history_t){.rows = rows, .size = size};
  return GANTRY_OK;
}

void history_fini(history_t *history) {
  free(history->rows);
  *history = (history_t){0};
}

void history_add(history_t *history, const history_row_t *row) {
  if (!history->rows) return;
  history->rows[history->next] = *row;
  history->next = (history->next + 1) % history->size;
  if (history->count < history->size) history->count++;
}

const history_row_t *history_at(const history_t *history, uint32_t count, uint32_t i) {
  return &history->rows[(history->next + history->size - count + i) % history->size];
}
