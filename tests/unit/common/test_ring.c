#include <gantry/ring.h>

#include <criterion/criterion.h>

Test(ring, gives_back_in_order) {
  ring_t ring;
  int out;
  ring_init(&ring, sizeof out, 3);
  for (int i = 1; i <= 3; i++) {
    cr_assert(ring_push(&ring, &i));
  }

  for (int i = 1; i <= 3; i++) {
    cr_assert(ring_pop(&ring, &out));
    cr_assert_eq(out, i);
  }
  cr_assert_not(ring_pop(&ring, &out));
  ring_fini(&ring);
}

Test(ring, refuses_and_counts_when_full) {
  ring_t ring;
  int item = 1;
  ring_init(&ring, sizeof item, 1);
  ring_push(&ring, &item);

  cr_assert_not(ring_push(&ring, &item));
  cr_assert_eq(ring.dropped, 1);
  ring_fini(&ring);
}

Test(ring, gives_up_the_oldest_when_told_to) {
  ring_t ring;
  ring_init(&ring, sizeof(int), 3);

  for (int i = 1; i <= 5; i++) {
    ring_push_over(&ring, &i);
  }

  cr_assert_eq(ring.dropped, 2);
  cr_assert_eq(*(const int *)ring_at(&ring, 0), 3);
  cr_assert_eq(*(const int *)ring_at(&ring, 2), 5);
  cr_assert_null(ring_at(&ring, 3));
  ring_fini(&ring);
}

Test(ring, wants_a_size_and_a_capacity) {
  ring_t ring;
  cr_assert_eq(ring_init(&ring, 0, 3), GANTRY_E_INVALID);
  cr_assert_eq(ring_init(&ring, 4, 0), GANTRY_E_INVALID);
  ring_fini(&ring);
}
