/* Tokens: JWT (RFC 7519) signed by HMAC-SHA256, nothing else. The only file that touches OpenSSL.
 */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>
#include <messages.h>

#define AUTH_SECRET_BYTES 32
#define AUTH_TOKEN_MAX    1023
#define AUTH_LEEWAY_S     5 /* clocks of two hosts may differ by this much at nbf */

typedef struct auth auth_t;

/* secret is copied. issuer and audience (at most 31 bytes) are written into tokens and asked of
 * them. */
gantry_err_t auth_new(const uint8_t secret[AUTH_SECRET_BYTES], const char *issuer,
                      const char *audience, auth_t **out);
/* Wipes the secret. */
void auth_destroy(auth_t **self);

/* Whom a token is for. */
typedef struct auth_subject {
  char name[51];
  uint64_t user_id;
  store_role_t role;
} auth_subject_t;

/* Signs a token of the given kind, valid from now_s (seconds since 1970) for life_s. token holds at
   least AUTH_TOKEN_MAX + 1 bytes. */
gantry_err_t auth_sign(auth_t *auth, const auth_subject_t *subject, http_token_type_t type,
                       uint64_t now_s, uint32_t life_s, char *token, size_t size);

/* Checks header, signature (constant time), issuer, audience, kind and times.
   GANTRY_E_UNAUTHENTICATED, with the reason in fault, for whatever does not hold. */
gantry_err_t auth_verify(auth_t *auth, const char *token, http_token_type_t type, uint64_t now_s,
                         http_claims_t *out, gantry_fault_t *fault);

/* Random bytes of the operating system. GANTRY_E_INTERNAL when there are none. */
gantry_err_t auth_random(void *bytes, size_t count);

/* Reads the secret from path, or draws one and writes it there with mode 0600. A file that others
   may read, or of another length, is GANTRY_E_INVALID. */
gantry_err_t auth_secret(const char *path, uint8_t secret[AUTH_SECRET_BYTES],
                         gantry_fault_t *fault);

/* A random password of 20 characters with upper and lower case and digits. size >= 21. */
gantry_err_t auth_password(char *password, size_t size);

#endif
