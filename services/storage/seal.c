/* Seals and opens files, segment by segment. */
#include "seal.h"

#include <errno.h>
#include <gantry/config.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "gantry-seal 1\n"
enum { MAGIC_LEN = 14, SALT = 16, NONCE = 7, CHECK = 16, SEGMENT = 65536, TAG = 16, IV = 12 };

typedef struct seal_head {
  uint8_t magic[MAGIC_LEN];
  uint8_t salt[SALT];
  uint8_t nonce[NONCE];
  uint8_t check[CHECK];
} seal_head_t;

/* One file on its way. */
typedef struct seal {
  seal_head_t head;
  uint8_t key[32];
  EVP_CIPHER_CTX *cipher;
  uint32_t number; /* of the next segment */
  uint8_t plain[SEGMENT];
  uint8_t sealed[2][SEGMENT + TAG]; /* reading looks one ahead */
} seal_t;

static gantry_err_t io_failed(gantry_fault_t *fault, const char *what) {
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s failed: %s", what, strerror(errno));
}

gantry_err_t seal_read_key(const char *path, seal_key_t *out, gantry_fault_t *fault) {
  char text[128];
  GANTRY_TRY(config_secret(path, text, sizeof text, fault));
  bool good = strspn(text, "0123456789abcdefABCDEF") == 64 && text[64] == '\0';
  for (size_t i = 0; i < sizeof out->bytes && good; i++) {
    char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
    out->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  OPENSSL_cleanse(text, sizeof text);
  if (good) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "key_file",
                   "%s has to hold 64 hex digits: make one with `openssl rand -hex 32`", path);
}

/* Fills len bytes as far as there are any; returns how many, -1 when reading failed. */
static ssize_t read_all(int fd, uint8_t *bytes, size_t len) {
  size_t got = 0;
  while (got < len) {
    ssize_t n = read(fd, bytes + got, len - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += (size_t)n;
  }
  return (ssize_t)got;
}

static bool write_all(int fd, const void *bytes, size_t len) {
  const uint8_t *at = bytes;
  while (len > 0) {
    ssize_t n = write(fd, at, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    at += n;
    len -= (size_t)n;
  }
  return true;
}

/* The file's own key, and the bytes that say whose it is. */
static bool derive(const seal_key_t *key, const uint8_t salt[SALT], uint8_t out[32],
                   uint8_t check[CHECK]) {
  uint8_t made[32 + CHECK];
  char digest[] = "SHA256", purpose[] = "gantry seal";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key->bytes, sizeof key->bytes),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, SALT),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose, strlen(purpose)),
      OSSL_PARAM_construct_end()};
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
  bool done = context && EVP_KDF_derive(context, made, sizeof made, params) == 1;
  memcpy(out, made, 32);
  memcpy(check, made + 32, CHECK);
  OPENSSL_cleanse(made, sizeof made);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return done;
}

static void iv_of(const seal_t *seal, bool last, uint8_t iv[IV]) {
  memcpy(iv, seal->head.nonce, NONCE);
  for (int i = 0; i < 4; i++)
    iv[NONCE + i] = (uint8_t)(seal->number >> (24 - 8 * i));
  iv[IV - 1] = last;
}

static bool begin_segment(seal_t *seal, bool last, int encrypt) {
  uint8_t iv[IV];
  int len = 0;
  iv_of(seal, last, iv);
  return EVP_CipherInit_ex(seal->cipher, EVP_aes_256_gcm(), NULL, seal->key, iv, encrypt) == 1 &&
         EVP_CipherUpdate(seal->cipher, NULL, &len, (const uint8_t *)&seal->head,
                          (int)sizeof seal->head) == 1;
}

static bool seal_segment(seal_t *seal, size_t len, bool last) {
  uint8_t *out = seal->sealed[0];
  int written = 0, tail = 0;
  return begin_segment(seal, last, 1) &&
         EVP_CipherUpdate(seal->cipher, out, &written, seal->plain, (int)len) == 1 &&
         EVP_CipherFinal_ex(seal->cipher, out + written, &tail) == 1 &&
         EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_GCM_GET_TAG, TAG, out + len) == 1;
}

/* bytes: len of text and the tag behind. */
static bool open_segment(seal_t *seal, uint8_t *bytes, size_t len, bool last) {
  int written = 0, tail = 0;
  return begin_segment(seal, last, 0) &&
         EVP_CipherUpdate(seal->cipher, seal->plain, &written, bytes, (int)len) == 1 &&
         EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_GCM_SET_TAG, TAG, bytes + len) == 1 &&
         EVP_CipherFinal_ex(seal->cipher, seal->plain + written, &tail) == 1;
}

static uint64_t size_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static gantry_err_t step(const seal_t *seal, const char *what, const progress_t *progress,
                         uint64_t total, gantry_fault_t *fault) {
  if (!progress || progress->tell(progress->arg, what, (uint64_t)seal->number * SEGMENT, total))
    return GANTRY_OK;
  return fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
}

static gantry_err_t write_segments(seal_t *seal, int in, int out, const progress_t *progress,
                                   gantry_fault_t *fault) {
  uint64_t total = size_of(in);
  for (bool last = false; !last; seal->number++) {
    ssize_t len = read_all(in, seal->plain, SEGMENT);
    if (len < 0) return io_failed(fault, "reading");
    last = len < SEGMENT;
    if (!seal_segment(seal, (size_t)len, last))
      return fault_set(fault, GANTRY_E_INTERNAL, "", "sealing failed");
    if (!write_all(out, seal->sealed[0], (size_t)len + TAG)) return io_failed(fault, "writing");
    GANTRY_TRY(step(seal, "sealing", progress, total, fault));
  }
  return GANTRY_OK;
}

static gantry_err_t begin_write(seal_t *seal, const seal_key_t *key, int out,
                                gantry_fault_t *fault) {
  memcpy(seal->head.magic, MAGIC, MAGIC_LEN);
  if (RAND_bytes(seal->head.salt, SALT) != 1 || RAND_bytes(seal->head.nonce, NONCE) != 1 ||
      !derive(key, seal->head.salt, seal->key, seal->head.check))
    return fault_set(fault, GANTRY_E_INTERNAL, "", "no key could be made");
  if (!write_all(out, &seal->head, sizeof seal->head)) return io_failed(fault, "writing");
  return GANTRY_OK;
}

static gantry_err_t begin_read(seal_t *seal, const seal_key_t *key, int in, gantry_fault_t *fault) {
  uint8_t check[CHECK];
  if (read_all(in, (uint8_t *)&seal->head, sizeof seal->head) != sizeof seal->head ||
      memcmp(seal->head.magic, MAGIC, MAGIC_LEN) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "file", "is no sealed file, or is cut in its header");
  if (!derive(key, seal->head.salt, seal->key, check))
    return fault_set(fault, GANTRY_E_INTERNAL, "", "no key could be made");
  if (CRYPTO_memcmp(check, seal->head.check, CHECK) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "key_file",
                     "is not the key this file was sealed with");
  return GANTRY_OK;
}

static gantry_err_t damaged(seal_t *seal, uint8_t *bytes, size_t len, bool last,
                            gantry_fault_t *fault) {
  if (last && open_segment(seal, bytes, len, false))
    return fault_set(fault, GANTRY_E_INVALID, "file",
                     "is cut: its end is missing behind segment %u", seal->number);
  return fault_set(fault, GANTRY_E_INVALID, "file",
                   "segment %u is damaged or not in its place: copy the file again", seal->number);
}

static gantry_err_t read_segments(seal_t *seal, int in, int out, const progress_t *progress,
                                  gantry_fault_t *fault) {
  uint64_t total = size_of(in);
  uint8_t *now = seal->sealed[0], *next = seal->sealed[1];
  ssize_t len = read_all(in, now, SEGMENT + TAG);
  while (true) {
    ssize_t next_len = len == SEGMENT + TAG ? read_all(in, next, SEGMENT + TAG) : 0;
    if (len < 0 || next_len < 0) return io_failed(fault, "reading");
    if (len < TAG)
      return fault_set(fault, GANTRY_E_INVALID, "file", "is cut in segment %u", seal->number);
    bool last = next_len == 0;
    size_t text = (size_t)len - TAG;
    if (!open_segment(seal, now, text, last)) return damaged(seal, now, text, last, fault);
    if (!write_all(out, seal->plain, text)) return io_failed(fault, "writing");
    seal->number++;
    GANTRY_TRY(step(seal, "opening", progress, total, fault));
    if (last) return GANTRY_OK;
    uint8_t *swap = now;
    now = next;
    next = swap;
    len = next_len;
  }
}

static seal_t *seal_new(gantry_fault_t *fault) {
  seal_t *seal = calloc(1, sizeof *seal);
  if (seal) seal->cipher = EVP_CIPHER_CTX_new();
  if (seal && seal->cipher) return seal;
  free(seal);
  fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  return NULL;
}

static void seal_destroy(seal_t *seal) {
  EVP_CIPHER_CTX_free(seal->cipher);
  OPENSSL_cleanse(seal, sizeof *seal);
  free(seal);
}

gantry_err_t seal_write(const seal_key_t *key, int in, int out, const progress_t *progress,
                        gantry_fault_t *fault) {
  seal_t *seal = seal_new(fault);
  if (!seal) return GANTRY_E_INTERNAL;
  gantry_err_t err = begin_write(seal, key, out, fault);
  if (err == GANTRY_OK) err = write_segments(seal, in, out, progress, fault);
  seal_destroy(seal);
  return err;
}

gantry_err_t seal_read(const seal_key_t *key, int in, int out, const progress_t *progress,
                       gantry_fault_t *fault) {
  seal_t *seal = seal_new(fault);
  if (!seal) return GANTRY_E_INTERNAL;
  gantry_err_t err = begin_read(seal, key, in, fault);
  if (err == GANTRY_OK) err = read_segments(seal, in, out, progress, fault);
  seal_destroy(seal);
  return err;
}
