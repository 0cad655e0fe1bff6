/* Files sealed with a key: AES-256-GCM over segments of 64 KiB, each numbered and the last one
   marked (the STREAM construction), so that what was changed, cut, or put in another order is seen.

   A sealed file: "gantry-seal 1\n", 16 bytes of salt, 7 of a nonce, 16 that say which key it was;
   then segments of 65536 bytes (the last one of 0 to 65536) with 16 bytes of tag behind each. Keys
   of the file are HKDF-SHA256 of the key file's; the nonce of a segment is the nonce, its number (4
   bytes, from 0) and 1 for the last one, 0 else; the header is authenticated with each. */
#ifndef STORAGE_SEAL_H
#define STORAGE_SEAL_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stdint.h>

#include "progress.h"

typedef struct seal_key {
  uint8_t bytes[32];
} seal_key_t;

/* The key file holds 64 hex digits (`openssl rand -hex 32`). GANTRY_E_INVALID, naming the file and
   the fix, when it holds something else or others may read it. */
gantry_err_t seal_read_key(const char *path, seal_key_t *out, gantry_fault_t *fault);

/* From the place in, to the place out; descriptors stay open. Blocks. GANTRY_E_INVALID says what is
   wrong with the sealed file; nothing that was read from it may be used then.
   GANTRY_E_REFUSED when progress said to stop. */
gantry_err_t seal_write(const seal_key_t *key, int in, int out, const progress_t *progress,
                        gantry_fault_t *fault);
gantry_err_t seal_read(const seal_key_t *key, int in, int out, const progress_t *progress,
                       gantry_fault_t *fault);

#endif
