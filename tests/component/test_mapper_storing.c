/* How a map reaches storage, and how it comes back. */
#include "mapper_room.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(mapper_storing, .init = room_open, .fini = room_close, .timeout = 30);

Test(mapper_storing, stores_the_map_when_stopped) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  map_started_t started = room_start();
  room_draw();

  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_geq(kept.puts, 1);
  cr_assert_str_eq(kept.put.grid.info.map_id, started.map_id);
  cr_assert_str_eq(kept.session_id, started.session_id);
  cr_assert_str_eq(kept.put.grid.info.name, "hall");
  cr_assert_eq(stopped.scans, 6);
  cr_assert_gt(stopped.quality, 0.5);
}

Test(mapper_storing, gives_the_same_cells_after_loading) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  map_info_t before, after, loaded;
  int8_t *drawn, *again;
  map_key_t key = {0};
  room_start();
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);
  room_get_map(&before, &drawn);
  room_restart();
  snprintf(key.map_id, sizeof key.map_id, "%s", stopped.map_id);

  gantry_err_t err = harness_call(harness, REQUEST_MAP_LOAD, NULL, &key, &loaded, 0, &fault);

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  room_get_map(&after, &again);
  cr_assert_eq(after.width, before.width);
  cr_assert_eq(after.height, before.height);
  cr_assert_float_eq(after.origin_y, before.origin_y, 1e-9);
  cr_assert_arr_eq(again, drawn, (size_t)before.width * before.height);
  free(drawn);
  free(again);
}

Test(mapper_storing, says_that_a_map_to_load_is_not_there) {
  map_key_t key = {.map_id = "map_00000000"};
  map_info_t info;
  gantry_fault_t fault = {0};

  cr_assert_eq(harness_call(harness, REQUEST_MAP_LOAD, NULL, &key, &info, 0, &fault),
               GANTRY_E_NOT_FOUND);
}

Test(mapper_storing, extends_a_stored_map_in_a_new_session) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  map_started_t extended;
  map_key_t key = {0};
  map_started_t started = room_start();
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);
  snprintf(key.map_id, sizeof key.map_id, "%s", started.map_id);

  cr_assert_eq(harness_call(harness, REQUEST_MAP_UPDATE, NULL, &key, &extended, 0, &fault),
               GANTRY_OK, "%s", fault.detail);

  cr_assert_str_eq(extended.map_id, started.map_id);
  cr_assert_str_neq(extended.session_id, started.session_id);
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);
  cr_assert_geq(kept.puts, 2);
}

static bool is_stored(void *arg) {
  (void)arg;
  return kept.puts > 0;
}

Test(mapper_storing, keeps_a_map_that_storage_refuses_and_offers_it_again) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  map_info_t info;
  kept.refuses = true;
  room_start();
  room_draw();

  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "kept"), "%s", fault.detail);
  cr_assert_eq(harness_call(harness, REQUEST_MAP_INFO, NULL, &(sys_empty_t){0}, &info, 0, &fault),
               GANTRY_OK);
  kept.refuses = false;

  cr_assert(harness_until(harness, is_stored, NULL, 5000));
  cr_assert_str_eq(kept.put.grid.info.map_id, info.map_id);
}

Test(mapper_storing, stores_a_running_session_when_it_ends) {
  map_started_t started = room_start();
  room_draw();
  harness_leave(harness, &storage);
  kept.puts = 0;

  room_restart();

  cr_assert(harness_until(harness, is_stored, NULL, 6000));
  cr_assert_str_eq(kept.put.grid.info.map_id, started.map_id);
  cr_assert_str_eq(kept.session_id, started.session_id);
}

Test(mapper_storing, stores_what_is_drawn_so_far) {
  map_started_t started = room_start();
  room_draw();

  cr_assert(harness_until(harness, is_stored, NULL, 4000));

  cr_assert_str_eq(kept.put.grid.info.map_id, started.map_id);
}

Test(mapper_storing, keeps_nothing_of_a_checkpoint_that_storage_refuses) {
  kept.refuses = true;
  room_start();
  room_draw();
  harness_for(harness, 1500);

  kept.refuses = false;
  map_stopped_t stopped;
  gantry_fault_t fault;
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK, "%s", fault.detail);
  harness_for(harness, 2500);
  cr_assert_eq(kept.puts, 1);
}

Test(mapper_storing, begins_a_new_map_while_another_waits) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  room_start();
  room_draw();
  kept.refuses = true;
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_E_UNAVAILABLE);

  map_started_t second = room_start();
  kept.refuses = false;

  cr_assert(harness_until(harness, is_stored, NULL, 5000));
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);
  cr_assert_str_eq(stopped.map_id, second.map_id);
}

static bool is_renamed(void *arg) {
  const map_status_t *status = inbox_newest(arg, "map.status");
  return status && strcmp(status->name, "cellar") == 0;
}

Test(mapper_storing, follows_a_new_name_of_its_map) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  store_changed_t changed = {.table = STORE_TABLE_MAPS};
  inbox_t *statuses = harness_collect(harness, "map.status");
  room_start();
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);
  cr_assert(harness_heard(harness, storage->bus, "store.changed", 2000));
  snprintf(kept.put.grid.info.name, sizeof kept.put.grid.info.name, "cellar");
  snprintf(changed.key, sizeof changed.key, "%s", stopped.map_id);

  cr_assert_eq(bus_publish(storage->bus, TOPIC_STORE_CHANGED, NULL, &changed), GANTRY_OK);

  cr_assert(harness_until(harness, is_renamed, statuses, 3000));
}

static bool is_mapping(void *arg) {
  const map_status_t *status = inbox_newest(arg, "map.status");
  return status && status->mapping;
}

static bool has_ended(void *arg) {
  const map_status_t *status = inbox_newest(arg, "map.status");
  return status && !status->mapping && status->map_id[0] != '\0';
}

Test(mapper_storing, has_its_map_again_after_a_restart) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  map_info_t before, after;
  int8_t *drawn, *again;
  room_start();
  room_draw();
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK);
  room_get_map(&before, &drawn);

  room_restart();

  room_get_map(&after, &again);
  cr_assert_str_eq(after.map_id, before.map_id);
  cr_assert_gt(after.revision, before.revision);
  cr_assert_arr_eq(again, drawn, (size_t)before.width * before.height);
  free(drawn);
  free(again);
}

Test(mapper_storing, goes_on_with_a_session_when_localization_kept_its_map) {
  map_stopped_t stopped;
  gantry_fault_t fault;
  map_started_t started = room_start();
  room_draw();
  room_crash();
  inbox_t *statuses = harness_collect(harness, "map.status");
  inbox_t *events = harness_collect(harness, "event.mapper");

  room_say_pose(50, (pose2_t){0.4, 0.5, 0.1}, started.map_id);
  cr_assert(harness_until(harness, is_mapping, statuses, 3000));
  room_say_scan(51, (pose2_t){0.4, 0.5, 0.1});
  room_say_pose(51, (pose2_t){0.4, 0.5, 0.1}, started.map_id);

  cr_assert(harness_collected(harness, events, 1, 3000));
  const sys_event_t *event = inbox_newest(events, "event.mapper");
  cr_assert_str_eq(event->id, "MAP-SESSION-RESUMED");
  const map_status_t *status = inbox_newest(statuses, "map.status");
  cr_assert_str_eq(status->session_id, started.session_id);
  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_str_eq(stopped.session_id, started.session_id);
  cr_assert_geq(stopped.scans, 6);
}

Test(mapper_storing, ends_a_session_that_nobody_can_go_on_with) {
  map_started_t started = room_start();
  room_draw();
  room_crash();
  inbox_t *statuses = harness_collect(harness, "map.status");
  inbox_t *events = harness_collect(harness, "event.mapper");

  room_say_pose(1, (pose2_t){0}, NULL);

  cr_assert(harness_until(harness, has_ended, statuses, 3000));
  cr_assert(harness_until(harness, is_stored, NULL, 3000));
  cr_assert_str_eq(kept.put.grid.info.map_id, started.map_id);
  cr_assert(harness_collected(harness, events, 1, 3000));
  cr_assert_str_eq(((const sys_event_t *)inbox_newest(events, "event.mapper"))->id,
                   "MAP-SESSION-ENDED");
}

Test(mapper_storing, ends_a_session_when_no_pose_comes) {
  room_start();
  room_draw();
  room_crash();
  inbox_t *statuses = harness_collect(harness, "map.status");

  cr_assert(harness_until(harness, has_ended, statuses, 6000));
}

static bool is_safe(void *arg) {
  const sys_health_t *health = inbox_newest(arg, "health.mapper");
  return health && health->status == SYS_STATUS_READY;
}

Test(mapper_storing, holds_a_map_that_nothing_takes_and_says_so) {
  map_stopped_t stopped;
  map_start_t takes = {.name = "next", .resolution = 0.05, .width = 10, .height = 10};
  map_started_t next;
  gantry_fault_t fault;
  map_started_t started = room_start();
  inbox_t *health = harness_collect(harness, "health.mapper");
  room_draw();
  room_block_folder(true);
  kept.refuses = true;

  cr_assert_eq(room_stop(&stopped, &fault), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "neither"), "%s", fault.detail);
  cr_assert_eq(harness_call(harness, REQUEST_MAP_START, NULL, &takes, &next, 0, &fault),
               GANTRY_E_CONFLICT);
  room_block_folder(false);
  kept.puts = 0;
  kept.refuses = false;

  cr_assert(harness_until(harness, is_stored, NULL, 4000));
  cr_assert_str_eq(kept.put.grid.info.map_id, started.map_id);
  cr_assert(harness_until(harness, is_safe, health, 4000));
}
