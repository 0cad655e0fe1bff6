/* Foreign bytes as a token, at a verifier of each algorithm, and foreign claims under a sound
   signature. Nothing but what was signed may be let in, and nothing may crash.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_token build-fuzz/tests/fuzz/fuzz_token
   -max_total_time=20 -max_len=1200 */
#include "auth.h"
#include "auth_key.h"
#include "base64url.h"

#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1000000 };

static const uint8_t SECRET[AUTH_SECRET_BYTES] = "0123456789abcdef0123456789abcde";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void verify_foreign(auth_t *auth, const uint8_t *bytes, size_t len) {
  http_claims_t claims;
  char *text = malloc(len + 1);

  memcpy(text, bytes, len);
  text[len] = '\0';
  if (auth_verify(auth, text, HTTP_TOKEN_TYPE_ACCESS, NOW_S, &claims, NULL) == GANTRY_OK) abort();
  free(text);
}

/* The payload is anything; header and signature are right. */
static void verify_signed(auth_t *auth, auth_key_t *key, const uint8_t *bytes, size_t len) {
  char text[AUTH_TOKEN_MAX + 512];
  uint8_t signature[AUTH_SIGNATURE_MAX];
  http_claims_t claims;
  size_t at = strlen(auth_key_header(key)), count;

  memcpy(text, auth_key_header(key), at);
  if (base64url_encode(bytes, len, text + at, AUTH_TOKEN_MAX - at, &count) != GANTRY_OK) return;
  at += count;
  if (auth_key_sign(key, text, at, signature) != GANTRY_OK) abort();
  text[at++] = '.';
  if (base64url_encode(signature, auth_key_signature_size(key), text + at, sizeof text - at,
                       NULL) != GANTRY_OK)
    abort();
  if (auth_verify(auth, text, HTTP_TOKEN_TYPE_ACCESS, NOW_S, &claims, NULL) != GANTRY_OK) return;
  if (claims.exp <= NOW_S || strcmp(claims.iss, "gantry") != 0 || !claims.sub[0]) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static auth_t *auth[2];
  static auth_key_t *key[2];

  for (int i = 0; i < 2 && !key[i]; i++) {
    if (auth_new((auth_algorithm_t)i, SECRET, "gantry", "gantry", &auth[i]) != GANTRY_OK) abort();
    if (auth_key_new((auth_algorithm_t)i, SECRET, &key[i]) != GANTRY_OK) abort();
  }
  if (len < 1) return 0;
  int which = bytes[0] & 1;
  if (bytes[0] & 2)
    verify_signed(auth[which], key[which], bytes + 1, len - 1);
  else
    verify_foreign(auth[which], bytes + 1, len - 1);
  return 0;
}
