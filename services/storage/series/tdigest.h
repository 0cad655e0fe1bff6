/* Percentiles of a stream in little room: a merging t-digest (T. Dunning, O. Ertl: Computing
   extremely accurate quantiles using t-digests, 2019). Values become centroids, small at the ends
   and larger in the middle; while each is one value, percentiles are exact. Pure. */
#ifndef STORAGE_TDIGEST_H
#define STORAGE_TDIGEST_H

#include <gantry/buf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDIGEST_COMPRESSION 200.0
#define TDIGEST_CENTROIDS                                                                          \
  208                      /* two neighbours weigh more than one step of the scale: 201 at most */
#define TDIGEST_BUFFER 512 /* values that wait to be merged in */

typedef struct tdigest {
  double mean[TDIGEST_CENTROIDS]; /* rising */
  double weight[TDIGEST_CENTROIDS];
  uint32_t count;
  double total; /* weight of all centroids */
  double min, max;
  uint32_t waiting;
  double buffer[TDIGEST_BUFFER];
} tdigest_t;

/* Takes one finite value in; a zeroed digest is empty. */
void tdigest_add(tdigest_t *digest, double value);
/* Merges in what waits. */
void tdigest_settle(tdigest_t *digest);
/* The value below which the share `part` (0 to 1) of all lies, between neighbours by a straight
   line; 0 for an empty digest. Settles. */
double tdigest_quantile(tdigest_t *digest, double part);

/* Appends the digest as bytes; settles. */
void tdigest_write(tdigest_t *digest, buf_t *out);
/* False for bytes that are no digest; it is empty then. */
bool tdigest_read(tdigest_t *digest, const void *bytes, size_t len);

#endif
