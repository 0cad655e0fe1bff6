/* A register's faults change what the master reads, and end. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "plant.h"

#define UNIT    5
#define ADDRESS 0x7202

static register_faults_t faults;

static uint16_t read_at(uint64_t step, uint16_t word) {
  return register_fault_read(&faults, step, UNIT, ADDRESS, word);
}

static register_fault_t *fresh(void) {
  faults = (register_faults_t){.seed = 1};
  return register_fault_of(&faults, UNIT, ADDRESS);
}

Test(register_fault, leaves_other_registers_and_units_alone) {
  fresh()->offset = 100;
  cr_assert_eq(read_at(1, 7), 107);
  cr_assert_eq(register_fault_read(&faults, 1, UNIT, ADDRESS + 1, 7), 7);
  cr_assert_eq(register_fault_read(&faults, 1, UNIT + 1, ADDRESS, 7), 7);
}

Test(register_fault, holds_the_first_value_read_when_stuck) {
  fresh()->stuck = true;
  cr_assert_eq(read_at(1, 1000), 1000);
  cr_assert_eq(read_at(2, 1003), 1000);
}

Test(register_fault, turns_the_sign_and_puts_a_value) {
  register_fault_t *row = fresh();
  row->sign = true;
  cr_assert_eq((int16_t)read_at(1, 1000), -1000);
  row->sign = false;
  row->has_value = true;
  row->value = 65535;
  cr_assert_eq(read_at(1, 1000), 65535);
}

Test(register_fault, clips_what_it_adds_at_the_ends_of_the_word) {
  register_fault_t *row = fresh();
  row->offset = 40000;
  cr_assert_eq((int16_t)read_at(1, 1000), 32767);
  row->offset = -40000;
  cr_assert_eq((int16_t)read_at(1, 1000), -32768);
}

Test(register_fault, spikes_as_often_as_it_was_told) {
  int spikes = 0;
  register_fault_t *row = fresh();
  row->spike = 500;
  row->spike_share = 0.1;
  for (uint64_t i = 0; i < 10000; i++)
    spikes += read_at(i, 1000) == 1500;
  cr_assert(spikes > 850 && spikes < 1150, "%d", spikes);
}

Test(register_fault, is_noisy_with_the_deviation_it_was_told) {
  double sum = 0, squares = 0;
  fresh()->noise = 50;
  for (uint64_t i = 0; i < 10000; i++) {
    double off = (double)read_at(i, 1000) - 1000.0;
    sum += off;
    squares += off * off;
  }
  cr_assert_float_eq(sum / 10000, 0, 2.0);
  cr_assert_float_eq(sqrt(squares / 10000), 50, 2.0);
}

Test(register_fault, ends_at_its_step) {
  register_fault_t *row = fresh();
  row->offset = 5;
  row->until_step = 100;
  cr_assert_eq(read_at(99, 1), 6);
  cr_assert_eq(read_at(100, 1), 1);
  cr_assert_not(row->on);
}

Test(register_fault, says_when_no_more_registers_can_be_wrong) {
  fresh();
  for (uint16_t i = 1; i < REGISTER_FAULTS; i++)
    cr_assert_not_null(register_fault_of(&faults, UNIT, (uint16_t)(ADDRESS + i)));
  cr_assert_null(register_fault_of(&faults, UNIT, 1));
  cr_assert_not_null(register_fault_of(&faults, UNIT, ADDRESS));
  register_faults_clear(&faults);
  cr_assert_not_null(register_fault_of(&faults, UNIT, 1));
}
