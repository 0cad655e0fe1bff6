/* A register profile of any text: refused with a sentence, or read into tables that keep their
   promises, can be planned, and are read again as they are shown. By the first byte the rest is the
   text, or a script that spoils a sound profile: each five bytes are a place and two characters for
   it. Run: fuzz_profile -max_total_time=20 -max_len=8192 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "motors.h"
#include "plan.h"
#include "profile_json.h"

#define LINE_BAUD 115200

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_rows(const register_profile_t *profile, const register_module_t *module) {
  for (size_t i = 0; i < module->row_count; i++) {
    const register_row_t *row = &module->rows[i];
    int64_t low, high;
    registers_limits(row->type, &low, &high);
    if (row->min < low || row->min > row->max || row->max > high) abort();
    if (row->scale == 0.0 || row->words != registers_width(row->type)) abort();
    if (row->poll_class >= (int)profile->class_count) abort();
    if (i > 0 && row->address < module->rows[i - 1].address + module->rows[i - 1].words) abort();
    if (registers_find(module, row->name) != row) abort();
  }
}

/* What is planned reads every polled register once, and nothing else than what is readable. */
static void check_plan(const register_profile_t *profile, uint32_t max_hold_us) {
  static plan_t plan;
  static jobs_t jobs;
  size_t bad;
  const line_cfg_t line = {
      .baud = LINE_BAUD, .gap_us = line_gap_us(LINE_BAUD), .turnaround_us = 1000};
  char why[PLAN_WHY];
  if (!plan_make(&plan, profile, &line, max_hold_us, why, sizeof why)) {
    if (!why[0]) abort();
    return;
  }
  jobs_init(&jobs, &line, max_hold_us);
  if (!plan_load(&jobs, &plan, &bad)) abort();
  for (size_t i = 0; i < plan.count; i++) {
    const plan_poll_t *poll = &plan.polls[i];
    const register_module_t *module = &profile->modules[poll->module];
    const register_row_t *first = registers_at(module, poll->first);
    if (!first || poll->least == 0 || poll->least > poll->count || poll->count > poll->most)
      abort();
    if (poll->most > LINE_READ_MAX) abort();
    if (line_hold_us(&line, LINE_READ_HOLDING, poll->most) > max_hold_us) abort();
    if (!registers_readable(module, poll->first, (uint32_t)poll->first + poll->most,
                            (first->flags & REGISTER_OPTIONAL) != 0))
      abort();
  }
}

static void check_motors(const register_profile_t *profile) {
  motors_t motors;
  motors_init(&motors, profile);
  for (size_t i = 0; i < motors.stop_count; i++) {
    job_t job = {0};
    motors_stop_job(&motors, i, &job);
    if (job.unit == 0 || job.count == 0 || job.count > JOB_WRITE_MAX) abort();
  }
}

/* The profile in its own language; to be freed. */
static char *shown(const register_profile_t *profile, size_t *len) {
  char *text = NULL;
  FILE *out = open_memstream(&text, len);
  profile_show(profile, out);
  (void)fclose(out);
  return text;
}

static void check_shown(const register_profile_t *profile) {
  char why[PROFILE_WHY];
  size_t once_len, twice_len;
  char *once = shown(profile, &once_len);
  profile_file_t *again =
      once_len <= PROFILE_LEN_MAX ? profile_parse(once, once_len, why, sizeof why) : NULL;
  if (once_len <= PROFILE_LEN_MAX && !again) abort();
  if (again) {
    char *twice = shown(profile_of(again), &twice_len);
    if (once_len != twice_len || memcmp(once, twice, once_len) != 0) abort();
    free(twice);
  }
  profile_destroy(&again);
  free(once);
}

static void read_text(const char *text, size_t len) {
  char why[PROFILE_WHY];
  profile_file_t *file = profile_parse(text, len, why, sizeof why);
  if (!file) {
    if (!why[0] || strlen(why) >= sizeof why) abort();
    return;
  }
  const register_profile_t *profile = profile_of(file);
  for (size_t i = 0; i < profile->module_count; i++)
    check_rows(profile, &profile->modules[i]);
  check_plan(profile, PLAN_MAX_HOLD_US);
  check_plan(profile, 1000000);
  check_motors(profile);
  check_shown(profile);
  (void)registers_can_drive(profile, why, sizeof why);
  profile_destroy(&file);
}

static void read_spoilt(const uint8_t *script, size_t len) {
  size_t size = 0;
  char *text = shown(script[0] & 1 ? &PROFILE_OHT50_ALT : &PROFILE_OHT50, &size);
  script++;
  len--;
  for (size_t i = 0; i + 5 <= len; i += 5) {
    size_t place = ((size_t)script[i] << 16 | (size_t)script[i + 1] << 8 | script[i + 2]) % size;
    text[place] = (char)script[i + 3];
    text[(place + 1) % size] = (char)script[i + 4];
  }
  read_text(text, size);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  if (bytes[0] & 1)
    read_spoilt(bytes + 1, len - 1);
  else
    read_text((const char *)bytes + 1, len - 1);
  return 0;
}
