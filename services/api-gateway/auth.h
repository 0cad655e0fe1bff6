/* Tokens: JWT (RFC 7519) signed by HMAC-SHA256 or by Ed25519, whichever the gateway was told; never
   the other. The only files that touch OpenSSL.
 */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <gantry/err.h>
#include <messages.h>

#define AUTH_SECRET_BYTES 32
#define AUTH_TOKEN_MAX    1023
#define AUTH_LEEWAY_S     5  /* clocks of two hosts may differ by this much at nbf */
#define AUTH_HASH_SIZE    65 /* 64 hex digits and NUL */

typedef struct auth auth_t;

typedef enum auth_algorithm { AUTH_HS256, AUTH_EDDSA } auth_algorithm_t;

/* secret is copied: the key of the HMAC, or the Ed25519 private key (RFC 8032: the seed). issuer
 * and audience (at most 31 bytes) are written into tokens and asked of them. */
gantry_err_t auth_new(auth_algorithm_t algorithm, const uint8_t secret[AUTH_SECRET_BYTES],
                      const char *issuer, const char *audience, auth_t **out);
/* Wipes the secret. */
void auth_destroy(auth_t **self);

/* Whom a token is for. */
typedef struct auth_subject {
  char name[51];
  uint64_t user_id;
  store_role_t role;
  uint64_t session; /* of a user's token; 0: none */
  uint64_t machine; /* number of the service token it came with; 0: a user */
  bool must_change; /* may do nothing before the password is changed */
  uint64_t number;  /* of the token to be signed; 0: a random one */
} auth_subject_t;

/* Signs a token of the given kind, valid from now_s (seconds since 1970) for life_s. token holds at
   least AUTH_TOKEN_MAX + 1 bytes. */
gantry_err_t auth_sign(auth_t *auth, const auth_subject_t *subject, http_token_type_t type,
                       uint64_t now_s, uint32_t life_s, char *token, size_t size);

/* Checks header, signature (constant time), issuer, audience, kind and times.
   GANTRY_E_UNAUTHENTICATED, with the reason in fault, for whatever does not hold. */
gantry_err_t auth_verify(auth_t *auth, const char *token, http_token_type_t type, uint64_t now_s,
                         http_claims_t *out, gantry_fault_t *fault);

/* A token of a machine that tells by itself that it was made here, and until when (seconds since
   1970; 0: without end). Whether it was taken back only storage knows. size >= AUTH_MACHINE_SIZE
   more than the prefix, which no header of a JWT begins with. */
#define AUTH_MACHINE_SIZE 119
gantry_err_t auth_machine_token(auth_t *auth, const char *prefix, uint64_t until_s, char *out,
                                size_t size);
/* False, too, of tokens of before they were signed. */
bool auth_machine_holds(auth_t *auth, const char *token, uint64_t now_s);

/* Appends the key set (RFC 7517) that others verify tokens with; it is empty with HS256. */
void auth_write_keys(const auth_t *auth, buf_t *out);

/* SHA-256 of a text, in hex: what is kept of tokens. */
gantry_err_t auth_hash(const char *text, char out[AUTH_HASH_SIZE]);

/* The same with our key: nobody else can tell what text it is of, or make it. what keeps its uses
   apart. */
gantry_err_t auth_keyed_hash(auth_t *auth, const char *what, const char *text,
                             char out[AUTH_HASH_SIZE]);

/* Random bytes of the operating system. GANTRY_E_INTERNAL when there are none. */
gantry_err_t auth_random(void *bytes, size_t count);
/* A number other than 0. */
gantry_err_t auth_random_id(uint64_t *out);
/* prefix and 256 random bits as base64url. size >= 44 more than the prefix. */
gantry_err_t auth_random_token(const char *prefix, char *out, size_t size);

/* Reads the secret from path, or draws one and writes it there with mode 0600. A file that others
   may read, or of another length, is GANTRY_E_INVALID. */
gantry_err_t auth_secret(const char *path, uint8_t secret[AUTH_SECRET_BYTES],
                         gantry_fault_t *fault);

/* A random password of 20 characters with upper and lower case and digits. size >= 21. */
gantry_err_t auth_password(char *password, size_t size);

#endif
