/* Digests and pauses of sessions, as a damaged database may hold them. What is read is written
   again and read the same, and answers with numbers in their order.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_figures
     build-fuzz/tests/fuzz/fuzz_figures -max_total_time=20 -max_len=4096 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pauses.h"
#include "tdigest.h"

#define NUMBER_MAX 1e300 /* of the bus */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_digest(const uint8_t *data, size_t size) {
  static tdigest_t digest, again;
  buf_t bytes = {0};
  if (!tdigest_read(&digest, data, size)) return;
  tdigest_write(&digest, &bytes);
  if (bytes.len != size || memcmp(bytes.data, data, size) != 0) abort();
  if (!tdigest_read(&again, bytes.data, bytes.len)) abort();
  buf_fini(&bytes);
  if (!(digest.min >= -NUMBER_MAX && digest.max <= NUMBER_MAX)) return;
  for (double part = 0, last = -INFINITY; part <= 1; part += 0.125) {
    double value = tdigest_quantile(&digest, part);
    if (isnan(value) || value < last - fabs(last) * 1e-9) abort();
    last = value;
  }
  tdigest_add(&digest, 1.0);
  tdigest_settle(&digest);
  if (digest.count > TDIGEST_CENTROIDS) abort();
}

static void read_pauses(const uint8_t *data, size_t size) {
  static pauses_t pauses, again;
  buf_t bytes = {0};
  if (!pauses_read(&pauses, data, size)) return;
  pauses_write(&pauses, &bytes);
  if (!pauses_read(&again, bytes.data, bytes.len)) abort();
  if (memcmp(&pauses, &again, sizeof pauses) != 0) abort();
  buf_fini(&bytes);
  (void)pauses_beyond(&pauses, 1e6);
  pauses_add(&pauses, 5, 7);
  pauses_part(&pauses, 6);
  if (pauses_longest_us(&pauses) < 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] & 1)
    read_digest(data + 1, size - 1);
  else
    read_pauses(data + 1, size - 1);
  return 0;
}
