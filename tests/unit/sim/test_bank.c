/* A bank enforces what exists, who may write it and within which bounds. */
#include <criterion/criterion.h>

#include "bank.h"

static const bank_row_t rows[] = {
    {0x0000, 2, BANK_R, 0, 65535, 7},
    {0x0002, 2, BANK_RW, 1, 5, 3},
    {0x0004, 1, BANK_W, 1, 1, 0},
};

static bank_t sample(void) {
  bank_t bank;
  bank_init(&bank);
  cr_assert(bank_add(&bank, rows, 3));
  return bank;
}

Test(bank, reads_initial_values_across_rows) {
  bank_t bank = sample();
  uint16_t values[5];

  cr_assert_eq(bank_read(&bank, 0, 5, values), MODBUS_FINE);
  cr_assert_arr_eq(values, ((uint16_t[]){7, 7, 3, 3, 0}), sizeof values);
}

Test(bank, refuses_unknown_addresses) {
  bank_t bank = sample();
  uint16_t values[6] = {1};

  cr_assert_eq(bank_read(&bank, 0, 6, values), MODBUS_BAD_ADDRESS);
  cr_assert_eq(bank_read(&bank, 0xFFFF, 2, values), MODBUS_BAD_ADDRESS);
  cr_assert_eq(bank_write(&bank, 5, 1, values), MODBUS_BAD_ADDRESS);
}

Test(bank, refuses_writes_to_read_only_registers) {
  bank_t bank = sample();
  uint16_t values[2] = {1, 1};

  cr_assert_eq(bank_write(&bank, 1, 2, values), MODBUS_BAD_ADDRESS);
  cr_assert_eq(bank_get(&bank, 2), 3);
}

Test(bank, writes_all_or_nothing) {
  bank_t bank = sample();
  uint16_t values[2] = {4, 6};

  cr_assert_eq(bank_write(&bank, 2, 2, values), MODBUS_BAD_VALUE);
  cr_assert_eq(bank_get(&bank, 2), 3);
  values[1] = 5;
  cr_assert_eq(bank_write(&bank, 2, 2, values), MODBUS_FINE);
  cr_assert_eq(bank_get(&bank, 3), 5);
}

Test(bank, reads_write_only_registers_as_zero) {
  bank_t bank = sample();
  uint16_t one = 1, read = 9;

  cr_assert_eq(bank_write(&bank, 4, 1, &one), MODBUS_FINE);
  cr_assert_eq(bank_read(&bank, 4, 1, &read), MODBUS_FINE);
  cr_assert_eq(read, 0);
}

Test(bank, forgets_writes_on_reset) {
  bank_t bank = sample();
  uint16_t five = 5;
  cr_assert_eq(bank_write(&bank, 2, 1, &five), MODBUS_FINE);

  bank_reset(&bank);

  cr_assert_eq(bank_get(&bank, 2), 3);
}

Test(bank, refuses_more_than_it_holds) {
  bank_t bank = sample();
  const bank_row_t large = {0x1000, BANK_VALUES_MAX, BANK_R, 0, 1, 0};

  cr_assert_not(bank_add(&bank, &large, 1));
  cr_assert_not(bank_has(&bank, 0x1000));
}

Test(bank, ignores_the_modules_own_writes_to_unknown_addresses) {
  bank_t bank = sample();

  bank_set(&bank, 0x2000, 1);

  cr_assert_eq(bank_get(&bank, 0x2000), 0);
}
