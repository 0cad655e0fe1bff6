/* Requests that come in one packet, in halves or by the byte: answered in their order, each by
   itself, and nothing goes round in circles. */
#include "door.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void set_up(void) {
  door_open_with((const char *[]){"rate_per_min=1000000000", "rate_burst=1000000000",
                                  "login_per_min=1000000000", NULL});
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

TestSuite(api_gateway_pipeline, .init = set_up, .fini = door_close, .timeout = 60);

/* Answered at once; by a service; refused with its body; by a service because of its body; refused
   without knowing the route; the same without a body. */
typedef struct kind {
  const char *line, *body;
  bool chunked;
  int status;
} kind_t;

static const kind_t KINDS[] = {
    {"GET /health/fast", NULL, false, 200},
    {"GET /api/v1/map/list", NULL, false, 200},
    {"POST /api/v1/auth/login", "{}", false, 422},
    {"POST /api/v1/auth/login", "{\"username\":\"nobody\",\"password\":\"aaaaaaaaaaaa\"}", true,
     401},
    {"POST /api/v1/nothing", "{\"a\":1}", false, 404},
    {"POST /api/v1/nothing", "", false, 404},
};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

static void put_kind(const kind_t *kind, buf_t *out) {
  buf_printf(out, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n", kind->line,
             door.token);
  if (kind->chunked)
    buf_printf(out, "Transfer-Encoding: chunked\r\n\r\n3\r\n%.3s\r\n%zx;x=y\r\n%s\r\n0\r\n\r\n",
               kind->body, strlen(kind->body) - 3, kind->body + 3);
  else if (kind->body)
    buf_printf(out, "Content-Length: %zu\r\n\r\n%s", strlen(kind->body), kind->body);
  else
    buf_put_text(out, "\r\n");
}

static void expect_answers(int fd, const int *which, int count) {
  for (int i = 0; i < count; i++) {
    answer_t answer = door_answer(fd);
    cr_assert_eq(answer.status, KINDS[which[i]].status, "%s behind %s, as number %d: %d",
                 KINDS[which[i]].line, i ? KINDS[which[i - 1]].line : "nothing", i, answer.status);
  }
}

static void ask(const int *which, int count, size_t piece) {
  buf_t bytes = {0};
  int fd = door_connect();

  for (int i = 0; i < count; i++)
    put_kind(&KINDS[which[i]], &bytes);
  for (size_t at = 0; at < bytes.len; at += piece) {
    size_t len = bytes.len - at < piece ? bytes.len - at : piece;
    door_send(fd, bytes.data + at, len);
    if (piece < bytes.len) harness_for(door.harness, 1);
  }
  expect_answers(fd, which, count);
  close(fd);
  buf_fini(&bytes);
}

Test(api_gateway_pipeline, answers_every_pair_in_its_order) {
  for (int i = 0; i < KIND_COUNT * KIND_COUNT; i++)
    ask((int[]){i % KIND_COUNT, i / KIND_COUNT}, 2, SIZE_MAX);
}

Test(api_gateway_pipeline, answers_three_in_their_order) {
  for (int i = 0; i < KIND_COUNT * KIND_COUNT * KIND_COUNT; i += 5)
    ask((int[]){i % KIND_COUNT, i / KIND_COUNT % KIND_COUNT, i / KIND_COUNT / KIND_COUNT}, 3,
        SIZE_MAX);
}

Test(api_gateway_pipeline, answers_what_comes_in_halves_and_by_the_byte) {
  for (int i = 0; i < KIND_COUNT; i++) {
    ask((int[]){i, KIND_COUNT - 1 - i, i}, 3, 701);
    ask((int[]){i, KIND_COUNT - 1 - i}, 2, 7);
  }
}

static double cpu_s(void) {
  struct timespec used;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* The harness's own steps are in it; going round in a circle would take all of the time. */
Test(api_gateway_pipeline, rests_while_a_service_owes_the_first_answer) {
  buf_t bytes = {0};
  int fd = door_connect();

  door_stub(REQUEST_STORE_MAP_LIST)->silent = true;
  put_kind(&KINDS[1], &bytes);
  put_kind(&KINDS[2], &bytes);
  door_send(fd, bytes.data, bytes.len);
  harness_for(door.harness, 50);
  double before = cpu_s();
  harness_for(door.harness, 400);
  cr_expect_lt(cpu_s() - before, 0.2);
  close(fd);
  buf_fini(&bytes);
}

/* ---- what two readers could understand in two ways */

static int status_of(const char *head) {
  char request[600];

  snprintf(request, sizeof request, "POST /api/v1/auth/login HTTP/1.1\r\n%s\r\n{}", head);
  answer_t answer = door_raw(request, strlen(request));
  bool closes = answer.status && strcasestr(answer.head, "\r\nConnection: close\r\n");
  cr_expect(closes, "%s keeps its connection", head);
  return answer.status;
}

Test(api_gateway_pipeline, refuses_heads_that_say_two_lengths) {
  cr_expect_eq(status_of("Host: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nContent-Length: 2, 2\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nContent-Length:\r\nContent-Length: 2\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nTransfer-Encoding: gzip\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nTransfer-Encoding: chunked, gzip\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nContent-Length : 2\r\n"), 400);
  cr_expect_eq(status_of("Host: x\r\nHost: y\r\nContent-Length: 2\r\n"), 400);
  cr_expect_eq(status_of("Host:\r\nHost: y\r\nContent-Length: 2\r\n"), 400);
  cr_expect_eq(status_of("Content-Length: 2\r\n"), 400);
}

Test(api_gateway_pipeline, refuses_chunks_that_are_none) {
  cr_expect_eq(status_of("Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400);
}

Test(api_gateway_pipeline, says_what_is_wrong_with_an_address) {
  answer_t answer = door_request("GET", "/api/v1/map/%00", NULL);
  cr_expect_eq(answer.status, 400);
  cr_expect_not_null(strstr(answer.body, "%00"));
  answer = door_request("GET", "/api/v1/map/list?x=%zz", NULL);
  cr_expect_eq(answer.status, 400);
  cr_expect_not_null(strstr(answer.body, "%25"));
}

Test(api_gateway_pipeline, refuses_heads_that_are_too_long) {
  static char request[60000];
  int len = snprintf(request, sizeof request, "GET /health/fast HTTP/1.1\r\nHost: x\r\nX-Long: ");

  memset(request + len, 'a', sizeof request - (size_t)len);
  answer_t answer = door_raw(request, sizeof request);
  cr_expect_eq(answer.status, 431);
}

Test(api_gateway_pipeline, reads_no_more_chunks_than_a_body_may_have) {
  static char request[80000];
  int len = snprintf(request, sizeof request,
                     "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n11170\r\n");
  memset(request + len, ' ', 0x11170);
  len += 0x11170;
  len += snprintf(request + len, sizeof request - (size_t)len, "\r\n0\r\n\r\n");

  cr_expect_eq(door_raw(request, (size_t)len).status, 413);
}
