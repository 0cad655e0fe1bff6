#include "tiles.h"

#include <criterion/criterion.h>
#include <gantry/slam/map_codec.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 200 };

static int8_t cells[SIDE * SIDE];
static tiles_t tiles;
static tiles_told_t told;
static bool late; /* the patches, behind the cells */

static void tell(uint64_t previous, uint64_t revision, int32_t column, int32_t row, uint32_t side) {
  map_patch_t patch = {.map_id = "map_1",
                       .previous = previous,
                       .revision = revision,
                       .column = column,
                       .row = row,
                       .width = side,
                       .height = side};
  tiles_tell(&told, &patch);
}

/* Cells of a map whose first lies at (column, row). */
static gantry_err_t update(uint64_t revision, int32_t column, int32_t row, uint32_t width,
                           uint32_t height) {
  map_info_t info = {.map_id = "map_1",
                     .resolution = 0.05,
                     .width = width,
                     .height = height,
                     .origin_x = column * 0.05,
                     .origin_y = row * 0.05,
                     .revision = revision};
  buf_t coded = {.limit = 1 << 20};

  cr_assert_eq(map_codec_encode(cells, (size_t)SIDE * SIDE, &coded), GANTRY_OK);
  blob_t blob = {.data = coded.data, .len = coded.len};
  /* The patches up to it were heard; what they changed lies elsewhere. */
  if (!late && told.upto != revision) tell(told.upto, revision, 100000, 0, 1);
  gantry_err_t err = tiles_update(&tiles, &info, &blob, &told);
  buf_fini(&coded);
  return err;
}

/* A client: applies what tiles_write says to a picture of its own. */
enum { ROOM = 1024 };
static int8_t picture[ROOM * ROOM]; /* cell (0, 0) in the middle */
static uint64_t client_revision;

static uint64_t number(const uint8_t *at, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned i = bytes; i-- > 0;)
    value = value << 8 | at[i];
  return value;
}

static uint32_t fetch(uint64_t since) {
  buf_t bytes = {.limit = 1 << 22};

  cr_assert_eq(tiles_write(&tiles, "map_1", since, &bytes), GANTRY_OK);
  cr_assert_geq(bytes.len, TILES_HEAD);
  cr_expect_eq(memcmp(bytes.data, "GMT1", 4), 0);
  cr_expect_eq(number(bytes.data + 4, 4), TILES_SIDE);
  client_revision = number(bytes.data + 8, 8);
  uint32_t count = (uint32_t)number(bytes.data + 48, 4);
  cr_expect_str_eq((const char *)bytes.data + 52, "map_1");
  if (number(bytes.data + 16, 8) == 0) memset(picture, -1, sizeof picture);
  const uint8_t *at = bytes.data + TILES_HEAD;
  for (uint32_t i = 0; i < count; i++) {
    int32_t column = (int32_t)number(at, 4), row = (int32_t)number(at + 4, 4);
    uint32_t len = (uint32_t)number(at + 16, 4);
    int8_t tile[TILES_SIDE * TILES_SIDE];
    cr_assert_eq(map_codec_decode(at + 20, len, tile, sizeof tile), GANTRY_OK);
    for (int32_t y = 0; y < TILES_SIDE; y++)
      memcpy(picture + (row + y + ROOM / 2) * ROOM + column + ROOM / 2, tile + y * TILES_SIDE,
             TILES_SIDE);
    at += 20 + len;
  }
  cr_expect_eq(at, bytes.data + bytes.len, "no byte is left over");
  buf_fini(&bytes);
  return count;
}

static void expect_picture(int32_t column, int32_t row) {
  uint32_t known = 0, shown = 0;

  for (int32_t y = 0; y < SIDE; y++) {
    for (int32_t x = 0; x < SIDE; x++) {
      int8_t there = picture[(row + y + ROOM / 2) * ROOM + column + x + ROOM / 2];
      cr_assert_eq(there, cells[y * SIDE + x], "cell %d %d", x, y);
      known += cells[y * SIDE + x] >= 0;
    }
  }
  for (size_t i = 0; i < sizeof picture; i++)
    shown += picture[i] >= 0;
  cr_expect_eq(known, shown, "nothing stands outside the map");
}

static void fill(unsigned seed) {
  srand(seed);
  for (size_t i = 0; i < sizeof cells; i++)
    cells[i] = (int8_t)(rand() % 3 - 1);
}

static void finish(void) {
  tiles_fini(&tiles);
}

TestSuite(tiles, .fini = finish);

Test(tiles, show_the_same_cells_wherever_the_map_lies) {
  static const int32_t PLACES[][2] = {{0, 0}, {-200, -200}, {-63, 64}, {1, -1}, {-64, -65}};

  for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
    fill((unsigned)i);
    tiles_fini(&tiles);
    cr_assert_eq(update(i, PLACES[i][0], PLACES[i][1], SIDE, SIDE), GANTRY_OK);
    fetch(0);
    expect_picture(PLACES[i][0], PLACES[i][1]);
  }
}

Test(tiles, come_alone_when_they_changed) {
  fill(1);
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_expect_eq(fetch(0), 16);
  cr_expect_eq(fetch(client_revision), 0, "the present revision misses nothing");

  cells[0] = (int8_t)(cells[0] == 1 ? 0 : 1);
  cr_assert_eq(update(9, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_assert_eq(update(12, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_expect_eq(fetch(9), 1, "cells of revision 9 may have been ahead of its patches");
  cr_expect_eq(fetch(10), 0);
  fetch(5);
  expect_picture(0, 0);
}

/* Whoever had revision 5 by patches may lack what the cells of 5 already held. */
Test(tiles, promise_what_ran_ahead_of_its_revision_with_the_next) {
  memset(cells, -1, sizeof cells);
  cells[3] = 1;
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_assert_eq(update(6, 0, 0, SIDE, SIDE), GANTRY_OK);

  memset(picture, -1, sizeof picture);
  cr_expect_eq(fetch(5), 1);
  expect_picture(0, 0);
}

/* A client that heard the first of two patches and missed the second, which undid it. */
Test(tiles, come_to_whoever_missed_that_they_changed_back) {
  fill(4);
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  fetch(0);
  tell(5, 6, 60, 0, 8);
  tell(6, 7, 60, 0, 8);
  cr_assert_eq(update(7, 0, 0, SIDE, SIDE), GANTRY_OK);

  cr_expect_eq(fetch(6), 2, "the patch lies on two tiles");
  cr_expect_eq(fetch(7), 0);
  fetch(5);
  expect_picture(0, 0);
}

Test(tiles, come_to_whoever_missed_that_they_are_unknown_again) {
  memset(cells, -1, sizeof cells);
  cells[0] = 0;
  cr_assert_eq(update(5, -SIDE / 2, -SIDE / 2, SIDE, SIDE), GANTRY_OK);
  tell(5, 6, -1, -1, 1);
  tell(6, 7, -1, -1, 1);
  cr_assert_eq(update(7, -SIDE / 2, -SIDE / 2, SIDE, SIDE), GANTRY_OK);
  memset(picture, -1, sizeof picture);
  picture[(ROOM / 2 - 1) * ROOM + ROOM / 2 - 1] = 1;

  cr_expect_eq(fetch(6), 1);
  cr_expect_eq(picture[(ROOM / 2 - 1) * ROOM + ROOM / 2 - 1], -1);
}

Test(tiles, all_come_to_whoever_has_a_revision_before_a_patch_that_was_missed) {
  fill(5);
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  tell(6, 7, 0, 0, 1);
  cr_assert_eq(update(7, 0, 0, SIDE, SIDE), GANTRY_OK);

  cr_expect_not(tiles_follow(&tiles, "map_1", 5));
  cr_expect(tiles_follow(&tiles, "map_1", 6));
  cr_expect_eq(fetch(5), 16);
}

/* A patch and the cells it leads to travel by themselves. */
Test(tiles, all_come_when_the_cells_were_quicker_than_their_patch) {
  fill(6);
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  tell(5, 8, 0, 0, 1);
  late = true;
  cr_assert_eq(update(9, 0, 0, SIDE, SIDE), GANTRY_OK);

  cr_expect_not(tiles_follow(&tiles, "map_1", 8));
  cr_expect(tiles_follow(&tiles, "map_1", 9));
}

Test(tiles, tell_as_unknown_what_the_map_has_left) {
  memset(cells, 0, sizeof cells);
  cr_assert_eq(update(1, 0, 0, SIDE, SIDE), GANTRY_OK);
  fetch(0);
  cr_assert_eq(update(3, 256, 0, SIDE, SIDE), GANTRY_OK);
  fetch(1);
  expect_picture(256, 0);
  memset(cells, -1, sizeof cells);
  cr_assert_eq(update(5, 256, 0, SIDE, SIDE), GANTRY_OK);
  fetch(3);
  expect_picture(256, 0);
}

Test(tiles, leave_out_what_was_never_known) {
  memset(cells, -1, sizeof cells);
  cells[SIDE * SIDE - 1] = 0;
  cr_assert_eq(update(1, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_expect_eq(fetch(0), 1);
}

Test(tiles, all_come_for_another_map_and_for_a_revision_from_elsewhere) {
  buf_t bytes = {.limit = 1 << 22};

  fill(2);
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_expect_eq(fetch(77), 16);
  cr_assert_eq(tiles_write(&tiles, "map_2", 5, &bytes), GANTRY_OK);
  cr_expect_eq(number(bytes.data + 48, 4), 16);
  cr_expect_eq(number(bytes.data + 16, 8), 0);
  cr_assert_eq(update(4, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_expect_eq(tiles.tiles[0].revision, 5, "a revision that goes back begins anew");
  buf_fini(&bytes);
}

Test(tiles, stay_as_they_are_when_the_cells_do_not_fill_the_map) {
  fill(3);
  cr_assert_eq(update(5, 0, 0, SIDE, SIDE), GANTRY_OK);
  cr_expect_eq(update(6, 0, 0, SIDE + 1, SIDE), GANTRY_E_SCHEMA);
  cr_expect_eq(update(6, 0, 0, SIDE - 1, SIDE), GANTRY_E_SCHEMA);
  cr_expect_eq(tiles.info.revision, 5);
  fetch(0);
  expect_picture(0, 0);
}
