/* Maps in versions, and on their way to another machine. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(maps, .init = set_up, .fini = tear_down);

static const uint8_t GRAPH[] = "a pose graph";
static const uint8_t PATH[] = "a path";

static store_map_put_t a_map(const char *map_id, const uint8_t *cells, size_t len) {
  store_map_put_t put = {.started = FIXTURE_NOW_NS,
                         .quality = 0.5,
                         .has_graph = true,
                         .graph = {.data = GRAPH, .len = sizeof GRAPH},
                         .has_trajectory = true,
                         .trajectory = {.data = PATH, .len = sizeof PATH}};
  map_info_t *info = &put.grid.info;
  snprintf(info->map_id, sizeof info->map_id, "%s", map_id);
  snprintf(info->name, sizeof info->name, "hall");
  snprintf(info->metadata, sizeof info->metadata, "{\"floor\":2}");
  snprintf(put.session_id, sizeof put.session_id, "session_%s", map_id);
  info->resolution = 0.05;
  info->width = 3;
  info->height = 2;
  info->revision = 9;
  info->created = FIXTURE_NOW_NS;
  put.grid.cells = (blob_t){.data = cells, .len = len};
  return put;
}

/* Version i of the map has i free cells at its beginning. */
static void put_version(const char *map_id, uint8_t i) {
  uint8_t cells[] = {0, i, 255, (uint8_t)(6 - i)};
  store_map_put_t put = a_map(map_id, cells, sizeof cells);
  map_info_t info;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &put, &info), GANTRY_OK, "%s",
               fixture.fault.detail);
  cr_assert(info.has_version);
}

/* The shapes of version i are i marks. */
static void put_shapes(const char *map_id, uint32_t count) {
  store_map_put_t put = a_map(map_id, (const uint8_t[]){0, 6}, 2);
  map_info_t info;
  put.grid.has_shapes = count > 0;
  put.grid.shapes_count = count;
  for (uint32_t i = 0; i < count; i++) {
    map_shape_t *shape = &put.grid.shapes[i];
    *shape = (map_shape_t){.kind = MAP_SHAPE_KIND_SLOW, .closed = true, .points_count = 3};
    shape->points[2] = (map_point_t){.x = 1.5f, .y = (float)i};
    snprintf(shape->shape_id, sizeof shape->shape_id, "zone %u", i);
  }
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &put, &info), GANTRY_OK, "%s",
               fixture.fault.detail);
}

static gantry_err_t load(const char *map_id, uint32_t version, store_map_stored_t *out) {
  map_key_t key = {.has_version = version != 0, .version = version};
  snprintf(key.map_id, sizeof key.map_id, "%s", map_id);
  return fixture_call(&fixture, REQUEST_STORE_MAP_LOAD, &key, out);
}

Test(maps, give_each_version_back_with_all_its_parts) {
  store_map_stored_t map;
  put_version("map_1", 1);
  put_version("map_1", 2);

  for (uint32_t version = 1; version <= 2; version++) {
    cr_assert_eq(load("map_1", version, &map), GANTRY_OK, "%s", fixture.fault.detail);
    cr_assert_eq(map.version, version);
    cr_assert_eq(map.grid.cells.data[1], version);
    cr_assert_eq(map.graph.len, sizeof GRAPH);
    cr_assert_arr_eq(map.graph.data, GRAPH, sizeof GRAPH);
    cr_assert_arr_eq(map.trajectory.data, PATH, sizeof PATH);
    cr_assert_str_eq(map.grid.info.name, "hall");
  }
  cr_assert_eq(load("map_1", 0, &map), GANTRY_OK);
  cr_assert_eq(map.version, 2);
}

Test(maps, give_an_old_version_as_a_grid_too) {
  map_key_t key = {.map_id = "map_1", .has_version = true, .version = 1};
  map_grid_t grid;
  put_version("map_1", 1);
  put_version("map_1", 2);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_GET, &key, &grid), GANTRY_OK);
  cr_assert_eq(grid.cells.data[1], 1);
  key.version = 3;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_GET, &key, &grid), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "version");
}

Test(maps, keep_the_shapes_with_each_version) {
  static store_map_stored_t map;
  static map_grid_t grid;
  map_key_t key = {.map_id = "map_1"};
  put_shapes("map_1", 0);
  put_shapes("map_1", 32);
  put_shapes("map_1", 1);

  for (uint32_t version = 1; version <= 3; version++) {
    const uint32_t expected[] = {0, 32, 1};
    cr_assert_eq(load("map_1", version, &map), GANTRY_OK, "%s", fixture.fault.detail);
    cr_assert_eq(map.grid.shapes_count, expected[version - 1], "version %u", version);
  }
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_GET, &key, &grid), GANTRY_OK);
  cr_assert_str_eq(grid.shapes[0].shape_id, "zone 0");
  cr_assert_eq(grid.shapes[0].kind, MAP_SHAPE_KIND_SLOW);
  cr_assert_eq(grid.shapes[0].points_count, 3);
  cr_assert_float_eq((double)grid.shapes[0].points[2].x, 1.5, 1e-9);
}

Test(maps, give_back_versions_from_before_shapes_were_kept) {
  static store_map_stored_t map;
  put_version("map_1", 1);
  fixture_exec(&fixture, "UPDATE map_version SET shapes = NULL, graph = NULL, trajectory = NULL");

  cr_assert_eq(load("map_1", 1, &map), GANTRY_OK, "%s", fixture.fault.detail);
  cr_assert(!map.has_graph && !map.has_trajectory);
  cr_assert_eq(map.grid.shapes_count, 0);
}

Test(maps, keep_only_so_many_versions) {
  static store_map_versions_t list;
  map_key_t key = {.map_id = "map_1"};
  store_keep_map_versions(fixture.store, 3);
  for (uint8_t i = 1; i <= 5; i++)
    put_version("map_1", i);
  put_version("map_2", 1);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_VERSIONS, &key, &list), GANTRY_OK);
  cr_assert_eq(list.versions_count, 3);
  cr_assert_eq(list.versions[0].version, 5);
  cr_assert_eq(list.versions[2].version, 3);
  cr_assert(list.versions[0].graph && list.versions[0].trajectory);
  cr_assert_eq(list.versions[0].bytes, 4 + sizeof GRAPH + sizeof PATH);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM map_version"), 4);
}

Test(maps, go_with_all_their_versions) {
  map_key_t key = {.map_id = "map_1"}, out;
  put_version("map_1", 1);
  put_version("map_1", 2);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_DELETE, &key, &out), GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM map_version"), 0);
}

Test(maps, are_refused_when_cells_and_size_do_not_fit) {
  static const struct {
    uint8_t cells[6];
    size_t len;
    const char *field;
  } WRONG[] = {{{0, 5}, 2, "cells"},    {{0, 7}, 2, "cells"}, {{2, 6}, 2, "cells"},
               {{0, 6, 1}, 3, "cells"}, {{0}, 0, "cells"},    {{0, 0, 0, 6}, 4, "cells"}};
  map_info_t info;
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    store_map_put_t put = a_map("map_1", WRONG[i].cells, WRONG[i].len);
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &put, &info), GANTRY_E_INVALID,
                 "row %zu", i);
    cr_assert_str_eq(fixture.fault.field, WRONG[i].field);
  }
  store_map_put_t put = a_map("map_1", (const uint8_t[]){0, 6}, 2);
  put.grid.info.resolution = 0;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &put, &info), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "resolution");
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM map"), 0);
}

/* ---- files */

static blob_t export_map(const char *map_id) {
  map_key_t key = {0};
  store_map_file_t file;
  snprintf(key.map_id, sizeof key.map_id, "%s", map_id);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_EXPORT, &key, &file), GANTRY_OK, "%s",
               fixture.fault.detail);
  return file.data;
}

static gantry_err_t import(blob_t data, bool new_id, map_info_t *out) {
  store_map_import_t file = {.data = data, .new_id = new_id};
  return fixture_call(&fixture, REQUEST_STORE_MAP_IMPORT, &file, out);
}

Test(maps, say_in_their_file_what_it_is_and_its_sum) {
  unsigned char sum[32];
  char expected[128], hex[65];
  put_version("map_1", 1);

  blob_t file = export_map("map_1");

  const uint8_t *body = (const uint8_t *)memchr(file.data, '\n', file.len) + 1;
  size_t len = file.len - (size_t)(body - file.data);
  EVP_Digest(body, len, sum, NULL, EVP_sha256(), NULL);
  for (size_t i = 0; i < sizeof sum; i++)
    snprintf(hex + 2 * i, 3, "%02x", sum[i]);
  snprintf(expected, sizeof expected, "gantry-map 1 %s %zu\n", hex, len);
  cr_assert_eq(strncmp((const char *)file.data, expected, strlen(expected)), 0);
}

Test(maps, come_back_from_a_file_on_another_machine) {
  map_info_t info;
  map_key_t key = {.map_id = "map_1"}, gone;
  store_map_stored_t map;
  put_version("map_1", 1);
  put_version("map_1", 2);
  blob_t file = export_map("map_1");
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_DELETE, &key, &gone), GANTRY_OK);

  cr_assert_eq(import(file, false, &info), GANTRY_OK, "%s", fixture.fault.detail);

  cr_assert_str_eq(info.map_id, "map_1");
  cr_assert_str_eq(info.metadata, "{\"floor\":2}");
  cr_assert_eq(info.version, 1);
  cr_assert_eq(info.created, FIXTURE_NOW_NS);
  cr_assert_eq(load("map_1", 0, &map), GANTRY_OK);
  cr_assert_eq(map.grid.cells.data[1], 2);
  cr_assert_arr_eq(map.graph.data, GRAPH, sizeof GRAPH);
  cr_assert_arr_eq(map.trajectory.data, PATH, sizeof PATH);
}

Test(maps, take_their_shapes_along_in_a_file) {
  static store_map_stored_t map;
  map_info_t info;
  put_shapes("map_1", 2);

  cr_assert_eq(import(export_map("map_1"), true, &info), GANTRY_OK, "%s", fixture.fault.detail);

  cr_assert_eq(load(info.map_id, 0, &map), GANTRY_OK);
  cr_assert_eq(map.grid.shapes_count, 2);
  cr_assert_str_eq(map.grid.shapes[1].shape_id, "zone 1");
}

Test(maps, do_not_overwrite_one_another_on_import) {
  map_info_t info;
  put_version("map_1", 1);
  blob_t file = export_map("map_1");

  cr_assert_eq(import(file, false, &info), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.field, "map_id");
  cr_assert_eq(import(file, true, &info), GANTRY_OK, "%s", fixture.fault.detail);
  cr_assert_str_eq(info.map_id, "map_1_2");
  cr_assert_eq(import(file, true, &info), GANTRY_OK);
  cr_assert_str_eq(info.map_id, "map_1_3");
}

Test(maps, are_refused_from_a_file_that_was_changed_anywhere) {
  map_info_t info;
  put_version("map_1", 1);
  blob_t file = export_map("map_1");
  uint8_t *copy = malloc(file.len + 1);
  cr_assert_not_null(copy);

  for (size_t i = 0; i < file.len; i++) {
    memcpy(copy, file.data, file.len);
    copy[i] ^= 0x20;
    cr_assert_eq(import((blob_t){copy, file.len}, true, &info), GANTRY_E_INVALID, "byte %zu", i);
    cr_assert_str_eq(fixture.fault.field, "data");
    cr_assert_eq(import((blob_t){file.data, i}, true, &info), GANTRY_E_INVALID, "cut at %zu", i);
  }
  memcpy(copy, file.data, file.len);
  cr_assert_eq(import((blob_t){copy, file.len + 1}, true, &info), GANTRY_E_INVALID);
  free(copy);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM map"), 1);
}
