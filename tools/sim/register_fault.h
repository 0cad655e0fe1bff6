/* Register faults: what a sensor does wrong behind a module that answers well. A fault changes the
   word that the master reads and nothing else. Pure. */
#ifndef GANTRY_SIM_REGISTER_FAULT_H
#define GANTRY_SIM_REGISTER_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define REGISTER_FAULTS 16 /* registers that are wrong at once */

/* What one register does wrong; faults add up, in this order. */
typedef struct register_fault {
  bool on;
  uint8_t unit;
  uint16_t address;
  uint64_t until_step; /* world step at which it is well again; 0: when it is told so */
  bool stuck;          /* gives the next value that is read on and on */
  bool has_held;
  uint16_t held;
  bool sign;          /* of the other sign */
  bool has_value;     /* gives `value` */
  uint16_t value;     /* */
  double offset;      /* off by so many counts */
  double noise;       /* standard deviation, counts */
  double spike;       /* this far off now and then, counts */
  double spike_share; /* share of the readings, 0 to 1 */
  uint64_t reads;     /* index of its noise */
} register_fault_t;

typedef struct register_faults {
  uint64_t seed;
  register_fault_t rows[REGISTER_FAULTS];
} register_faults_t;

/* The row of a register, a fresh one when it has none; NULL when all are taken. */
register_fault_t *register_fault_of(register_faults_t *faults, uint8_t unit, uint16_t address);
/* All sensors are well. */
void register_faults_clear(register_faults_t *faults);
/* What the master reads at that world step in place of a register's word. */
uint16_t register_fault_read(register_faults_t *faults, uint64_t step, uint8_t unit,
                             uint16_t address, uint16_t word);

#endif
