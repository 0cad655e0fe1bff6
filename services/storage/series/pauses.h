/* The pauses between readings of one series: the longest ones by where they lie, so that a reading
   that comes late parts the pause it falls into; of all others how many there are of each length,
   in eighths of an octave. So pauses beyond a limit that is only known in the end can be counted:
   exactly while they are among the longest, else within a few percent of those that are not. Pure.
 */
#ifndef STORAGE_PAUSES_H
#define STORAGE_PAUSES_H

#include <gantry/buf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAUSES_KEPT    64
#define PAUSES_LENGTHS 401 /* 0; then eight for each of 50 octaves of microseconds */

typedef struct pause {
  int64_t from_us, to_us;
} pause_t;

typedef struct pauses {
  pause_t longest[PAUSES_KEPT];
  uint32_t count;
  uint32_t shortest; /* of the longest, when there are PAUSES_KEPT */
  int64_t others_us; /* the longest of the others */
  uint64_t others[PAUSES_LENGTHS];
} pauses_t;

/* A pause between two readings that follow one another. Zeroed memory has none. */
void pauses_add(pauses_t *pauses, int64_t from_us, int64_t to_us);
/* A reading came late. Falls it into none of the longest, nothing is known to change. */
void pauses_part(pauses_t *pauses, int64_t at_us);
/* 0 without any. */
int64_t pauses_longest_us(const pauses_t *pauses);
/* How many are longer. */
uint64_t pauses_beyond(const pauses_t *pauses, double limit_us);

void pauses_write(const pauses_t *pauses, buf_t *out);
/* False for bytes that are none; it has none then. */
bool pauses_read(pauses_t *pauses, const void *bytes, size_t len);

#endif
