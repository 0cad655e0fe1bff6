/* msgpack to message: what fits comes through, what does not is refused by name. */
#include "sample.h"

#include <criterion/criterion.h>
#include <gantry/pack.h>
#include <gantry/unpack.h>
#include <math.h>
#include <msgpack.h>
#include <string.h>

static msgpack_sbuffer out;
static msgpack_packer packer;
static gantry_fault_t fault;
static probe_all_t all;
static probe_lists_t lists;
static probe_sparse_t sparse;

static void open_packer(void) {
  msgpack_sbuffer_init(&out);
  msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
}

static void close_packer(void) {
  msgpack_sbuffer_destroy(&out);
}

TestSuite(unpack, .init = open_packer, .fini = close_packer);

static void put_key(const char *key) {
  msgpack_pack_str_with_body(&packer, key, strlen(key));
}

static gantry_err_t read_out(const desc_t *desc, void *value) {
  memset(&fault, 0, sizeof fault);
  return unpack_message(desc, (const uint8_t *)out.data, out.size, value, &fault);
}

static void refused(const desc_t *desc, void *value, const char *field) {
  cr_assert_eq(read_out(desc, value), GANTRY_E_SCHEMA);
  cr_assert_str_eq(fault.field, field, "'%s', not '%s' (%s)", fault.field, field, fault.detail);
  msgpack_sbuffer_clear(&out);
}

static gantry_err_t check(const char *bytes, size_t len) {
  return unpack_check((const uint8_t *)bytes, len, &fault);
}

Test(unpack, every_type_comes_back) {
  probe_all_t sample = sample_all();
  probe_lists_t list = sample_lists();
  buf_t buf = {0};

  cr_assert_eq(pack_message(&PROBE_ALL_DESC, &sample, &buf, NULL), GANTRY_OK);
  cr_assert_eq(unpack_message(&PROBE_ALL_DESC, buf.data, buf.len, &all, &fault), GANTRY_OK);
  cr_assert(sample_equal(&PROBE_ALL_DESC, &sample, &all));

  buf_reset(&buf);
  cr_assert_eq(pack_message(&PROBE_LISTS_DESC, &list, &buf, NULL), GANTRY_OK);
  cr_assert_eq(unpack_message(&PROBE_LISTS_DESC, buf.data, buf.len, &lists, &fault), GANTRY_OK);
  cr_assert(sample_equal(&PROBE_LISTS_DESC, &list, &lists));
  buf_fini(&buf);
}

Test(unpack, truncation_at_every_byte_is_refused) {
  probe_all_t sample = sample_all();
  buf_t buf = {0};
  cr_assert_eq(pack_message(&PROBE_ALL_DESC, &sample, &buf, NULL), GANTRY_OK);

  for (size_t len = 0; len < buf.len; len++) {
    uint8_t *copy = malloc(len + !len); /* exact, so that a sanitizer sees any read behind it */
    memcpy(copy, buf.data, len);
    cr_assert_eq(unpack_message(&PROBE_ALL_DESC, copy, len, &all, NULL), GANTRY_E_SCHEMA);
    free(copy);
  }
  buf_fini(&buf);
}

Test(unpack, absent_optionals_are_marked_so) {
  msgpack_pack_map(&packer, 1);
  put_key("word");
  put_key("hi");

  cr_assert_eq(read_out(&PROBE_SPARSE_DESC, &sparse), GANTRY_OK);
  cr_assert(sparse.has_word && !sparse.has_number && !sparse.has_point && !sparse.has_list);
  cr_assert_str_eq(sparse.word, "hi");
}

Test(unpack, unknown_fields_of_any_kind_are_skipped) {
  msgpack_pack_map(&packer, 3);
  put_key("strange");
  msgpack_pack_array(&packer, 2);
  msgpack_pack_map(&packer, 1);
  put_key("x");
  msgpack_pack_nil(&packer);
  msgpack_pack_bin_with_body(&packer, "abc", 3);
  put_key("number");
  msgpack_pack_int(&packer, 5);
  put_key("strange");
  msgpack_pack_double(&packer, NAN);

  cr_assert_eq(read_out(&PROBE_SPARSE_DESC, &sparse), GANTRY_OK);
  cr_assert_eq(sparse.number, 5);
}

Test(unpack, order_of_fields_does_not_matter) {
  msgpack_pack_map(&packer, 2);
  put_key("y");
  msgpack_pack_int(&packer, 2);
  put_key("x");
  msgpack_pack_float(&packer, 1.5f);
  probe_point_t point;

  cr_assert_eq(read_out(&PROBE_POINT_DESC, &point), GANTRY_OK);
  cr_assert_eq(point.x, 1.5);
  cr_assert_eq(point.y, 2);
}

Test(unpack, missing_required_field_is_named) {
  probe_point_t point;
  msgpack_pack_map(&packer, 1);
  put_key("x");
  msgpack_pack_int(&packer, -1);

  refused(&PROBE_POINT_DESC, &point, "y");
}

Test(unpack, missing_field_of_an_inner_message_is_named) {
  msgpack_pack_map(&packer, 1);
  put_key("point");
  msgpack_pack_map(&packer, 0);

  refused(&PROBE_SPARSE_DESC, &sparse, "point.x");
}

Test(unpack, field_twice_is_refused) {
  msgpack_pack_map(&packer, 2);
  for (int i = 0; i < 2; i++) {
    put_key("number");
    msgpack_pack_int(&packer, 1);
  }

  refused(&PROBE_SPARSE_DESC, &sparse, "number");
}

Test(unpack, wrong_types_are_named) {
  static const char *const FIELDS[] = {"number", "word", "point", "list", "int"};
  for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
    msgpack_pack_map(&packer, 1);
    put_key(FIELDS[i]);
    msgpack_pack_true(&packer);
    refused(&PROBE_SPARSE_DESC, &sparse, FIELDS[i]);

    msgpack_pack_map(&packer, 1);
    put_key(FIELDS[i]);
    msgpack_pack_nil(&packer);
    refused(&PROBE_SPARSE_DESC, &sparse, FIELDS[i]);
  }
}

Test(unpack, bytes_are_not_text) {
  msgpack_pack_map(&packer, 1);
  put_key("word");
  msgpack_pack_bin_with_body(&packer, "abc", 3);

  refused(&PROBE_SPARSE_DESC, &sparse, "word");
}

Test(unpack, floats_are_no_integers) {
  msgpack_pack_map(&packer, 1);
  put_key("number");
  msgpack_pack_double(&packer, 1.0);

  refused(&PROBE_SPARSE_DESC, &sparse, "number");
}

Test(unpack, negative_numbers_do_not_fit_unsigned_fields) {
  msgpack_pack_map(&packer, 1);
  put_key("number");
  msgpack_pack_int(&packer, -1);

  refused(&PROBE_SPARSE_DESC, &sparse, "number");
}

Test(unpack, numbers_too_large_for_their_type_are_refused) {
  msgpack_pack_map(&packer, 1);
  put_key("number");
  msgpack_pack_uint64(&packer, 1ull << 32);
  refused(&PROBE_SPARSE_DESC, &sparse, "number");

  msgpack_pack_map(&packer, 1);
  put_key("int");
  msgpack_pack_int64(&packer, INT64_MIN);
  refused(&PROBE_SPARSE_DESC, &sparse, "int");

  msgpack_pack_map(&packer, 1);
  put_key("int");
  msgpack_pack_uint64(&packer, UINT64_MAX);
  refused(&PROBE_SPARSE_DESC, &sparse, "int");
}

Test(unpack, text_must_fit_be_utf8_and_hold_no_nul) {
  static const struct {
    const char *text;
    size_t len;
  } ROWS[] = {
      {"12345678901234567", 17}, {"\xc0\x80", 2}, {"\xed\xa0\x80", 3}, {"a\0b", 3}, {"\xc3", 1}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    msgpack_pack_map(&packer, 1);
    put_key("word");
    msgpack_pack_str_with_body(&packer, ROWS[i].text, ROWS[i].len);
    refused(&PROBE_SPARSE_DESC, &sparse, "word");
  }
}

static void put_floats(uint32_t count, uint32_t odd, double value) {
  msgpack_pack_map(&packer, 1);
  put_key("list");
  msgpack_pack_array(&packer, count);
  for (uint32_t i = 0; i < count; i++) {
    if (i == odd)
      msgpack_pack_double(&packer, value);
    else
      msgpack_pack_float(&packer, 0.5f);
  }
}

Test(unpack, lists_of_floats_take_doubles_and_integers) {
  put_floats(3, 1, 0.25);

  cr_assert_eq(read_out(&PROBE_SPARSE_DESC, &sparse), GANTRY_OK);
  cr_assert_eq(sparse.list_count, 3);
  cr_assert_eq(sparse.list[1], 0.25f);
  cr_assert_eq(sparse.list[2], 0.5f);
}

Test(unpack, bad_elements_of_lists_are_named) {
  put_floats(3, 1, 2.0);
  refused(&PROBE_SPARSE_DESC, &sparse, "list[1]");
  put_floats(3, 2, NAN);
  refused(&PROBE_SPARSE_DESC, &sparse, "list[2]");
  put_floats(3, 0, 1e300);
  refused(&PROBE_SPARSE_DESC, &sparse, "list[0]");
  put_floats(5, 9, 0);
  refused(&PROBE_SPARSE_DESC, &sparse, "list");
}

Test(unpack, infinite_float_in_a_list_is_refused) {
  msgpack_pack_map(&packer, 1);
  put_key("list");
  msgpack_pack_array(&packer, 1);
  msgpack_pack_float(&packer, INFINITY);

  refused(&PROBE_SPARSE_DESC, &sparse, "list[0]");
}

Test(unpack, blobs_borrow_and_are_bounded) {
  char long_text[65] = {0};
  msgpack_pack_map(&packer, 1);
  put_key("raw");
  msgpack_pack_str_with_body(&packer, "[1]", 3);
  cr_assert_eq(read_out(&PROBE_SPARSE_DESC, &sparse), GANTRY_OK);
  cr_assert_eq((const char *)sparse.raw.data, out.data + out.size - 3);
  msgpack_sbuffer_clear(&out);

  msgpack_pack_map(&packer, 1);
  put_key("raw");
  msgpack_pack_bin_with_body(&packer, long_text, sizeof long_text);
  refused(&PROBE_SPARSE_DESC, &sparse, "raw");
}

Test(unpack, keys_must_be_text_and_the_whole_a_map) {
  msgpack_pack_map(&packer, 1);
  msgpack_pack_int(&packer, 1);
  msgpack_pack_int(&packer, 1);
  refused(&PROBE_SPARSE_DESC, &sparse, "");

  msgpack_pack_array(&packer, 0);
  refused(&PROBE_SPARSE_DESC, &sparse, "");
}

Test(unpack, unknown_word_lists_the_known_ones) {
  probe_all_t sample = sample_all();
  buf_t buf = {0};
  cr_assert_eq(pack_message(&PROBE_ALL_DESC, &sample, &buf, NULL), GANTRY_OK);
  memcpy(memmem(buf.data, buf.len,
                "\xa4"
                "blue",
                5),
         "\xa4grey", 5);

  cr_assert_eq(unpack_message(&PROBE_ALL_DESC, buf.data, buf.len, &all, &fault), GANTRY_E_SCHEMA);
  cr_assert_str_eq(fault.field, "colour");
  cr_assert_str_eq(fault.detail, "must be one of red, green, blue");
  buf_fini(&buf);
}

Test(unpack, walk_refuses_counts_that_do_not_fit) {
  static const struct {
    const char *bytes;
    size_t len;
  } ROWS[] = {{"\xdd\xff\xff\xff\xff", 5},
              {"\xdf\xff\xff\xff\xff", 5},
              {"\xdc\x00\x02\xc0", 4},
              {"\xdb\xff\xff\xff\xff", 5},
              {"\xc6\xff\xff\xff\xff", 5},
              {"\xc9\xff\xff\xff\xff\x01", 6},
              {"\x81\xc0", 2},
              {"\xd9", 1},
              {"\xcb\x00", 2},
              {"\xc1", 1},
              {"", 0},
              {"\xd8\x01", 2},
              {"\xc0\xc0", 2},
              {"\x92\xca\x00\x00\x00\x00", 6}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    cr_assert_eq(check(ROWS[i].bytes, ROWS[i].len), GANTRY_E_SCHEMA, "row %zu", i);
  }
}

Test(unpack, walk_accepts_every_kind_of_value) {
  static const struct {
    const char *bytes;
    size_t len;
  } ROWS[] = {{"\xc0", 1},
              {"\xc3", 1},
              {"\x7f", 1},
              {"\xff", 1},
              {"\xcd\x01\x00", 3},
              {"\xd4\x01\x02", 3},
              {"\xc7\x00\x05", 3},
              {"\xc4\x01\x05", 3},
              {"\xd0\x80", 2},
              {"\xde\x00\x00", 3},
              {"\x90", 1},
              {"\xa0", 1},
              {"\x91\xca\0\0\0\0", 6}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    cr_assert_eq(check(ROWS[i].bytes, ROWS[i].len), GANTRY_OK, "row %zu: %s", i, fault.detail);
  }
}

Test(unpack, walk_refuses_nesting_beyond_eight) {
  cr_assert_eq(check("\x91\x91\x91\x91\x91\x91\x91\x90", 8), GANTRY_OK);
  cr_assert_eq(check("\x91\x91\x91\x91\x91\x91\x91\x91\x90", 9), GANTRY_E_SCHEMA);
}

/* Each unknown name is compared with every known one: a megabyte of them would hold the loop. */
Test(unpack, crowds_of_unknown_fields_are_refused) {
  msgpack_pack_map(&packer, 5000);
  for (int i = 0; i < 5000; i++) {
    put_key("?");
    msgpack_pack_nil(&packer);
  }

  cr_assert_eq(read_out(&PROBE_SPARSE_DESC, &sparse), GANTRY_E_SCHEMA);
  cr_assert_not_null(strstr(fault.detail, "5000"), "%s", fault.detail);
}
