/* Faults of single registers. */
#include "register_fault.h"

#include <math.h>
#include <string.h>

#include "noise.h"

static register_fault_t *find(register_faults_t *faults, uint8_t unit, uint16_t address) {
  for (int i = 0; i < REGISTER_FAULTS; i++) {
    register_fault_t *row = &faults->rows[i];
    if (row->on && row->unit == unit && row->address == address) return row;
  }
  return NULL;
}

register_fault_t *register_fault_of(register_faults_t *faults, uint8_t unit, uint16_t address) {
  register_fault_t *row = find(faults, unit, address);
  for (int i = 0; !row && i < REGISTER_FAULTS; i++)
    if (!faults->rows[i].on) row = &faults->rows[i];
  if (row && !row->on) *row = (register_fault_t){.on = true, .unit = unit, .address = address};
  return row;
}

void register_faults_clear(register_faults_t *faults) {
  memset(faults->rows, 0, sizeof faults->rows);
}

/* A word that is a signed number, or one that is not and large: what is added wraps in neither. */
static uint16_t shifted(uint16_t word, double counts) {
  double value = word < 0x8000 ? word : (double)word - 65536.0;
  return (uint16_t)(int16_t)lround(fmin(fmax(value + counts, -32768.0), 32767.0));
}

static double counts_of(const register_faults_t *faults, register_fault_t *row) {
  /* Of one read an even index for the noise and an odd one for the spike, apart for each register.
   */
  uint64_t index = (uint64_t)row->unit << 56 | (uint64_t)row->address << 40 | row->reads++ * 2;
  double counts = row->offset;
  if (row->noise > 0.0) counts += row->noise * noise_normal(faults->seed, NOISE_REGISTER, index);
  if (noise_uniform(faults->seed, NOISE_REGISTER, index + 1) < row->spike_share)
    counts += row->spike;
  return counts;
}

uint16_t register_fault_read(register_faults_t *faults, uint64_t step, uint8_t unit,
                             uint16_t address, uint16_t word) {
  register_fault_t *row = find(faults, unit, address);
  if (row && row->until_step && step >= row->until_step) {
    *row = (register_fault_t){0};
    return word;
  }
  if (!row) return word;
  if (row->stuck) {
    if (!row->has_held) row->held = word;
    row->has_held = true;
    word = row->held;
  }
  if (row->sign) word = (uint16_t)(0u - word);
  if (row->has_value) word = row->value;
  double counts = counts_of(faults, row);
  return counts != 0.0 ? shifted(word, counts) : word;
}
