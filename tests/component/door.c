/* Neighbours of the gateway. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <gantry/unpack.h>
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

static sensor_ingest_t last_reading;

static void on_readings(rpc_context_t *call, const void *takes, void *arg) {
  static sensor_verdicts_t gives;
  const blob_t *items = &((const sensor_ingest_each_t *)takes)->items;

  (void)arg;
  memset(&gives, 0, sizeof gives);
  for (size_t at = 0; at < items->len;) {
    uint32_t len;
    gantry_fault_t fault;
    memcpy(&len, items->data + at + 8, sizeof len);
    cr_assert_eq(
        unpack_message(&SENSOR_INGEST_DESC, items->data + at + 12, len, &last_reading, &fault),
        GANTRY_OK);
    sensor_verdict_t *row = &gives.rows[gives.rows_count++];
    snprintf(row->sensor, sizeof row->sensor, "%s", last_reading.sensor);
    at += 12 + len;
  }
  rpc_reply(call, &gives);
}

const sensor_ingest_t *door_takes_readings(void) {
  door_stub(REQUEST_SENSOR_INGEST_EACH)->play = on_readings;
  return &last_reading;
}

static store_user_t *find_user(const char *name) {
  for (uint32_t i = 0; i < door.user_count; i++) {
    if (!strcmp(door.users[i].username, name) || !strcmp(door.users[i].email, name))
      return &door.users[i];
  }
  return NULL;
}

static void on_login_user(rpc_context_t *call, const void *takes, void *arg) {
  const store_login_ask_t *ask = takes;
  const store_user_t *user = find_user(ask->name);
  store_login_found_t found = {.has_user = user != NULL};

  (void)arg;
  if (user) found.user = *user;
  rpc_reply(call, &found);
}

static void on_user_put(rpc_context_t *call, const void *takes, void *arg) {
  store_user_t user = *(const store_user_t *)takes;
  store_user_t *old = find_user(user.username);

  (void)arg;
  if (user.id == 0) {
    user.id = door.user_count + 1;
    user.must_change = false; /* else the first one could do nothing */
  }
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

/* What gateways ask of identity, for those users, always granted: the rest is tested over a real
   storage (door_open_on). */
static store_user_t *user_of(uint64_t id) {
  for (uint32_t i = 0; i < door.user_count; i++)
    if (door.users[i].id == id) return &door.users[i];
  return &door.users[0];
}

static void on_user_by_id(rpc_context_t *call, const void *takes, void *arg) {
  const store_user_id_t *key = takes;

  (void)arg;
  rpc_reply(call, user_of(key->id));
}

static void on_store_login(rpc_context_t *call, const void *takes, void *arg) {
  const store_login_t *login = takes;
  static store_login_judged_t judged;

  (void)arg;
  judged.verdict = login->success ? STORE_LOGIN_VERDICT_OPEN : STORE_LOGIN_VERDICT_REFUSED;
  judged.has_user = true;
  judged.user = *user_of(login->user_id);
  rpc_reply(call, &judged);
}

static void on_session_refresh(rpc_context_t *call, const void *takes, void *arg) {
  static store_session_refreshed_t refreshed;

  (void)takes;
  (void)arg;
  refreshed.verdict = STORE_REFRESH_VERDICT_RENEWED;
  refreshed.has_user = true;
  refreshed.user = door.users[0];
  rpc_reply(call, &refreshed);
}

static rpc_handler_fn user_handler(const request_t *request) {
  if (request == REQUEST_STORE_LOGIN_USER) return on_login_user;
  if (request == REQUEST_STORE_USER_PUT) return on_user_put;
  if (request == REQUEST_STORE_USER_BY_ID) return on_user_by_id;
  if (request == REQUEST_STORE_LOGIN) return on_store_login;
  if (request == REQUEST_STORE_SESSION_REFRESH) return on_session_refresh;
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

static bool knows_users(void *arg) {
  (void)arg;
  return gateway_knows_users(door.gateway);
}

void door_open_on(const service_def_t *storage, const char *const *settings) {
  char data[96];
  const char *all[16] = {"port=0", "hash_cost=1", "allowed_hosts=x", data};
  size_t count = 4;

  for (; settings && *settings && count < 15; settings++)
    all[count++] = *settings;
  door.harness = harness_new();
  snprintf(door.folder, sizeof door.folder, "/tmp/gantry-door-XXXXXX");
  cr_assert_not_null(mkdtemp(door.folder));
  snprintf(data, sizeof data, "data=%s", door.folder);
  if (storage)
    (void)harness_open(door.harness, storage, (const char *[]){"batch_ms=5", NULL});
  else
    door.storage = play("storage");
  door.bridge = play("rs485-bridge");
  door.sensors = play("sensor-processor");
  door.localization = play("localization");
  door.mapper = play("mapper");
  door.run = harness_open(door.harness, &GATEWAY_SERVICE, all);
  door.gateway = service_self(door.run);
  cr_assert(door_until(knows_users, NULL, 5000), "the gateway has not heard who may come in");
}

void door_open_with(const char *const *settings) {
  door_open_on(NULL, settings);
}

void door_open(void) {
  door_open_with(NULL);
}

void door_close(void) {
  static const char *const LEFT[] = {
      "first-password", "first-password.new", "gateway.port",        "token-secret", "index.html",
      "secret.txt",     "api-gateway.outbox", "api-gateway.running", "load-history", "token-key"};

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

/* It gets its name once the user is stored. */
static bool has_password(void *arg) {
  char path[128];

  (void)arg;
  snprintf(path, sizeof path, "%s/first-password", door.folder);
  return access(path, R_OK) == 0;
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

answer_t door_login_as(const char *user, const char *password) {
  char body[300];

  snprintf(body, sizeof body, "{\"username\":\"%s\",\"password\":\"%s\"}", user, password);
  answer_t answer = door_request_as("", "POST", "/api/v1/auth/login", body);
  if (answer.status != 200) return answer;
  cr_assert_eq(json_get_text(answer.body, "access_token", door.token, sizeof door.token),
               GANTRY_OK);
  cr_assert_eq(json_get_text(answer.body, "refresh_token", door.refresh, sizeof door.refresh),
               GANTRY_OK);
  return answer;
}

answer_t door_change_password(const char *from, const char *to) {
  char body[300];

  snprintf(body, sizeof body,
           "{\"current_password\":\"%s\",\"new_password\":\"%s\",\"confirm_new_password\":\"%s\"}",
           from, to, to);
  return door_request("POST", "/api/v1/auth/change-password", body);
}

void door_login(void) {
  cr_assert(door_until(has_password, NULL, 5000), "no first user was made");
  read_text("first-password", door.password, sizeof door.password);
  answer_t answer = door_login_as("admin", door.password);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
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
  cr_assert_eq(auth_new(AUTH_HS256, secret, "gantry", "gantry", &auth), GANTRY_OK);
  cr_assert_eq(auth_sign(auth, &subject, HTTP_TOKEN_TYPE_ACCESS, clock_wall_ns() / GANTRY_NS_PER_S,
                         life_s, out, size),
               GANTRY_OK);
  auth_destroy(&auth);
}
