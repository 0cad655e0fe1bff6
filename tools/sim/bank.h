/* A register bank of one Modbus module: which registers exist, who may read and write them within
   which bounds, and their values. Pure. */
#ifndef GANTRY_SIM_BANK_H
#define GANTRY_SIM_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BANK_ROWS_MAX   96
#define BANK_VALUES_MAX 224

/* Modbus exception codes; 0 is none. */
typedef enum modbus_exception {
  MODBUS_FINE = 0,
  MODBUS_BAD_FUNCTION = 1,
  MODBUS_BAD_ADDRESS = 2,
  MODBUS_BAD_VALUE = 3,
  MODBUS_DEVICE_FAILURE = 4,
  MODBUS_BUSY = 6,
} modbus_exception_t;

typedef enum bank_mode { BANK_R = 1, BANK_W = 2, BANK_RW = 3 } bank_mode_t;

/* count registers from address on that share mode, bounds and initial value. A register that is
   only written reads as 0. */
typedef struct bank_row {
  uint16_t address, count;
  bank_mode_t mode;
  uint16_t min, max, initial;
} bank_row_t;

typedef struct bank {
  bank_row_t rows[BANK_ROWS_MAX]; /* ascending addresses are not required */
  uint16_t offsets[BANK_ROWS_MAX];
  size_t row_count, value_count;
  uint16_t values[BANK_VALUES_MAX];
} bank_t;

void bank_init(bank_t *bank);
/* Adds rows with their initial values. False when they do not fit; then nothing was added. */
bool bank_add(bank_t *bank, const bank_row_t *rows, size_t count);
/* All values back to their initial ones, as after power-on. */
void bank_reset(bank_t *bank);
/* Gives the row that begins at address another power-on value, from now on. */
void bank_preset(bank_t *bank, uint16_t address, uint16_t value);
bool bank_has(const bank_t *bank, uint16_t address);
/* The module's own side: no mode, no bounds. An unknown address reads 0 and is not written. */
uint16_t bank_get(const bank_t *bank, uint16_t address);
void bank_set(bank_t *bank, uint16_t address, uint16_t value);
/* The master's side. A read of any unknown register is MODBUS_BAD_ADDRESS. */
modbus_exception_t bank_read(const bank_t *bank, uint16_t address, uint16_t count, uint16_t *out);
/* Whether bank_write would take it. */
modbus_exception_t bank_check(const bank_t *bank, uint16_t address, uint16_t count,
                              const uint16_t *values);
/* All or nothing: MODBUS_BAD_ADDRESS for unknown or read-only, MODBUS_BAD_VALUE out of bounds. */
modbus_exception_t bank_write(bank_t *bank, uint16_t address, uint16_t count,
                              const uint16_t *values);

#endif
