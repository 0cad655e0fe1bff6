/* Base64 with the URL alphabet and without padding (RFC 4648, section 5), as tokens use it. Pure.
 */
#ifndef GATEWAY_BASE64URL_H
#define GATEWAY_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>

/* Writes text and NUL; GANTRY_E_TOO_LARGE when it does not fit size. *len may be NULL. */
gantry_err_t base64url_encode(const uint8_t *bytes, size_t count, char *text, size_t size,
                              size_t *len);

/* Reads len characters; GANTRY_E_SCHEMA for a foreign character, padding, or bits beyond the last
   byte that are not zero; GANTRY_E_TOO_LARGE when the bytes do not fit size. */
gantry_err_t base64url_decode(const char *text, size_t len, uint8_t *bytes, size_t size,
                              size_t *count);

#endif
