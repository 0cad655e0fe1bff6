/* JSON web tokens with one algorithm. The header is not parsed but compared with the only one we
   write: no token can ask for another algorithm, so `none` and key confusion have nowhere to begin.
 */
#include "auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <gantry/json.h>

#include "base64url.h"

enum { SIGNATURE_BYTES = 32, SIGNATURE_TEXT = 43 };

/* {"alg":"HS256","typ":"JWT"} */
static const char TOKEN_HEADER[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
enum { HEADER_LEN = sizeof TOKEN_HEADER - 1 };

struct auth {
  uint8_t secret[AUTH_SECRET_BYTES];
  char issuer[32];
  char audience[32];
  EVP_MAC *mac;
  EVP_MAC_CTX *context;
  buf_t scratch;
};

gantry_err_t auth_new(const uint8_t secret[AUTH_SECRET_BYTES], const char *issuer,
                      const char *audience, auth_t **out) {
  auth_t *auth = calloc(1, sizeof *auth);

  *out = auth;
  if (!auth) return GANTRY_E_INTERNAL;
  memcpy(auth->secret, secret, AUTH_SECRET_BYTES);
  snprintf(auth->issuer, sizeof auth->issuer, "%s", issuer);
  snprintf(auth->audience, sizeof auth->audience, "%s", audience);
  auth->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  if (auth->mac) auth->context = EVP_MAC_CTX_new(auth->mac);
  if (auth->context) return GANTRY_OK;
  auth_destroy(out);
  return GANTRY_E_INTERNAL;
}

void auth_destroy(auth_t **self) {
  auth_t *auth = *self;

  if (!auth) return;
  EVP_MAC_CTX_free(auth->context);
  EVP_MAC_free(auth->mac);
  buf_fini(&auth->scratch);
  OPENSSL_cleanse(auth->secret, sizeof auth->secret);
  free(auth);
  *self = NULL;
}

static gantry_err_t sign_bytes(auth_t *auth, const char *text, size_t len,
                               uint8_t signature[SIGNATURE_BYTES]) {
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end()};
  size_t written = 0;

  if (!EVP_MAC_init(auth->context, auth->secret, sizeof auth->secret, params) ||
      !EVP_MAC_update(auth->context, (const unsigned char *)text, len) ||
      !EVP_MAC_final(auth->context, signature, &written, SIGNATURE_BYTES) ||
      written != SIGNATURE_BYTES) {
    return GANTRY_E_INTERNAL;
  }
  return GANTRY_OK;
}

gantry_err_t auth_sign(auth_t *auth, const auth_subject_t *subject, http_token_type_t type,
                       uint64_t now_s, uint32_t life_s, char *token, size_t size) {
  http_claims_t claims = {.uid = subject->user_id,
                          .role = subject->role,
                          .type = type,
                          .iat = now_s,
                          .nbf = now_s,
                          .exp = now_s + life_s};
  uint8_t signature[SIGNATURE_BYTES];
  size_t len = 0;

  snprintf(claims.iss, sizeof claims.iss, "%s", auth->issuer);
  snprintf(claims.aud, sizeof claims.aud, "%s", auth->audience);
  snprintf(claims.sub, sizeof claims.sub, "%s", subject->name);
  GANTRY_TRY(auth_random(&claims.jti, sizeof claims.jti));
  buf_reset(&auth->scratch);
  GANTRY_TRY(json_write(&HTTP_CLAIMS_DESC, &claims, &auth->scratch));
  if (size < AUTH_TOKEN_MAX + 1) return GANTRY_E_TOO_LARGE;
  memcpy(token, TOKEN_HEADER, HEADER_LEN);
  GANTRY_TRY(base64url_encode(auth->scratch.data, auth->scratch.len, token + HEADER_LEN,
                              AUTH_TOKEN_MAX - HEADER_LEN - SIGNATURE_TEXT - 1, &len));
  len += HEADER_LEN;
  GANTRY_TRY(sign_bytes(auth, token, len, signature));
  token[len++] = '.';
  return base64url_encode(signature, sizeof signature, token + len, size - len, NULL);
}

static gantry_err_t refuse(gantry_fault_t *fault, const char *reason) {
  gantry_err_t err = fault_set(fault, GANTRY_E_UNAUTHENTICATED, "", "%s", reason);

  if (fault) snprintf(fault->code, sizeof fault->code, "INVALID_TOKEN");
  return err;
}

static gantry_err_t check_claims(const auth_t *auth, const http_claims_t *claims,
                                 http_token_type_t type, uint64_t now_s, gantry_fault_t *fault) {
  if (strcmp(claims->iss, auth->issuer) != 0) return refuse(fault, "The token has another issuer.");
  if (strcmp(claims->aud, auth->audience) != 0)
    return refuse(fault, "The token is not meant for here.");
  if (claims->type != type) return refuse(fault, "The token is of another kind.");
  if (now_s + AUTH_LEEWAY_S < claims->nbf) return refuse(fault, "The token is not valid yet.");
  if (now_s >= claims->exp) return refuse(fault, "The token has expired; log in or refresh.");
  return GANTRY_OK;
}

gantry_err_t auth_verify(auth_t *auth, const char *token, http_token_type_t type, uint64_t now_s,
                         http_claims_t *out, gantry_fault_t *fault) {
  size_t len = strnlen(token, AUTH_TOKEN_MAX + 1);
  const char *dot = len > HEADER_LEN ? strrchr(token, '.') : NULL;
  uint8_t given[SIGNATURE_BYTES], expected[SIGNATURE_BYTES];
  uint8_t payload[AUTH_TOKEN_MAX];
  size_t count;

  if (len > AUTH_TOKEN_MAX || !dot || dot < token + HEADER_LEN ||
      memcmp(token, TOKEN_HEADER, HEADER_LEN) != 0) {
    return refuse(fault, "The token is not one of ours.");
  }
  if (base64url_decode(dot + 1, strlen(dot + 1), given, sizeof given, &count) != GANTRY_OK ||
      count != sizeof given) {
    return refuse(fault, "The token's signature is malformed.");
  }
  GANTRY_TRY(sign_bytes(auth, token, (size_t)(dot - token), expected));
  if (CRYPTO_memcmp(given, expected, sizeof given) != 0) {
    return refuse(fault, "The token's signature does not hold.");
  }
  const char *body = token + HEADER_LEN;
  if (base64url_decode(body, (size_t)(dot - body), payload, sizeof payload, &count) != GANTRY_OK ||
      json_read(&HTTP_CLAIMS_DESC, (const char *)payload, count, false, out, NULL) != GANTRY_OK) {
    return refuse(fault, "The token's claims are malformed.");
  }
  return check_claims(auth, out, type, now_s, fault);
}
