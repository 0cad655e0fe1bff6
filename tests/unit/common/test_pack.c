/* Message to msgpack, read back by msgpack-c as an independent peer. */
#include "sample.h"

#include <criterion/criterion.h>
#include <gantry/pack.h>
#include <math.h>
#include <msgpack.h>
#include <string.h>

static buf_t buf;
static gantry_fault_t fault;

static void close_buf(void) {
  buf_fini(&buf);
}

TestSuite(pack, .fini = close_buf);

static const msgpack_object *find(const msgpack_object *map, const char *key) {
  for (uint32_t i = 0; i < map->via.map.size; i++) {
    const msgpack_object_kv *pair = &map->via.map.ptr[i];
    if (pair->key.via.str.size == strlen(key) &&
        memcmp(pair->key.via.str.ptr, key, strlen(key)) == 0) {
      return &pair->val;
    }
  }
  cr_assert(false, "no field %s", key);
  return NULL;
}

static void refuses(const desc_t *desc, const void *value, const char *field) {
  memset(&fault, 0, sizeof fault);
  buf_reset(&buf);
  buf_put_text(&buf, "before");

  gantry_err_t err = pack_message(desc, value, &buf, &fault);

  cr_assert_eq(err, GANTRY_E_SCHEMA);
  cr_assert_str_eq(fault.field, field, "%s, not %s (%s)", fault.field, field, fault.detail);
  cr_assert_eq(buf.len, strlen("before"));
  cr_assert_eq(pack_message(desc, value, &buf, NULL), GANTRY_E_SCHEMA);
}

Test(pack, another_reader_sees_every_scalar) {
  probe_all_t value = sample_all();
  msgpack_unpacked result;
  msgpack_unpacked_init(&result);

  cr_assert_eq(pack_message(&PROBE_ALL_DESC, &value, &buf, NULL), GANTRY_OK);
  cr_assert_eq(msgpack_unpack_next(&result, (const char *)buf.data, buf.len, NULL),
               MSGPACK_UNPACK_SUCCESS);

  const msgpack_object *map = &result.data;
  cr_assert_eq(map->via.map.size, PROBE_ALL_DESC.field_count);
  cr_assert(find(map, "flag")->via.boolean);
  cr_assert_eq(find(map, "u64")->via.u64, value.u64);
  cr_assert_eq(find(map, "i32")->via.i64, -5);
  cr_assert_eq(find(map, "i64")->via.i64, value.i64);
  cr_assert_eq(find(map, "f32")->type, MSGPACK_OBJECT_FLOAT32);
  cr_assert_eq((float)find(map, "f32")->via.f64, value.f32);
  cr_assert_eq(find(map, "f64")->via.f64, value.f64);
  cr_assert_eq(find(map, "text")->via.str.size, 6);
  cr_assert_eq(find(map, "blob")->type, MSGPACK_OBJECT_BIN);
  cr_assert_eq(find(map, "colour")->via.str.size, 4);
  cr_assert_eq(find(find(map, "point"), "x")->via.f64, 1.5);
  cr_assert_eq(find(map, "hex")->via.u64, value.hex);
  cr_assert_eq(find(map, "json")->type, MSGPACK_OBJECT_STR);
  msgpack_unpacked_destroy(&result);
}

Test(pack, another_reader_sees_every_list) {
  probe_lists_t value = sample_lists();
  msgpack_unpacked result;
  msgpack_unpacked_init(&result);

  cr_assert_eq(pack_message(&PROBE_LISTS_DESC, &value, &buf, NULL), GANTRY_OK);
  cr_assert_eq(msgpack_unpack_next(&result, (const char *)buf.data, buf.len, NULL),
               MSGPACK_UNPACK_SUCCESS);

  const msgpack_object *floats = find(&result.data, "floats");
  cr_assert_eq(floats->via.array.size, 3);
  cr_assert_eq((float)floats->via.array.ptr[1].via.f64, 12.34f);
  cr_assert_eq(find(&result.data, "shorts")->via.array.ptr[3].via.u64, 1000);
  cr_assert_eq(find(&result.data, "points")->via.array.size, 2);
  msgpack_unpacked_destroy(&result);
}

Test(pack, absent_optionals_are_left_out) {
  probe_sparse_t value = {.number = 7};

  cr_assert_eq(pack_message(&PROBE_SPARSE_DESC, &value, &buf, NULL), GANTRY_OK);
  cr_assert_eq(buf.len, 1);
  cr_assert_eq(buf.data[0], 0x80);
}

Test(pack, json_blobs_travel_as_text) {
  probe_sparse_t value = {.has_raw = true, .raw = {(const uint8_t *)"[1]", 3}};

  cr_assert_eq(pack_message(&PROBE_SPARSE_DESC, &value, &buf, NULL), GANTRY_OK);
  cr_assert_arr_eq(buf.data, "\x81\xa3raw\xa3[1]", 9);
}

Test(pack, names_the_scalar_that_breaks_a_bound) {
  probe_all_t value;

  value = sample_all(), value.u32 = 4000000001;
  refuses(&PROBE_ALL_DESC, &value, "u32");
  value = sample_all(), value.i32 = 6;
  refuses(&PROBE_ALL_DESC, &value, "i32");
  value = sample_all(), value.f32 = 0.11f;
  refuses(&PROBE_ALL_DESC, &value, "f32");
  value = sample_all(), value.f64 = NAN;
  refuses(&PROBE_ALL_DESC, &value, "f64");
  value = sample_all(), value.f64 = -INFINITY;
  refuses(&PROBE_ALL_DESC, &value, "f64");
  value = sample_all(), value.colour = (probe_colour_t)3;
  refuses(&PROBE_ALL_DESC, &value, "colour");
  value = sample_all(), value.point.y = 11;
  refuses(&PROBE_ALL_DESC, &value, "point.y");
  value = sample_all(), value.blob.len = 65;
  refuses(&PROBE_ALL_DESC, &value, "blob");
}

Test(pack, names_the_text_that_does_not_fit) {
  probe_all_t value = sample_all();

  value.text[0] = '\0';
  refuses(&PROBE_ALL_DESC, &value, "text");
  memset(value.text, 'x', sizeof value.text); /* no NUL within */
  refuses(&PROBE_ALL_DESC, &value, "text");
  memcpy(value.text, "\xff", 2);
  refuses(&PROBE_ALL_DESC, &value, "text");
}

Test(pack, names_the_element_at_fault) {
  probe_lists_t value;

  value = sample_lists(), value.shorts[2] = 1001;
  refuses(&PROBE_LISTS_DESC, &value, "shorts[2]");
  value = sample_lists(), value.floats[1] = NAN;
  refuses(&PROBE_LISTS_DESC, &value, "floats[1]");
  value = sample_lists(), value.floats[2] = 100.5f;
  refuses(&PROBE_LISTS_DESC, &value, "floats[2]");
  value = sample_lists(), value.points[1].x = -11;
  refuses(&PROBE_LISTS_DESC, &value, "points[1].x");
  value = sample_lists(), value.flags_count = 4;
  refuses(&PROBE_LISTS_DESC, &value, "flags");
}

Test(pack, says_when_the_buffer_is_too_small) {
  probe_all_t value = sample_all();
  buf.limit = 40;

  cr_assert_eq(pack_message(&PROBE_ALL_DESC, &value, &buf, &fault), GANTRY_E_TOO_LARGE);
  cr_assert_eq(buf.len, 0);
}

Test(pack, says_when_a_long_list_does_not_fit) {
  probe_lists_t value = sample_lists();
  value.floats_count = 512;
  buf.limit = 1000;

  cr_assert_eq(pack_message(&PROBE_LISTS_DESC, &value, &buf, &fault), GANTRY_E_TOO_LARGE);
}
