/* Neighbours of the gateway. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth.h"

enum { STUBS_MAX = 256 }; /* more than there are requests */

door_t door;
static stub_t stubs[STUBS_MAX];
static uint32_t stub_count;

stub_t *door_stub(const request_t *request) {
  for (uint32_t i = 0; i < stub_count; i++) {
    if (stubs[i].request == request) return &stubs[i];
  }
  fprintf(stderr, "nobody plays %s\n", request->name);
  abort();
}

static void on_stub(rpc_context_t *call, const void *takes, void *arg) {
  stub_t *stub = arg;

  stub->count++;
  memcpy(stub->takes, takes, stub->request->takes->size);
  snprintf(stub->actor, sizeof stub->actor, "%s", rpc_actor(call));
  if (stub->silent) return;
  if (stub->play)
    stub->play(call, takes, stub);
  else if (stub->fail != GANTRY_OK)
    rpc_fail(call, stub->fail, "", "%s", stub->detail);
  else
    rpc_reply(call, stub->reply);
}

static store_user_t *find_user(const char *name) {
  for (uint32_t i = 0; i < door.user_count; i++) {
    if (!strcmp(door.users[i].username, name) || !strcmp(door.users[i].email, name))
      return &door.users[i];
  }
  return NULL;
}

static void on_user_get(rpc_context_t *call, const void *takes, void *arg) {
  const store_user_key_t *key = takes;
  const store_user_t *user = find_user(key->name);

  (void)arg;
  if (user)
    rpc_reply(call, user);
  else
    rpc_fail(call, GANTRY_E_NOT_FOUND, "name", "no user %s", key->name);
}

static void on_user_put(rpc_context_t *call, const void *takes, void *arg) {
  store_user_t user = *(const store_user_t *)takes;
  store_user_t *old = find_user(user.username);

  (void)arg;
  if (user.id == 0) user.id = door.user_count + 1;
  if (!old && door.user_count < 4) old = &door.users[door.user_count++];
  if (!old) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "this storage keeps four users");
    return;
  }
  *old = user;
  rpc_reply(call, &user);
}

static void on_user_count(rpc_context_t *call, const void *takes, void *arg) {
  store_count_t count = {.count = door.user_count};

  (void)takes;
  (void)arg;
  rpc_reply(call, &count);
}

static rpc_handler_fn user_handler(const request_t *request) {
  if (request == REQUEST_STORE_USER_GET) return on_user_get;
  if (request == REQUEST_STORE_USER_PUT) return on_user_put;
  return request == REQUEST_STORE_USER_COUNT ? on_user_count : NULL;
}

static harness_peer_t *play(const char *service) {
  harness_peer_t *peer = harness_peer(door.harness, service);

  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    rpc_handler_fn handler = user_handler(request);
    if (strcmp(request->server, service) != 0) continue;
    cr_assert_lt(stub_count, STUBS_MAX);
    stub_t *stub = &stubs[stub_count++];
    *stub = (stub_t){.request = request};
    stub->reply = calloc(1, request->gives->size);
    stub->takes = calloc(1, request->takes->size);
    cr_assert_eq(rpc_serve(peer->server, request, handler ? handler : on_stub, stub), GANTRY_OK);
  }
  return peer;
}

/* The gateway's sockets are not in the harness's loops: look every millisecond. */
static void nothing(void *arg) {
  (void)arg;
}

void door_open_with(const char *const *settings) {
  char data[96];
  const char *all[16] = {"port=0", "hash_cost=1", data};
  size_t count = 3;

  for (; settings && *settings && count < 15; settings++)
    all[count++] = *settings;
  door.harness = harness_new();
  snprintf(door.folder, sizeof door.folder, "/tmp/gantry-door-XXXXXX");
  cr_assert_not_null(mkdtemp(door.folder));
  snprintf(data, sizeof data, "data=%s", door.folder);
  door.storage = play("storage");
  door.bridge = play("rs485-bridge");
  door.sensors = play("sensor-processor");
  door.localization = play("localization");
  door.mapper = play("mapper");
  door.run = harness_open(door.harness, &GATEWAY_SERVICE, all);
  door.gateway = service_self(door.run);
  cr_assert_gt(loop_every(harness_loop(door.harness), 1, nothing, NULL), 0);
}

void door_open(void) {
  door_open_with(NULL);
}

void door_close(void) {
  static const char *const LEFT[] = {"first-password", "gateway.port", "token-secret",
                                     "index.html",     "secret.txt",   "api-gateway.outbox"};

  harness_destroy(&door.harness);
  for (uint32_t i = 0; i < stub_count; i++) {
    free(stubs[i].reply);
    free(stubs[i].takes);
  }
  for (size_t i = 0; i < sizeof LEFT / sizeof LEFT[0]; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", door.folder, LEFT[i]);
    unlink(path);
  }
  cr_expect_eq(rmdir(door.folder), 0, "files were left behind in %s", door.folder);
}

/* ---- logging in */

static bool has_user(void *arg) {
  (void)arg;
  return door.user_count > 0;
}

static void read_text(const char *name, char *out, size_t size) {
  char path[128];

  snprintf(path, sizeof path, "%s/%s", door.folder, name);
  FILE *file = fopen(path, "re");
  cr_assert_not_null(file, "%s", path);
  cr_assert_not_null(fgets(out, (int)size, file));
  fclose(file);
  out[strcspn(out, "\n")] = '\0';
}

void door_login(void) {
  char password[64], body[160];

  cr_assert(door_until(has_user, NULL, 5000), "no first user was made");
  read_text("first-password", password, sizeof password);
  snprintf(body, sizeof body, "{\"username\":\"admin\",\"password\":\"%s\"}", password);
  answer_t answer = door_request("POST", "/api/v1/auth/login", body);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  cr_assert_eq(json_get_text(answer.body, "access_token", door.token, sizeof door.token),
               GANTRY_OK);
  cr_assert_eq(json_get_text(answer.body, "refresh_token", door.refresh, sizeof door.refresh),
               GANTRY_OK);
}

void door_open_as_admin(void) {
  door_open();
  door_login();
}

void door_token(store_role_t role, uint32_t life_s, char *out, size_t size) {
  char path[128];
  uint8_t secret[AUTH_SECRET_BYTES];
  gantry_fault_t fault;
  auth_t *auth;
  auth_subject_t subject = {.name = "someone", .user_id = 9, .role = role};

  snprintf(path, sizeof path, "%s/token-secret", door.folder);
  cr_assert_eq(auth_secret(path, secret, &fault), GANTRY_OK);
  cr_assert_eq(auth_new(secret, "gantry", "gantry", &auth), GANTRY_OK);
  cr_assert_eq(auth_sign(auth, &subject, HTTP_TOKEN_TYPE_ACCESS, clock_wall_ns() / GANTRY_NS_PER_S,
                         life_s, out, size),
               GANTRY_OK);
  auth_destroy(&auth);
}
