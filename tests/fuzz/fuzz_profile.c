/* A register profile of a user's own. The first byte picks: the rest is the profile, or a script
   that spoils a built-in one, position and value in three bytes each. What is accepted can be
   planned or refused, and written down comes back the same.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_profile
     build-fuzz/tests/fuzz/fuzz_profile -max_total_time=20 -max_len=4096 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_time.h"
#include "plan.h"
#include "profile_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The profile in its own language; to be freed. */
static char *shown(const register_profile_t *profile, size_t *len) {
  char *text = NULL;
  FILE *out = open_memstream(&text, len);
  profile_show(profile, out);
  (void)fclose(out);
  return text;
}

static void plan_all(const register_profile_t *profile) {
  static plan_t plan;
  static jobs_t jobs;
  line_cfg_t line = {.baud = 115200, .gap_us = line_gap_us(115200), .turnaround_us = 1000};
  char why[PLAN_WHY] = "";
  size_t bad = 0;
  if (!plan_make(&plan, profile, &line, PLAN_MAX_HOLD_US, why, sizeof why)) {
    if (!why[0]) abort();
    return;
  }
  jobs_init(&jobs, &line, PLAN_MAX_HOLD_US);
  if (!plan_load(&jobs, &plan, &bad)) abort();
  for (size_t i = 0; i < plan.count; i++) {
    const plan_poll_t *poll = &plan.polls[i];
    if (poll->count == 0 || poll->count > LINE_READ_MAX || poll->module >= profile->module_count)
      abort();
    if ((uint32_t)poll->first + poll->count > 0x10000) abort();
    if (poll->least > poll->count || (poll->most && poll->most < poll->count)) abort();
  }
}

static void read_profile(const char *text, size_t len, bool plan) {
  char why[PROFILE_WHY] = "";
  profile_file_t *file = profile_parse(text, len, why, sizeof why);
  if (!file) {
    if (!why[0] || strlen(why) >= sizeof why) abort();
    return;
  }
  size_t once_len = 0, twice_len = 0;
  char *once = shown(profile_of(file), &once_len);
  profile_file_t *again = profile_parse(once, once_len, why, sizeof why);
  if (!again) abort();
  char *twice = shown(profile_of(again), &twice_len);
  if (once_len != twice_len || memcmp(once, twice, once_len) != 0) abort();
  if (plan) plan_all(profile_of(file)); /* takes its time */
  free(once);
  free(twice);
  profile_destroy(&again);
  profile_destroy(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  if (data[0] & 1) {
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    read_profile(text, size - 1, data[0] & 4);
    free(text);
    return 0;
  }
  size_t len = 0;
  char *text = shown(data[0] & 2 ? &PROFILE_OHT50_ALT : &PROFILE_OHT50, &len);
  for (size_t i = 1; i + 2 < size; i += 3)
    text[((size_t)data[i] << 8 | data[i + 1]) % len] = (char)data[i + 2];
  read_profile(text, len, data[0] & 4);
  free(text);
  return 0;
}
