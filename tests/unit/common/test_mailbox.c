#include <gantry/clock.h>
#include <gantry/mailbox.h>

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>

static bool is_readable(const mailbox_t *mailbox) {
  struct pollfd fd = {.fd = mailbox_fd(mailbox), .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

Test(mailbox, is_readable_exactly_while_it_holds_something) {
  mailbox_t *mailbox;
  int item = 1;
  cr_assert_eq(mailbox_new(sizeof item, 2, &mailbox), GANTRY_OK);
  cr_assert_not(is_readable(mailbox));

  mailbox_send(mailbox, &item);
  mailbox_send(mailbox, &item);
  cr_assert(is_readable(mailbox));
  cr_assert(mailbox_receive(mailbox, &item));
  cr_assert(is_readable(mailbox));
  cr_assert(mailbox_receive(mailbox, &item));

  cr_assert_not(is_readable(mailbox));
  cr_assert_not(mailbox_receive(mailbox, &item));
  mailbox_destroy(&mailbox);
  mailbox_destroy(&mailbox);
}

Test(mailbox, refuses_and_counts_when_full) {
  mailbox_t *mailbox;
  int item = 1;
  mailbox_new(sizeof item, 1, &mailbox);
  cr_assert(mailbox_send(mailbox, &item));

  cr_assert_not(mailbox_send(mailbox, &item));
  cr_assert_eq(mailbox_dropped(mailbox), 1);
  mailbox_destroy(&mailbox);
}

Test(mailbox, waits_no_longer_than_its_deadline) {
  mailbox_t *mailbox;
  int item;
  mailbox_new(sizeof item, 1, &mailbox);
  uint64_t start_ns = clock_mono_ns();

  cr_assert_not(mailbox_wait(mailbox, &item, start_ns + 30 * GANTRY_NS_PER_MS));

  double waited_ms = clock_age_ms(clock_mono_ns(), start_ns);
  cr_assert(waited_ms >= 30 && waited_ms < 2000, "%g", waited_ms);
  cr_assert_not(mailbox_wait(mailbox, &item, 0));
  mailbox_destroy(&mailbox);
}

static void *send_one(void *arg) {
  int item = 42;
  mailbox_send(arg, &item);
  return NULL;
}

Test(mailbox, wakes_who_waits) {
  mailbox_t *mailbox;
  pthread_t thread;
  int item = 0;
  mailbox_new(sizeof item, 1, &mailbox);
  pthread_create(&thread, NULL, send_one, mailbox);

  cr_assert(mailbox_wait(mailbox, &item, clock_mono_ns() + 5ull * GANTRY_NS_PER_S));

  cr_assert_eq(item, 42);
  pthread_join(thread, NULL);
  mailbox_destroy(&mailbox);
}

Test(mailbox, wants_a_capacity) {
  mailbox_t *mailbox;
  cr_assert_eq(mailbox_new(4, 0, &mailbox), GANTRY_E_INVALID);
  cr_assert_null(mailbox);
}

Test(mailbox, what_is_put_waits_for_a_wake_or_a_send) {
  mailbox_t *mailbox;
  int item = 1;
  mailbox_new(sizeof item, 4, &mailbox);
  mailbox_wake(mailbox);
  cr_assert_not(is_readable(mailbox), "nothing is there");
  cr_assert(mailbox_put(mailbox, &item));
  cr_assert_not(is_readable(mailbox));
  mailbox_wake(mailbox);
  cr_assert(is_readable(mailbox));
  cr_assert(mailbox_receive(mailbox, &item));
  cr_assert_not(is_readable(mailbox));

  item = 2;
  cr_assert(mailbox_put(mailbox, &item));
  item = 3;
  cr_assert(mailbox_send(mailbox, &item));
  cr_assert(is_readable(mailbox));
  cr_assert(mailbox_receive(mailbox, &item));
  cr_assert_eq(item, 2);
  cr_assert(is_readable(mailbox), "one is left");
  cr_assert(mailbox_receive(mailbox, &item));
  cr_assert_not(is_readable(mailbox));
  mailbox_destroy(&mailbox);
}
