/* Values for the tests of the codecs: the probe family's, and for any descriptor. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <gantry/buf.h>
#include <probe.h>
#include <stdbool.h>

/* Every field set, within its bounds. */
probe_all_t sample_all(void);
probe_lists_t sample_lists(void);

/* Fills any struct: each number at its bound, each list full, each text and blob as long as allowed
   (high), or everything at its lower bound, lists empty, optionals absent (low). exact64: up to
   2^64 - 1; else up to INT64_MAX, what JSON integers reach. */
void sample_fill(const desc_t *desc, void *value, bool high, bool exact64);
/* Sets every blob to empty, also nested ones: for codecs that do not carry blobs back. False when a
 * required one stays in it. */
bool sample_has_blob(const desc_t *desc);
/* Whether two structs of one descriptor hold the same values; blobs are compared by content. */
bool sample_equal(const desc_t *desc, const void *a, const void *b);

#endif
