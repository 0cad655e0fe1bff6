/* /ws/sensor-data: every frame to every client, in order. A client that takes none until its queue
   is full is let go; it holds nobody up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "bench.h"

enum {
  QUEUE = 4096, /* frames: minutes of three sensors */
  CLIENTS_MAX = 64,
  MESSAGES_PER_S = 200,
};

static const char PATH[] = "/ws/sensor-data";

struct bench_client {
  bench_client_t *next, **link;
  bench_t *bench;
  ws_socket_t *socket;
  ring_t queue;      /* ws_frame_t *, one reference each */
  uint32_t messages; /* within this second */
};

/* ---- to one client */

/* At once where the socket takes it, else in its turn. */
static void send_frame(bench_client_t *client, ws_frame_t *frame) {
  metric_add(client->bench->gateway->metrics.ws_frames, 1);
  if (!client->queue.count && ws_socket_send(client->socket, frame)) return;
  if (ws_socket_is_closing(client->socket)) return;
  if (ring_push(&client->queue, &frame)) {
    (void)ws_frame_hold(frame);
    return;
  }
  metric_add(client->bench->gateway->metrics.ws_dropped, 1);
  ws_socket_close(client->socket, WS_CODE_OVERLOAD, "too slow");
}

static void on_writable(void *arg) {
  bench_client_t *client = arg;
  ws_frame_t *frame;

  while (!ws_socket_is_choked(client->socket) && ring_pop(&client->queue, &frame)) {
    (void)ws_socket_send(client->socket, frame);
    ws_frame_release(frame);
  }
}

/* ---- frames */

/* One reference; NULL when memory ran out. */
static ws_frame_t *frame_of(bench_t *bench) {
  buf_reset(&bench->text);
  shapes_spaced(bench->json.data, bench->json.len, &bench->text);
  if (buf_err(&bench->json) != GANTRY_OK || buf_err(&bench->text) != GANTRY_OK) return NULL;
  return ws_frame_text(WS_CONTROL, "", bench->text.data, bench->text.len);
}

static ws_frame_t *data_frame(bench_t *bench, const char *type, const desc_t *desc,
                              const void *value) {
  buf_reset(&bench->json);
  buf_printf(&bench->json, "{\"type\":\"%s\",\"data\":", type);
  (void)json_write(desc, value, &bench->json);
  buf_put_byte(&bench->json, '}');
  return frame_of(bench);
}

static void answer(bench_client_t *client, ws_frame_t *frame) {
  if (frame) send_frame(client, frame);
  ws_frame_release(frame);
}

bool bench_is_heard(const bench_t *bench) {
  return bench->clients != NULL;
}

void bench_tell(bench_t *bench, const char *type, const desc_t *desc, const void *value) {
  ws_frame_t *frame = bench->clients ? data_frame(bench, type, desc, value) : NULL;

  if (!frame) return;
  for (bench_client_t *client = bench->clients; client; client = client->next)
    send_frame(client, frame);
  ws_frame_release(frame);
}

/* ---- what clients say */

static void say_error(bench_client_t *client, const char *message) {
  buf_t *json = &client->bench->json;

  metric_add(client->bench->gateway->metrics.ws_refused, 1);
  buf_reset(json);
  buf_put_text(json, "{\"type\":\"error\",\"message\":");
  json_write_text(json, message, strlen(message));
  buf_put_byte(json, '}');
  answer(client, frame_of(client->bench));
}

/* {"type": type, key: what the client said, or `absent`}. */
static void echo(bench_client_t *client, const char *type, const char *key, const char *said,
                 const char *absent) {
  buf_t *json = &client->bench->json;

  buf_reset(json);
  buf_printf(json, "{\"type\":\"%s\",\"%s\":", type, key);
  buf_put_text(json, said[0] ? said : absent);
  buf_put_byte(json, '}');
  answer(client, frame_of(client->bench));
}

static void say_status(bench_client_t *client) {
  bench_t *bench = client->bench;
  bench_ws_status_t status = {.recording = bench->recording};
  shapes_session_t session;

  bench_session(bench, &session);
  bench_active(bench, &status.sensors);
  shapes_data_summary(&session, status.data_summary, sizeof status.data_summary);
  answer(client, data_frame(bench, "system_status", &BENCH_WS_STATUS_DESC, &status));
}

static void on_message(bench_client_t *client, const char *text, size_t len) {
  bench_ws_command_t command;
  char unknown[192];

  if (json_read(&BENCH_WS_COMMAND_DESC, text, len, false, &command, NULL) != GANTRY_OK)
    say_error(client, "Invalid JSON: a frame is one JSON object with a type.");
  else if (!strcmp(command.type, "\"ping\""))
    echo(client, "pong", "timestamp", command.timestamp, "null");
  else if (!strcmp(command.type, "\"subscribe\""))
    echo(client, "subscription_confirmed", "data", command.data, "{}");
  else if (!strcmp(command.type, "\"get_status\""))
    say_status(client);
  else {
    snprintf(unknown, sizeof unknown, "Unknown message type: %s",
             command.has_type ? command.type : "null");
    say_error(client, unknown);
  }
}

static void on_frame(void *arg, const char *bytes, size_t len, bool binary) {
  bench_client_t *client = arg;

  if (++client->messages > MESSAGES_PER_S)
    ws_socket_close(client->socket, WS_CODE_OVERLOAD, "too many messages");
  else if (binary)
    say_error(client, "Frames are text: one JSON object with a type.");
  else
    on_message(client, bytes ? bytes : "", len);
}

/* ---- connections */

static void on_closed(void *arg) {
  bench_client_t *client = arg;
  ws_frame_t *frame;

  *client->link = client->next;
  if (client->next) client->next->link = client->link;
  client->bench->client_count--;
  while (ring_pop(&client->queue, &frame))
    ws_frame_release(frame);
  ring_fini(&client->queue);
  free(client);
}

/* A page of elsewhere may not listen either: browsers ask nobody before they open a WebSocket. */
int bench_ws_admit(exchange_t *x, ws_upgrade_t *upgrade) {
  if (strcmp(upgrade->path, PATH) != 0 || x->foreign) return 403;
  (void)ws_upgrade_token(x, upgrade); /* for the protocol to be answered; nobody logs in here */
  return x->gateway->bench->client_count < CLIENTS_MAX ? 0 : 429;
}

bool bench_ws_open(exchange_t *x, const ws_upgrade_t *upgrade, const ws_carrier_t *carrier) {
  bench_t *bench = x->gateway->bench;
  bench_client_t *client = calloc(1, sizeof *client);
  const ws_owner_t owner = {on_frame, on_writable, on_closed, client};
  bench_ws_welcome_t welcome = {.message = "Connected to the test bench",
                                .recording = bench->recording};

  (void)upgrade;
  if (!client || ring_init(&client->queue, sizeof(ws_frame_t *), QUEUE) != GANTRY_OK) {
    free(client);
    return false;
  }
  client->socket = ws_socket_new(x->gateway->service->loop, carrier, &owner);
  if (!client->socket) {
    ring_fini(&client->queue);
    free(client);
    return false;
  }
  client->bench = bench;
  client->next = bench->clients;
  client->link = &bench->clients;
  if (client->next) client->next->link = &client->next;
  bench->clients = client;
  bench->client_count++;
  bench_active(bench, &welcome.sensors_active);
  answer(client, data_frame(bench, "connection_established", &BENCH_WS_WELCOME_DESC, &welcome));
  return true;
}

void bench_sockets_close(bench_t *bench) {
  for (bench_client_t *client = bench->clients, *next; client; client = next) {
    next = client->next;
    ws_socket_destroy(&client->socket);
    on_closed(client);
  }
}

void bench_sockets_tick(bench_t *bench) {
  uint64_t now_ns = clock_mono_ns();

  for (bench_client_t *client = bench->clients; client; client = client->next) {
    client->messages = 0;
    ws_socket_tick(client->socket, now_ns);
  }
}
