/* Sparse symmetric systems of 3 x 3 blocks: order of elimination by approximate minimum degree
   (Amestoy, Davis, Duff 2004; AMD), Cholesky factors row by row along the elimination tree (Davis
   2006, ch. 4). Structure first (analyse), then numbers as often as wanted: assembling adds blocks
   at places that were looked up once. Blocks are row-major, nine doubles. */
#ifndef GANTRY_SLAM_BLOCK_CHOLESKY_H
#define GANTRY_SLAM_BLOCK_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>

#define BLOCK_CELLS 9

/* A pair of unknowns that have a block in common; i and j differ. */
typedef struct block_pair {
  uint32_t i, j;
} block_pair_t;

typedef struct block_cholesky {
  uint32_t n;
  uint32_t *place, *unknown; /* unknown -> row, row -> unknown; n, as all that follow unless said */
  /* The matrix: diagonal blocks, and above it the blocks of each column, by row. */
  double *diagonal;
  uint32_t *above_start, *above_row; /* n + 1, one a block */
  double *above;
  /* The factor L: below the diagonal by column, rows growing; each row's blocks in L as well. */
  uint32_t *parent;                            /* elimination tree; n: root */
  size_t *column_start, *row_start, *row_slot; /* n + 1, n + 1, one a block */
  uint32_t *column_row, *row_column;           /* one a block */
  double *lower, *corner_inverse;              /* L; the inverse of its diagonal blocks */
  double *work;                                /* a column of blocks, zero between calls */
} block_cholesky_t;

/* Harmless on zeroed memory. */
void block_cholesky_fini(block_cholesky_t *system);
/* Takes the structure of n unknowns; pairs may repeat. slots (one a pair) receives where
   block_cholesky_add finds its block. The numbers begin at zero. GANTRY_E_INTERNAL without
   memory; the system is then empty. */
gantry_err_t block_cholesky_analyse(block_cholesky_t *system, uint32_t n, const block_pair_t *pairs,
                                    uint32_t pair_count, uint32_t *slots);

/* All numbers of the matrix to zero. */
void block_cholesky_zero(block_cholesky_t *system);
/* The diagonal block of an unknown: symmetric, to be added to. */
double *block_cholesky_diagonal(block_cholesky_t *system, uint32_t unknown);
/* Adds to the block in row i and column j of a pair's slot. */
void block_cholesky_add(block_cholesky_t *system, block_pair_t pair, uint32_t slot,
                        const double block[BLOCK_CELLS]);

/* Factors the matrix, with `more` (3 an unknown) added to its diagonal. False when it is not
   positive definite; the factors are then of no use. */
bool block_cholesky_factor(block_cholesky_t *system, const double *more);
/* x (3 an unknown) becomes the solution for the right side it holds; scratch is as long. */
void block_cholesky_solve(const block_cholesky_t *system, double *x, double *scratch);

#endif
