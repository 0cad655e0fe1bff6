/* What came behind the upgrade and is not to be read any more. */
#include "ws_socket.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned messages, closed;

static void on_message(void *arg, const char *bytes, size_t len, bool binary) {
  (void)arg, (void)bytes, (void)len, (void)binary;
  messages++;
}

static void on_writable(void *arg) {
  (void)arg;
}

static void on_closed(void *arg) {
  (void)arg;
  closed++;
}

static void give_back(void *handle) {
  close(*(int *)handle);
}

static void turn(loop_t *loop) {
  for (int i = 0; i < 16; i++)
    loop_step(loop, 0);
}

Test(ws_early, lets_the_loop_rest_when_it_breaks_the_protocol, .timeout = 20) {
  uint8_t early[6000] = "\x81\x02hi"; /* unmasked, and more than is read at once */
  uint8_t got[8] = "";
  int fds[2];
  loop_t *loop;
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  const ws_carrier_t carrier = {.fd = fds[0],
                                .give_back = give_back,
                                .handle = &fds[0],
                                .early = early,
                                .early_len = sizeof early};
  const ws_owner_t owner = {on_message, on_writable, on_closed, NULL};

  cr_assert_not_null(ws_socket_new(loop, &carrier, &owner));
  turn(loop);

  cr_expect_eq(recv(fds[1], got, sizeof got, MSG_DONTWAIT), 4);
  cr_expect_eq(got[2] << 8 | got[3], WS_CODE_PROTOCOL);
  cr_expect_eq(poll(&(struct pollfd){.fd = loop_fd(loop), .events = POLLIN}, 1, 0), 0,
               "nothing is left to do");
  close(fds[1]);
  turn(loop);
  cr_expect_eq(closed, 1);
  cr_expect_eq(messages, 0);
  loop_destroy(&loop);
}
