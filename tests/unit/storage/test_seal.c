/* Sealed files: what was put in comes out, and nothing else ever does. */
#include "seal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 53, SEGMENT = 65536, TAG = 16 };

static const seal_key_t KEY = {.bytes = {1, 2, 3, 4, 5}};
static gantry_fault_t fault;

static int memory(const void *bytes, size_t len) {
  int fd = memfd_create("seal", MFD_CLOEXEC);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
  cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
  return fd;
}

static size_t contents(int fd, uint8_t **out) {
  struct stat status;
  cr_assert_eq(fstat(fd, &status), 0);
  *out = malloc((size_t)status.st_size + 1);
  cr_assert_eq(pread(fd, *out, (size_t)status.st_size, 0), status.st_size);
  return (size_t)status.st_size;
}

static uint8_t *pattern(size_t len) {
  uint8_t *bytes = malloc(len + 1);
  for (size_t i = 0; i < len; i++)
    bytes[i] = (uint8_t)(i * 31 + i / SEGMENT);
  return bytes;
}

/* The sealed form of a pattern of len bytes. */
static size_t seal(size_t len, uint8_t **out) {
  uint8_t *plain = pattern(len);
  int in = memory(plain, len), sealed = memory("", 0);
  cr_assert_eq(seal_write(&KEY, in, sealed, NULL, &fault), GANTRY_OK, "%s", fault.detail);
  size_t sealed_len = contents(sealed, out);
  close(in);
  close(sealed);
  free(plain);
  return sealed_len;
}

static gantry_err_t open_with(const seal_key_t *key, const uint8_t *sealed, size_t len,
                              uint8_t **plain, size_t *plain_len) {
  int in = memory(sealed, len), out = memory("", 0);
  fault = (gantry_fault_t){0};
  gantry_err_t err = seal_read(key, in, out, NULL, &fault);
  *plain_len = contents(out, plain);
  close(in);
  close(out);
  return err;
}

static void assert_refused(const uint8_t *sealed, size_t len, const char *words) {
  uint8_t *plain = NULL;
  size_t plain_len = 0;
  cr_assert_eq(open_with(&KEY, sealed, len, &plain, &plain_len), GANTRY_E_INVALID, "%s", words);
  cr_assert_not_null(strstr(fault.detail, words), "%s: %s", words, fault.detail);
  free(plain);
}

Test(seal, gives_back_what_was_put_in) {
  static const size_t LENGTHS[] = {0,           1,           SEGMENT - 1,    SEGMENT,
                                   SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 5};
  for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
    uint8_t *sealed = NULL, *plain = NULL, *expected = pattern(LENGTHS[i]);
    size_t plain_len = 0, len = seal(LENGTHS[i], &sealed);

    cr_assert_eq(open_with(&KEY, sealed, len, &plain, &plain_len), GANTRY_OK, "%s", fault.detail);
    cr_assert_eq(plain_len, LENGTHS[i]);
    cr_assert_arr_eq(plain, expected, plain_len + 0);
    free(sealed);
    free(plain);
    free(expected);
  }
}

Test(seal, hides_what_was_put_in) {
  uint8_t *sealed = NULL, *again = NULL, *plain = pattern(1000);
  size_t len = seal(1000, &sealed);
  seal(1000, &again);

  cr_assert_null(memmem(sealed, len, plain, 32));
  cr_assert_neq(memcmp(sealed + HEAD, again + HEAD, 1000), 0);
  free(sealed);
  free(again);
  free(plain);
}

/* The first segment opened by OpenSSL alone, by the description in seal.h. */
Test(seal, is_what_its_description_says) {
  uint8_t *sealed = NULL, *expected = pattern(1000), made[48], plain[1000], iv[12] = {0};
  size_t len = seal(1000, &sealed);
  EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
  size_t made_len = sizeof made;
  EVP_PKEY_derive_init(derive);
  EVP_PKEY_CTX_set_hkdf_md(derive, EVP_sha256());
  EVP_PKEY_CTX_set1_hkdf_salt(derive, sealed + 14, 16);
  EVP_PKEY_CTX_set1_hkdf_key(derive, KEY.bytes, 32);
  EVP_PKEY_CTX_add1_hkdf_info(derive, (const uint8_t *)"gantry seal", 11);
  cr_assert_eq(EVP_PKEY_derive(derive, made, &made_len), 1);
  cr_assert_arr_eq(made + 32, sealed + 37, 16);
  memcpy(iv, sealed + 30, 7);
  iv[11] = 1;
  EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
  int n = 0;
  EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, made, iv);
  EVP_DecryptUpdate(cipher, NULL, &n, sealed, HEAD);
  EVP_DecryptUpdate(cipher, plain, &n, sealed + HEAD, 1000);
  EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG, sealed + len - TAG);

  cr_assert_eq(EVP_DecryptFinal_ex(cipher, plain + n, &n), 1);
  cr_assert_arr_eq(plain, expected, 1000);
  EVP_CIPHER_CTX_free(cipher);
  EVP_PKEY_CTX_free(derive);
  free(sealed);
  free(expected);
}

Test(seal, names_a_wrong_key) {
  seal_key_t other = KEY;
  uint8_t *sealed = NULL, *plain = NULL;
  size_t plain_len = 0, len = seal(1000, &sealed);
  other.bytes[31] ^= 1;

  cr_assert_eq(open_with(&other, sealed, len, &plain, &plain_len), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "key_file");
  cr_assert_eq(plain_len, 0);
  free(sealed);
  free(plain);
}

Test(seal, sees_every_changed_byte) {
  uint8_t *sealed = NULL;
  size_t len = seal(100, &sealed);
  for (size_t i = 0; i < len; i++) {
    uint8_t *plain = NULL;
    size_t plain_len = 0;
    sealed[i] ^= 0x10;
    cr_assert_eq(open_with(&KEY, sealed, len, &plain, &plain_len), GANTRY_E_INVALID, "byte %zu", i);
    sealed[i] ^= 0x10;
    free(plain);
  }
  free(sealed);
}

Test(seal, names_what_was_cut) {
  uint8_t *sealed = NULL;
  size_t len = seal(3 * SEGMENT, &sealed);
  const size_t whole = SEGMENT + TAG;

  assert_refused(sealed, HEAD - 1, "cut in its header");
  assert_refused(sealed, HEAD, "cut in segment 0");
  assert_refused(sealed, HEAD + whole, "cut: its end is missing behind segment 0");
  assert_refused(sealed, HEAD + 3 * whole, "cut: its end is missing behind segment 2");
  assert_refused(sealed, HEAD + 2 * whole + 5, "cut in segment 2");
  assert_refused(sealed, HEAD + whole - 1, "segment 0 is damaged");
  cr_assert_eq(len, HEAD + 3 * whole + TAG);
  free(sealed);
}

Test(seal, names_segments_in_another_order) {
  uint8_t *sealed = NULL, *kept = malloc(SEGMENT + TAG);
  const size_t whole = SEGMENT + TAG;
  size_t len = seal(4 * SEGMENT, &sealed);
  memcpy(kept, sealed + HEAD + whole, whole);
  memcpy(sealed + HEAD + whole, sealed + HEAD + 2 * whole, whole);
  memcpy(sealed + HEAD + 2 * whole, kept, whole);

  assert_refused(sealed, len, "segment 1 is damaged or not in its place");
  memmove(sealed + HEAD, sealed + HEAD + 3 * whole, len - HEAD - 3 * whole);
  assert_refused(sealed, len - 3 * whole, "segment 0 is damaged or not in its place");
  free(sealed);
  free(kept);
}

Test(seal, wants_a_key_file_of_its_form_that_nobody_else_reads) {
  char path[] = "/tmp/gantry_key_XXXXXX";
  seal_key_t key;
  int fd = mkstemp(path);
  cr_assert_eq(write(fd, "abc\n", 4), 4);
  cr_assert_eq(seal_read_key(path, &key, &fault), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "64 hex digits"), "%s", fault.detail);
  cr_assert_eq(ftruncate(fd, 0), 0);
  cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
  for (int i = 0; i < 32; i++)
    cr_assert_eq(write(fd, "a7", 2), 2);
  cr_assert_eq(seal_read_key(path, &key, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(key.bytes[31], 0xa7);
  cr_assert_eq(fchmod(fd, 0644), 0);
  cr_assert_eq(seal_read_key(path, &key, &fault), GANTRY_E_INVALID);
  close(fd);
  unlink(path);
}
