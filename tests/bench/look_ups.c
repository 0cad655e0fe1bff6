/* The peer of the times per scan: a million bilinear look-ups in a field of bytes, at places that a
   scan of 180 points meets from a robot that wanders, nothing else. look_ups REPETITIONS. Prints
   the milliseconds of each repetition and what was read, so that nothing is left out. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIDE = 1024, POINTS = 180, LOOK_UPS = 1000000 };

static uint8_t field[SIDE * SIDE];
static float x[POINTS], y[POINTS];

static double now_s(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float look_up(float column, float row) {
  int i = (int)column, j = (int)row;
  float u = column - (float)i, v = row - (float)j;
  const uint8_t *at = &field[j * SIDE + i];
  float low = (float)at[0] + u * (float)(at[1] - at[0]);
  float high = (float)at[SIDE] + u * (float)(at[SIDE + 1] - at[SIDE]);
  return low + v * (high - low);
}

static double scans(void) {
  double sum = 0;
  for (int scan = 0; scan * POINTS < LOOK_UPS; scan++) {
    float angle = 0.01f * (float)scan, c = cosf(angle), s = sinf(angle);
    for (int i = 0; i < POINTS; i++)
      sum +=
          (double)look_up(512 + 100 * c + c * x[i] - s * y[i], 512 + 100 * s + s * x[i] + c * y[i]);
  }
  return sum;
}

int main(int argc, char **argv) {
  int repetitions = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
  double sum = 0;
  for (int i = 0; i < SIDE * SIDE; i++)
    field[i] = (uint8_t)((uint32_t)i * 2654435761u >> 24);
  for (int i = 0; i < POINTS; i++) {
    float range = 60 + (float)(i * 37 % 200), angle = (float)i * (float)M_PI / POINTS;
    x[i] = range * cosf(angle);
    y[i] = range * sinf(angle);
  }
  printf("{\"ms\":[");
  for (int i = 0; i < repetitions; i++) {
    double begin_s = now_s();
    sum += scans();
    printf("%s%.4f", i ? "," : "", 1e3 * (now_s() - begin_s));
  }
  printf("],\"sum\":%.0f}\n", sum);
  return 0;
}
