/* Every message of the catalogue, at both ends of its bounds, through both codecs. */
#include "sample.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <gantry/pack.h>
#include <gantry/unpack.h>
#include <messages.h>
#include <stdlib.h>

static void through_msgpack(const desc_t *desc, bool high) {
  buf_t buf = {0};
  gantry_fault_t fault = {0};
  void *value = calloc(2, desc->size), *back = (uint8_t *)value + desc->size;
  sample_fill(desc, value, high, true);

  cr_assert_eq(pack_message(desc, value, &buf, &fault), GANTRY_OK, "%s: %s %s", desc->name,
               fault.field, fault.detail);
  cr_assert_leq(buf.len, desc_packed_max(desc), "%s", desc->name);
  cr_assert_eq(unpack_message(desc, buf.data, buf.len, back, &fault), GANTRY_OK, "%s: %s %s",
               desc->name, fault.field, fault.detail);
  cr_assert(sample_equal(desc, value, back), "%s", desc->name);
  buf_fini(&buf);
  free(value);
}

static void through_json(const desc_t *desc, bool high) {
  buf_t buf = {0};
  gantry_fault_t fault = {0};
  void *value = calloc(2, desc->size), *back = (uint8_t *)value + desc->size;
  sample_fill(desc, value, high, false);

  cr_assert_eq(json_write(desc, value, &buf), GANTRY_OK);
  if (buf.len <= JSON_MAX_LEN) {
    gantry_err_t err = json_read(desc, (const char *)buf.data, buf.len, true, back, &fault);
    cr_assert_eq(err, GANTRY_OK, "%s: %s %s", desc->name, fault.field, fault.detail);
    cr_assert(sample_equal(desc, value, back), "%s", desc->name);
  }
  buf_fini(&buf);
  free(value);
}

Test(messages, come_back_from_msgpack_at_their_upper_bounds) {
  for (uint32_t i = 0; i < CATALOGUE_MESSAGE_COUNT; i++)
    through_msgpack(CATALOGUE_MESSAGES[i], true);
}

Test(messages, come_back_from_msgpack_at_their_lower_bounds) {
  for (uint32_t i = 0; i < CATALOGUE_MESSAGE_COUNT; i++)
    through_msgpack(CATALOGUE_MESSAGES[i], false);
}

Test(messages, come_back_from_json_at_their_upper_bounds) {
  for (uint32_t i = 0; i < CATALOGUE_MESSAGE_COUNT; i++) {
    if (!sample_has_blob(CATALOGUE_MESSAGES[i])) through_json(CATALOGUE_MESSAGES[i], true);
  }
}

Test(messages, come_back_from_json_at_their_lower_bounds) {
  for (uint32_t i = 0; i < CATALOGUE_MESSAGE_COUNT; i++) {
    if (!sample_has_blob(CATALOGUE_MESSAGES[i])) through_json(CATALOGUE_MESSAGES[i], false);
  }
}
