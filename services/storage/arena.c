/* Blocks of 64 KiB, larger ones for what is larger. */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 65536u
#define ARENA_ALIGN       16u

struct arena_block {
  arena_block_t *next;
  size_t size; /* bytes of data */
  _Alignas(ARENA_ALIGN) unsigned char data[];
};

void *arena_take(arena_t *arena, size_t len) {
  size_t padded = (len + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
  if (!arena->blocks || arena->blocks->size - arena->used < padded) {
    size_t size = padded > ARENA_BLOCK_BYTES ? padded : ARENA_BLOCK_BYTES;
    arena_block_t *block = malloc(sizeof *block + size);
    if (!block) return NULL;
    *block = (arena_block_t){.next = arena->blocks, .size = size};
    arena->blocks = block;
    arena->used = 0;
  }
  void *memory = arena->blocks->data + arena->used;
  arena->used += padded;
  arena->total += len;
  return memory;
}

void *arena_copy(arena_t *arena, const void *bytes, size_t len) {
  void *memory = arena_take(arena, len);
  if (memory && len) memcpy(memory, bytes, len);
  return memory;
}

void arena_fini(arena_t *arena) {
  while (arena->blocks) {
    arena_block_t *next = arena->blocks->next;
    free(arena->blocks);
    arena->blocks = next;
  }
  *arena = (arena_t){0};
}
