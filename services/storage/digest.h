/* SHA-256, as 64 hex digits. */
#ifndef STORAGE_DIGEST_H
#define STORAGE_DIGEST_H

#include <gantry/err.h>
#include <stddef.h>

#define DIGEST_SIZE 65 /* hex digits and NUL */

/* Of these bytes. GANTRY_E_INTERNAL without memory. */
gantry_err_t digest_of(const void *bytes, size_t len, char out[DIGEST_SIZE]);

/* Of bytes that come piece by piece. NULL without memory. */
typedef struct digest digest_t;
digest_t *digest_new(void);
void digest_add(digest_t *digest, const void *bytes, size_t len);
/* Once, at the end. */
gantry_err_t digest_get(digest_t *digest, char out[DIGEST_SIZE]);
void digest_destroy(digest_t **self);

#endif
