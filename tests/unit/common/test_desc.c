/* Look-ups in descriptor tables. */
#include <criterion/criterion.h>
#include <probe.h>
#include <string.h>

Test(desc, finds_enum_texts_and_values) {
  cr_assert_str_eq(desc_enum_text(&PROBE_COLOUR_ENUM, PROBE_COLOUR_GREEN), "green");
  cr_assert_eq(desc_enum_value(&PROBE_COLOUR_ENUM, "blue", 4), PROBE_COLOUR_BLUE);
}

Test(desc, enum_values_out_of_range_have_no_text) {
  cr_assert_str_eq(desc_enum_text(&PROBE_COLOUR_ENUM, -1), "?");
  cr_assert_str_eq(desc_enum_text(&PROBE_COLOUR_ENUM, PROBE_COLOUR_COUNT), "?");
}

Test(desc, texts_must_match_whole) {
  cr_assert_eq(desc_enum_value(&PROBE_COLOUR_ENUM, "blu", 3), -1);
  cr_assert_eq(desc_enum_value(&PROBE_COLOUR_ENUM, "blue\0", 5), -1);
  cr_assert_null(desc_find(&PROBE_POINT_DESC, "xx", 2));
  cr_assert_null(desc_find(&PROBE_POINT_DESC, "x\0", 2));
}

Test(desc, finds_fields_and_tells_their_table) {
  const desc_field_t *field = desc_find(&PROBE_LISTS_DESC, "floats", 6);

  cr_assert_not_null(field);
  cr_assert_eq(field->type, DESC_F32);
  cr_assert_eq(field->capacity, 512);
  cr_assert_eq(field->size, sizeof(float));
  cr_assert_eq(field->offset, offsetof(probe_lists_t, floats));
  cr_assert_eq(field->count_offset, offsetof(probe_lists_t, floats_count));
  cr_assert(field->array && field->ranged && !field->optional);
}

Test(desc, words_of_c_keep_their_wire_name) {
  const desc_field_t *field = desc_find(&PROBE_SPARSE_DESC, "int", 3);

  cr_assert_not_null(field);
  cr_assert_eq(field->offset, offsetof(probe_sparse_t, int_));
}

Test(desc, packed_maximum_counts_headers_names_and_values) {
  cr_assert_eq(desc_packed_max(&PROBE_EMPTY_DESC), 5);
  cr_assert_eq(desc_packed_max(&PROBE_POINT_DESC), 5 + 2 * (5 + 1 + 9));
}
