/* How a stop comes through: half of it, over a limit, into a full house, before storage has said
   who may come in. */
#include "door.h"
#include "http_internal.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(api_gateway_stop, .fini = door_close, .timeout = 40);

static void open_with(const char *const *settings) {
  door_open_with(settings);
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

static void open_plain(void) {
  open_with(NULL);
}

static void open_hasty(void) {
  open_with((const char *[]){"head_s=1", "connections_per_address=2", NULL});
}

static int ask_health(int fd) {
  static const char REQUEST[] = "GET /health/fast HTTP/1.1\r\nHost: x\r\n\r\n";

  door_send(fd, REQUEST, sizeof REQUEST - 1);
  return door_answer(fd).status;
}

/* ---- a stop whose body does not come */

/* The head byte by byte; nothing may happen before its last one. */
static int drip_stop(const char *rest) {
  char head[1500];
  int fd = door_connect();
  int len = snprintf(head, sizeof head,
                     "POST /api/v1/robot/emergency-stop HTTP/1.1\r\nHost: x\r\n"
                     "Authorization: Bearer %s\r\n%s\r\n",
                     door.token, rest);

  for (int i = 0; i < len - 1; i++)
    door_send(fd, &head[i], 1);
  harness_for(door.harness, 150);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 0, "half a head is no stop");
  door_send(fd, &head[len - 1], 1);
  return fd;
}

static void expect_stopped_once(void) {
  for (int i = 0; i < 300 && door_stub(REQUEST_ROBOT_ESTOP)->count == 0; i++)
    harness_for(door.harness, 2);
  harness_for(door.harness, 150);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1);
}

static void expect_one(inbox_t *audits) {
  for (int i = 0; i < 300 && inbox_count(audits) == 0; i++)
    harness_for(door.harness, 2);
  cr_expect_eq(inbox_count(audits), 1);
}

static void confirm_stop(void) {
  *(robot_safety_t *)door_stub(REQUEST_ROBOT_ESTOP)->reply =
      (robot_safety_t){.latched = true, .motors_off = true, .phase = ROBOT_STOP_PHASE_CONFIRMED};
}

Test(api_gateway_stop, stops_when_the_head_is_there, .init = open_plain) {
  inbox_t *audits = harness_collect(door.harness, "audit.");
  static const char BODY[] = "{\"reason\":\"late\"}";
  confirm_stop();

  int fd = drip_stop("Content-Length: 17\r\n");
  expect_stopped_once();
  for (size_t i = 0; i < sizeof BODY - 1; i++)
    door_send(fd, &BODY[i], 1);
  answer_t answer = door_answer(fd);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1, "the body is no second stop");
  cr_expect_eq(ask_health(fd), 200, "the connection goes on");
  expect_one(audits);
  close(fd);
}

Test(api_gateway_stop, stops_and_keeps_a_record_when_the_body_never_comes, .init = open_plain) {
  inbox_t *audits = harness_collect(door.harness, "audit.");
  confirm_stop();

  int fd = drip_stop("Transfer-Encoding: chunked\r\n");
  expect_stopped_once();
  close(fd);
  expect_one(audits);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1);
}

Test(api_gateway_stop, gives_the_reason_that_comes_behind_the_head, .init = open_plain) {
  confirm_stop();

  int fd = drip_stop("Content-Length: 17\r\n");
  door_send(fd, "{\"reason\":\"soon\"}", 17);
  cr_expect_eq(door_answer(fd).status, 200);
  const robot_estop_t *estop = door_stub(REQUEST_ROBOT_ESTOP)->takes;
  cr_expect_str_eq(estop->reason, "soon");
  close(fd);
}

Test(api_gateway_stop, stops_for_nobody_without_a_token, .init = open_plain) {
  door.token[0] = '\0';

  int fd = drip_stop("Content-Length: 17\r\n");
  harness_for(door.harness, 200);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 0);
  close(fd);
}

Test(api_gateway_stop, ends_a_movement_when_the_head_is_there, .init = open_plain) {
  char head[1500];
  int fd = door_connect();
  int len = snprintf(head, sizeof head,
                     "POST /api/v1/robot/move/stop HTTP/1.1\r\nHost: x\r\n"
                     "Authorization: Bearer %s\r\nContent-Length: 30\r\n\r\n{",
                     door.token);

  door_send(fd, head, (size_t)len);
  for (int i = 0; i < 300 && door_stub(REQUEST_ROBOT_HALT)->count == 0; i++)
    harness_for(door.harness, 2);
  cr_expect_eq(door_stub(REQUEST_ROBOT_HALT)->count, 1);
  close(fd);
  harness_for(door.harness, 50);
  cr_expect_eq(door_stub(REQUEST_ROBOT_HALT)->count, 1);
}

/* ---- the reserve */

static int control(int fd, const char *command) {
  char request[1500], body[60];

  snprintf(body, sizeof body, "{\"command_type\":\"%s\"}", command);
  int len =
      snprintf(request, sizeof request,
               "POST /api/v1/robot/control HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
               "Content-Length: %zu\r\n\r\n%s",
               door.token, strlen(body), body);
  door_send(fd, request, (size_t)len);
  return door_answer(fd).status;
}

static bool is_closed(int fd) {
  char byte;

  for (int i = 0; i < 500; i++) {
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    if (got == 0) return true;
    harness_for(door.harness, 10);
  }
  return false;
}

Test(api_gateway_stop, keeps_places_for_every_kind_of_stop, .init = open_hasty) {
  int held[2] = {door_connect(), door_connect()};
  harness_for(door.harness, 20);

  int fd = door_connect();
  cr_expect_eq(control(fd, "move"), 429);
  cr_expect(is_closed(fd));
  close(fd);
  fd = door_connect();
  cr_expect_eq(control(fd, "stop"), 200);
  cr_expect(is_closed(fd), "nothing else follows there");
  close(fd);
  fd = door_connect();
  cr_expect_eq(control(fd, "pause"), 200);
  close(fd);
  fd = door_connect();
  cr_expect(is_closed(fd), "who says nothing goes");
  close(fd);
  close(held[0]);
  close(held[1]);
}

Test(api_gateway_stop, lets_no_crowd_of_one_address_take_the_places_for_a_stop,
     .init = open_hasty) {
  int fds[40];

  for (int i = 0; i < 40; i++) {
    fds[i] = door_connect();
    harness_for(door.harness, 1);
  }
  int fd = door_connect();
  cr_expect_eq(control(fd, "stop"), 200);
  close(fd);
  for (int i = 0; i < 40; i++)
    close(fds[i]);
}

static void open_small(void) {
  open_plain();
  door.gateway->http->most = 40;
  door.gateway->http->house = 35;
}

static int connect_from(unsigned host) {
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + host)}};
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)gateway_port(door.gateway)),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
  cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

Test(api_gateway_stop, comes_through_when_the_whole_house_is_full, .init = open_small) {
  int fds[100];

  for (unsigned i = 0; i < 100; i++) {
    fds[i] = connect_from(1 + i);
    harness_for(door.harness, 1);
  }
  int fd = connect_from(300);
  cr_expect_eq(ask_health(fd), 503);
  close(fd);
  fd = connect_from(301);
  cr_expect_eq(control(fd, "stop"), 200);
  close(fd);
  for (int i = 0; i < 100; i++)
    close(fds[i]);
}

/* ---- limits */

static void open_limited(void) {
  open_with((const char *[]){"robot_per_min=2", "rate_per_min=1", "rate_burst=6", NULL});
}

static int command(const char *path, const char *type) {
  char body[60];

  snprintf(body, sizeof body, "{\"command_type\":\"%s\"}", type);
  return door_request("POST", path, body).status;
}

Test(api_gateway_stop, is_not_limited_by_whatever_path, .init = open_limited) {
  static const char *const PATHS[] = {"/api/v1/robot/control", "/api/v1/robot/command"};

  for (int i = 0; i < 2; i++) /* the user's commands */
    cr_expect_neq(command(PATHS[0], "reset"), 429);
  cr_expect_eq(command(PATHS[1], "reset"), 429);
  for (int i = 0; i < 10; i++) { /* beyond what user and address may, too */
    cr_expect_eq(command(PATHS[i % 2], "stop"), 200);
    cr_expect_eq(command(PATHS[i % 2], "pause"), 200);
    cr_expect_neq(door_request("POST", "/api/v1/robot/stop", "{}").status, 429);
    cr_expect_neq(door_request("POST", "/api/v1/robot/move/stop", "{}").status, 429);
    cr_expect_neq(door_request("POST", "/api/v1/robot/pause", "{}").status, 429);
  }
  cr_expect_eq(command(PATHS[0], "move"), 429);
  cr_expect_eq(door_request("POST", PATHS[0], "{\"command_type\":").status, 429);
  answer_t answer = door_request_as("nonsense", "POST", PATHS[0], "{\"command_type\":\"stop\"}");
  cr_expect_eq(answer.status, 429, "a stranger stops nothing");
  door_token(STORE_ROLE_VIEWER, 600, door.token, sizeof door.token);
  cr_expect_eq(command(PATHS[0], "stop"), 429, "nor who may not");
}

/* ---- before storage has said who may come in */

static void machine_token(uint64_t until_s, char *out, size_t size) {
  cr_assert_eq(auth_machine_token(door.gateway->auth, "gantry_", until_s, out, size), GANTRY_OK);
}

static void forget_identity(void) {
  door_stub(REQUEST_STORE_IDENTITY)->fail = GANTRY_E_UNAVAILABLE;
  harness_for(door.harness, 20); /* an answer under way */
  identity_clear(door.gateway->identity);
}

Test(api_gateway_stop, takes_a_sound_token_of_a_machine_before_it_is_known, .init = open_plain) {
  static const char STOP[] = "/api/v1/robot/emergency-stop";
  char token[128];
  inbox_t *audits = harness_collect(door.harness, "audit.");
  confirm_stop();
  forget_identity();

  machine_token(0, token, sizeof token);
  cr_expect_eq(door_request_as(token, "POST", STOP, NULL).status, 200);
  expect_one(audits);
  cr_expect_eq(door_request_as(token, "POST", "/api/v1/sensors/data", "{}").status, 503);
  token[10] = (char)(token[10] == 'A' ? 'B' : 'A');
  cr_expect_eq(door_request_as(token, "POST", STOP, NULL).status, 503, "a forged one");
  machine_token(1000000000, token, sizeof token);
  cr_expect_eq(door_request_as(token, "POST", STOP, NULL).status, 503, "one that has ended");
  identity_set_known(door.gateway->identity, true);
  machine_token(0, token, sizeof token);
  cr_expect_eq(door_request_as(token, "POST", STOP, NULL).status, 401, "storage knows of none");
}

/* ---- a lane of its own */

/* Asks with the first bytes of a connection, before the door knows of it. */
static answer_t ask_at_once(const char *line) {
  char request[1500];
  int fd = door_connect();
  int len = snprintf(request, sizeof request,
                     "%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                     "Content-Length: 0\r\n\r\n",
                     line, door.token);

  cr_assert_eq(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
  answer_t answer = door_answer(fd);
  close(fd);
  return answer;
}

static bool closes(const answer_t *answer) {
  return strstr(answer->head, "Connection: close") != NULL;
}

/* How many connections the lane holds, once that does not change any more. */
static uint32_t in_lane(void) {
  const http_door_t *native = door.gateway->http->doors;

  for (int i = 0; i < 500 && native->lane_count; i++)
    harness_for(door.harness, 2);
  return native->lane_count;
}

Test(api_gateway_stop, has_a_lane_of_its_own, .init = open_plain) {
  static const char *const LINES[] = {"POST /api/v1/robot/emergency-stop",
                                      "POST /api/v1/robot/emergency-stop?reason=now",
                                      "POST /api/v1/robot/emergency%2Dstop", "POST /health/fast"};
  confirm_stop();

  for (size_t i = 0; i < 4; i++)
    cr_expect_eq(ask_at_once(LINES[i]).status, i < 3 ? 200 : 405, "%s", LINES[i]);

  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 3);
  cr_expect_eq(in_lane(), 0, "who is gone leaves nothing behind");
}

Test(api_gateway_stop, serves_in_the_lane_what_follows_a_stop, .init = open_plain) {
  static const char *const LINES[] = {"POST /api/v1/robot/pause",
                                      "POST /api/v1/robot/emergency-stop", "GET /health/fast"};
  char requests[4500];
  int len = 0, fd = door_connect();
  confirm_stop();

  for (size_t i = 0; i < 3; i++)
    len += snprintf(requests + len, sizeof requests - (size_t)len,
                    "%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                    "Content-Length: 0\r\n\r\n",
                    LINES[i], door.token);
  cr_assert_eq(send(fd, requests, (size_t)len, MSG_NOSIGNAL), len);
  (void)door_answer(fd);
  cr_expect_eq(door_answer(fd).status, 200, "the stop");
  answer_t answer = door_answer(fd);
  cr_expect(answer.status == 200 && closes(&answer), "others have no place there: %s", answer.head);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1);
  close(fd);
  cr_expect_eq(in_lane(), 0);
}

/* ---- over a WebSocket */

static void ws_order(int fd, const char *command) {
  char frame[100];
  int len =
      snprintf(frame, sizeof frame, "{\"type\":\"robot_control\",\"command\":\"%s\"}", command);

  door_ws_send(fd, 1, frame, (size_t)len);
}

static bool is_asked_for(void *arg) {
  const robot_command_t *takes = door_stub(REQUEST_ROBOT_COMMAND)->takes;
  return takes->kind == *(const robot_command_kind_t *)arg;
}

Test(api_gateway_stop, comes_through_behind_requests_that_wait, .init = open_plain) {
  static robot_command_kind_t stop = ROBOT_COMMAND_KIND_STOP, pause = ROBOT_COMMAND_KIND_PAUSE;
  int status, fd = door_ws("/ws", door.token, &status);
  door_stub(REQUEST_ROBOT_COMMAND)->silent = true;
  for (int i = 0; i < 5; i++)
    ws_order(fd, "dock");
  cr_assert_not_null(door_ws_expect(fd, "BUSY", NULL, 3000));

  ws_order(fd, "pause");
  cr_expect(door_until(is_asked_for, &pause, 1000));
  ws_order(fd, "stop");
  cr_expect(door_until(is_asked_for, &stop, 1000));
  close(fd);
}
