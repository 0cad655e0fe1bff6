/* The registry as text. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "registry_file.h"

static registry_record_t kept[2], read_back[4];
static char text[2048], why[96];
static size_t len, count;

static void set_up(void) {
  kept[0] = (registry_record_t){.line = 1,
                                .module = {.address = 4,
                                           .identified = true,
                                           .type = 4,
                                           .firmware = 0x0102,
                                           .hardware = 0x0203,
                                           .serial = 0xFFFFFFFF,
                                           .letters = "TRVL"},
                                .seen_wall_ns = UINT64_MAX,
                                .status = "healthy",
                                .name = "travel_motor"};
  kept[1] = (registry_record_t){.line = 16, .module = {.address = 247, .quarantined = true}};
  len = registry_file_write(kept, 2, text, sizeof text);
}

static bool read_text(void) {
  why[0] = '\0';
  return registry_file_read(text, read_back, 4, &count, why, sizeof why);
}

TestSuite(registry_file, .init = set_up);

Test(registry_file, what_was_written_is_read) {
  cr_assert_gt(len, 0);
  cr_assert_eq(len, strlen(text));
  cr_assert(read_text(), "%s", why);
  cr_assert_eq(count, 2);
  cr_assert_eq(read_back[0].line, 1);
  cr_assert_eq(read_back[0].module.address, 4);
  cr_assert_eq(read_back[0].module.firmware, 0x0102);
  cr_assert_eq(read_back[0].module.hardware, 0x0203);
  cr_assert_eq(read_back[0].module.serial, 0xFFFFFFFF);
  cr_assert(read_back[0].module.identified);
  cr_assert_not(read_back[0].module.quarantined);
  cr_assert_eq(read_back[0].seen_wall_ns, UINT64_MAX);
  cr_assert_str_eq(read_back[0].module.letters, "TRVL");
  cr_assert_str_eq(read_back[0].status, "healthy");
  cr_assert_str_eq(read_back[0].name, "travel_motor");
  cr_assert_eq(read_back[1].line, 16);
  cr_assert(read_back[1].module.quarantined);
  cr_assert_str_eq(read_back[1].name, "");
}

Test(registry_file, an_empty_registry_is_a_whole_file) {
  cr_assert_gt(registry_file_write(kept, 0, text, sizeof text), 0);
  cr_assert(read_text(), "%s", why);
  cr_assert_eq(count, 0);
}

Test(registry_file, a_file_cut_anywhere_is_refused) {
  char whole[sizeof text];
  memcpy(whole, text, sizeof text);
  for (size_t cut = 0; cut < len; cut++) {
    memcpy(text, whole, len + 1);
    text[cut] = '\0';
    cr_assert_not(read_text(), "cut at %zu", cut);
    cr_assert_eq(count, 0);
    cr_assert_neq(why[0], '\0');
  }
}

Test(registry_file, a_file_changed_anywhere_is_refused) {
  char whole[sizeof text];
  memcpy(whole, text, sizeof text);
  for (size_t at = 0; at < len; at++) {
    memcpy(text, whole, len + 1);
    text[at] = (char)(text[at] ^ 1);
    cr_assert_not(read_text(), "changed at %zu", at);
  }
}

Test(registry_file, nothing_may_follow) {
  text[len] = '\n';
  text[len + 1] = '\0';
  cr_assert_not(read_text());
}

Test(registry_file, a_file_of_somebody_else_is_refused) {
  static const char *const foreign[] = {"", "{}", "gantry modules 2\n", "\n\n\n", "end 0\n"};
  for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
    (void)snprintf(text, sizeof text, "%s", foreign[i]);
    cr_assert_not(read_text(), "%s", foreign[i]);
  }
}

Test(registry_file, more_than_there_is_room_for_is_refused) {
  cr_assert_not(registry_file_read(text, read_back, 1, &count, why, sizeof why));
  cr_assert_eq(count, 0);
  cr_assert_eq(registry_file_write(kept, 2, text, 50), 0);
  cr_assert_eq(registry_file_write(kept, 2, text, len), 0, "no room for the end of the text");
}
