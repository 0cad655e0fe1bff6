/* Tokens hold, and nothing that was tampered with does. */
#include "auth.h"
#include "base64url.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW_S = 1000000 };

static auth_t *auth;
static char token[AUTH_TOKEN_MAX + 1];
static const uint8_t SECRET[AUTH_SECRET_BYTES] = "0123456789abcdef0123456789abcde";
static const auth_subject_t SUBJECT = {.name = "ada", .user_id = 7, .role = STORE_ROLE_OPERATOR};

static void set_up(void) {
  cr_assert_eq(auth_new(AUTH_HS256, SECRET, "gantry", "gantry", &auth), GANTRY_OK);
  cr_assert_eq(auth_sign(auth, &SUBJECT, HTTP_TOKEN_TYPE_ACCESS, NOW_S, 60, token, sizeof token),
               GANTRY_OK);
}

static void tear_down(void) {
  auth_destroy(&auth);
}

TestSuite(auth, .init = set_up, .fini = tear_down);

static gantry_err_t verify_at(const char *text, uint64_t now_s) {
  http_claims_t claims;
  gantry_fault_t fault;

  return auth_verify(auth, text, HTTP_TOKEN_TYPE_ACCESS, now_s, &claims, &fault);
}

/* Signs any header and payload with our own secret, as an attacker with the key could. */
static void forge(const char *header, const char *payload, char *out, size_t size) {
  char text[1200], part[900];
  uint8_t signature[32];
  unsigned len = sizeof signature;

  cr_assert_eq(base64url_encode((const uint8_t *)header, strlen(header), part, sizeof part, NULL),
               GANTRY_OK);
  snprintf(text, sizeof text, "%s.", part);
  cr_assert_eq(base64url_encode((const uint8_t *)payload, strlen(payload), part, sizeof part, NULL),
               GANTRY_OK);
  snprintf(text + strlen(text), sizeof text - strlen(text), "%s", part);
  cr_assert_not_null(HMAC(EVP_sha256(), SECRET, sizeof SECRET, (const uint8_t *)text, strlen(text),
                          signature, &len));
  cr_assert_eq(base64url_encode(signature, len, part, sizeof part, NULL), GANTRY_OK);
  snprintf(out, size, "%s.%s", text, part);
}

Test(auth, reads_back_what_it_signed) {
  http_claims_t claims;

  cr_assert_eq(auth_verify(auth, token, HTTP_TOKEN_TYPE_ACCESS, NOW_S, &claims, NULL), GANTRY_OK);

  cr_expect_str_eq(claims.sub, "ada");
  cr_expect_eq(claims.uid, 7);
  cr_expect_eq(claims.role, STORE_ROLE_OPERATOR);
  cr_expect_eq(claims.exp, NOW_S + 60);
}

Test(auth, is_verified_by_an_independent_hmac) {
  char forged[1200];

  forge("{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
        "{\"iss\":\"gantry\",\"aud\":\"gantry\",\"sub\":\"eve\",\"uid\":1,\"role\":\"admin\","
        "\"type\":\"access\","
        "\"iat\":1000000,\"nbf\":1000000,\"exp\":1000060,\"jti\":\"00000000000000ff\"}",
        forged, sizeof forged);

  cr_expect_eq(verify_at(forged, NOW_S), GANTRY_OK);
}

Test(auth, gives_every_token_a_number_of_its_own) {
  char other[AUTH_TOKEN_MAX + 1];

  cr_assert_eq(auth_sign(auth, &SUBJECT, HTTP_TOKEN_TYPE_ACCESS, NOW_S, 60, other, sizeof other),
               GANTRY_OK);
  cr_expect_str_neq(token, other);
}

Test(auth, expires_to_the_second) {
  cr_expect_eq(verify_at(token, NOW_S + 59), GANTRY_OK);
  cr_expect_eq(verify_at(token, NOW_S + 60), GANTRY_E_UNAUTHENTICATED);
}

Test(auth, is_not_valid_before_its_time) {
  cr_expect_eq(verify_at(token, NOW_S - AUTH_LEEWAY_S), GANTRY_OK);
  cr_expect_eq(verify_at(token, NOW_S - AUTH_LEEWAY_S - 1), GANTRY_E_UNAUTHENTICATED);
}

Test(auth, refuses_a_change_of_any_character) {
  size_t len = strlen(token);

  for (size_t i = 0; i < len; i++) {
    char changed[AUTH_TOKEN_MAX + 1];
    memcpy(changed, token, len + 1);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    cr_expect_eq(verify_at(changed, NOW_S), GANTRY_E_UNAUTHENTICATED, "character %zu", i);
  }
}

Test(auth, refuses_every_truncation) {
  for (size_t len = strlen(token); len-- > 0;) {
    char cut[AUTH_TOKEN_MAX + 1];
    memcpy(cut, token, len);
    cut[len] = '\0';
    cr_expect_eq(verify_at(cut, NOW_S), GANTRY_E_UNAUTHENTICATED, "%zu characters", len);
  }
}

Test(auth, refuses_another_algorithm_even_when_rightly_signed) {
  static const char *const HEADERS[] = {"{\"alg\":\"none\"}", "{\"alg\":\"none\",\"typ\":\"JWT\"}",
                                        "{\"alg\":\"HS512\",\"typ\":\"JWT\"}",
                                        "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", "{}"};
  const char *payload =
      "{\"iss\":\"gantry\",\"aud\":\"gantry\",\"sub\":\"eve\",\"uid\":1,\"role\":\"admin\","
      "\"type\":\"access\",\"iat\":1000000,\"nbf\":1000000,\"exp\":1000060,"
      "\"jti\":\"00000000000000ff\"}";

  for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++) {
    char forged[1200];
    forge(HEADERS[i], payload, forged, sizeof forged);
    cr_expect_eq(verify_at(forged, NOW_S), GANTRY_E_UNAUTHENTICATED, "%s", HEADERS[i]);
    *(strrchr(forged, '.') + 1) = '\0';
    cr_expect_eq(verify_at(forged, NOW_S), GANTRY_E_UNAUTHENTICATED, "unsigned %s", HEADERS[i]);
  }
}

Test(auth, refuses_the_key_of_another) {
  uint8_t secret[AUTH_SECRET_BYTES] = "another";
  auth_t *other;
  char foreign[AUTH_TOKEN_MAX + 1];

  cr_assert_eq(auth_new(AUTH_HS256, secret, "gantry", "gantry", &other), GANTRY_OK);
  cr_assert_eq(
      auth_sign(other, &SUBJECT, HTTP_TOKEN_TYPE_ACCESS, NOW_S, 60, foreign, sizeof foreign),
      GANTRY_OK);
  auth_destroy(&other);

  cr_expect_eq(verify_at(foreign, NOW_S), GANTRY_E_UNAUTHENTICATED);
}

Test(auth, refuses_another_issuer_or_audience) {
  static const char *const NAMES[][2] = {{"other", "gantry"}, {"gantry", "other"}};

  for (int i = 0; i < 2; i++) {
    auth_t *other;
    char foreign[AUTH_TOKEN_MAX + 1];
    cr_assert_eq(auth_new(AUTH_HS256, SECRET, NAMES[i][0], NAMES[i][1], &other), GANTRY_OK);
    cr_assert_eq(
        auth_sign(other, &SUBJECT, HTTP_TOKEN_TYPE_ACCESS, NOW_S, 60, foreign, sizeof foreign),
        GANTRY_OK);
    auth_destroy(&other);
    cr_expect_eq(verify_at(foreign, NOW_S), GANTRY_E_UNAUTHENTICATED);
  }
}

Test(auth, does_not_take_a_refresh_token_for_access) {
  char refresh[AUTH_TOKEN_MAX + 1];
  http_claims_t claims;

  cr_assert_eq(
      auth_sign(auth, &SUBJECT, HTTP_TOKEN_TYPE_REFRESH, NOW_S, 60, refresh, sizeof refresh),
      GANTRY_OK);

  cr_expect_eq(verify_at(refresh, NOW_S), GANTRY_E_UNAUTHENTICATED);
  cr_expect_eq(auth_verify(auth, refresh, HTTP_TOKEN_TYPE_REFRESH, NOW_S, &claims, NULL),
               GANTRY_OK);
}

Test(auth, refuses_claims_that_do_not_fit) {
  static const char *const PAYLOADS[] = {
      "{}", "not json", "[]", "{\"sub\":5}",
      "{\"iss\":\"gantry\",\"aud\":\"gantry\",\"sub\":\"\",\"uid\":1,"
      "\"role\":\"god\",\"type\":\"access\",\"iat\":1,\"nbf\":1,\"exp\":9,"
      "\"jti\":\"00000000000000ff\"}"};

  for (size_t i = 0; i < sizeof PAYLOADS / sizeof PAYLOADS[0]; i++) {
    char forged[1200];
    forge("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", PAYLOADS[i], forged, sizeof forged);
    cr_expect_eq(verify_at(forged, NOW_S), GANTRY_E_UNAUTHENTICATED, "%s", PAYLOADS[i]);
  }
}

Test(auth, refuses_an_endless_token) {
  static char endless[5000];

  memset(endless, 'A', sizeof endless - 1);
  cr_expect_eq(verify_at(endless, NOW_S), GANTRY_E_UNAUTHENTICATED);
}

/* ---- Ed25519 */

static const char *sign_by(auth_algorithm_t algorithm, const uint8_t *secret, char *out) {
  auth_t *other;

  cr_assert_eq(auth_new(algorithm, secret, "gantry", "gantry", &other), GANTRY_OK);
  cr_assert_eq(
      auth_sign(other, &SUBJECT, HTTP_TOKEN_TYPE_ACCESS, NOW_S, 60, out, AUTH_TOKEN_MAX + 1),
      GANTRY_OK);
  auth_destroy(&other);
  return out;
}

Test(auth, signs_by_ed25519_what_any_holder_of_the_public_key_verifies) {
  char signed_token[AUTH_TOKEN_MAX + 1];
  uint8_t signature[64];
  size_t count;
  EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, SECRET, AUTH_SECRET_BYTES);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  sign_by(AUTH_EDDSA, SECRET, signed_token);
  const char *dot = strrchr(signed_token, '.');

  cr_assert_eq(base64url_decode(dot + 1, strlen(dot + 1), signature, sizeof signature, &count),
               GANTRY_OK);
  cr_assert_eq(count, 64);
  cr_assert_eq(EVP_DigestVerifyInit(context, NULL, NULL, NULL, pair), 1);
  cr_expect_eq(EVP_DigestVerify(context, signature, count, (const uint8_t *)signed_token,
                                (size_t)(dot - signed_token)),
               1);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(pair);
}

Test(auth, takes_no_token_of_the_other_algorithm_by_the_same_secret) {
  char other[AUTH_TOKEN_MAX + 1];

  cr_expect_eq(verify_at(sign_by(AUTH_EDDSA, SECRET, other), NOW_S), GANTRY_E_UNAUTHENTICATED);
  cr_expect_eq(verify_at(sign_by(AUTH_HS256, SECRET, other), NOW_S), GANTRY_OK);
}

Test(auth, takes_no_hmac_made_with_its_public_key) {
  auth_t *eddsa;
  uint8_t public[AUTH_SECRET_BYTES];
  size_t count = sizeof public;
  char confused[AUTH_TOKEN_MAX + 1];
  http_claims_t claims;
  EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, SECRET, AUTH_SECRET_BYTES);
  cr_assert_eq(EVP_PKEY_get_raw_public_key(pair, public, &count), 1);
  EVP_PKEY_free(pair);
  cr_assert_eq(auth_new(AUTH_EDDSA, SECRET, "gantry", "gantry", &eddsa), GANTRY_OK);

  sign_by(AUTH_HS256, public, confused);

  cr_expect_eq(auth_verify(eddsa, confused, HTTP_TOKEN_TYPE_ACCESS, NOW_S, &claims, NULL),
               GANTRY_E_UNAUTHENTICATED);
  auth_destroy(&eddsa);
}

Test(auth, shows_its_public_key_and_never_a_secret) {
  buf_t keys = {0};
  auth_t *eddsa;
  cr_assert_eq(auth_new(AUTH_EDDSA, SECRET, "gantry", "gantry", &eddsa), GANTRY_OK);

  auth_write_keys(auth, &keys);
  cr_expect_str_eq(buf_text(&keys), "{\"keys\":[]}");
  buf_reset(&keys);
  auth_write_keys(eddsa, &keys);
  cr_expect_not_null(strstr(buf_text(&keys), "\"crv\":\"Ed25519\""));
  cr_expect_null(strstr(buf_text(&keys), "\"d\""));
  buf_fini(&keys);
  auth_destroy(&eddsa);
}

Test(auth, refuses_a_claim_that_stands_twice) {
  char forged[1200];

  forge("{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
        "{\"iss\":\"gantry\",\"aud\":\"gantry\",\"sub\":\"eve\",\"uid\":1,\"role\":\"viewer\","
        "\"role\":\"admin\",\"type\":\"access\",\"iat\":1000000,\"nbf\":1000000,\"exp\":1000060,"
        "\"jti\":\"00000000000000ff\"}",
        forged, sizeof forged);

  cr_expect_eq(verify_at(forged, NOW_S), GANTRY_E_UNAUTHENTICATED);
}

Test(auth, signs_tokens_of_machines_with_their_end) {
  char machine[128], forged[128];

  for (auth_algorithm_t algorithm = AUTH_HS256; algorithm <= AUTH_EDDSA; algorithm++) {
    auth_destroy(&auth);
    cr_assert_eq(auth_new(algorithm, SECRET, "gantry", "gantry", &auth), GANTRY_OK);
    cr_assert_eq(auth_machine_token(auth, "gantry_", NOW_S + 1, machine, sizeof machine),
                 GANTRY_OK);
    cr_expect(auth_machine_holds(auth, machine, NOW_S));
    cr_expect_not(auth_machine_holds(auth, machine, NOW_S + 1));
    for (size_t i = 0; machine[i]; i++) {
      snprintf(forged, sizeof forged, "%s", machine);
      forged[i] = forged[i] == '1' ? '2' : '1';
      cr_expect_not(auth_machine_holds(auth, forged, NOW_S), "at %zu", i);
      forged[i] = '\0';
      cr_expect_not(auth_machine_holds(auth, forged, NOW_S), "%s", forged);
    }
    cr_assert_eq(auth_machine_token(auth, "gantry_", 0, machine, sizeof machine), GANTRY_OK);
    cr_expect(auth_machine_holds(auth, machine, UINT64_MAX), "without end");
    cr_expect_eq(verify_at(machine, NOW_S), GANTRY_E_UNAUTHENTICATED, "it is no user's");
    cr_expect_eq(auth_machine_token(auth, "gantry_", 0, machine, 40), GANTRY_E_TOO_LARGE);
  }
  cr_expect_not(auth_machine_holds(auth, token, NOW_S), "nor is a user's a machine's");
}

Test(auth, hashes_as_everybody_does) {
  char hash[AUTH_HASH_SIZE];

  cr_assert_eq(auth_hash("abc", hash), GANTRY_OK);
  cr_expect_str_eq(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* ---- the secret's file */

static void name_secret(char *path, size_t size) {
  char folder[64] = "/tmp/gantry-auth-XXXXXX";

  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, size, "%s/secret", folder);
}

static void remove_secret(char *path) {
  unlink(path);
  *strrchr(path, '/') = '\0';
  rmdir(path);
}

Test(auth, draws_a_secret_once_and_keeps_it) {
  char path[128];
  uint8_t first[AUTH_SECRET_BYTES], second[AUTH_SECRET_BYTES];
  struct stat status;
  gantry_fault_t fault;

  name_secret(path, sizeof path);
  cr_expect_eq(auth_secret(path, first, &fault), GANTRY_OK);
  cr_expect_eq(auth_secret(path, second, &fault), GANTRY_OK);
  cr_expect_eq(stat(path, &status), 0);
  cr_expect_eq(status.st_mode & 0777, 0600u);
  cr_expect_arr_eq(first, second, sizeof first);
  remove_secret(path);
}

Test(auth, refuses_a_secret_that_others_may_read) {
  char path[128];
  uint8_t secret[AUTH_SECRET_BYTES];
  gantry_fault_t fault;

  name_secret(path, sizeof path);
  cr_expect_eq(auth_secret(path, secret, &fault), GANTRY_OK);
  chmod(path, 0644);
  cr_expect_eq(auth_secret(path, secret, &fault), GANTRY_E_INVALID);
  remove_secret(path);
}

Test(auth, refuses_a_secret_of_another_length) {
  char path[128];
  uint8_t secret[AUTH_SECRET_BYTES];
  gantry_fault_t fault;

  name_secret(path, sizeof path);
  cr_expect_eq(auth_secret(path, secret, &fault), GANTRY_OK);
  cr_expect_eq(truncate(path, 5), 0);
  cr_expect_eq(auth_secret(path, secret, &fault), GANTRY_E_INVALID);
  remove_secret(path);
}

Test(auth, names_the_file_it_cannot_write) {
  uint8_t secret[AUTH_SECRET_BYTES];
  gantry_fault_t fault;

  cr_expect_eq(auth_secret("/nonexistent/secret", secret, &fault), GANTRY_E_INVALID);
  cr_expect_not_null(strstr(fault.detail, "/nonexistent/secret"));
}

Test(auth, makes_first_passwords_of_all_classes) {
  char one[32], two[32];

  cr_assert_eq(auth_password(one, sizeof one), GANTRY_OK);
  cr_assert_eq(auth_password(two, sizeof two), GANTRY_OK);
  cr_expect_geq(strlen(one), 16);
  cr_expect_not_null(strpbrk(one, "ABCDEFGHJKLMNPQRSTUVWXYZ"));
  cr_expect_not_null(strpbrk(one, "abcdefghijkmnpqrstuvwxyz"));
  cr_expect_not_null(strpbrk(one, "23456789"));
  cr_expect_str_neq(one, two);
  cr_expect_eq(auth_password(one, 10), GANTRY_E_TOO_LARGE);
}
