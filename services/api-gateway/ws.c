/* Connections and fan-out. Frames go out from the bus handler that brought the datum: waiting for a
   writable callback costs a turn of the loop and a fifth more CPU. Only what the socket did not
   take waits. */
#include "ws.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"
#include "feed.h"
#include "roles.h"
#include "ws_client.h"

_Static_assert(WS_HEADROOM >= LWS_PRE, "frames need room for their header");

enum {
  MESSAGE_MAX = 16384,
  MESSAGES_PER_S = 200,
  PER_USER = 10,
  LINGER_S = 5, /* for a client that does not read its close frame */
  CLOSE_TOKEN = 4001,
  CLOSE_OVERLOAD = 1013
};

struct ws_client {
  ws_client_t *next, **link;
  ws_hub_t *hub;
  struct lws *wsi;
  auth_subject_t caller;
  uint64_t expires_s;
  uint64_t id;
  uint16_t close_code; /* 0: stays open */
  ws_queue_t queue;
  uint32_t messages; /* within this second */
  buf_t message;     /* of frames in pieces */
};

struct ws_hub {
  gateway_t *gateway;
  ws_client_t *clients;
  uint32_t count;
  uint32_t heard[WS_TYPE_COUNT];
  uint64_t seq[WS_TYPE_COUNT];
};

gantry_err_t ws_hub_new(gateway_t *gateway, ws_hub_t **out) {
  *out = calloc(1, sizeof **out);
  if (!*out) return GANTRY_E_INTERNAL;
  (*out)->gateway = gateway;
  return GANTRY_OK;
}

void ws_hub_destroy(ws_hub_t **self) {
  free(*self);
  *self = NULL;
}

/* ---- who may */

static void find_token(struct lws *wsi, char *out, size_t size) {
  out[0] = '\0';
  if (lws_hdr_copy(wsi, out, (int)size, WSI_TOKEN_HTTP_AUTHORIZATION) > 0) return;
  out[0] = '\0';
  const char *found = lws_get_urlarg_by_name(wsi, "token=", out, (int)size);
  if (!found)
    out[0] = '\0';
  else if (found != out)
    memmove(out, found, strlen(found) + 1);
}

static gantry_err_t identify(ws_hub_t *hub, struct lws *wsi, auth_subject_t *caller,
                             uint64_t *expires_s) {
  char token[AUTH_TOKEN_MAX + 64];
  gantry_fault_t fault;

  find_token(wsi, token, sizeof token);
  gantry_err_t err = call_authenticate(hub->gateway, token, caller, expires_s, &fault);
  explicit_bzero(token, sizeof token);
  return err;
}

static uint32_t connections_of(const ws_hub_t *hub, const char *user) {
  uint32_t count = 0;

  for (const ws_client_t *client = hub->clients; client; client = client->next) {
    if (!strcmp(client->caller.name, user)) count++;
  }
  return count;
}

int ws_admit(ws_hub_t *hub, struct lws *wsi) {
  char path[128] = "";
  auth_subject_t caller;
  bool known;

  (void)lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
  (void)ws_path_types(path, &known);
  if (!known) return ws_path_is_planned(path) ? 501 : 404;
  /* libwebsockets 4.1 reads at most 127 bytes here and closes without a word: a token does not fit.
   */
  if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 126) return 431;
  if (identify(hub, wsi, &caller, NULL) != GANTRY_OK) return 401;
  return connections_of(hub, caller.name) < PER_USER ? 0 : 429;
}

/* ---- to one client */

static void abandon(ws_client_t *client, uint16_t code) {
  if (client->close_code) return;
  client->close_code = code;
  lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_SEND, LINGER_S);
  lws_callback_on_writable(client->wsi);
}

static void put(ws_client_t *client, ws_frame_t *frame) {
  ws_put_t result = ws_queue_put(&client->queue, frame);

  if (result == WS_PUT_REPLACED) metric_add(client->hub->gateway->metrics.ws_dropped, 1);
  if (result == WS_PUT_OVERFLOW) abandon(client, CLOSE_OVERLOAD);
  lws_callback_on_writable(client->wsi);
}

static int write_frame(ws_client_t *client, ws_frame_t *frame) {
  metric_add(client->hub->gateway->metrics.ws_frames, 1);
  return lws_write(client->wsi, frame->bytes + WS_HEADROOM, frame->len, LWS_WRITE_TEXT);
}

static void say(ws_client_t *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(ws_client_t *client, const char *format, ...) {
  char text[640];
  va_list args;

  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len <= 0 || (size_t)len >= sizeof text) return;
  ws_frame_t *frame = ws_frame_text(WS_CONTROL, "", text, (size_t)len);
  if (!frame) return;
  put(client, frame);
  ws_frame_release(frame);
}

int ws_write(ws_client_t *client) {
  if (client->close_code) {
    char reason[] = "token expired";
    bool token = client->close_code == CLOSE_TOKEN;
    lws_close_reason(client->wsi, (enum lws_close_status)client->close_code,
                     (unsigned char *)reason, token ? sizeof reason - 1 : 0);
    return -1;
  }
  while (!lws_partial_buffered(client->wsi) && !lws_send_pipe_choked(client->wsi)) {
    ws_frame_t *frame = ws_queue_take(&client->queue);
    if (!frame) return 0;
    int written = write_frame(client, frame);
    ws_frame_release(frame);
    if (written < 0) return -1;
  }
  if (!ws_queue_is_empty(&client->queue)) lws_callback_on_writable(client->wsi);
  return 0;
}

/* ---- subscriptions */

static void subscribe(ws_client_t *client, uint32_t types, bool on) {
  ws_queue_t *queue = &client->queue;

  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    uint32_t bit = 1u << i;
    if (!(types & bit) || on == ((queue->subscribed & bit) != 0)) continue;
    queue->subscribed ^= bit;
    if (on)
      client->hub->heard[i]++;
    else
      client->hub->heard[i]--;
  }
}

/* Tells a new subscriber what holds now. */
static void welcome(ws_client_t *client, ws_type_t type) {
  ws_frame_t *frame;

  for (uint32_t i = 0; i < WS_CLIENT_ALERTS / 2; i++) {
    frame = feed_snapshot(client->hub->gateway, type, i);
    if (!frame) return;
    put(client, frame);
    ws_frame_release(frame);
  }
}

static void on_selection(ws_client_t *client, const ws_command_t *command) {
  bool on = command->wish == WS_SUBSCRIBE;
  const char *word = on ? "subscription" : "unsubscription";

  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    const char *name = ws_type_name((ws_type_t)i);
    if (!(command->types & 1u << i)) continue;
    if (on && !roles_allow(client->caller.role, ws_type_permission((ws_type_t)i))) {
      say(client,
          "{\"type\":\"error\",\"code\":\"INSUFFICIENT_PERMISSIONS\","
          "\"message\":\"Your role may not subscribe to %s.\"}",
          name);
      continue;
    }
    subscribe(client, 1u << i, on);
    say(client, "{\"type\":\"%s_confirmed\",\"subscription_type\":\"%s\"}", word, name);
    if (on) welcome(client, (ws_type_t)i);
  }
}

static void on_message(ws_client_t *client, const char *text, size_t len) {
  ws_command_t command;
  gantry_fault_t fault;
  char iso[40];

  if (ws_command_parse(text, len, &command, &fault) != GANTRY_OK) {
    buf_t message = {.limit = 512};
    json_write_text(&message, fault.detail, strlen(fault.detail));
    metric_add(client->hub->gateway->metrics.ws_refused, 1);
    say(client, "{\"type\":\"error\",\"code\":\"%s\",\"message\":%s}", fault.code,
        buf_text(&message));
    buf_fini(&message);
  } else if (command.wish == WS_PING) {
    say(client, "{\"type\":\"pong\",\"timestamp\":\"%s\"}",
        clock_iso(clock_wall_ns(), iso, sizeof iso));
  } else {
    on_selection(client, &command);
  }
}

int ws_receive(ws_client_t *client, const char *bytes, size_t len) {
  if (lws_is_first_fragment(client->wsi)) buf_reset(&client->message);
  buf_put(&client->message, bytes, len);
  if (buf_err(&client->message) != GANTRY_OK) {
    lws_close_reason(client->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
  }
  if (!lws_is_final_fragment(client->wsi)) return 0;
  if (client->close_code) return 0;
  if (++client->messages > MESSAGES_PER_S) {
    abandon(client, CLOSE_OVERLOAD);
    return 0;
  }
  if (client->message.len)
    on_message(client, (const char *)client->message.data, client->message.len);
  else
    on_message(client, "", 0);
  buf_reset(&client->message);
  return 0;
}

/* ---- connections */

ws_client_t *ws_open(ws_hub_t *hub, struct lws *wsi) {
  ws_client_t *client = calloc(1, sizeof *client);
  char path[128] = "", iso[40];
  bool known;

  if (!client) return NULL;
  (void)lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
  client->message.limit = MESSAGE_MAX;
  client->hub = hub;
  client->wsi = wsi;
  if (identify(hub, wsi, &client->caller, &client->expires_s) != GANTRY_OK ||
      auth_random(&client->id, sizeof client->id) != GANTRY_OK) {
    free(client);
    return NULL;
  }
  client->next = hub->clients;
  client->link = &hub->clients;
  if (hub->clients) hub->clients->link = &client->next;
  hub->clients = client;
  metric_set(hub->gateway->metrics.ws_clients, ++hub->count);
  clock_iso(clock_wall_ns(), iso, sizeof iso);
  say(client,
      "{\"type\":\"connection_established\",\"data\":{\"message\":\"Connected to gantry.\","
      "\"connection_id\":\"%016llx\",\"timestamp\":\"%s\"}}",
      (unsigned long long)client->id, iso);
  ws_command_t command = {.wish = WS_SUBSCRIBE, .types = ws_path_types(path, &known)};
  on_selection(client, &command);
  return client;
}

void ws_close(ws_client_t *client) {
  ws_hub_t *hub = client->hub;

  subscribe(client, (1u << WS_TYPE_COUNT) - 1, false);
  *client->link = client->next;
  if (client->next) client->next->link = client->link;
  metric_set(hub->gateway->metrics.ws_clients, --hub->count);
  ws_queue_fini(&client->queue);
  buf_fini(&client->message);
  free(client);
}

/* ---- to all */

bool ws_is_heard(const ws_hub_t *hub, ws_type_t type) {
  return hub->heard[type] > 0;
}

uint64_t ws_next_seq(ws_hub_t *hub, ws_type_t type) {
  return ++hub->seq[type];
}

void ws_broadcast(ws_hub_t *hub, ws_frame_t *frame) {
  if (!frame) return;
  for (ws_client_t *client = hub->clients; client; client = client->next) {
    if (!(client->queue.subscribed & 1u << frame->type) || client->close_code) continue;
    if (lws_partial_buffered(client->wsi) || !ws_queue_is_empty(&client->queue)) {
      put(client, frame);
    } else if (write_frame(client, frame) < 0) {
      lws_set_timeout(client->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
      client->close_code = CLOSE_OVERLOAD;
    }
  }
  ws_frame_release(frame);
}

void ws_tick(ws_hub_t *hub, uint64_t now_s) {
  for (ws_client_t *client = hub->clients; client; client = client->next) {
    client->messages = 0;
    if (now_s >= client->expires_s) abandon(client, CLOSE_TOKEN);
  }
}
