/* The newest words of every register that was read, whoever asked for them, so that a question for
   a module's registers does not touch the line. Pure: time is an argument, nothing allocates. */
#ifndef BRIDGE_VALUES_H
#define BRIDGE_VALUES_H

#include "registers.h"

#define VALUES_MAX 8192 /* words that profiles name; those beyond are counted and not kept */

typedef struct value_slot {
  uint64_t read_ns; /* 0: free */
  uint32_t key;     /* line, unit and register */
  uint16_t word;
} value_slot_t;

/* All zeros is an empty one. */
typedef struct values {
  value_slot_t slots[VALUES_MAX];
  uint64_t refused;
} values_t;

/* Keeps what one read of a unit brought of the registers that module names (NULL: none). now_ns is
   not 0. */
void values_put(values_t *values, uint8_t line, uint8_t unit, const register_module_t *module,
                register_view_t view, uint64_t now_ns);
/* The words of row as read last, and when. False when one was never read. */
bool values_get(const values_t *values, uint8_t line, uint8_t unit, const register_row_t *row,
                uint16_t out[2], uint64_t *read_ns);

#endif
