/* Connections: who may, what waits for one client, and time. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"
#include "caller.h"
#include "feed.h"
#include "ws_internal.h"

enum {
  MESSAGES_PER_S = 200,
  TURNS = 10,   /* a second */
  CHECK_S = 10, /* whether the token still holds, where nobody says that it does not */
};

gantry_err_t ws_hub_new(gateway_t *gateway, const ws_settings_t *settings, ws_hub_t **out) {
  ws_hub_t *hub = *out = calloc(1, sizeof *hub);

  if (!hub) return GANTRY_E_INTERNAL;
  hub->gateway = gateway;
  hub->settings = *settings;
  hub->deflate = settings->deflate ? ws_deflate_new() : NULL;
  if (settings->deflate && !hub->deflate) return GANTRY_E_INTERNAL;
  GANTRY_TRY(ws_rounds_start(hub));
  return auth_random(&hub->instance, sizeof hub->instance);
}

/* ---- users */

static ws_user_t *find_user(const ws_hub_t *hub, const char *name) {
  ws_user_t *user = hub->users;

  while (user && strcmp(user->name, name) != 0)
    user = user->next;
  return user;
}

static ws_user_t *enter_user(ws_hub_t *hub, const char *name) {
  ws_user_t *user = find_user(hub, name);

  if (!user) {
    user = calloc(1, sizeof *user);
    if (!user) return NULL;
    snprintf(user->name, sizeof user->name, "%s", name);
    user->next = hub->users;
    hub->users = user;
  }
  user->connections++;
  return user;
}

static void leave_user(ws_hub_t *hub, ws_user_t *user) {
  ws_user_t **link = &hub->users;

  if (--user->connections) return;
  while (*link != user)
    link = &(*link)->next;
  *link = user->next;
  free(user);
}

/* ---- who may */

int ws_admit(exchange_t *x, ws_upgrade_t *upgrade) {
  ws_hub_t *hub = x->gateway->hub;
  bool known;

  (void)ws_path_types(upgrade->path, &known);
  if (!known) return 404;
  if (x->foreign) return 403;
  if (!ws_upgrade_token(x, upgrade)) return 401;
  gantry_err_t err =
      call_authenticate(x->gateway, upgrade->token, &x->caller, &x->expires_s, &x->fault);
  if (err != GANTRY_OK) return gantry_err_http(err);
  const ws_user_t *user = find_user(hub, x->caller.name);
  if (user && user->connections >= hub->settings.per_user) return 429;
  if (hub->deflate) (void)ws_upgrade_deflate(upgrade);
  return 0;
}

/* ---- to one client */

void ws_drain(ws_client_t *client) {
  ws_queue_t *queue = &client->queue;
  uint64_t now_ns = clock_mono_ns();
  ws_frame_t *frame;

  while (!ws_socket_is_choked(client->socket) && (frame = ws_queue_take(queue, now_ns))) {
    metric_add(client->hub->gateway->metrics.ws_frames, 1);
    (void)ws_socket_send(client->socket, frame);
    ws_frame_release(frame);
  }
}

void ws_put(ws_client_t *client, ws_frame_t *frame) {
  ws_put_t result = ws_queue_put(&client->queue, frame);

  if (result == WS_PUT_LOST) metric_add(client->hub->gateway->metrics.ws_dropped, 1);
  if (result == WS_PUT_OVERFLOW) ws_socket_close(client->socket, WS_CODE_OVERLOAD, "too slow");
  ws_drain(client);
}

void ws_say(ws_client_t *client, const char *format, ...) {
  char text[1001];
  va_list args;

  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len <= 0 || (size_t)len >= sizeof text) return;
  ws_frame_t *frame = ws_frame_text(WS_CONTROL, "", text, (size_t)len);
  if (!frame) return;
  ws_put(client, frame);
  ws_frame_release(frame);
}

void ws_say_error(ws_client_t *client, const char *code, const char *message) {
  buf_t text = {.limit = 640};

  json_write_text(&text, message, strlen(message));
  metric_add(client->hub->gateway->metrics.ws_refused, 1);
  ws_say(client, "{\"type\":\"error\",\"code\":\"%s\",\"message\":%s}", code, buf_text(&text));
  buf_fini(&text);
}

/* ---- what the socket tells */

static void on_message(void *arg, const char *bytes, size_t len, bool binary) {
  ws_client_t *client = arg;

  if (++client->messages > MESSAGES_PER_S)
    ws_socket_close(client->socket, WS_CODE_OVERLOAD, "too many messages");
  else if (binary)
    ws_say_error(client, "BAD_FRAME", "A frame is text: one JSON object with a type.");
  else
    ws_hear(client, bytes ? bytes : "", len);
}

static void on_writable(void *arg) {
  ws_drain(arg);
}

static void on_closed(void *arg) {
  ws_client_t *client = arg;
  ws_hub_t *hub = client->hub;

  ws_subscribe(client, (1u << WS_TYPE_COUNT) - 1, false);
  if (client->queue.paced) hub->paced--;
  ws_forget_asked(client);
  if (hub->cursor == client) hub->cursor = client->next;
  ws_rounds_leave(hub, client);
  *client->link = client->next;
  if (client->next) client->next->link = client->link;
  metric_set(hub->gateway->metrics.ws_clients, --hub->count);
  leave_user(hub, client->user);
  ws_queue_fini(&client->queue);
  explicit_bzero(client->token, strlen(client->token));
  free(client->token);
  free(client);
}

void ws_hub_destroy(ws_hub_t **self) {
  ws_hub_t *hub = *self;

  if (!hub) return;
  ws_rounds_stop(hub);
  for (ws_client_t *client = hub->clients, *next; client; client = next) {
    next = client->next;
    ws_socket_close(client->socket, WS_CODE_GOING_AWAY, "the gateway ends");
    ws_socket_destroy(&client->socket);
    on_closed(client);
  }
  for (int i = 0; i < WS_PAST; i++)
    ws_frame_release(hub->past[i]);
  ws_deflate_destroy(&hub->deflate);
  free(hub);
  *self = NULL;
}

/* ---- connections */

static void greet(ws_client_t *client, const exchange_t *x, const char *path) {
  const char *resume = route_query((const char *)x->query.data, "resume");
  const char *instance = route_query((const char *)x->query.data, "instance");
  uint64_t id = 0;
  char iso[40], *end;
  bool known;

  (void)auth_random(&id, sizeof id);
  ws_say(client,
         "{\"type\":\"connection_established\",\"data\":{\"message\":\"Connected to gantry.\","
         "\"connection_id\":\"%016llx\",\"instance\":\"%016llx\",\"timestamp\":\"%s\"}}",
         (unsigned long long)id, (unsigned long long)client->hub->instance,
         clock_iso(clock_wall_ns(), iso, sizeof iso));
  ws_select(client, ws_path_types(path, &known), true, -1);
  ws_greet_path(client, path);
  if (!resume) return;
  uint64_t seq = strtoull(resume, &end, 10);
  if (*resume && *end == '\0')
    ws_resume(client, 1u << WS_ALERT, seq, instance ? instance : "");
  else
    ws_say_error(client, "BAD_ARGUMENT", "resume is the number of the last alert frame.");
}

bool ws_open(exchange_t *x, const ws_upgrade_t *upgrade, const ws_carrier_t *carrier) {
  static const ws_owner_t OWNER = {on_message, on_writable, on_closed, NULL};
  ws_hub_t *hub = x->gateway->hub;
  ws_client_t *client = calloc(1, sizeof *client);
  ws_owner_t owner = OWNER;

  if (!client) return false;
  owner.arg = client;
  client->token = strdup(upgrade->token);
  client->user = enter_user(hub, x->caller.name);
  client->socket = client->token && client->user
                       ? ws_socket_new(x->gateway->service->loop, carrier, &owner)
                       : NULL;
  if (!client->socket) {
    if (client->user) leave_user(hub, client->user);
    free(client->token);
    free(client);
    return false;
  }
  if (upgrade->extension[0]) ws_socket_deflate(client->socket, hub->deflate);
  client->hub = hub;
  client->caller = x->caller;
  client->expires_s = x->expires_s;
  client->log_level = SYS_LOG_LEVEL_WARN;
  snprintf(client->address, sizeof client->address, "%s", x->address);
  client->next = hub->clients;
  client->link = &hub->clients;
  if (client->next) client->next->link = &client->next;
  hub->clients = client;
  metric_set(hub->gateway->metrics.ws_clients, ++hub->count);
  greet(client, x, upgrade->path);
  return true;
}

/* ---- to all */

bool ws_is_heard(const ws_hub_t *hub, ws_type_t type) {
  return hub->heard[type] > 0;
}

/* ---- time */

static void check(ws_client_t *client) {
  if (!caller_holds(client->hub->gateway, &client->caller))
    ws_socket_close(client->socket, WS_CODE_TOKEN, "token revoked");
}

/* Once a second: where clients are few, their turns come more often. */
static void look_after(ws_client_t *client, uint64_t now_ns, uint64_t now_wall_s) {
  if (client->looked_s == now_wall_s) return;
  client->looked_s = now_wall_s;
  client->messages = 0;
  if (!client->queue.count) ws_say_dropped(client);
  if (now_wall_s >= client->expires_s)
    ws_socket_close(client->socket, WS_CODE_TOKEN, "token expired");
  if (++client->seconds % CHECK_S == 0) check(client);
  ws_socket_tick(client->socket, now_ns);
}

/* A tenth of the clients has its turn each time, so that ten thousand hold nobody up; all those
   whose frames wait for their time. */
void ws_tick(ws_hub_t *hub, uint64_t now_wall_s) {
  uint64_t now_ns = clock_mono_ns();

  for (uint32_t left = hub->count / TURNS + 1; left && hub->count; left--) {
    if (!hub->cursor) hub->cursor = hub->clients;
    ws_client_t *client = hub->cursor;
    hub->cursor = client->next;
    look_after(client, now_ns, now_wall_s);
  }
  ws_serve_paced(hub);
}

void ws_recheck(ws_hub_t *hub) {
  for (ws_client_t *client = hub->clients; client; client = client->next)
    check(client);
}
