/* The structure of a sparse block system: order of elimination, where the matrix has blocks, where
   its factor has. */
#include "block_cholesky.h"

#include <stdlib.h>
#include <string.h>

#include <suitesparse/amd.h>

void block_cholesky_fini(block_cholesky_t *system) {
  free(system->place);
  free(system->unknown);
  free(system->diagonal);
  free(system->above_start);
  free(system->above_row);
  free(system->above);
  free(system->parent);
  free(system->column_start);
  free(system->row_start);
  free(system->row_slot);
  free(system->column_row);
  free(system->row_column);
  free(system->lower);
  free(system->corner_inverse);
  free(system->work);
  memset(system, 0, sizeof *system);
}

/* Fills place and unknown. AMD takes pairs that repeat, and the upper or the lower half. */
static gantry_err_t order(block_cholesky_t *system, const block_pair_t *pairs, uint32_t count) {
  uint32_t n = system->n;
  int32_t *start = calloc((size_t)n + 1, sizeof *start);
  int32_t *row = malloc(((size_t)count + 1) * sizeof *row);
  int32_t *permutation = malloc(((size_t)n + 1) * sizeof *permutation);
  gantry_err_t err = GANTRY_E_INTERNAL;
  if (!start || !row || !permutation) goto done;
  for (uint32_t p = 0; p < count; p++)
    start[pairs[p].j + 1]++;
  for (uint32_t k = 0; k < n; k++)
    start[k + 1] += start[k];
  for (uint32_t p = 0; p < count; p++)
    row[start[pairs[p].j]++] = (int32_t)pairs[p].i;
  memmove(start + 1, start, n * sizeof *start);
  start[0] = 0;
  if (amd_order((int)n, start, row, permutation, NULL, NULL) < AMD_OK) goto done;
  for (uint32_t k = 0; k < n; k++) {
    system->unknown[k] = (uint32_t)permutation[k];
    system->place[permutation[k]] = k;
  }
  err = GANTRY_OK;
done:
  free(start);
  free(row);
  free(permutation);
  return err;
}

static int compare(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a;
  uint64_t right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

/* Column and row of a pair's block above the diagonal, as one number that sorts by column. */
static uint64_t key_of(const block_cholesky_t *system, block_pair_t pair) {
  uint32_t i = system->place[pair.i];
  uint32_t j = system->place[pair.j];
  return i < j ? (uint64_t)j << 32 | i : (uint64_t)i << 32 | j;
}

/* Fills the places above the diagonal, and slots. */
static gantry_err_t place_blocks(block_cholesky_t *system, const block_pair_t *pairs,
                                 uint32_t count, uint32_t *slots) {
  uint64_t *keys = malloc(((size_t)count + 1) * sizeof *keys);
  if (!keys) return GANTRY_E_INTERNAL;
  for (uint32_t p = 0; p < count; p++)
    keys[p] = key_of(system, pairs[p]);
  qsort(keys, count, sizeof *keys, compare);
  uint32_t blocks = 0;
  for (uint32_t p = 0; p < count; p++)
    if (p == 0 || keys[p] != keys[p - 1]) keys[blocks++] = keys[p];
  for (uint32_t p = 0; p < count; p++) {
    uint64_t key = key_of(system, pairs[p]);
    const uint64_t *found = bsearch(&key, keys, blocks, sizeof *keys, compare);
    slots[p] = (uint32_t)(found - keys);
  }
  system->above_row = malloc(((size_t)blocks + 1) * sizeof *system->above_row);
  system->above = calloc(((size_t)blocks + 1) * BLOCK_CELLS, sizeof *system->above);
  for (uint32_t b = 0; system->above_row && b < blocks; b++) {
    system->above_row[b] = (uint32_t)keys[b];
    system->above_start[(keys[b] >> 32) + 1]++;
  }
  for (uint32_t k = 0; k < system->n; k++)
    system->above_start[k + 1] += system->above_start[k];
  free(keys);
  return system->above_row && system->above ? GANTRY_OK : GANTRY_E_INTERNAL;
}

/* Elimination tree (Liu 1990) and how many blocks each column and row of L has. */
static void count_factor(block_cholesky_t *system, uint32_t *mark) {
  uint32_t n = system->n;
  for (uint32_t k = 0; k < n; k++) {
    system->parent[k] = n;
    mark[k] = k;
    for (uint32_t p = system->above_start[k]; p < system->above_start[k + 1]; p++)
      for (uint32_t i = system->above_row[p]; mark[i] != k; i = system->parent[i]) {
        if (system->parent[i] == n) system->parent[i] = k;
        mark[i] = k;
        system->column_start[i + 1]++;
        system->row_start[k + 1]++;
      }
  }
  for (uint32_t k = 0; k < n; k++) {
    system->column_start[k + 1] += system->column_start[k];
    system->row_start[k + 1] += system->row_start[k];
  }
}

/* Fills the places of L. next: n numbers. */
static void place_factor(block_cholesky_t *system, uint32_t *mark, size_t *next) {
  uint32_t n = system->n;
  memcpy(next, system->column_start, n * sizeof *next);
  for (uint32_t k = 0; k < n; k++)
    mark[k] = n;
  for (uint32_t k = 0; k < n; k++) {
    mark[k] = k;
    for (uint32_t p = system->above_start[k]; p < system->above_start[k + 1]; p++)
      for (uint32_t i = system->above_row[p]; mark[i] != k; i = system->parent[i]) {
        mark[i] = k;
        system->column_row[next[i]++] = k;
      }
  }
  /* Column by column, so that each row lists its columns in the order of elimination. */
  memcpy(next, system->row_start, n * sizeof *next);
  for (uint32_t column = 0; column < n; column++)
    for (size_t p = system->column_start[column]; p < system->column_start[column + 1]; p++) {
      size_t at = next[system->column_row[p]]++;
      system->row_column[at] = column;
      system->row_slot[at] = p;
    }
}

static gantry_err_t analyse_factor(block_cholesky_t *system) {
  uint32_t *mark = malloc(((size_t)system->n + 1) * sizeof *mark);
  size_t *next = malloc(((size_t)system->n + 1) * sizeof *next);
  gantry_err_t err = GANTRY_E_INTERNAL;
  if (!mark || !next) goto done;
  count_factor(system, mark);
  size_t blocks = system->column_start[system->n] + 1;
  system->column_row = malloc(blocks * sizeof *system->column_row);
  system->row_column = malloc(blocks * sizeof *system->row_column);
  system->row_slot = malloc(blocks * sizeof *system->row_slot);
  system->lower = calloc(blocks * BLOCK_CELLS, sizeof *system->lower);
  if (!system->column_row || !system->row_column || !system->row_slot || !system->lower) goto done;
  place_factor(system, mark, next);
  err = GANTRY_OK;
done:
  free(mark);
  free(next);
  return err;
}

static gantry_err_t allocate(block_cholesky_t *system) {
  size_t n = (size_t)system->n + 1;
  system->place = calloc(n, sizeof *system->place);
  system->unknown = calloc(n, sizeof *system->unknown);
  system->parent = calloc(n, sizeof *system->parent);
  system->above_start = calloc(n, sizeof *system->above_start);
  system->column_start = calloc(n, sizeof *system->column_start);
  system->row_start = calloc(n, sizeof *system->row_start);
  system->diagonal = calloc(n * BLOCK_CELLS, sizeof *system->diagonal);
  system->corner_inverse = calloc(n * BLOCK_CELLS, sizeof *system->corner_inverse);
  system->work = calloc(n * BLOCK_CELLS, sizeof *system->work);
  bool whole = system->place && system->unknown && system->parent && system->above_start &&
               system->column_start && system->row_start && system->diagonal &&
               system->corner_inverse && system->work;
  return whole ? GANTRY_OK : GANTRY_E_INTERNAL;
}

gantry_err_t block_cholesky_analyse(block_cholesky_t *system, uint32_t n, const block_pair_t *pairs,
                                    uint32_t pair_count, uint32_t *slots) {
  block_cholesky_fini(system);
  system->n = n;
  gantry_err_t err = allocate(system);
  if (err == GANTRY_OK) err = order(system, pairs, pair_count);
  if (err == GANTRY_OK) err = place_blocks(system, pairs, pair_count, slots);
  if (err == GANTRY_OK) err = analyse_factor(system);
  if (err != GANTRY_OK) block_cholesky_fini(system);
  return err;
}
