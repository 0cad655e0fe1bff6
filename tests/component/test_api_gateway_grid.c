/* The active map's cells in all forms: fetched and made once a revision, whoever asks. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 12 };

static const uint8_t RUNS[] = {255, 2, 0, 3, 1, 1}, OTHER[] = {0, 6};

static map_grid_t *grid(void) {
  return door_stub(REQUEST_MAP_GET)->reply;
}

static void set_grid(uint64_t revision, const uint8_t *runs, size_t len) {
  map_grid_t *out = grid();

  out->info = (map_info_t){.map_id = "map_0a1b2c3d",
                           .resolution = 0.05,
                           .width = 3,
                           .height = 2,
                           .origin_x = -0.05,
                           .revision = revision};
  snprintf(out->info.metadata, sizeof out->info.metadata, "{}");
  out->cells = (blob_t){.data = runs, .len = len};
}

static bool hears_the_mapper(void *arg) {
  answer_t answer = door_request("GET", "/api/v1/map/status", NULL);
  const char *revision = arg;

  return answer.status == 200 && strstr(answer.body, revision);
}

static void tell_status(uint64_t revision) {
  map_status_t status = {.map_id = "map_0a1b2c3d", .revision = revision};
  char text[40];

  cr_assert_eq(bus_publish(door.mapper->bus, TOPIC_MAP_STATUS, NULL, &status), GANTRY_OK);
  snprintf(text, sizeof text, "\"revision\":%llu", (unsigned long long)revision);
  cr_assert(door_until(hears_the_mapper, text, 5000));
}

/* What the mapper says when one cell has changed: once, or once more to what it was. */
static void tell_patch(uint64_t previous) {
  static const uint8_t CELL[] = {1, 1};
  map_patch_t patch = {.map_id = "map_0a1b2c3d",
                       .previous = previous,
                       .revision = previous + 1,
                       .resolution = 0.05,
                       .width = 1,
                       .height = 1,
                       .cells = {.data = CELL, .len = sizeof CELL}};

  cr_assert_eq(bus_publish(door.mapper->bus, TOPIC_MAP_PATCH, NULL, &patch), GANTRY_OK);
}

static void open_with_a_map(void) {
  door_open_as_admin();
  set_grid(7, RUNS, sizeof RUNS);
  tell_status(7);
}

TestSuite(api_gateway_grid, .init = open_with_a_map, .fini = door_close, .timeout = 30);

static int ask_for(const char *path, const char *headers) {
  char request[1600];
  int client = door_connect();
  int len = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n%s\r\n",
                     path, door.token, headers);

  door_send(client, request, (size_t)len);
  return client;
}

static uint64_t number(const char *at, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned i = bytes; i-- > 0;)
    value = value << 8 | (uint8_t)at[i];
  return value;
}

Test(api_gateway_grid, is_fetched_once_for_all_forms_of_a_revision) {
  answer_t answer = door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"data\":[[-1,-1,0],[0,0,1]]");
  expect_text(&answer, "\"revision\":7");
  answer = door_request("GET", "/api/v1/map/occupancy-grid?encoding=runs", NULL);
  expect_text(&answer, "\"data\":[-1,2,0,3,1,1]");
  answer = door_request("GET", "/api/v1/map/current/map.png", NULL);
  cr_expect_eq(answer.status, 200);
  cr_expect_eq(memcmp(answer.body, "\x89PNG", 4), 0);
  answer = door_request("GET", "/api/v1/map/tiles", NULL);
  cr_expect_eq(answer.status, 200);
  cr_expect_eq(memcmp(answer.body, "GMT1", 4), 0);
  cr_expect_eq(number(answer.body + 48, 4), 2, "the map reaches over the frame's origin");

  cr_expect_eq(door_stub(REQUEST_MAP_GET)->count, 1);
}

Test(api_gateway_grid, is_fetched_once_for_many_who_ask_at_once) {
  static const char *const PATHS[] = {"/api/v1/map/occupancy-grid", "/api/v1/map/tiles",
                                      "/api/v1/map/current/map.png",
                                      "/api/v1/map/occupancy-grid?encoding=runs"};
  int clients[CLIENTS];

  for (int i = 0; i < CLIENTS; i++)
    clients[i] = ask_for(PATHS[i % 4], "");
  close(clients[0]);
  for (int i = 1; i < CLIENTS; i++) {
    answer_t answer = door_answer(clients[i]);
    cr_expect_eq(answer.status, 200, "%s: %d %s", PATHS[i % 4], answer.status, answer.body);
    close(clients[i]);
  }
  cr_expect_eq(door_stub(REQUEST_MAP_GET)->count, 1);
}

Test(api_gateway_grid, is_fetched_again_when_the_bus_tells_of_another_revision) {
  answer_t answer = door_request("GET", "/api/v1/map/tiles", NULL);
  cr_expect_eq(number(answer.body + 8, 8), 7);
  set_grid(9, OTHER, sizeof OTHER);
  tell_patch(7);
  tell_patch(8);
  tell_status(9);

  answer = door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  expect_text(&answer, "\"data\":[[0,0,0],[0,0,0]]");
  answer = door_request("GET", "/api/v1/map/tiles?map_id=map_0a1b2c3d&since=7", NULL);
  cr_expect_eq(number(answer.body + 8, 8), 9);
  cr_expect_eq(number(answer.body + 16, 8), 7);
  answer = door_request("GET", "/api/v1/map/tiles?map_id=map_0a1b2c3d&since=9", NULL);
  cr_expect_eq(number(answer.body + 48, 4), 0);
  cr_expect_eq(door_stub(REQUEST_MAP_GET)->count, 2);
}

Test(api_gateway_grid, answers_304_to_whoever_has_the_revision) {
  static const char *const PATHS[] = {"/api/v1/map/occupancy-grid", "/api/v1/map/tiles",
                                      "/api/v1/map/current/map.png"};

  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    char condition[200];
    answer_t answer = door_request("GET", PATHS[i], NULL);
    const char *tag = strstr(answer.head, "ETag: ");
    cr_assert_not_null(tag, "%s: %s", PATHS[i], answer.head);
    snprintf(condition, sizeof condition, "If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"),
             tag + 6);
    int client = ask_for(PATHS[i], condition);
    answer = door_answer(client);
    cr_expect_eq(answer.status, 304, "%s: %d %s", PATHS[i], answer.status, condition);
    cr_expect_null(strstr(answer.head, "Transfer-Encoding"), "the end of chunks is no answer");
    cr_expect_null(strstr(answer.head, "Content-Length: 0\r\n"), "the map has bytes");
    close(client);
  }
  set_grid(8, OTHER, sizeof OTHER);
  tell_status(8);
  int client = ask_for("/api/v1/map/tiles", "If-None-Match: W/\"map_0a1b2c3d.7.0\"\r\n");
  cr_expect_eq(door_answer(client).status, 200);
  close(client);
}

Test(api_gateway_grid, comes_compressed_to_whoever_takes_that) {
  static const uint8_t HALL[] = {0, 0xc0, 0x84, 0x3d}; /* a million free cells */
  set_grid(8, HALL, sizeof HALL);
  grid()->info.width = grid()->info.height = 1000;
  tell_status(8);

  answer_t plain = door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  size_t plain_len = plain.body_len;
  cr_expect_eq(plain.status, 200);
  cr_expect_gt(plain_len, 1u << 20);
  int client = ask_for("/api/v1/map/occupancy-grid", "Accept-Encoding: gzip\r\n");
  answer_t packed = door_answer(client);
  cr_expect_eq(packed.status, 200);
  cr_expect_not_null(strstr(packed.head, "Content-Encoding: gzip"), "%s", packed.head);
  cr_expect_eq(memcmp(packed.body, "\x1f\x8b", 2), 0);
  cr_expect_lt(packed.body_len, plain_len / 100);
  cr_expect_eq(door_stub(REQUEST_MAP_GET)->count, 1);
  close(client);
}

Test(api_gateway_grid, is_another_right_after_a_map_was_loaded) {
  (void)door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  set_grid(7, OTHER, sizeof OTHER);

  cr_expect_eq(door_request("POST", "/api/v1/map/load/map_0a1b2c3d", NULL).status, 200);
  answer_t answer = door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  expect_text(&answer, "\"data\":[[0,0,0],[0,0,0]]");
}

/* Through another gateway, which forgets the cells; here the bus alone tells of it. */
Test(api_gateway_grid, is_fetched_again_when_the_map_goes_back_to_what_is_stored) {
  (void)door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  set_grid(5, OTHER, sizeof OTHER);
  tell_status(5);

  answer_t answer = door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  expect_text(&answer, "\"data\":[[0,0,0],[0,0,0]]");
  expect_text(&answer, "\"revision\":5");
}

Test(api_gateway_grid, comes_whole_and_compressed_to_whoever_has_another_map) {
  int client = ask_for("/api/v1/map/tiles?map_id=map_other&since=3", "Accept-Encoding: gzip\r\n");
  answer_t answer = door_answer(client);
  cr_expect_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.head, "Content-Encoding: gzip"), "%s", answer.head);
  close(client);
}

Test(api_gateway_grid, says_why_there_is_none) {
  door_stub(REQUEST_MAP_GET)->fail = GANTRY_E_NOT_FOUND;
  cr_expect_eq(door_request("GET", "/api/v1/map/tiles", NULL).status, 404);
  cr_expect_eq(door_request("GET", "/api/v1/map/current/map.png", NULL).status, 404);
  door_stub(REQUEST_MAP_GET)->fail = GANTRY_OK;
  cr_expect_eq(door_request("GET", "/api/v1/map/tiles", NULL).status, 200);

  answer_t answer = door_request("GET", "/api/v1/map/tiles?since=3", NULL);
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "\"field\":\"map_id\"");
  answer = door_request("GET", "/api/v1/map/occupancy-grid?encoding=braille", NULL);
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "\"field\":\"encoding\"");
}

/* The page may have drawn the first of two patches and missed the second. */
Test(api_gateway_grid, sends_a_tile_that_changed_back) {
  (void)door_request("GET", "/api/v1/map/tiles", NULL);
  set_grid(9, RUNS, sizeof RUNS);
  tell_patch(7);
  tell_patch(8);
  tell_status(9);

  answer_t answer = door_request("GET", "/api/v1/map/tiles?map_id=map_0a1b2c3d&since=8", NULL);
  cr_expect_eq(number(answer.body + 16, 8), 8);
  cr_expect_eq(number(answer.body + 48, 4), 1);
  answer = door_request("GET", "/api/v1/map/tiles?map_id=map_0a1b2c3d&since=9", NULL);
  cr_expect_eq(number(answer.body + 48, 4), 0);
}

/* What the service holds when it ends is what a leak checker looks at. */
Test(api_gateway_grid, may_be_waited_for_when_the_service_ends) {
  door_stub(REQUEST_MAP_GET)->silent = true;
  for (int i = 0; i < CLIENTS; i++)
    (void)ask_for("/api/v1/map/tiles", "");
  (void)door_request("GET", "/api/v1/map/status", NULL);
}
