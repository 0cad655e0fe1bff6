#include "memory.h"

#include <criterion/criterion.h>
#include <gantry/pack.h>
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

static const uint8_t CELLS[] = {0, 12, 1, 4}, GRAPH[] = {0x81, 2, 3};

static store_map_put_t a_map(void) {
  return (store_map_put_t){.grid = {.info = {.map_id = "map_00000001",
                                             .name = "hall",
                                             .resolution = 0.05,
                                             .width = 4,
                                             .height = 4,
                                             .metadata = "{}"},
                                    .cells = {.data = CELLS, .len = sizeof CELLS}},
                           .has_graph = true,
                           .graph = {.data = GRAPH, .len = sizeof GRAPH},
                           .session_id = "session_00000001",
                           .started = 5,
                           .scans = 7,
                           .quality = 0.5};
}

static void write_one(void) {
  store_map_put_t put = a_map();
  memory_state_t state = {.phase = MAP_PHASE_FINISHING, .integrated = 6, .first_scan = 12};
  cr_assert_eq(memory_write(path, &state, &put), GANTRY_OK);
}

static void assert_is_the_map(const store_map_put_t *put) {
  cr_assert_str_eq(put->grid.info.name, "hall");
  cr_assert_str_eq(put->session_id, "session_00000001");
  cr_assert_eq(put->grid.cells.len, sizeof CELLS);
  cr_assert_arr_eq(put->grid.cells.data, CELLS, sizeof CELLS);
  cr_assert_eq(put->graph.len, sizeof GRAPH);
  cr_assert_arr_eq(put->graph.data, GRAPH, sizeof GRAPH);
}

Test(memory, comes_back_as_it_was_written) {
  memory_state_t state;
  parcel_t *parcel;
  write_one();

  cr_assert_eq(memory_read(path, &state, &parcel), GANTRY_OK);

  cr_assert_eq(state.phase, MAP_PHASE_FINISHING);
  cr_assert_not(state.extending);
  cr_assert_eq(state.integrated, 6);
  cr_assert_eq(state.first_scan, 12);
  assert_is_the_map(&parcel->put);
  parcel_drop(&parcel);
}

Test(memory, reads_what_the_version_before_wrote) {
  memory_state_t state;
  parcel_t *parcel;
  buf_t body = {0};
  store_map_put_t put = a_map();
  cr_assert_eq(pack_message(&STORE_MAP_PUT_DESC, &put, &body, NULL), GANTRY_OK);
  FILE *file = fopen(path, "w");
  fprintf(file, "gantry-active-map 1 1 1 1 1.25 -3 0.5 6\n");
  fwrite(body.data, 1, body.len, file);
  fclose(file);
  buf_fini(&body);

  cr_assert_eq(memory_read(path, &state, &parcel), GANTRY_OK);

  cr_assert_eq(state.phase, MAP_PHASE_MAPPING);
  cr_assert(state.extending);
  cr_assert_eq(state.integrated, 6);
  assert_is_the_map(&parcel->put);
  parcel_drop(&parcel);
}

Test(memory, is_not_found_where_nothing_was_written) {
  memory_state_t state;
  parcel_t *parcel;

  cr_assert_eq(memory_read(path, &state, &parcel), GANTRY_E_NOT_FOUND);
  cr_assert_null(parcel);
}

Test(memory, is_refused_wherever_it_is_cut_off) {
  write_one();
  FILE *file = fopen(path, "r");
  char whole[1024];
  size_t len = fread(whole, 1, sizeof whole, file);
  fclose(file);
  for (size_t cut = 0; cut < len; cut++) {
    memory_state_t state;
    parcel_t *parcel;
    cr_assert_eq(truncate(path, (off_t)cut), 0);
    file = fopen(path, "w");
    fwrite(whole, 1, cut, file);
    fclose(file);

    cr_assert_eq(memory_read(path, &state, &parcel), GANTRY_E_SCHEMA, "cut at %zu", cut);
    cr_assert_null(parcel);
  }
}

Test(memory, can_be_set_aside) {
  memory_state_t state;
  parcel_t *parcel;
  write_one();

  memory_set_aside(path);

  cr_assert_eq(memory_read(path, &state, &parcel), GANTRY_E_NOT_FOUND);
}

Test(memory, says_when_it_cannot_be_written) {
  store_map_put_t put = a_map();
  memory_state_t state = {0};

  cr_assert_eq(memory_write("/nonexistent/gantry/map", &state, &put), GANTRY_E_INTERNAL);
}
