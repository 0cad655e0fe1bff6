/* Foreign lines of a CARMEN log, as carmen_next hands them on. What is accepted must hold its own
   bounds.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_carmen
     build-fuzz/tests/fuzz/fuzz_carmen -max_total_time=20 -max_len=4096 */
#include <gantry/slam/carmen.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const carmen_record_t *record) {
  if (record->kind == CARMEN_FLASER && record->range_count > CARMEN_RANGES_MAX) abort();
  if (record->kind == CARMEN_FLASER || record->kind == CARMEN_ODOM) {
    const pose2_t *pose = &record->odometry;
    if (!(fmax(fabs(pose->x), fabs(pose->y)) <= CARMEN_REACH)) abort();
    if (!isfinite(record->time_s)) abort();
  }
  if (record->kind == CARMEN_BEAM && !isfinite(record->beam.first_rad)) abort();
}

/* The first byte picks how a line begins, so that the fuzzer need not find the keywords. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const char *const HEADS[] = {"", "FLASER ", "ODOM ", "# beam i angle_deg = "};
  static carmen_record_t record;
  gantry_fault_t fault;
  if (len < 1) return 0;
  const char *head = HEADS[bytes[0] % 4];
  size_t head_len = strlen(head);
  char *line = malloc(head_len + len);
  memcpy(line, head, head_len);
  memcpy(line + head_len, bytes + 1, len - 1);
  line[head_len + len - 1] = '\0';
  if (carmen_parse(line, &record, &fault) == GANTRY_OK) check(&record);
  free(line);
  return 0;
}
