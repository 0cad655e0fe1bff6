/* JSON objects as columns: texts that differ only in their numbers share a template, and the
   numbers become columns of integers. What does not fit is kept as text. Every byte comes back.
   Pure. */
#ifndef STORAGE_SHRED_H
#define STORAGE_SHRED_H

#include "column.h"

#define SHRED_TEXT_MAX (256u << 10) /* bytes of all texts together, their NULs included */

/* Appends count texts, at most SHRED_TEXT_MAX bytes of them; failures are sticky in out. */
void shred_put(buf_t *out, const char *const *texts, size_t count);
/* Appends the count texts to `out`, each ended by a NUL. False when the bytes are not what
   shred_put wrote; then out holds some of them. */
bool shred_take(span_t *in, size_t count, buf_t *out);

#endif
