/* A register bank: rows of like registers over one array of values. */
#include "bank.h"

#include <string.h>

void bank_init(bank_t *bank) {
  memset(bank, 0, sizeof *bank);
}

bool bank_add(bank_t *bank, const bank_row_t *rows, size_t count) {
  size_t values = bank->value_count;
  for (size_t i = 0; i < count; i++)
    values += rows[i].count;
  if (bank->row_count + count > BANK_ROWS_MAX || values > BANK_VALUES_MAX) return false;
  for (size_t i = 0; i < count; i++) {
    bank->rows[bank->row_count] = rows[i];
    bank->offsets[bank->row_count] = (uint16_t)bank->value_count;
    bank->row_count++;
    bank->value_count += rows[i].count;
  }
  bank_reset(bank);
  return true;
}

void bank_reset(bank_t *bank) {
  for (size_t i = 0; i < bank->row_count; i++)
    for (size_t k = 0; k < bank->rows[i].count; k++)
      bank->values[bank->offsets[i] + k] = bank->rows[i].initial;
}

void bank_preset(bank_t *bank, uint16_t address, uint16_t value) {
  for (size_t i = 0; i < bank->row_count; i++) {
    if (bank->rows[i].address != address) continue;
    bank->rows[i].initial = value;
    bank->values[bank->offsets[i]] = value;
  }
}

/* The row of an address and the index of its value; NULL when there is no such register. */
static const bank_row_t *find(const bank_t *bank, uint32_t address, size_t *index) {
  for (size_t i = 0; i < bank->row_count; i++) {
    const bank_row_t *row = &bank->rows[i];
    if (address < row->address || address >= (uint32_t)row->address + row->count) continue;
    *index = (size_t)bank->offsets[i] + (address - row->address);
    return row;
  }
  return NULL;
}

bool bank_has(const bank_t *bank, uint16_t address) {
  size_t index = 0;
  return find(bank, address, &index) != NULL;
}

uint16_t bank_get(const bank_t *bank, uint16_t address) {
  size_t index = 0;
  return find(bank, address, &index) ? bank->values[index] : 0;
}

void bank_set(bank_t *bank, uint16_t address, uint16_t value) {
  size_t index = 0;
  if (find(bank, address, &index)) bank->values[index] = value;
}

modbus_exception_t bank_read(const bank_t *bank, uint16_t address, uint16_t count, uint16_t *out) {
  for (uint32_t i = 0; i < count; i++) {
    size_t index = 0;
    const bank_row_t *row = find(bank, address + i, &index);
    if (!row) return MODBUS_BAD_ADDRESS;
    out[i] = row->mode == BANK_W ? 0 : bank->values[index];
  }
  return MODBUS_FINE;
}

modbus_exception_t bank_check(const bank_t *bank, uint16_t address, uint16_t count,
                              const uint16_t *values) {
  modbus_exception_t exception = MODBUS_FINE;
  size_t index = 0;
  for (uint32_t i = 0; i < count; i++) {
    const bank_row_t *row = find(bank, address + i, &index);
    if (!row || row->mode == BANK_R) return MODBUS_BAD_ADDRESS;
    if (values[i] < row->min || values[i] > row->max) exception = MODBUS_BAD_VALUE;
  }
  return exception;
}

modbus_exception_t bank_write(bank_t *bank, uint16_t address, uint16_t count,
                              const uint16_t *values) {
  modbus_exception_t exception = bank_check(bank, address, count, values);
  if (exception != MODBUS_FINE) return exception;
  for (uint16_t i = 0; i < count; i++)
    bank_set(bank, (uint16_t)(address + i), values[i]);
  return MODBUS_FINE;
}
