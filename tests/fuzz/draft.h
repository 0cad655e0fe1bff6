/* A sound message to start from, so that a fuzzer need not find field names by chance. */
#ifndef DRAFT_H
#define DRAFT_H

#include <gantry/buf.h>
#include <gantry/desc.h>

/* Fills value at its upper or lower bounds; the lower ones when the upper would be large. */
void draft_fill(const desc_t *desc, void *value, bool high);
/* Overwrites bytes of buf: each three bytes of the script are a position and a value. */
void draft_patch(buf_t *buf, const uint8_t *script, size_t len);

#endif
