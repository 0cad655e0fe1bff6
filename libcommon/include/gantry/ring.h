/* A bounded queue of equal-sized values. Not thread safe. When full, the newest or the oldest goes,
   and is counted. */
#ifndef GANTRY_RING_H
#define GANTRY_RING_H

#include <gantry/err.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ring {
  uint8_t *slots; /* owned */
  size_t item_size;
  size_t capacity;
  size_t head; /* index of the oldest */
  size_t count;
  uint64_t dropped; /* since init */
} ring_t;

gantry_err_t ring_init(ring_t *ring, size_t item_size, size_t capacity);
void ring_fini(ring_t *ring);
/* Copies item in; false and counted when full. */
bool ring_push(ring_t *ring, const void *item);
/* Copies item in; the oldest is overwritten and counted when full. */
void ring_push_over(ring_t *ring, const void *item);
/* Copies the oldest out; false when empty. */
bool ring_pop(ring_t *ring, void *item);
/* The i-th oldest, borrowed until the next change; NULL beyond count. */
const void *ring_at(const ring_t *ring, size_t i);

#endif
