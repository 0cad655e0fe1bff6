/* The numbers: factors and solutions. The structure is made in block_structure.c. */
#include "block_cholesky.h"

#include <math.h>
#include <string.h>

/* out -= a b. */
static inline void subtract_product(double *restrict out, const double *restrict a,
                                    const double *restrict b) {
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < 3; j++)
      out[3 * i + j] -= a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

/* out = l b with l lower triangular. */
static inline void lower_product(const double *restrict l, const double *restrict b,
                                 double *restrict out) {
  for (size_t j = 0; j < 3; j++) {
    out[j] = l[0] * b[j];
    out[3 + j] = l[3] * b[j] + l[4] * b[3 + j];
    out[6 + j] = l[6] * b[j] + l[7] * b[3 + j] + l[8] * b[6 + j];
  }
}

/* The inverse of c, lower triangular with a = c c'; false when there is none. */
static bool corner_of(const double a[BLOCK_CELLS], double inverse[BLOCK_CELLS]) {
  double c[BLOCK_CELLS];
  if (!(a[0] > 0)) return false;
  c[0] = sqrt(a[0]);
  c[3] = a[3] / c[0];
  c[6] = a[6] / c[0];
  double d1 = a[4] - c[3] * c[3];
  if (!(d1 > 0)) return false;
  c[4] = sqrt(d1);
  c[7] = (a[7] - c[6] * c[3]) / c[4];
  double d2 = a[8] - c[6] * c[6] - c[7] * c[7];
  if (!(d2 > 0) || !isfinite(d2)) return false;
  c[8] = sqrt(d2);
  inverse[0] = 1 / c[0];
  inverse[4] = 1 / c[4];
  inverse[8] = 1 / c[8];
  inverse[3] = -c[3] * inverse[0] * inverse[4];
  inverse[7] = -c[7] * inverse[4] * inverse[8];
  inverse[6] = -(c[6] * inverse[0] + c[7] * inverse[3]) * inverse[8];
  return true;
}

void block_cholesky_zero(block_cholesky_t *system) {
  memset(system->diagonal, 0, (size_t)system->n * BLOCK_CELLS * sizeof *system->diagonal);
  memset(system->above, 0,
         (size_t)system->above_start[system->n] * BLOCK_CELLS * sizeof *system->above);
}

double *block_cholesky_diagonal(block_cholesky_t *system, uint32_t unknown) {
  return system->diagonal + (size_t)system->place[unknown] * BLOCK_CELLS;
}

void block_cholesky_add(block_cholesky_t *system, block_pair_t pair, uint32_t slot,
                        const double block[BLOCK_CELLS]) {
  double *to = system->above + (size_t)slot * BLOCK_CELLS;
  bool turned = system->place[pair.i] > system->place[pair.j];
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < 3; j++)
      to[3 * i + j] += turned ? block[3 * j + i] : block[3 * i + j];
}

/* Row k of L: with A(:, k) in work, each column on the way gives the row its block, takes its own
   share of the rest of A(:, k) away, and of the corner. */
static bool factor_row(block_cholesky_t *system, uint32_t k, double corner[BLOCK_CELLS]) {
  double *work = system->work;
  for (uint32_t p = system->above_start[k]; p < system->above_start[k + 1]; p++)
    memcpy(work + (size_t)system->above_row[p] * BLOCK_CELLS,
           system->above + (size_t)p * BLOCK_CELLS, BLOCK_CELLS * sizeof *work);
  for (size_t q = system->row_start[k]; q < system->row_start[k + 1]; q++) {
    uint32_t column = system->row_column[q];
    size_t slot = system->row_slot[q];
    double y[BLOCK_CELLS];
    double *cell = work + (size_t)column * BLOCK_CELLS;
    lower_product(system->corner_inverse + (size_t)column * BLOCK_CELLS, cell, y);
    memset(cell, 0, BLOCK_CELLS * sizeof *cell);
    for (size_t p = system->column_start[column]; p < slot; p++)
      subtract_product(work + (size_t)system->column_row[p] * BLOCK_CELLS,
                       system->lower + p * BLOCK_CELLS, y);
    double *l = system->lower + slot * BLOCK_CELLS;
    for (size_t i = 0; i < 3; i++)
      for (size_t j = 0; j < 3; j++)
        l[3 * i + j] = y[3 * j + i];
    subtract_product(corner, l, y);
  }
  return corner_of(corner, system->corner_inverse + (size_t)k * BLOCK_CELLS);
}

bool block_cholesky_factor(block_cholesky_t *system, const double *more) {
  for (uint32_t k = 0; k < system->n; k++) {
    double corner[BLOCK_CELLS];
    memcpy(corner, system->diagonal + (size_t)k * BLOCK_CELLS, sizeof corner);
    for (size_t i = 0; i < 3; i++)
      corner[4 * i] += more[3 * (size_t)system->unknown[k] + i];
    if (!factor_row(system, k, corner)) return false;
  }
  return true;
}

/* v = m v, or with m transposed. */
static inline void apply(const double *m, bool transposed, double v[3]) {
  double x = v[0], y = v[1], z = v[2];
  for (size_t i = 0; i < 3; i++)
    v[i] = transposed ? m[i] * x + m[3 + i] * y + m[6 + i] * z
                      : m[3 * i] * x + m[3 * i + 1] * y + m[3 * i + 2] * z;
}

void block_cholesky_solve(const block_cholesky_t *system, double *x, double *scratch) {
  uint32_t n = system->n;
  for (uint32_t unknown = 0; unknown < n; unknown++)
    memcpy(scratch + 3 * (size_t)system->place[unknown], x + 3 * (size_t)unknown, 3 * sizeof *x);
  for (uint32_t k = 0; k < n; k++) {
    double *y = scratch + 3 * (size_t)k;
    apply(system->corner_inverse + (size_t)k * BLOCK_CELLS, false, y);
    for (size_t p = system->column_start[k]; p < system->column_start[k + 1]; p++) {
      double *to = scratch + 3 * (size_t)system->column_row[p];
      const double *l = system->lower + p * BLOCK_CELLS;
      for (size_t i = 0; i < 3; i++)
        to[i] -= l[3 * i] * y[0] + l[3 * i + 1] * y[1] + l[3 * i + 2] * y[2];
    }
  }
  for (uint32_t k = n; k-- > 0;) {
    double *y = scratch + 3 * (size_t)k;
    for (size_t p = system->column_start[k]; p < system->column_start[k + 1]; p++) {
      const double *from = scratch + 3 * (size_t)system->column_row[p];
      const double *l = system->lower + p * BLOCK_CELLS;
      for (size_t i = 0; i < 3; i++)
        y[i] -= l[i] * from[0] + l[3 + i] * from[1] + l[6 + i] * from[2];
    }
    apply(system->corner_inverse + (size_t)k * BLOCK_CELLS, true, y);
  }
  for (uint32_t unknown = 0; unknown < n; unknown++)
    memcpy(x + 3 * (size_t)unknown, scratch + 3 * (size_t)system->place[unknown], 3 * sizeof *x);
}
