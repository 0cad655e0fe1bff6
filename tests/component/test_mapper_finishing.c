/* From map.stop to the stored map, and what may happen in between. */
#include "mapper_room.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(mapper_finishing, .init = room_open, .fini = room_close, .timeout = 30);

static bool is_put(void *arg) {
  (void)arg;
  return kept.puts > 0;
}

static bool is_idle(void *arg) {
  const map_status_t *status = inbox_newest(arg, "map.status");
  return status && status->phase == MAP_PHASE_IDLE && status->map_id[0] != '\0';
}

Test(mapper_finishing, says_its_phases_one_after_another) {
  map_phase_t last = MAP_PHASE_MAPPING;
  inbox_t *statuses = harness_collect(harness, "map.status");
  room_make_map();
  cr_assert(harness_until(harness, is_idle, statuses, 3000));

  const map_phase_t next[] = {MAP_PHASE_IDLE, MAP_PHASE_FINISHING, MAP_PHASE_STORING,
                              MAP_PHASE_IDLE};
  size_t i = 0;
  while (((const map_status_t *)inbox_body(statuses, i))->phase != MAP_PHASE_MAPPING)
    i++;
  for (; i < inbox_count(statuses); i++) {
    const map_status_t *status = inbox_body(statuses, i);
    cr_assert(status->has_phase);
    cr_assert_eq(status->mapping, status->phase == MAP_PHASE_MAPPING);
    if (status->phase == last) continue;
    cr_assert_eq(status->phase, next[last], "from %d to %d", last, status->phase);
    last = status->phase;
  }
  cr_assert_eq(last, MAP_PHASE_IDLE);
  const map_status_t *status = inbox_newest(statuses, "map.status");
  cr_assert(status->has_terms);
  cr_assert_geq(status->terms.keyframes, 5);
  cr_assert_lt(status->terms.residual, 0.05);
  cr_assert_gt(status->terms.consistency, 0.95);
}

/* The revision that the newest patch of the inbox leads to; *at is its place. */
static uint64_t last_patch(inbox_t *said, size_t *at) {
  uint64_t revision = 0;
  for (size_t i = 0; i < inbox_count(said); i++) {
    if (strcmp(inbox_frame(said, i)->topic, "map.patch") != 0) continue;
    *at = i;
    revision = ((const map_patch_t *)inbox_body(said, i))->revision;
  }
  return revision;
}

Test(mapper_finishing, says_the_correction_behind_the_patches) {
  map_info_t info;
  int8_t *cells;
  size_t patch = 0, place = 0;
  const map_correction_t *correction = NULL;
  inbox_t *said = harness_collect(harness, "map.");
  map_stopped_t stopped = room_make_map();
  harness_for(harness, 700);

  for (size_t i = 0; i < inbox_count(said); i++)
    if (strcmp(inbox_frame(said, i)->topic, "map.correction") == 0) {
      correction = inbox_body(said, i);
      place = i;
    }
  uint64_t revision = last_patch(said, &patch);

  cr_assert_not_null(correction);
  cr_assert_eq(correction->number, 1);
  cr_assert_str_eq(correction->map_id, stopped.map_id);
  cr_assert_lt(patch, place);
  room_get_map(&info, &cells);
  free(cells);
  cr_assert_eq(info.correction, 1);
  cr_assert_eq(info.revision, revision);
  cr_assert_eq(((const map_status_t *)inbox_newest(said, "map.status"))->correction, 1);
}

static gantry_err_t ask(const request_t *request, const void *takes, void *gives) {
  gantry_fault_t fault = {0};
  return harness_call(harness, request, NULL, takes, gives, 3000, &fault);
}

Test(mapper_finishing, lets_nothing_in_between_and_still_tells_the_map) {
  static map_grid_t grid;
  static map_trajectory_t path;
  static map_closures_t closures;
  map_info_t info;
  map_started_t other;
  map_stopped_t stopped;
  map_start_t start = {.name = "two", .resolution = 0.05, .width = 10, .height = 10};
  map_key_t key = {.map_id = "map_00000000"};
  map_edit_t edit = {.width = 1, .height = 1};
  inbox_t *statuses = harness_collect(harness, "map.status");
  map_started_t started = room_start();
  room_draw();
  /* Neither may a checkpoint be what storage holds. */
  cr_assert(harness_until(harness, is_put, NULL, 4000));
  kept.puts = 0;
  kept.holds = true;
  room_begin_stop();

  cr_assert_eq(ask(REQUEST_MAP_GET, &(sys_empty_t){0}, &grid), GANTRY_OK);
  cr_assert_str_eq(grid.info.map_id, started.map_id);
  cr_assert_gt(grid.cells.len, 0);
  cr_assert_eq(ask(REQUEST_MAP_INFO, &(sys_empty_t){0}, &info), GANTRY_OK);
  cr_assert_eq(ask(REQUEST_MAP_TRAJECTORY, &(sys_empty_t){0}, &path), GANTRY_OK);
  cr_assert_eq(path.points_count, 6);
  cr_assert_eq(ask(REQUEST_MAP_CLOSURES, &(sys_empty_t){0}, &closures), GANTRY_OK);
  cr_assert_eq(ask(REQUEST_MAP_STOP, &(sys_empty_t){0}, &stopped), GANTRY_E_REFUSED);
  cr_assert_eq(ask(REQUEST_MAP_START, &start, &other), GANTRY_E_REFUSED);
  cr_assert_eq(ask(REQUEST_MAP_UPDATE, &key, &other), GANTRY_E_REFUSED);
  cr_assert_eq(ask(REQUEST_MAP_LOAD, &key, &info), GANTRY_E_CONFLICT);
  cr_assert_eq(ask(REQUEST_MAP_EDIT, &edit, &info), GANTRY_E_REFUSED);

  cr_assert(harness_until(harness, is_put, NULL, 5000));
  room_let_go();
  cr_assert(harness_until(harness, is_idle, statuses, 3000));
  cr_assert_str_eq(kept.session_id, started.session_id);
  cr_assert_eq(ask(REQUEST_MAP_START, &start, &other), GANTRY_OK);
}

static void assert_kept(const map_started_t *started) {
  cr_assert_str_eq(kept.put.grid.info.map_id, started->map_id);
  cr_assert_str_eq(kept.session_id, started->session_id);
  cr_assert(kept.put.has_graph);
  cr_assert(kept.put.has_trajectory);
  cr_assert_geq(kept.put.scans, 5);
}

Test(mapper_finishing, is_done_by_the_next_life_after_a_kill) {
  inbox_t *statuses;
  map_started_t started = room_start();
  room_draw();

  room_kill_in(MAP_PHASE_FINISHING);

  statuses = harness_collect(harness, "map.status");
  cr_assert(harness_until(harness, is_put, NULL, 5000));
  cr_assert(harness_until(harness, is_idle, statuses, 3000));
  assert_kept(&started);
}

Test(mapper_finishing, stores_in_the_next_life_what_was_finished) {
  map_started_t started = room_start();
  room_draw();

  room_kill_in(MAP_PHASE_STORING);

  cr_assert(harness_until(harness, is_put, NULL, 5000));
  assert_kept(&started);
}

Test(mapper_finishing, loses_nothing_when_the_service_ends_in_its_midst) {
  map_started_t started = room_start();
  room_draw();
  cr_assert(harness_until(harness, is_put, NULL, 4000));
  room_begin_stop();
  harness_leave(harness, &storage);
  kept.puts = 0;

  room_restart();

  cr_assert(harness_until(harness, is_put, NULL, 6000));
  assert_kept(&started);
}
