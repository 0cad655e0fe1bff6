/* The key that tokens are signed with, and the one header that goes with it. */
#ifndef GATEWAY_AUTH_KEY_H
#define GATEWAY_AUTH_KEY_H

#include "auth.h"

#define AUTH_SIGNATURE_MAX 64
#define AUTH_HEADER_MAX    160

typedef struct auth_key auth_key_t;

gantry_err_t auth_key_new(auth_algorithm_t algorithm, const uint8_t secret[AUTH_SECRET_BYTES],
                          auth_key_t **out);
void auth_key_destroy(auth_key_t **self);

/* Base64url of the header and a dot: what each token begins with. */
const char *auth_key_header(const auth_key_t *key);
/* Bytes of a signature. */
size_t auth_key_signature_size(const auth_key_t *key);
gantry_err_t auth_key_sign(auth_key_t *key, const char *text, size_t len,
                           uint8_t signature[AUTH_SIGNATURE_MAX]);
/* Whether signature (of the right size) is that of text. */
bool auth_key_fits(auth_key_t *key, const char *text, size_t len, const uint8_t *signature);

/* Appends the public key as a JWK; nothing for a HMAC. */
void auth_key_write(const auth_key_t *key, buf_t *out);

#endif
