/* Clients that take more than their share: connections, time, memory, attention. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tear_down(void) {
  door_close();
}

TestSuite(api_gateway_crowd, .fini = tear_down, .timeout = 40);

static void open_plain(void) {
  door_open();
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

static void open_narrow(void) {
  door_open_with((const char *[]){"connections_per_address=3", "body_s=1", NULL});
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

static int ask_health(int fd) {
  static const char REQUEST[] = "GET /health/fast HTTP/1.1\r\nHost: x\r\n\r\n";

  door_send(fd, REQUEST, sizeof REQUEST - 1);
  return door_answer(fd).status;
}

Test(api_gateway_crowd, holds_no_more_connections_of_one_address_than_allowed,
     .init = open_narrow) {
  int fds[3];
  for (int i = 0; i < 3; i++) {
    fds[i] = door_connect();
    harness_for(door.harness, 20);
  }

  int fourth = door_connect();
  cr_expect_eq(door_answer(fourth).status, 0, "the fourth has to be closed");
  close(fourth);
  cr_expect_eq(ask_health(fds[0]), 200, "the others stay");
  close(fds[1]);
  bool free = false;
  for (int i = 0; i < 60 && !free; i++) {
    harness_for(door.harness, 100);
    fourth = door_connect();
    free = ask_health(fourth) == 200;
    if (!free) close(fourth);
  }
  cr_expect(free, "a place has become free");
  close(fourth);
  close(fds[0]);
  close(fds[2]);
}

Test(api_gateway_crowd, waits_for_no_body_that_drips, .init = open_narrow) {
  char head[1400];
  int fd = door_connect();
  int len = snprintf(head, sizeof head,
                     "POST /api/v1/sensors/data HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                     "Content-Length: 1000\r\n\r\n{",
                     door.token);
  door_send(fd, head, (size_t)len);
  harness_for(door.harness, 1100);

  door_send(fd, " ", 1);

  cr_expect_eq(door_answer(fd).status, 0);
  close(fd);
}

Test(api_gateway_crowd, takes_less_from_strangers, .init = open_plain) {
  static const char REQUEST[] = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n"
                                "Content-Length: 70000\r\n\r\n";

  answer_t answer = door_raw(REQUEST, sizeof REQUEST - 1);

  cr_expect_eq(answer.status, 413);
  cr_expect_not_null(strstr(answer.head, "Connection: close"));
}

Test(api_gateway_crowd, refuses_lengths_that_are_no_numbers, .init = open_plain) {
  static const char *const LENGTHS[] = {"-1", "+5", "0x10", "5, 5", "99999999999999999999", "abc"};
  char request[200];

  for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
    int len = snprintf(request, sizeof request,
                       "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n",
                       LENGTHS[i]);
    answer_t answer = door_raw(request, (size_t)len);
    cr_expect(answer.status == 413 || answer.status == 0, "%s: %d", LENGTHS[i], answer.status);
  }
}

Test(api_gateway_crowd, survives_pipelined_bodies, .init = open_plain) {
  static const char POST[] = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n"
                             "Content-Length: 2\r\n\r\n{}";
  static const char GET[] = "GET /health/fast HTTP/1.1\r\nHost: x\r\n\r\n";
  char request[600];

  for (int i = 0; i < 4; i++) {
    int len =
        snprintf(request, sizeof request, "%s%s%s", i & 1 ? POST : GET, i & 2 ? POST : GET, POST);
    answer_t answer = door_raw(request, (size_t)len);
    cr_expect_eq(answer.status, i & 1 ? 422 : 200);
    cr_expect_not_null(strstr(answer.head, "Connection: close"));
  }
  cr_expect_eq(door_request("GET", "/health/fast", NULL).status, 200);
}

Test(api_gateway_crowd, closes_on_a_client_that_talks_without_end, .init = open_plain) {
  int status;
  uint8_t opcode = 0;
  int fd = door_ws("/ws", door.token, &status);
  cr_assert_eq(status, 101);

  for (int i = 0; i < 500; i++)
    door_ws_send(fd, 1, "{\"type\":\"ping\"}", 15);

  const char *frame = door_ws_expect(fd, "never said", &opcode, 5000);
  cr_assert_not_null(frame);
  cr_expect_eq(opcode, 8);
  cr_expect_eq((uint8_t)frame[0] << 8 | (uint8_t)frame[1], 1013);
  close(fd);
}

Test(api_gateway_crowd, says_which_sockets_are_not_built, .init = open_plain) {
  int status;

  cr_expect_eq(door_ws("/ws/rs485", door.token, &status), -1);
  cr_expect_eq(status, 501);
  cr_expect_eq(door_ws("/ws/logs", door.token, &status), -1);
  cr_expect_eq(status, 501);
  int fd = door_ws("/ws/monitoring", door.token, &status);
  cr_expect_eq(status, 101);
  close(fd);
}
