/* A user's own profile: what is read, what is refused, and that show and load are each other's
   inverse. That the words are the generator's is test_profile_words.py's. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profile_json.h"

static char why[PROFILE_WHY];

static profile_file_t *parse(const char *text) {
  return profile_parse(text, strlen(text), why, sizeof why);
}

static bool same_text(const char *one, const char *other) {
  return one && other ? strcmp(one, other) == 0 : one == other;
}

static void check_row(const register_row_t *one, const register_row_t *other) {
  cr_expect_str_eq(one->name, other->name);
  cr_expect_str_eq(one->unit, other->unit, "%s", one->name);
  cr_expect_str_eq(one->doc, other->doc, "%s", one->name);
  cr_expect(same_text(one->sensor, other->sensor), "%s", one->name);
  cr_expect(one->scale == other->scale, "%s", one->name);
  cr_expect_eq(one->min, other->min, "%s", one->name);
  cr_expect_eq(one->max, other->max, "%s", one->name);
  cr_expect_eq(one->initial, other->initial, "%s", one->name);
  cr_expect_eq(one->address, other->address, "%s", one->name);
  cr_expect_eq(one->words, other->words, "%s", one->name);
  cr_expect_eq(one->type, other->type, "%s", one->name);
  cr_expect_eq(one->access, other->access, "%s", one->name);
  cr_expect_eq(one->flags, other->flags, "%s", one->name);
  cr_expect_eq(one->poll_class, other->poll_class, "%s", one->name);
}

static void check_module(const register_module_t *one, const register_module_t *other) {
  cr_expect_str_eq(one->name, other->name);
  cr_expect_str_eq(one->doc, other->doc);
  cr_expect_eq(one->address, other->address, "%s", one->name);
  cr_expect_eq(one->type, other->type, "%s", one->name);
  cr_expect_eq(one->mandatory, other->mandatory, "%s", one->name);
  cr_assert_eq(one->row_count, other->row_count, "%s", one->name);
  for (size_t i = 0; i < one->row_count; i++)
    check_row(&one->rows[i], &other->rows[i]);
}

static void check_motor(const register_motor_t *one, const register_motor_t *other) {
  cr_expect_eq(one->module, other->module);
  cr_expect_str_eq(one->enable->name, other->enable->name);
  cr_expect_str_eq(one->setpoint->name, other->setpoint->name);
  cr_expect_str_eq(one->direction->name, other->direction->name);
  cr_expect_str_eq(one->speed->name, other->speed->name);
  cr_expect_str_eq(one->error->name, other->error->name);
  cr_expect_eq(one->full_scale, other->full_scale);
  cr_expect_eq(one->forward, other->forward);
  cr_expect_eq(one->reverse, other->reverse);
}

static void check_same(const register_profile_t *one, const register_profile_t *other) {
  cr_assert_str_eq(one->name, other->name);
  cr_assert_str_eq(one->doc, other->doc);
  cr_assert_eq(one->class_count, other->class_count);
  for (size_t i = 0; i < one->class_count; i++) {
    cr_expect_str_eq(one->classes[i].name, other->classes[i].name);
    cr_expect(one->classes[i].rate_hz == other->classes[i].rate_hz);
    cr_expect_eq(one->classes[i].rank, other->classes[i].rank);
    cr_expect_eq(one->classes[i].least, other->classes[i].least);
  }
  cr_assert_eq(one->module_count, other->module_count);
  for (size_t i = 0; i < one->module_count; i++)
    check_module(&one->modules[i], &other->modules[i]);
  cr_assert_eq(one->motor_count, other->motor_count);
  for (size_t i = 0; i < one->motor_count; i++)
    check_motor(&one->motors[i], &other->motors[i]);
}

static void show_and_load(const register_profile_t *profile) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  profile_show(profile, out);
  (void)fclose(out);

  profile_file_t *file = profile_parse(text, len, why, sizeof why);

  cr_assert_not_null(file, "%s", why);
  check_same(profile, profile_of(file));
  profile_destroy(&file);
  free(text);
}

Test(profile, a_built_in_profile_is_the_same_after_show_and_load) {
  show_and_load(&PROFILE_OHT50);
  show_and_load(&PROFILE_OHT50_ALT);
}

Test(profile, what_is_not_written_has_its_default) {
  profile_file_t *file =
      parse("{\"profile\":\"p\",\"doc\":\"d\",\"module\":{\"m\":{\"doc\":\"d\",\"address\":9,"
            "\"register\":{\"a\":{\"address\":\"0x7000\",\"doc\":\"d\"}}}}}");
  cr_assert_not_null(file, "%s", why);
  const register_row_t *row = registers_find(registers_module(profile_of(file), "m"), "a");
  cr_assert_eq(row->address, 0x7000);
  cr_assert_eq(row->flags, REGISTER_READ);
  cr_assert_eq(row->max, 65535);
  cr_assert_eq(row->poll_class, REGISTER_UNPOLLED);
  cr_assert_null(row->sensor);
  profile_destroy(&file);
  cr_assert_null(file);
}

Test(profile, a_key_that_stands_twice_is_refused_with_its_line) {
  cr_assert_null(parse("{\"profile\":\"p\",\n\"doc\":\"d\",\n\"doc\":\"e\"}"));
  cr_assert_not_null(strstr(why, "line 3"), "%s", why);
  cr_assert_not_null(strstr(why, "duplicate"), "%s", why);
}

Test(profile, what_is_not_json_is_refused_with_its_line) {
  cr_assert_null(parse("{\"profile\":\n  oops}"));
  cr_assert_not_null(strstr(why, "line 2"), "%s", why);
  cr_assert_null(parse(""));
  cr_assert_null(parse("[]"));
}

Test(profile, depth_and_length_have_their_limits) {
  static char large[PROFILE_LEN_MAX + 2];
  memset(large, ' ', sizeof large);
  cr_assert_null(profile_parse(large, sizeof large, why, sizeof why));
  cr_assert_not_null(strstr(why, "more than 262144 bytes"), "%s", why);
  cr_assert_null(parse("{\"a\":[[[[[[[[[[]]]]]]]]]]}"));
  cr_assert_not_null(strstr(why, "nested deeper"), "%s", why);
}

Test(profile, a_file_that_is_not_there_is_named) {
  cr_assert_null(profile_open("/nonexistent/mine.json", why, sizeof why));
  cr_assert_not_null(strstr(why, "/nonexistent/mine.json: it cannot be read"), "%s", why);
}

Test(profile, a_fault_in_a_file_names_file_and_field) {
  char path[] = "/tmp/gantry-profile-XXXXXX";
  int fd = mkstemp(path);
  FILE *out = fdopen(fd, "w");
  (void)fputs("{\"profile\":\"p\",\"doc\":\"d\",\"module\":{\"m\":{\"doc\":\"d\",\"address\":9,"
              "\"register\":{\"a\":{\"address\":1,\"doc\":\"d\",\"colour\":\"red\"}}}}}",
              out);
  (void)fclose(out);

  cr_assert_null(profile_open(path, why, sizeof why));

  (void)unlink(path);
  cr_assert_eq(strncmp(why, path, strlen(path)), 0);
  cr_assert_not_null(strstr(why, ": module.m.register.a: unknown key colour; use address"), "%s",
                     why);
}
