/* Low-pass: Butterworth by second-order sections, from the analogue prototype by the bilinear
   transform with pre-warping. Pure; a value, nothing to free.

   Each section is written in the change of its output: d = a d + g (x' - y), y += d, where x' is
   the mean of the newest inputs. That is the usual recursion rearranged: its gain at rest is 1
   exactly and not by the cancellation of coefficients, however low the cutoff. */
#ifndef SENSOR_SIGNAL_LOWPASS_H
#define SENSOR_SIGNAL_LOWPASS_H

#include <stdbool.h>
#include <stdint.h>

#define LOWPASS_SECTIONS_MAX 4 /* of two orders each */

typedef struct lowpass_section {
  double inputs[3];        /* weights of the newest inputs; their sum is 1 */
  double gain, memory;     /* g and a above */
  double newest, older, y; /* inputs before, output */
  double change;           /* d */
} lowpass_section_t;

typedef struct lowpass {
  uint32_t section_count;
  bool begun;
  lowpass_section_t sections[LOWPASS_SECTIONS_MAX];
} lowpass_t;

/* cutoff: share of the sampling rate, > 0 and < 0.5; order: 1 .. 2 LOWPASS_SECTIONS_MAX. */
void lowpass_design(lowpass_t *lowpass, double cutoff, uint32_t order);
/* Begins in the steady state of the first value. value is finite. */
double lowpass_push(lowpass_t *lowpass, double value);

#endif
