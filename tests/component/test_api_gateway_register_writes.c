/* Registers that are written at the door, with a played bridge behind it. */
#include "door.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(api_gateway_register_writes, .init = door_open_as_admin, .fini = door_close,
          .timeout = 30);

Test(api_gateway_register_writes, writes_a_register_in_the_role_of_who_asks) {
  stub_t *stub = door_stub(REQUEST_ROBOT_REGISTER_WRITE);
  const robot_register_write_t *write = stub->takes;
  const char *path = "/api/v1/rs485/modules/2/telemetry";
  *(robot_register_value_t *)stub->reply =
      (robot_register_value_t){.name = "limit", .register_ = 0x7002, .has_value = true, .value = 5};

  answer_t answer = door_request("POST", path, "{\"register_address\":\"0x7002\",\"value\":5}");
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"data\":{\"address\":\"0x7002\",\"name\":\"limit\",\"value\":5");
  cr_expect(write->has_register && write->register_ == 0x7002 && !write->has_name);
  cr_expect_eq(write->access, ROBOT_REGISTER_ACCESS_ADMIN);
  cr_expect(write->safety);
  cr_expect_eq(door_request("POST", path, "{\"name\":\"limit\",\"value\":5}").status, 200);
  cr_expect_str_eq(write->name, "limit");

  stub->fail = GANTRY_E_REFUSED;
  snprintf(stub->detail, sizeof stub->detail, "limit goes to 10");
  answer = door_request("POST", path, "{\"name\":\"limit\",\"value\":50}");
  cr_expect_eq(answer.status, 400);
  expect_text(&answer, "limit goes to 10");
}

Test(api_gateway_register_writes, refuses_a_write_that_names_no_register) {
  static const struct {
    const char *body, *field;
    int status;
  } WRONG[] = {
      {"{\"value\":5}", "register_address", 422},
      {"{\"register_address\":\"0x1\",\"name\":\"limit\",\"value\":5}", "register_address", 422},
      {"{\"register_address\":\"limit\",\"value\":5}", "register_address", 422},
      {"{\"register_address\":\"0x10000\",\"value\":5}", "register_address", 422},
      {"{\"register_address\":\"-1\",\"value\":5}", "register_address", 422},
      {"{\"register_address\":\"0x7002\"}", "value", 422},
      {"{\"register_address\":\"0x7002\",\"value\":\"high\"}", "value", 422},
      {"{\"register_address\":\"0x7002\",\"value\":5,\"force\":true}", "force", 400},
  };

  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    char field[64];
    answer_t answer = door_request("POST", "/api/v1/rs485/modules/2/telemetry", WRONG[i].body);
    cr_expect_eq(answer.status, WRONG[i].status, "%s: %s", WRONG[i].body, answer.body);
    snprintf(field, sizeof field, "\"field\":\"%s\"", WRONG[i].field);
    expect_text(&answer, field);
  }
  cr_expect_eq(door_stub(REQUEST_ROBOT_REGISTER_WRITE)->count, 0);
}

Test(api_gateway_register_writes, configures_in_order_and_stops_at_the_first_refusal) {
  stub_t *stub = door_stub(REQUEST_ROBOT_REGISTER_WRITE);
  const char *path = "/api/v1/rs485/modules/2/configure";
  *(robot_register_value_t *)stub->reply = (robot_register_value_t){.name = "a"};
  const char *body = "{\"registers\":[{\"name\":\"a\",\"value\":1},{\"name\":\"b\",\"value\":2}]}";

  answer_t answer = door_request("POST", path, body);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  cr_expect_eq(stub->count, 2);
  cr_expect_str_eq(((robot_register_write_t *)stub->takes)->name, "b");
  expect_text(&answer, "2 registers were written");

  stub->fail = GANTRY_E_REFUSED;
  answer = door_request("POST", path, body);
  cr_expect_eq(answer.status, 400);
  cr_expect_eq(stub->count, 3);
  expect_text(&answer, "\"field\":\"registers[0].value\"");
  expect_text(&answer, "0 of 2 are written");
  cr_expect_eq(door_request("POST", path, "{\"registers\":[]}").status, 422);
  cr_expect_eq(door_request("POST", path, "{\"registers\":[{\"name\":\"a\"}]}").status, 422);
  cr_expect_eq(door_request("POST", path, "{}").status, 422);
}
