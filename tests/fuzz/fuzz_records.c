/* Records of an append, as anybody may have written them: what is read lies within the bytes, one
   record behind the other.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_records
     build-fuzz/tests/fuzz/fuzz_records -max_total_time=20 -max_len=4096 */
#include <stdlib.h>
#include <string.h>

#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  records_t records = {data, data + size};
  record_t record;
  size_t seen = 0;
  gantry_err_t err;
  while ((err = records_next(&records, &record)) == GANTRY_OK) {
    size_t topic_len = strlen(record.topic);
    seen += 18 + topic_len + record.header_len + record.body_len;
    if (topic_len == 0 || record.body + record.body_len != data + seen) abort();
    for (size_t i = 0; i < record.header_len; i++)
      (void)*(volatile const uint8_t *)(record.header + i);
  }
  if (err == GANTRY_E_NOT_FOUND && seen != size) abort();
  return 0;
}
