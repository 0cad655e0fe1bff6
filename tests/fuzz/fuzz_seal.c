/* Sealed files that somebody had in hand: with a byte changed, cut or made longer they are refused,
   and what was opened before is a beginning of what was sealed.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_seal
     build-fuzz/tests/fuzz/fuzz_seal -max_total_time=20 -max_len=64 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal.h"

#define PLAIN_LEN 70000u /* two segments */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const seal_key_t KEY = {.bytes = {7}};
static uint8_t plain[PLAIN_LEN];

static int sealed_file(void) {
  int in = memfd_create("plain", 0), out = memfd_create("sealed", 0);
  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (uint8_t)(i * 7);
  if (write(in, plain, sizeof plain) != (ssize_t)sizeof plain || lseek(in, 0, SEEK_SET) != 0)
    abort();
  if (seal_write(&KEY, in, out, NULL, NULL) != GANTRY_OK) abort();
  close(in);
  return out;
}

/* Changes the file as the input says; false when it is as it was. */
static bool spoil(int file, const uint8_t *data, size_t size) {
  struct stat status;
  size_t place = 0;
  uint8_t byte = 0;
  if (size < 5 || fstat(file, &status) != 0) return false;
  memcpy(&place, data + 1, 4);
  place %= (size_t)status.st_size;
  if (data[0] == 0) return ftruncate(file, (off_t)place) == 0;
  if (data[0] == 1) return pwrite(file, data, size, status.st_size) == (ssize_t)size;
  if (pread(file, &byte, 1, (off_t)place) != 1) abort();
  byte ^= data[0];
  return pwrite(file, &byte, 1, (off_t)place) == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t opened[PLAIN_LEN + 1];
  gantry_fault_t fault = {0};
  int file = sealed_file(), out = memfd_create("opened", 0);
  bool spoilt = spoil(file, data, size);
  if (lseek(file, 0, SEEK_SET) != 0) abort();
  gantry_err_t err = seal_read(&KEY, file, out, NULL, &fault);
  ssize_t len = pread(out, opened, sizeof opened, 0);
  if (spoilt != (err != GANTRY_OK) || len > (ssize_t)PLAIN_LEN ||
      memcmp(opened, plain, (size_t)len) != 0)
    abort();
  if (err == GANTRY_OK && len != (ssize_t)PLAIN_LEN) abort();
  close(file);
  close(out);
  return 0;
}
