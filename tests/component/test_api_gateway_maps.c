/* What people draw into maps, maps as files, and being told where the robot stands. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <gantry/slam/map_codec.h>
#include <gantry/slam/map_image_read.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(api_gateway_maps, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static void expect_refused(const char *method, const char *path, const char *body, int status,
                           const char *field) {
  char named[80];
  answer_t answer = door_request(method, path, body);

  snprintf(named, sizeof named, "\"%s\"", field);
  cr_expect_eq(answer.status, status, "%s %s: %d %s", path, body, answer.status, answer.body);
  expect_text(&answer, named);
}

/* ---- mapping */

Test(api_gateway_maps, begins_with_cells_of_10_mm_at_least) {
  const char *path = "/api/v1/map/start-mapping";
  const stub_t *stub = door_stub(REQUEST_MAP_START);
  const map_start_t *asked = stub->takes;

  answer_t answer = door_request("POST", path, "{\"map_name\":\"m\",\"resolution\":9.9}");
  cr_expect_eq(answer.status, 422, "%s", answer.body);
  cr_expect_eq(stub->count, 0);
  expect_text(&answer, "must be 10 to 1000 mm, is 9.9");
  answer = door_request("POST", path, "{\"map_name\":\"m\",\"resolution\":10}");
  cr_expect_eq(answer.status, 201, "%s", answer.body);
  cr_expect_float_eq(asked->resolution, 0.01, 1e-12);
}

/* ---- localization */

Test(api_gateway_maps, takes_a_pose_by_hand_in_millimetres) {
  loc_pose_t *pose = door_stub(REQUEST_LOC_SET_POSE)->reply;
  pose->x = 1.5;
  pose->covariance_count = 6;

  answer_t answer = door_request("POST", "/api/v1/localization/initial-pose",
                                 "{\"x\":1500,\"y\":-250,\"theta\":0.5}");

  const loc_set_pose_t *asked = door_stub(REQUEST_LOC_SET_POSE)->takes;
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"x\":1500");
  cr_expect_float_eq(asked->x, 1.5, 1e-9);
  cr_expect_float_eq(asked->y, -0.25, 1e-9);
  cr_expect_eq(asked->method, LOC_METHOD_MANUAL);
  cr_expect_float_eq(asked->confidence, 0.8, 1e-9);
  expect_refused("POST", "/api/v1/localization/initial-pose", "{\"x\":1,\"y\":2}", 422, "theta");
}

Test(api_gateway_maps, searches_all_of_the_map_or_around_a_place) {
  ((loc_pose_t *)door_stub(REQUEST_LOC_RELOCALIZE)->reply)->covariance_count = 6;
  const loc_relocalize_t *asked = door_stub(REQUEST_LOC_RELOCALIZE)->takes;

  cr_expect_eq(door_request("POST", "/api/v1/localization/relocalize", NULL).status, 200);
  cr_expect_not(asked->has_x);
  cr_expect_eq(
      door_request("POST", "/api/v1/localization/relocalize", "{\"x\":2000,\"y\":0}").status, 200);
  cr_expect(asked->has_x && asked->has_radius);
  cr_expect_float_eq(asked->x, 2, 1e-9);
  cr_expect_float_eq(asked->radius, 5, 1e-9);
  expect_refused("POST", "/api/v1/localization/relocalize", "{\"x\":2000}", 422, "y");
  expect_refused("POST", "/api/v1/localization/relocalize", "{\"radius\":2000}", 422, "x");
}

Test(api_gateway_maps, lets_only_those_write_who_may) {
  char token[1100];
  door_token(STORE_ROLE_VIEWER, 60, token, sizeof token);
  static const char *const PATHS[] = {
      "/api/v1/localization/initial-pose", "/api/v1/localization/relocalize", "/api/v1/map/edit",
      "/api/v1/map/shapes", "/api/v1/map/import?name=a&resolution=0.05"};

  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
    cr_expect_eq(door_request_as(token, "POST", PATHS[i], "{}").status, 403, "%s", PATHS[i]);
  cr_expect_eq(door_request_as(token, "GET", "/api/v1/map/shapes", NULL).status, 200);
}

/* ---- drawing */

Test(api_gateway_maps, sets_a_rectangle_of_cells) {
  answer_t answer =
      door_request("POST", "/api/v1/map/edit",
                   "{\"x\":-1000,\"y\":500,\"width\":2000,\"height\":50,\"state\":\"free\"}");

  const map_edit_t *asked = door_stub(REQUEST_MAP_EDIT)->takes;
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  cr_expect_float_eq(asked->x, -1, 1e-9);
  cr_expect_float_eq(asked->height, 0.05, 1e-9);
  cr_expect_eq(asked->state, 0);
  expect_refused("POST", "/api/v1/map/edit",
                 "{\"x\":0,\"y\":0,\"width\":0,\"height\":50,\"state\":\"free\"}", 422, "width");
  expect_refused("POST", "/api/v1/map/edit",
                 "{\"x\":0,\"y\":0,\"width\":50,\"height\":50,\"state\":\"wet\"}", 422, "state");
}

Test(api_gateway_maps, draws_shows_and_deletes_shapes) {
  map_shapes_t *shapes = door_stub(REQUEST_MAP_SHAPE_PUT)->reply;
  shapes->shapes_count = 1;
  shapes->shapes[0] = (map_shape_t){.shape_id = "bay",
                                    .kind = MAP_SHAPE_KIND_FORBIDDEN,
                                    .closed = true,
                                    .points_count = 1,
                                    .points = {{.x = 1, .y = 0.1f}}};

  answer_t answer = door_request(
      "POST", "/api/v1/map/shapes",
      "{\"shape_id\":\"bay\",\"kind\":\"forbidden\",\"points\":[{\"x\":0,\"y\":0},{\"x\":1000,"
      "\"y\":0},{\"x\":0,\"y\":1000}]}");

  const map_shape_t *asked = door_stub(REQUEST_MAP_SHAPE_PUT)->takes;
  cr_assert_eq(answer.status, 201, "%s", answer.body);
  expect_text(&answer, "{\"x\":1000,\"y\":100}");
  cr_expect_eq(asked->points_count, 3);
  cr_expect(asked->closed, "a zone is closed unless said otherwise");
  cr_expect_float_eq(asked->points[1].x, 1, 1e-6);
  expect_refused("POST", "/api/v1/map/shapes",
                 "{\"shape_id\":\"a\",\"kind\":\"moat\",\"points\":[]}", 422, "kind");
  static const char *const UNNAMEABLE[] = {"a/b", "..", ".", "a\\nb"};
  for (size_t i = 0; i < sizeof UNNAMEABLE / sizeof *UNNAMEABLE; i++) {
    char body[128];
    snprintf(body, sizeof body,
             "{\"shape_id\":\"%s\",\"kind\":\"mark\",\"points\":[{\"x\":0,\"y\":0}]}",
             UNNAMEABLE[i]);
    expect_refused("POST", "/api/v1/map/shapes", body, 422, "shape_id");
  }
  cr_expect_eq(door_request("DELETE", "/api/v1/map/shapes/bay", NULL).status, 200);
  cr_expect_str_eq(((map_shape_key_t *)door_stub(REQUEST_MAP_SHAPE_DELETE)->takes)->shape_id,
                   "bay");
  cr_expect_eq(door_request("GET", "/api/v1/map/shapes", NULL).status, 200);
}

static bool hears_quality(void *arg) {
  answer_t *answer = arg;
  *answer = door_request("GET", "/api/v1/map/quality", NULL);
  return answer->status == 200;
}

Test(api_gateway_maps, explains_the_terms_of_a_maps_quality) {
  answer_t answer = {0};
  map_status_t status = {
      .map_id = "map_1",
      .quality = 0.5,
      .has_terms = true,
      .terms = {.residual = 0.031, .inliers = 0.97, .keyframes = 90, .closures = 4}};

  cr_assert_eq(bus_publish(door.mapper->bus, TOPIC_MAP_STATUS, NULL, &status), GANTRY_OK);
  cr_assert(door_until(hears_quality, &answer, 5000), "%s", answer.body);
  expect_text(&answer, "\"name\":\"residual\",\"value\":31,\"unit\":\"mm\"");
  expect_text(&answer, "\"name\":\"closures\",\"value\":4");
}

static bool hears_of_no_scans(void *arg) {
  answer_t *answer = arg;
  *answer = door_request("GET", "/api/v1/map/quality", NULL);
  return strstr(answer->body, "without its scans") != NULL;
}

Test(api_gateway_maps, claims_no_quality_for_a_map_without_scans) {
  answer_t answer = {0};
  map_status_t status = {.map_id = "map_1", .has_terms = true, .terms = {.coverage = 1}};

  cr_assert_eq(bus_publish(door.mapper->bus, TOPIC_MAP_STATUS, NULL, &status), GANTRY_OK);
  cr_expect(door_until(hears_of_no_scans, &answer, 5000), "%s", answer.body);
  cr_expect_eq(answer.status, 404);
}

Test(api_gateway_maps, lists_closures_with_their_verdict) {
  map_closures_t *closures = door_stub(REQUEST_MAP_CLOSURES)->reply;
  closures->total = closures->closures_count = 1;
  closures->closures[0] = (map_closure_t){
      .from = 3, .to = 90, .verdict = MAP_VERDICT_LOW_SCORE, .score = 0.4, .residual = 0.09};

  answer_t answer = door_request("GET", "/api/v1/map/closures", NULL);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"verdict\":\"low_score\"");
  expect_text(&answer, "\"residual\":90");
}

/* ---- files */

enum { WIDTH = 3, HEIGHT = 2, PICTURES = 4 };
static const int8_t CELLS[WIDTH * HEIGHT] = {0, 1, -1, 1, 0, 0};

static buf_t stored_map(void) {
  buf_t coded = {.limit = 1024};
  map_grid_t *grid = door_stub(REQUEST_STORE_MAP_GET)->reply;

  cr_assert_eq(map_codec_encode(CELLS, WIDTH * HEIGHT, &coded), GANTRY_OK);
  grid->info = (map_info_t){.map_id = "map_0a1b2c3d",
                            .name = "hall",
                            .resolution = 0.05,
                            .width = WIDTH,
                            .height = HEIGHT,
                            .origin_x = -1,
                            .origin_y = 2,
                            .metadata = "{}"};
  grid->cells = (blob_t){.data = coded.data, .len = coded.len};
  return coded;
}

Test(api_gateway_maps, gives_a_map_as_image_and_yaml_that_read_back_as_it_is) {
  gantry_fault_t fault = {0};
  map_yaml_t yaml;
  map_cells_t back;
  buf_t coded = stored_map();

  answer_t answer = door_request("GET", "/api/v1/map/map_0a1b2c3d/map.yaml", NULL);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  cr_expect_not_null(strstr(answer.head, "filename=\"map_0a1b2c3d.yaml\""), "%s", answer.head);
  cr_assert_eq(map_yaml_parse(answer.body, answer.body_len, &yaml, &fault), GANTRY_OK, "%s",
               fault.detail);
  cr_expect_str_eq(yaml.image, "map_0a1b2c3d.png");

  answer = door_request("GET", "/api/v1/map/map_0a1b2c3d/map.png", NULL);
  cr_assert_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.head, "image/png"));
  cr_assert_eq(
      map_image_decode((const uint8_t *)answer.body, answer.body_len, &yaml, &back, &fault),
      GANTRY_OK, "%s", fault.detail);
  cr_expect_eq(back.box.min_x, -20);
  cr_expect_eq(back.box.min_y, 40);
  cr_expect_arr_eq(back.cells, CELLS, sizeof CELLS);
  map_cells_fini(&back);
  buf_fini(&coded);
}

Test(api_gateway_maps, says_that_a_map_does_not_exist) {
  door_stub(REQUEST_STORE_MAP_GET)->fail = GANTRY_E_NOT_FOUND;

  cr_expect_eq(door_request("GET", "/api/v1/map/map_x/map.png", NULL).status, 404);
  cr_expect_eq(door_request("GET", "/api/v1/map/map_x/map.yaml", NULL).status, 404);
}

static answer_t import(const char *query, const char *bytes, size_t len) {
  char request[4096];
  int head = snprintf(request, sizeof request,
                      "POST /api/v1/map/import?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                      "%s\r\nContent-Type: image/x-portable-graymap\r\nContent-Length: %zu\r\n\r\n",
                      query, door.token, len);

  cr_assert_lt((size_t)head + len, sizeof request);
  memcpy(request + head, bytes, len);
  return door_raw(request, (size_t)head + len);
}

static gantry_err_t keep_cells(int8_t *out) {
  const map_import_t *asked = door_stub(REQUEST_MAP_IMPORT)->takes;
  return map_codec_decode(asked->cells.data, asked->cells.len, out, WIDTH * HEIGHT);
}

static int8_t kept[WIDTH * HEIGHT];

static void play_import(rpc_context_t *call, const void *takes, void *arg) {
  stub_t *stub = arg;
  memcpy(stub->takes, takes, stub->request->takes->size);
  cr_expect_eq(keep_cells(kept), GANTRY_OK);
  rpc_reply(call, stub->reply);
}

Test(api_gateway_maps, takes_a_map_of_map_server_in) {
  static const char PGM[] = "P5\n3 2\n255\n\x00\xfe\xfe\xfe\x00\xcd";
  door_stub(REQUEST_MAP_IMPORT)->play = play_import;

  answer_t answer =
      import("name=old%20hall&resolution=0.05&origin_x=-1&origin_y=2", PGM, sizeof PGM - 1);

  const map_import_t *asked = door_stub(REQUEST_MAP_IMPORT)->takes;
  cr_assert_eq(answer.status, 201, "%d %s", answer.status, answer.body);
  cr_expect_str_eq(asked->name, "old hall");
  cr_expect_eq(asked->width, WIDTH);
  cr_expect_float_eq(asked->origin_x, -1, 1e-9);
  cr_expect_arr_eq(kept, CELLS, sizeof CELLS);
}

Test(api_gateway_maps, refuses_what_is_no_map_by_name) {
  static const char SHORT[] = "P5\n30 20\n255\n\x00\xfe";
  static const char *const QUERIES[] = {"name=a&resolution=0.05", "resolution=0.05",
                                        "name=a&resolution=7",
                                        "name=a&resolution=0.05&free_thresh=0.9"};
  static const char *const FIELDS[] = {"image", "name", "resolution", "free_thresh"};

  for (size_t i = 0; i < sizeof QUERIES / sizeof QUERIES[0]; i++) {
    answer_t answer = import(QUERIES[i], SHORT, sizeof SHORT - 1);
    cr_expect(answer.status == 400 || answer.status == 422, "%s: %d", QUERIES[i], answer.status);
    expect_text(&answer, FIELDS[i]);
  }
  answer_t answer = import("name=a&resolution=0.05", "", 0);
  cr_expect_eq(answer.status, 422);
  cr_expect_eq(door_stub(REQUEST_MAP_IMPORT)->count, 0);
}

static bool all_were_asked_for(void *arg) {
  return ((const stub_t *)arg)->count >= PICTURES;
}

/* A request whose answer is not waited for. */
static int ask_for(const char *method, const char *path) {
  char request[1400];
  int client = door_connect();
  int len = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", method, path,
                     door.token);

  door_send(client, request, (size_t)len);
  return client;
}

/* A stop passes through the loop: whoever writes a big map in one go holds it up for seconds. */
Test(api_gateway_maps, sends_the_cells_of_a_building_in_pieces) {
  enum { SIDE = 700 };
  static int8_t cells[SIDE * SIDE];
  buf_t coded = stored_map();
  map_grid_t *grid = door_stub(REQUEST_STORE_MAP_GET)->reply;

  cells[0] = 1;
  cells[SIDE * SIDE - 1] = -1;
  buf_reset(&coded);
  cr_assert_eq(map_codec_encode(cells, sizeof cells, &coded), GANTRY_OK);
  grid->info.width = grid->info.height = SIDE;
  snprintf(grid->info.metadata, sizeof grid->info.metadata, "{\"data\":[]}");
  grid->cells = (blob_t){.data = coded.data, .len = coded.len};
  answer_t answer = door_request("GET", "/api/v1/map/map_0a1b2c3d", NULL);

  cr_assert_eq(answer.status, 200, "%.200s", answer.body);
  expect_text(&answer, "\"data\":[[1,0,0");
  cr_expect_not_null(strstr(answer.body, "0,0,-1]],\"resolution\":50,\"width\":700"));
  size_t zeros = 0;
  for (const char *at = strstr(answer.body, "[["); at && *at != 'r'; at++)
    zeros += *at == '0';
  cr_expect_eq(zeros, sizeof cells - 2);
  cr_expect_eq(answer.body[answer.body_len - 1], '}');
  int idle = ask_for("GET", "/api/v1/map/map_0a1b2c3d"); /* goes away in the middle */
  int client = ask_for("HEAD", "/api/v1/map/map_0a1b2c3d");
  cr_expect(door_head_only(client, "HTTP/1.1 200 "));
  close(client);
  close(idle);
  grid->info.width = SIDE + 1;
  cr_expect_eq(door_request("GET", "/api/v1/map/map_0a1b2c3d", NULL).status, 500);
  buf_fini(&coded);
}

/* What the service holds when it ends is what a leak checker looks at. */
Test(api_gateway_maps, draws_four_at_once_and_ends_with_them_under_way) {
  enum { SIDE = 6000 };
  static int8_t cells[SIDE * SIDE];
  int clients[PICTURES];
  buf_t coded = stored_map();
  map_grid_t *grid = door_stub(REQUEST_STORE_MAP_GET)->reply;

  buf_reset(&coded);
  cr_assert_eq(map_codec_encode(cells, sizeof cells, &coded), GANTRY_OK);
  grid->info.width = grid->info.height = SIDE;
  grid->cells = (blob_t){.data = coded.data, .len = coded.len};
  for (int i = 0; i < PICTURES; i++)
    clients[i] = ask_for("GET", "/api/v1/map/m/map.png");
  cr_assert(door_until(all_were_asked_for, door_stub(REQUEST_STORE_MAP_GET), 5000));
  close(clients[0]);
  answer_t answer = door_request("GET", "/api/v1/map/m/map.png", NULL);
  cr_expect_eq(answer.status, 503, "%d %.200s", answer.status, answer.body);
  for (int i = 1; i < PICTURES; i++)
    close(clients[i]);
  buf_fini(&coded);
}
