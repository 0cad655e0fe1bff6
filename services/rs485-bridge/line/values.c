/* Newest words by line, unit and register: an open hash table. */
#include "values.h"

static uint32_t key_of(uint8_t line, uint8_t unit, uint16_t address) {
  return (uint32_t)line << 24 | (uint32_t)unit << 16 | address;
}

/* The slot of key, or the free one where it would go; VALUES_MAX when the table is full of others.
 */
static uint32_t find(const values_t *values, uint32_t key) {
  uint32_t place = key * 2654435761u % VALUES_MAX; /* Knuth's multiplicative hash */
  for (uint32_t i = 0; i < VALUES_MAX; i++) {
    const value_slot_t *slot = &values->slots[(place + i) % VALUES_MAX];
    if (slot->read_ns == 0 || slot->key == key) return (place + i) % VALUES_MAX;
  }
  return VALUES_MAX;
}

static void put(values_t *values, uint32_t key, uint16_t word, uint64_t now_ns) {
  uint32_t place = find(values, key);
  if (place == VALUES_MAX)
    values->refused++;
  else
    values->slots[place] = (value_slot_t){.read_ns = now_ns, .key = key, .word = word};
}

void values_put(values_t *values, uint8_t line, uint8_t unit, const register_module_t *module,
                register_view_t view, uint64_t now_ns) {
  for (size_t i = 0; module && i < module->row_count; i++) {
    const register_row_t *row = &module->rows[i];
    if (!registers_has(row, view)) continue;
    const uint16_t *words = view.values + (row->address - view.first);
    for (uint16_t k = 0; k < row->words; k++)
      put(values, key_of(line, unit, (uint16_t)(row->address + k)), words[k], now_ns);
  }
}

bool values_get(const values_t *values, uint8_t line, uint8_t unit, const register_row_t *row,
                uint16_t out[2], uint64_t *read_ns) {
  out[1] = 0;
  for (uint32_t i = 0; i < row->words; i++) {
    uint32_t place = find(values, key_of(line, unit, (uint16_t)(row->address + i)));
    if (place == VALUES_MAX || values->slots[place].read_ns == 0) return false;
    *read_ns = values->slots[place].read_ns;
    out[i] = values->slots[place].word;
  }
  return true;
}
