/* How many downloads are under way, and for how long: nobody holds all of them, or one for ever. */
#include "door.h"
#include "gateway_internal.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ALL = 16, EACH = 8 };

static uint8_t piece[256 << 10];

/* An export that does not end. */
static void set_up(void) {
  door_open();
  session_exported_t *reply = door_stub(REQUEST_SESSION_EXPORT)->reply;
  *reply = (session_exported_t){
      .data = {piece, sizeof piece}, .has_size = true, .size = 1ull << 40, .tag = "tag-1"};
}

TestSuite(api_gateway_downloads, .init = set_up, .fini = door_close, .timeout = 40);

static void come_as(const char *name) {
  auth_subject_t who = {.name = "", .user_id = 8, .role = STORE_ROLE_VIEWER};

  snprintf(who.name, sizeof who.name, "%s", name);
  cr_assert_eq(auth_sign(door.gateway->auth, &who, HTTP_TOKEN_TYPE_ACCESS,
                         clock_wall_ns() / GANTRY_NS_PER_S, 600, door.token, sizeof door.token),
               GANTRY_OK);
}

static bool has_begun(void *arg) {
  return recv(*(int *)arg, (char[12]){0}, 12, MSG_PEEK | MSG_DONTWAIT) == 12;
}

/* Nobody reads behind the status. */
static int download(int *status) {
  char request[1500], line[13] = "";
  int fd = door_connect();
  int len = snprintf(request, sizeof request,
                     "GET /api/v1/sessions/s1/export HTTP/1.1\r\nHost: x\r\n"
                     "Authorization: Bearer %s\r\n\r\n",
                     door.token);

  door_send(fd, request, (size_t)len);
  cr_assert(door_until(has_begun, &fd, 8000));
  cr_assert_eq(recv(fd, line, 12, 0), 12);
  cr_assert_eq(sscanf(line, "HTTP/1.1 %d", status), 1);
  return fd;
}

static int refused(const char *text) {
  answer_t answer = door_request("GET", "/api/v1/sessions/s1/export", NULL);

  cr_expect_not_null(strstr(answer.head, "\r\nRetry-After: "));
  cr_expect_not_null(strstr(answer.body, text), "%s", answer.body);
  return answer.status;
}

static bool is_over(void *arg) {
  (void)arg;
  return door.gateway->streams == 0;
}

Test(api_gateway_downloads, are_so_many_of_a_user_and_so_many_in_all) {
  int fds[ALL], status;

  for (int i = 0; i < ALL; i++) {
    if (i == EACH) cr_expect_eq(refused("8 downloads of yours"), 429);
    if (i % EACH == 0) come_as(i ? "another" : "one");
    fds[i] = download(&status);
    cr_assert_eq(status, 200);
  }
  come_as("a third");
  cr_expect_eq(refused("16 downloads are"), 429);

  for (int i = 0; i < ALL; i++)
    close(fds[i]);
  cr_expect(door_until(is_over, NULL, 5000), "they end with their clients");
  close(download(&status));
  cr_expect_eq(status, 200);
}

Test(api_gateway_downloads, are_cut_off_when_next_to_nothing_is_taken) {
  char byte;
  int status;
  come_as("one");
  door.gateway->body_s = 1;
  int fd = download(&status);

  for (int i = 0; i < 40 && door.gateway->streams; i++) {
    (void)recv(fd, &byte, 1, MSG_DONTWAIT);
    harness_for(door.harness, 100);
  }
  cr_expect(is_over(NULL));
  close(fd);
}
