/* Either kind of key. The header is fixed with the key: a token that names another algorithm is not
   one of ours, so `none` and key confusion have nowhere to begin. */
#include "auth_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base64url.h"

enum { HMAC_BYTES = 32, ED25519_BYTES = 64, PUBLIC_BYTES = 32, PUBLIC_TEXT = 44 };

struct auth_key {
  auth_algorithm_t algorithm;
  char header[AUTH_HEADER_MAX];
  uint8_t secret[AUTH_SECRET_BYTES]; /* of the HMAC */
  EVP_MAC *mac;
  EVP_MAC_CTX *context;
  EVP_PKEY *pair; /* of Ed25519 */
  EVP_MD_CTX *signing;
  char public_text[PUBLIC_TEXT];
  char id[PUBLIC_TEXT]; /* thumbprint, RFC 7638 */
};

static gantry_err_t encode_header(auth_key_t *key, const char *json) {
  size_t len;

  GANTRY_TRY(base64url_encode((const uint8_t *)json, strlen(json), key->header,
                              sizeof key->header - 1, &len));
  key->header[len] = '.';
  key->header[len + 1] = '\0';
  return GANTRY_OK;
}

static gantry_err_t open_hmac(auth_key_t *key, const uint8_t secret[AUTH_SECRET_BYTES]) {
  memcpy(key->secret, secret, AUTH_SECRET_BYTES);
  key->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  if (key->mac) key->context = EVP_MAC_CTX_new(key->mac);
  if (!key->context) return GANTRY_E_INTERNAL;
  return encode_header(key, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
}

static gantry_err_t name_key(auth_key_t *key) {
  uint8_t public[PUBLIC_BYTES], digest[EVP_MAX_MD_SIZE];
  size_t count = sizeof public;
  unsigned digest_len = 0;
  char json[128];

  if (EVP_PKEY_get_raw_public_key(key->pair, public, &count) != 1 || count != sizeof public)
    return GANTRY_E_INTERNAL;
  GANTRY_TRY(base64url_encode(public, count, key->public_text, sizeof key->public_text, NULL));
  int len = snprintf(json, sizeof json, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}",
                     key->public_text);
  if (EVP_Digest(json, (size_t)len, digest, &digest_len, EVP_sha256(), NULL) != 1)
    return GANTRY_E_INTERNAL;
  return base64url_encode(digest, digest_len, key->id, sizeof key->id, NULL);
}

static gantry_err_t open_ed25519(auth_key_t *key, const uint8_t secret[AUTH_SECRET_BYTES]) {
  char json[128];

  key->pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, AUTH_SECRET_BYTES);
  key->signing = EVP_MD_CTX_new();
  if (!key->pair || !key->signing) return GANTRY_E_INTERNAL;
  GANTRY_TRY(name_key(key));
  snprintf(json, sizeof json, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}", key->id);
  return encode_header(key, json);
}

gantry_err_t auth_key_new(auth_algorithm_t algorithm, const uint8_t secret[AUTH_SECRET_BYTES],
                          auth_key_t **out) {
  auth_key_t *key = calloc(1, sizeof *key);

  *out = key;
  if (!key) return GANTRY_E_INTERNAL;
  key->algorithm = algorithm;
  gantry_err_t err = algorithm == AUTH_EDDSA ? open_ed25519(key, secret) : open_hmac(key, secret);
  if (err != GANTRY_OK) auth_key_destroy(out);
  return err;
}

void auth_key_destroy(auth_key_t **self) {
  auth_key_t *key = *self;

  if (!key) return;
  EVP_MAC_CTX_free(key->context);
  EVP_MAC_free(key->mac);
  EVP_MD_CTX_free(key->signing);
  EVP_PKEY_free(key->pair);
  OPENSSL_cleanse(key, sizeof *key);
  free(key);
  *self = NULL;
}

const char *auth_key_header(const auth_key_t *key) {
  return key->header;
}

size_t auth_key_signature_size(const auth_key_t *key) {
  return key->algorithm == AUTH_EDDSA ? ED25519_BYTES : HMAC_BYTES;
}

static gantry_err_t sign_hmac(auth_key_t *key, const char *text, size_t len, uint8_t *signature) {
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_end()};
  size_t written = 0;

  if (!EVP_MAC_init(key->context, key->secret, sizeof key->secret, params) ||
      !EVP_MAC_update(key->context, (const unsigned char *)text, len) ||
      !EVP_MAC_final(key->context, signature, &written, HMAC_BYTES) || written != HMAC_BYTES) {
    return GANTRY_E_INTERNAL;
  }
  return GANTRY_OK;
}

gantry_err_t auth_key_sign(auth_key_t *key, const char *text, size_t len,
                           uint8_t signature[AUTH_SIGNATURE_MAX]) {
  size_t written = ED25519_BYTES;

  if (key->algorithm == AUTH_HS256) return sign_hmac(key, text, len, signature);
  EVP_MD_CTX_reset(key->signing);
  if (EVP_DigestSignInit(key->signing, NULL, NULL, NULL, key->pair) != 1 ||
      EVP_DigestSign(key->signing, signature, &written, (const unsigned char *)text, len) != 1 ||
      written != ED25519_BYTES) {
    return GANTRY_E_INTERNAL;
  }
  return GANTRY_OK;
}

bool auth_key_fits(auth_key_t *key, const char *text, size_t len, const uint8_t *signature) {
  uint8_t expected[HMAC_BYTES];

  if (key->algorithm == AUTH_HS256) {
    return sign_hmac(key, text, len, expected) == GANTRY_OK &&
           CRYPTO_memcmp(signature, expected, sizeof expected) == 0;
  }
  EVP_MD_CTX_reset(key->signing);
  return EVP_DigestVerifyInit(key->signing, NULL, NULL, NULL, key->pair) == 1 &&
         EVP_DigestVerify(key->signing, signature, ED25519_BYTES, (const unsigned char *)text,
                          len) == 1;
}

void auth_key_write(const auth_key_t *key, buf_t *out) {
  if (key->algorithm != AUTH_EDDSA) return;
  buf_printf(out,
             "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"use\":\"sig\","
             "\"kid\":\"%s\",\"x\":\"%s\"}",
             key->id, key->public_text);
}
