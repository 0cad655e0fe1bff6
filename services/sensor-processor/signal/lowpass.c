/* Design and run of the Butterworth low-pass. Source of the formulas: A. V. Oppenheim,
   R. W. Schafer, Discrete-Time Signal Processing, 3rd edition, 7.2.2 and 7.3.1. */
#include "lowpass.h"

#include <math.h>

/* A pair of poles s^2 + damping s + 1, or the one pole s + 1 of an odd order, at s = w (1 - z^-1) /
   (1 + z^-1). */
static lowpass_section_t pair(double damping, double w) {
  double sum = w * w + damping * w + 1;
  return (lowpass_section_t){
      .inputs = {0.25, 0.5, 0.25}, .gain = 4 / sum, .memory = (w * w - damping * w + 1) / sum};
}

static lowpass_section_t single(double w) {
  return (lowpass_section_t){.inputs = {0.5, 0.5, 0}, .gain = 2 / (w + 1)};
}

void lowpass_design(lowpass_t *lowpass, double cutoff, uint32_t order) {
  double w = 1 / tan(M_PI * cutoff);
  *lowpass = (lowpass_t){0};
  if (order % 2) lowpass->sections[lowpass->section_count++] = single(w);
  /* Strongly damped pairs first: what follows them rings less. */
  for (uint32_t k = order / 2; k > 0; k--)
    lowpass->sections[lowpass->section_count++] =
        pair(2 * sin((2 * k - 1) * M_PI / (2.0 * order)), w);
}

static void begin(lowpass_t *lowpass, double value) {
  for (uint32_t i = 0; i < lowpass->section_count; i++) {
    lowpass_section_t *section = &lowpass->sections[i];
    section->newest = section->older = section->y = value;
    section->change = 0;
  }
  lowpass->begun = true;
}

double lowpass_push(lowpass_t *lowpass, double value) {
  if (!lowpass->begun) begin(lowpass, value);
  double x = value;
  for (uint32_t i = 0; i < lowpass->section_count; i++) {
    lowpass_section_t *s = &lowpass->sections[i];
    double input = s->inputs[0] * x + s->inputs[1] * s->newest + s->inputs[2] * s->older;
    s->change = s->memory * s->change + s->gain * (input - s->y);
    s->older = s->newest;
    s->newest = x;
    x = s->y += s->change;
  }
  if (isfinite(x)) return x;
  begin(lowpass, value); /* near the end of the numbers: nothing better is to be had */
  return value;
}
