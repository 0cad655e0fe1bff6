/* SHA-256 by OpenSSL's EVP. */
#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct digest {
  EVP_MD_CTX *context;
  bool failed;
};

digest_t *digest_new(void) {
  digest_t *digest = calloc(1, sizeof *digest);
  if (!digest) return NULL;
  digest->context = EVP_MD_CTX_new();
  if (digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1) return digest;
  digest_destroy(&digest);
  return NULL;
}

void digest_add(digest_t *digest, const void *bytes, size_t len) {
  if (EVP_DigestUpdate(digest->context, bytes, len) != 1) digest->failed = true;
}

gantry_err_t digest_get(digest_t *digest, char out[DIGEST_SIZE]) {
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned int len = 0;
  out[0] = '\0';
  if (digest->failed || EVP_DigestFinal_ex(digest->context, sum, &len) != 1)
    return GANTRY_E_INTERNAL;
  for (unsigned int i = 0; i < len; i++)
    snprintf(out + 2 * (size_t)i, DIGEST_SIZE - 2 * (size_t)i, "%02x", sum[i]);
  return GANTRY_OK;
}

void digest_destroy(digest_t **self) {
  if (!*self) return;
  EVP_MD_CTX_free((*self)->context);
  free(*self);
  *self = NULL;
}

gantry_err_t digest_of(const void *bytes, size_t len, char out[DIGEST_SIZE]) {
  digest_t *digest = digest_new();
  out[0] = '\0';
  if (!digest) return GANTRY_E_INTERNAL;
  digest_add(digest, bytes, len);
  gantry_err_t err = digest_get(digest, out);
  digest_destroy(&digest);
  return err;
}
