/* Memory that goes together: what an answer borrows is allocated here and freed with it. */
#ifndef STORAGE_ARENA_H
#define STORAGE_ARENA_H

#include <stddef.h>

typedef struct arena_block arena_block_t;

/* Zeroed memory is an empty arena. */
typedef struct arena {
  arena_block_t *blocks; /* owned, newest first */
  size_t used;           /* bytes of the newest block */
  size_t total;          /* bytes handed out since init */
} arena_t;

/* len bytes aligned for anything, uninitialised, valid until arena_fini; NULL without memory. */
void *arena_take(arena_t *arena, size_t len);
/* A copy of len bytes; NULL without memory. len 0 gives a valid pointer. */
void *arena_copy(arena_t *arena, const void *bytes, size_t len);
void arena_fini(arena_t *arena);

#endif
