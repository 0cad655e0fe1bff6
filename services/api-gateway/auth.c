/* JSON web tokens with one algorithm. The header is not parsed but compared with the only one we
   write: no token can ask for another algorithm. */
#include "auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <gantry/json.h>

#include "auth_key.h"
#include "base64url.h"

struct auth {
  auth_key_t *key;
  char issuer[32];
  char audience[32];
  buf_t scratch;
};

gantry_err_t auth_new(auth_algorithm_t algorithm, const uint8_t secret[AUTH_SECRET_BYTES],
                      const char *issuer, const char *audience, auth_t **out) {
  auth_t *auth = calloc(1, sizeof *auth);

  *out = auth;
  if (!auth) return GANTRY_E_INTERNAL;
  snprintf(auth->issuer, sizeof auth->issuer, "%s", issuer);
  snprintf(auth->audience, sizeof auth->audience, "%s", audience);
  gantry_err_t err = auth_key_new(algorithm, secret, &auth->key);
  if (err != GANTRY_OK) auth_destroy(out);
  return err;
}

void auth_destroy(auth_t **self) {
  auth_t *auth = *self;

  if (!auth) return;
  auth_key_destroy(&auth->key);
  buf_fini(&auth->scratch);
  free(auth);
  *self = NULL;
}

void auth_write_keys(const auth_t *auth, buf_t *out) {
  buf_put_text(out, "{\"keys\":[");
  auth_key_write(auth->key, out);
  buf_put_text(out, "]}");
}

gantry_err_t auth_hash(const char *text, char out[AUTH_HASH_SIZE]) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned count = 0;

  out[0] = '\0';
  if (EVP_Digest(text, strlen(text), digest, &count, EVP_sha256(), NULL) != 1)
    return GANTRY_E_INTERNAL;
  for (unsigned i = 0; i < count && i < (AUTH_HASH_SIZE - 1) / 2; i++)
    snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
  return GANTRY_OK;
}

gantry_err_t auth_keyed_hash(auth_t *auth, const char *what, const char *text,
                             char out[AUTH_HASH_SIZE]) {
  char signature[2 * AUTH_SIGNATURE_MAX];
  uint8_t bytes[AUTH_SIGNATURE_MAX];

  out[0] = '\0';
  buf_reset(&auth->scratch);
  buf_printf(&auth->scratch, "%s %s", what, text); /* no token has a blank */
  GANTRY_TRY(auth_key_sign(auth->key, buf_text(&auth->scratch), auth->scratch.len, bytes));
  GANTRY_TRY(base64url_encode(bytes, auth_key_signature_size(auth->key), signature,
                              sizeof signature, NULL));
  return auth_hash(signature, out);
}

/* ---- signing */

static gantry_err_t write_claims(auth_t *auth, const auth_subject_t *subject,
                                 http_claims_t *claims) {
  snprintf(claims->iss, sizeof claims->iss, "%s", auth->issuer);
  snprintf(claims->aud, sizeof claims->aud, "%s", auth->audience);
  snprintf(claims->sub, sizeof claims->sub, "%s", subject->name);
  claims->has_sid = subject->session != 0;
  claims->sid = subject->session;
  claims->jti = subject->number;
  if (!claims->jti) GANTRY_TRY(auth_random(&claims->jti, sizeof claims->jti));
  buf_reset(&auth->scratch);
  return json_write(&HTTP_CLAIMS_DESC, claims, &auth->scratch);
}

gantry_err_t auth_sign(auth_t *auth, const auth_subject_t *subject, http_token_type_t type,
                       uint64_t now_s, uint32_t life_s, char *token, size_t size) {
  http_claims_t claims = {.uid = subject->user_id,
                          .role = subject->role,
                          .type = type,
                          .iat = now_s,
                          .nbf = now_s,
                          .exp = now_s + life_s};
  const char *header = auth_key_header(auth->key);
  uint8_t signature[AUTH_SIGNATURE_MAX];
  size_t len = strlen(header), count = 0;

  if (size < AUTH_TOKEN_MAX + 1) return GANTRY_E_TOO_LARGE;
  GANTRY_TRY(write_claims(auth, subject, &claims));
  memcpy(token, header, len);
  GANTRY_TRY(base64url_encode(auth->scratch.data, auth->scratch.len, token + len,
                              AUTH_TOKEN_MAX - len - (size_t)2 * AUTH_SIGNATURE_MAX, &count));
  len += count;
  GANTRY_TRY(auth_key_sign(auth->key, token, len, signature));
  token[len++] = '.';
  return base64url_encode(signature, auth_key_signature_size(auth->key), token + len, size - len,
                          NULL);
}

/* ---- verifying */

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

/* The last part of the token; GANTRY_E_UNAUTHENTICATED unless it signs what stands before. */
static gantry_err_t check_signature(auth_t *auth, const char *token, const char *dot,
                                    gantry_fault_t *fault) {
  uint8_t given[AUTH_SIGNATURE_MAX];
  size_t count;

  if (base64url_decode(dot + 1, strlen(dot + 1), given, sizeof given, &count) != GANTRY_OK ||
      count != auth_key_signature_size(auth->key)) {
    return refuse(fault, "The token's signature is malformed.");
  }
  if (auth_key_fits(auth->key, token, (size_t)(dot - token), given)) return GANTRY_OK;
  return refuse(fault, "The token's signature does not hold.");
}

gantry_err_t auth_verify(auth_t *auth, const char *token, http_token_type_t type, uint64_t now_s,
                         http_claims_t *out, gantry_fault_t *fault) {
  const char *header = auth_key_header(auth->key);
  size_t begin = strlen(header), len = strnlen(token, AUTH_TOKEN_MAX + 1), count;
  const char *dot = len > begin ? strrchr(token, '.') : NULL;
  uint8_t payload[AUTH_TOKEN_MAX];

  if (len > AUTH_TOKEN_MAX || !dot || dot < token + begin || memcmp(token, header, begin) != 0)
    return refuse(fault, "The token is not one of ours.");
  GANTRY_TRY(check_signature(auth, token, dot, fault));
  const char *body = token + begin;
  if (base64url_decode(body, (size_t)(dot - body), payload, sizeof payload, &count) != GANTRY_OK ||
      json_read(&HTTP_CLAIMS_DESC, (const char *)payload, count, false, out, NULL) != GANTRY_OK) {
    return refuse(fault, "The token's claims are malformed.");
  }
  return check_claims(auth, out, type, now_s, fault);
}

/* ---- tokens of machines: prefix, 128 random bits, a dot, the end in 8 hex digits, a dot, and the
   signature of all that */

enum { MACHINE_RANDOM = 16, MACHINE_UNTIL = 8 };

gantry_err_t auth_machine_token(auth_t *auth, const char *prefix, uint64_t until_s, char *out,
                                size_t size) {
  uint8_t random[MACHINE_RANDOM], signature[AUTH_SIGNATURE_MAX];
  char text[2 * MACHINE_RANDOM];

  GANTRY_TRY(auth_random(random, sizeof random));
  GANTRY_TRY(base64url_encode(random, sizeof random, text, sizeof text, NULL));
  if (until_s > UINT32_MAX) until_s = UINT32_MAX;
  int len = snprintf(out, size, "%s%s.%08x.", prefix, text, (unsigned)until_s);
  if (len < 0 || (size_t)len >= size) return GANTRY_E_TOO_LARGE;
  GANTRY_TRY(auth_key_sign(auth->key, out, (size_t)len - 1, signature));
  return base64url_encode(signature, auth_key_signature_size(auth->key), out + len,
                          size - (size_t)len, NULL);
}

bool auth_machine_holds(auth_t *auth, const char *token, uint64_t now_s) {
  uint8_t signature[AUTH_SIGNATURE_MAX];
  const char *dot = strrchr(token, '.');
  size_t count = 0;

  if (!dot || dot - token < MACHINE_UNTIL + 1 || dot[-MACHINE_UNTIL - 1] != '.') return false;
  if (base64url_decode(dot + 1, strlen(dot + 1), signature, sizeof signature, &count) !=
          GANTRY_OK ||
      count != auth_key_signature_size(auth->key) ||
      !auth_key_fits(auth->key, token, (size_t)(dot - token), signature))
    return false;
  uint64_t until_s = strtoull(dot - MACHINE_UNTIL, NULL, 16);
  return until_s == 0 || now_s < until_s;
}
