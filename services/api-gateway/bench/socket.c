/* /ws/sensor-data: every frame to every client, in order. A client that takes none until its queue
   is full is let go; it holds nobody up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include <gantry/json.h>

#include "bench.h"

_Static_assert(WS_HEADROOM >= LWS_PRE, "frames need room for their header");

enum {
  QUEUE = 4096, /* frames: minutes of three sensors */
  CLIENTS_MAX = 64,
  MESSAGE_MAX = 16384,
  MESSAGES_PER_S = 200,
  LINGER_S = 5,
  CLOSE_OVERLOAD = 1013
};

static const char PATH[] = "/ws/sensor-data";

struct bench_client {
  bench_client_t *next, **link;
  bench_t *bench;
  struct lws *wsi;
  ring_t queue; /* ws_frame_t *, one reference each */
  buf_t message;
  uint32_t messages; /* within this second */
  bool closing;
};

/* ---- to one client */

static void abandon(bench_client_t *client) {
  if (client->closing) return;
  client->closing = true;
  lws_set_timeout(client->wsi, PENDING_TIMEOUT_CLOSE_SEND, LINGER_S);
  lws_callback_on_writable(client->wsi);
}

static int write_frame(bench_client_t *client, ws_frame_t *frame) {
  metric_add(client->bench->gateway->metrics.ws_frames, 1);
  return lws_write(client->wsi, frame->bytes + WS_HEADROOM, frame->len, LWS_WRITE_TEXT);
}

/* At once where the socket takes it, else in its turn. */
static void send_frame(bench_client_t *client, ws_frame_t *frame) {
  if (client->closing) return;
  if (!client->queue.count && !lws_partial_buffered(client->wsi)) {
    if (write_frame(client, frame) < 0) abandon(client);
    return;
  }
  if (!ring_push(&client->queue, &frame)) {
    metric_add(client->bench->gateway->metrics.ws_dropped, 1);
    abandon(client);
    return;
  }
  (void)ws_frame_hold(frame);
  lws_callback_on_writable(client->wsi);
}

int bench_ws_write(void *arg) {
  bench_client_t *client = arg;
  ws_frame_t *frame;

  if (client->closing) {
    lws_close_reason(client->wsi, (enum lws_close_status)CLOSE_OVERLOAD, NULL, 0);
    return -1;
  }
  while (!lws_partial_buffered(client->wsi) && !lws_send_pipe_choked(client->wsi)) {
    if (!ring_pop(&client->queue, &frame)) return 0;
    int written = write_frame(client, frame);
    ws_frame_release(frame);
    if (written < 0) return -1;
  }
  if (client->queue.count) lws_callback_on_writable(client->wsi);
  return 0;
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

int bench_ws_receive(void *arg, const char *bytes, size_t len) {
  bench_client_t *client = arg;

  if (lws_is_first_fragment(client->wsi)) buf_reset(&client->message);
  buf_put(&client->message, bytes, len);
  if (buf_err(&client->message) != GANTRY_OK) {
    lws_close_reason(client->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
  }
  if (!lws_is_final_fragment(client->wsi) || client->closing) return 0;
  if (++client->messages > MESSAGES_PER_S)
    abandon(client);
  else if (lws_frame_is_binary(client->wsi))
    say_error(client, "Frames are text: one JSON object with a type.");
  else
    on_message(client, buf_text(&client->message), client->message.len);
  buf_reset(&client->message);
  return 0;
}

/* ---- connections */

/* A page of elsewhere may not listen either: browsers ask nobody before they open a WebSocket. */
static bool is_foreign(const bench_t *bench, struct lws *wsi) {
  char origin[256] = "";

  if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0) return false;
  (void)lws_hdr_copy(wsi, origin, sizeof origin, WSI_TOKEN_ORIGIN);
  return !answer_origin_allowed(bench->origins, origin);
}

int bench_ws_admit(gateway_t *gateway, struct lws *wsi) {
  char path[128] = "";

  (void)lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
  if (strcmp(path, PATH) != 0 || is_foreign(gateway->bench, wsi)) return 403;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 126) return 431;
  return gateway->bench->client_count < CLIENTS_MAX ? 0 : 429;
}

void *bench_ws_open(gateway_t *gateway, struct lws *wsi) {
  bench_t *bench = gateway->bench;
  bench_client_t *client = calloc(1, sizeof *client);
  bench_ws_welcome_t welcome = {.message = "Connected to the test bench",
                                .recording = bench->recording};

  if (!client || ring_init(&client->queue, sizeof(ws_frame_t *), QUEUE) != GANTRY_OK) {
    free(client);
    return NULL;
  }
  client->bench = bench;
  client->wsi = wsi;
  client->message.limit = MESSAGE_MAX;
  client->next = bench->clients;
  client->link = &bench->clients;
  if (client->next) client->next->link = &client->next;
  bench->clients = client;
  bench->client_count++;
  bench_active(bench, &welcome.sensors_active);
  answer(client, data_frame(bench, "connection_established", &BENCH_WS_WELCOME_DESC, &welcome));
  return client;
}

void bench_ws_close(void *arg) {
  bench_client_t *client = arg;
  ws_frame_t *frame;

  *client->link = client->next;
  if (client->next) client->next->link = client->link;
  client->bench->client_count--;
  while (ring_pop(&client->queue, &frame))
    ws_frame_release(frame);
  ring_fini(&client->queue);
  buf_fini(&client->message);
  free(client);
}

void bench_sockets_tick(bench_t *bench) {
  for (bench_client_t *client = bench->clients; client; client = client->next)
    client->messages = 0;
}
