/* Requests own what they carry. */
#include <criterion/criterion.h>
#include <messages.h>
#include <string.h>

#include "job.h"

Test(job, copies_cells_with_the_request) {
  uint8_t cells[] = {1, 2, 3};
  store_map_put_t put = {.grid = {.cells = {.data = cells, .len = 3}, .info = {.map_id = "map_1"}}};

  job_t *job = job_new(REQUEST_STORE_MAP_PUT, &put, "anna", 5, NULL);
  memset(cells, 0, sizeof cells);

  const store_map_put_t *copy = job->takes;
  cr_assert_eq(copy->grid.cells.len, 3);
  cr_assert_eq(copy->grid.cells.data[2], 3);
  cr_assert_str_eq(copy->grid.info.map_id, "map_1");
  cr_assert_str_eq(job->actor, "anna");
  cr_assert_eq(job->now_ns, 5);
  job_destroy(&job);
}

Test(job, carries_a_request_without_fields) {
  job_t *job = job_new(REQUEST_STORE_TAGS, &(sys_empty_t){0}, "", 0, NULL);

  cr_assert_not_null(job->takes);
  job_destroy(&job);
  cr_assert_null(job);
  job_destroy(&job);
}

Test(arena, gives_large_and_small_pieces) {
  arena_t arena = {0};
  char *small = arena_copy(&arena, "abc", 4);
  char *large = arena_take(&arena, 1000000);
  char *empty = arena_copy(&arena, NULL, 0);
  memset(large, 'x', 1000000);

  cr_assert_str_eq(small, "abc");
  cr_assert_not_null(empty);
  cr_assert_eq(arena.total, 1000004);
  arena_fini(&arena);
  cr_assert_eq(arena.total, 0);
}
