#include <gantry/clock.h>
#include <gantry/loop.h>

#include <criterion/criterion.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static loop_t *loop;

static void set_up(void) {
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
}

static void tear_down(void) {
  loop_destroy(&loop);
}

TestSuite(loop, .init = set_up, .fini = tear_down, .timeout = 20);

static void count(void *arg) {
  ++*(unsigned *)arg;
}

static bool is_readable(void) {
  struct pollfd fd = {.fd = loop_fd(loop), .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

static void step_until(const unsigned *counter, unsigned wanted) {
  uint64_t start_ns = clock_mono_ns();
  while (*counter < wanted && clock_age_ms(clock_mono_ns(), start_ns) < 5000) {
    loop_step(loop, 50);
  }
}

Test(loop, calls_a_watcher_while_its_descriptor_is_readable) {
  unsigned calls = 0;
  int fd = eventfd(1, EFD_NONBLOCK);
  loop_watch(loop, fd, count, &calls);

  loop_step(loop, 0);
  loop_step(loop, 0);
  eventfd_t ignored;
  eventfd_read(fd, &ignored);
  loop_step(loop, 0);

  cr_assert_eq(calls, 2);
  loop_unwatch(loop, fd);
  close(fd);
}

typedef struct pair {
  int fds[2];
  unsigned writes;
} pair_t;

static void on_writable(void *arg) {
  pair_t *pair = arg;
  pair->writes++;
  loop_watch_write(loop, pair->fds[0], NULL);
}

static void on_readable(void *arg) {
  (void)arg;
}

Test(loop, says_when_a_socket_takes_bytes_again) {
  pair_t pair = {0};
  char bytes[4096] = "";
  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.fds), 0);
  loop_watch(loop, pair.fds[0], on_readable, &pair);
  while (send(pair.fds[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
    ;

  loop_step(loop, 0);
  loop_watch_write(loop, pair.fds[0], on_writable);
  loop_step(loop, 0);
  cr_expect_eq(pair.writes, 0, "it is full");
  while (recv(pair.fds[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
    ;
  loop_step(loop, 0);
  loop_step(loop, 0);

  cr_expect_eq(pair.writes, 1, "once asked, once told");
  loop_unwatch(loop, pair.fds[0]);
  close(pair.fds[0]);
  close(pair.fds[1]);
}

static void leave(void *arg) {
  pair_t *pair = arg;
  pair->writes++;
  for (int i = 0; i < 2; i++) {
    loop_unwatch(loop, pair->fds[i]);
    close(pair->fds[i]);
  }
  pair->fds[0] = eventfd(1, EFD_NONBLOCK); /* takes one of the numbers just given back */
  loop_watch(loop, pair->fds[0], count, &pair->writes);
}

Test(loop, calls_nobody_for_what_was_ready_before_he_left) {
  pair_t pair = {.fds = {eventfd(1, EFD_NONBLOCK), eventfd(1, EFD_NONBLOCK)}};
  loop_watch(loop, pair.fds[0], leave, &pair);
  loop_watch(loop, pair.fds[1], leave, &pair);

  loop_step(loop, 0);
  cr_expect_eq(pair.writes, 1);
  loop_step(loop, 0);

  cr_expect_eq(pair.writes, 2);
  loop_unwatch(loop, pair.fds[0]);
  close(pair.fds[0]);
}

Test(loop, does_not_call_who_no_longer_watches) {
  unsigned calls = 0;
  int fd = eventfd(1, EFD_NONBLOCK);
  loop_watch(loop, fd, count, &calls);

  loop_unwatch(loop, fd);
  loop_step(loop, 0);

  cr_assert_eq(calls, 0);
  close(fd);
}

Test(loop, refuses_a_descriptor_that_is_none) {
  cr_assert_eq(loop_watch(loop, -1, count, NULL), GANTRY_E_INTERNAL);
}

Test(loop, fires_once_after_a_delay) {
  unsigned calls = 0;
  uint64_t start_ns = clock_mono_ns();
  loop_after(loop, 20, count, &calls);

  step_until(&calls, 1);
  cr_assert_geq(clock_age_ms(clock_mono_ns(), start_ns), 20);
  loop_step(loop, 50);

  cr_assert_eq(calls, 1);
}

Test(loop, fires_at_once_without_a_delay) {
  unsigned calls = 0;
  loop_after(loop, 0, count, &calls);

  step_until(&calls, 1);

  cr_assert_eq(calls, 1);
}

Test(loop, skips_the_ticks_it_missed) {
  unsigned calls = 0;
  loop_every(loop, 5, count, &calls);
  struct pollfd none = {.fd = -1};
  poll(&none, 1, 40);

  loop_step(loop, 0);

  cr_assert_eq(calls, 1);
  step_until(&calls, 3);
  cr_assert_geq(calls, 3);
}

Test(loop, forgets_a_cancelled_timer) {
  unsigned calls = 0;
  int id = loop_after(loop, 1, count, &calls);
  loop_cancel(loop, id);
  loop_cancel(loop, id);
  loop_cancel(loop, 12345);

  loop_step(loop, 30);

  cr_assert_eq(calls, 0);
}

Test(loop, runs_out_of_timers_at_256) {
  for (int i = 0; i < 256; i++) {
    cr_assert_gt(loop_after(loop, 60000, count, NULL), 0);
  }

  cr_assert_eq(loop_after(loop, 60000, count, NULL), 0);
}

typedef struct cancelling {
  int id;
  unsigned calls;
} cancelling_t;

static void cancel_itself(void *arg) {
  cancelling_t *cancelling = arg;
  cancelling->calls++;
  loop_cancel(loop, cancelling->id);
}

Test(loop, lets_a_timer_cancel_itself) {
  cancelling_t cancelling = {0};
  cancelling.id = loop_every(loop, 1, cancel_itself, &cancelling);

  step_until(&cancelling.calls, 1);
  loop_step(loop, 20);

  cr_assert_eq(cancelling.calls, 1);
}

typedef struct source {
  int left; /* items that are there */
  unsigned asked;
} source_t;

static bool take_one(void *arg) {
  source_t *source = arg;
  source->asked++;
  if (source->left == 0) return false;
  source->left--;
  return true;
}

Test(loop, drains_until_nothing_is_there) {
  source_t source = {.left = 100};
  int fd = eventfd(0, EFD_NONBLOCK);
  loop_drain(loop, fd, take_one, &source);

  for (int i = 0; i < 50 && is_readable(); i++) {
    loop_step(loop, 0);
  }

  cr_assert_eq(source.left, 0);
  cr_assert_not(is_readable());
  loop_undrain(loop, take_one, &source);
  close(fd);
}

Test(loop, asks_its_drains_after_every_round_of_callbacks) {
  source_t source = {0};
  unsigned calls = 0;
  int fd = eventfd(0, EFD_NONBLOCK);
  loop_drain(loop, fd, take_one, &source);
  loop_step(loop, 0);
  unsigned asked = source.asked;
  source.left = 1;
  loop_after(loop, 0, count, &calls);

  step_until(&calls, 1);

  cr_assert_eq(source.left, 0);
  cr_assert_gt(source.asked, asked);
  close(fd);
}

Test(loop, is_readable_when_it_has_been_woken) {
  source_t source = {0};
  int fd = eventfd(0, EFD_NONBLOCK);
  loop_drain(loop, fd, take_one, &source);
  loop_step(loop, 0);
  cr_assert_not(is_readable());
  source.left = 1;

  loop_wake(loop);
  loop_wake(loop);

  cr_assert(is_readable());
  loop_step(loop, -1);
  cr_assert_eq(source.left, 0);
  close(fd);
}

static void stop(void *arg) {
  loop_stop(arg);
}

Test(loop, runs_until_it_is_stopped) {
  loop_after(loop, 5, stop, loop);

  loop_run(loop);

  cr_assert(loop_stopped(loop));
}

static void step_inside(void *arg) {
  ++*(unsigned *)arg;
  loop_step(loop, 0);
}

Test(loop, may_be_stepped_from_a_callback) {
  unsigned outer = 0;
  unsigned inner = 0;
  loop_after(loop, 0, step_inside, &outer);
  loop_after(loop, 0, count, &inner);

  step_until(&inner, 1);
  step_until(&outer, 1);

  cr_assert_eq(outer, 1);
  cr_assert_eq(inner, 1);
}

typedef struct busy {
  unsigned left;
  unsigned when_fired; /* how much was left when the timer fired */
} busy_t;

static bool drain_slowly(void *arg) {
  busy_t *busy = arg;
  uint64_t start_ns = clock_mono_ns();
  while (clock_mono_ns() - start_ns < 3 * GANTRY_NS_PER_MS) {
  }
  return busy->left > 0 && busy->left-- > 0;
}

static void on_fired(void *arg) {
  busy_t *busy = arg;
  busy->when_fired = busy->left;
}

Test(loop, lets_timers_through_while_a_socket_is_flooded) {
  busy_t busy = {.left = 20};
  int fd = eventfd(0, EFD_NONBLOCK);
  loop_drain(loop, fd, drain_slowly, &busy);
  loop_after(loop, 1, on_fired, &busy);

  for (int i = 0; i < 40 && busy.left > 0; i++)
    loop_step(loop, 0);

  cr_assert_geq(busy.when_fired, 17, "fired with %u left", busy.when_fired);
  close(fd);
}

Test(loop, sets_an_alarm_again_and_again) {
  unsigned calls = 0;
  int alarm = loop_alarm(loop, count, &calls);
  cr_assert_gt(alarm, 0);

  loop_set(loop, alarm, 60000);
  loop_set(loop, alarm, 1);
  step_until(&calls, 1);
  loop_step(loop, 5);
  cr_assert_eq(calls, 1);

  loop_set(loop, alarm, 0);
  step_until(&calls, 2);
  cr_assert_eq(calls, 2);
  loop_cancel(loop, alarm);
}

/* An alarm that sets itself anew each time. */
typedef struct restless {
  int alarm;
  unsigned calls;
} restless_t;

static void set_again(void *arg) {
  restless_t *restless = arg;
  restless->calls++;
  loop_set(loop, restless->alarm, 0);
}

Test(loop, calls_an_alarm_that_is_due_at_once_in_the_next_step_and_once_a_step) {
  unsigned calls = 0;
  restless_t restless = {0};
  restless.alarm = loop_alarm(loop, set_again, &restless);
  int alarm = loop_alarm(loop, count, &calls);
  loop_step(loop, 0);
  cr_assert_not(is_readable());

  loop_set(loop, alarm, 0);
  loop_set(loop, restless.alarm, 0);
  cr_assert(is_readable(), "whoever watches this loop sees that it has work");
  for (unsigned i = 1; i <= 10; i++) {
    loop_step(loop, -1);
    cr_assert_eq(restless.calls, i);
    cr_assert_eq(calls, 1);
  }
  cr_assert(is_readable());
}

Test(loop, forgets_that_an_alarm_was_due_at_once_when_it_is_put_off_or_cancelled) {
  unsigned calls = 0;
  int alarm = loop_alarm(loop, count, &calls), other = loop_alarm(loop, count, &calls);
  loop_set(loop, alarm, 0);
  loop_set(loop, alarm, 60000);
  loop_set(loop, other, 0);
  loop_cancel(loop, other);
  for (int i = 0; i < 3; i++)
    loop_step(loop, 5);
  cr_assert_eq(calls, 0);
}

Test(loop, forgets_a_time_when_an_alarm_is_to_come_at_once) {
  unsigned calls = 0;
  int alarm = loop_alarm(loop, count, &calls);
  loop_set(loop, alarm, 1);
  loop_set(loop, alarm, 0);
  for (int i = 0; i < 5; i++)
    loop_step(loop, 5);
  cr_assert_eq(calls, 1);
}
