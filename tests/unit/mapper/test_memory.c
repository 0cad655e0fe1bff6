#include "memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[96];

static void setup(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry_memory_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/active-map", folder);
}

static void teardown(void) {
  char aside[128];
  snprintf(aside, sizeof aside, "%s.damaged", path);
  unlink(aside);
  unlink(path);
  rmdir(folder);
}

TestSuite(memory, .init = setup, .fini = teardown);

static const uint8_t CELLS[] = {0, 12, 1, 4};

static store_map_put_t a_map(void) {
  return (store_map_put_t){.grid = {.info = {.map_id = "map_00000001",
                                             .name = "hall",
                                             .resolution = 0.05,
                                             .width = 4,
                                             .height = 4,
                                             .metadata = "{}"},
                                    .cells = {.data = CELLS, .len = sizeof CELLS}},
                           .session_id = "session_00000001",
                           .started = 5,
                           .scans = 7,
                           .quality = 0.5};
}

static void write_one(void) {
  store_map_put_t put = a_map();
  memory_state_t state = {
      .mapping = true, .has_pose = true, .pose = {1.25, -3, 0.5}, .integrated = 6};
  cr_assert_eq(memory_write(path, &state, &put), GANTRY_OK);
}

Test(memory, comes_back_as_it_was_written) {
  memory_state_t state;
  store_map_put_t put;
  uint8_t *bytes;
  write_one();

  cr_assert_eq(memory_read(path, &state, &put, &bytes), GANTRY_OK);

  cr_assert(state.mapping && state.has_pose && !state.extending);
  cr_assert_eq(state.integrated, 6);
  cr_assert_eq(state.pose.x, 1.25);
  cr_assert_str_eq(put.grid.info.name, "hall");
  cr_assert_str_eq(put.session_id, "session_00000001");
  cr_assert_eq(put.grid.cells.len, sizeof CELLS);
  cr_assert_arr_eq(put.grid.cells.data, CELLS, sizeof CELLS);
  free(bytes);
}

Test(memory, is_not_found_where_nothing_was_written) {
  memory_state_t state;
  store_map_put_t put;
  uint8_t *bytes;

  cr_assert_eq(memory_read(path, &state, &put, &bytes), GANTRY_E_NOT_FOUND);
  cr_assert_null(bytes);
}

Test(memory, is_refused_wherever_it_is_cut_off) {
  write_one();
  FILE *file = fopen(path, "r");
  char whole[1024];
  size_t len = fread(whole, 1, sizeof whole, file);
  fclose(file);
  for (size_t cut = 0; cut < len; cut++) {
    memory_state_t state;
    store_map_put_t put;
    uint8_t *bytes;
    cr_assert_eq(truncate(path, (off_t)cut), 0);
    file = fopen(path, "w");
    fwrite(whole, 1, cut, file);
    fclose(file);

    cr_assert_eq(memory_read(path, &state, &put, &bytes), GANTRY_E_SCHEMA, "cut at %zu", cut);
    free(bytes);
  }
}

Test(memory, can_be_set_aside) {
  memory_state_t state;
  store_map_put_t put;
  uint8_t *bytes;
  write_one();

  memory_set_aside(path);

  cr_assert_eq(memory_read(path, &state, &put, &bytes), GANTRY_E_NOT_FOUND);
}

Test(memory, says_when_it_cannot_be_written) {
  store_map_put_t put = a_map();
  memory_state_t state = {0};

  cr_assert_eq(memory_write("/nonexistent/gantry/map", &state, &put), GANTRY_E_INTERNAL);
}
