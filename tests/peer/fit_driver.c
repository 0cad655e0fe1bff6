/* Runs fits over points for test_fits.py: jobs as doubles on standard input (kind, count, then
   three columns measured and three reference, or angle and range), what came out on standard
   output: gantry_err_t and 13 numbers. */
#include <stdio.h>

#include "fit.h"

enum { LINE, AFFINE, TARGET };
enum { POINTS_MAX = 512, OUT = 14 }; /* the error, then 13 numbers */

static double measured[POINTS_MAX][3], reference[POINTS_MAX][3];
static double first[POINTS_MAX], second[POINTS_MAX];

static gantry_err_t run(int kind, uint32_t count, double *out) {
  fit_target_t target = {0};
  if (kind == LINE) return fit_line(first, second, count, &out[0], &out[1]);
  if (kind == AFFINE) return fit_affine(measured, reference, count, out, out + 9, out + 12);
  gantry_err_t err = fit_target(first, second, count, &target);
  out[0] = target.distance_m;
  out[1] = target.direction_rad;
  out[2] = target.share;
  out[3] = target.residual_m;
  return err;
}

int main(void) {
  double job[2];
  while (fread(job, sizeof *job, 2, stdin) == 2) {
    double out[OUT] = {0};
    size_t count = (size_t)job[1], three = 3 * count;
    if (count > POINTS_MAX) return 1;
    if (job[0] == AFFINE) {
      if (fread(measured, sizeof(double), three, stdin) != three) return 2;
      if (fread(reference, sizeof(double), three, stdin) != three) return 2;
    } else {
      if (fread(first, sizeof(double), count, stdin) != count) return 2;
      if (fread(second, sizeof(double), count, stdin) != count) return 2;
    }
    out[0] = (double)run((int)job[0], (uint32_t)count, out + 1);
    if (fwrite(out, sizeof *out, OUT, stdout) != OUT) return 3;
  }
  return 0;
}
