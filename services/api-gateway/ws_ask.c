/* Requests over a WebSocket are those of the routes: one judgement of rights, limits and arguments,
   one audit. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "profile.h"
#include "ws_internal.h"

static void tell(ws_client_t *client, const exchange_t *x, const char *type) {
  buf_t text = {.limit = 512u << 10};
  char iso[40];

  buf_printf(&text, "{\"type\":\"%s\",\"data\":", type);
  if (x->out.len)
    buf_put(&text, x->out.data, x->out.len);
  else
    buf_put_text(&text, "null");
  buf_printf(&text, ",\"timestamp\":\"%s\",\"source\":\"api-gateway\"}",
             clock_iso(clock_wall_ns(), iso, sizeof iso));
  if (buf_err(&text) == GANTRY_OK) {
    ws_frame_t *frame = ws_frame_text(WS_CONTROL, "", text.data, text.len);
    if (frame) ws_put(client, frame);
    ws_frame_release(frame);
  } else {
    ws_say_error(client, "TOO_LARGE", "The answer is too long for a frame; use the route.");
  }
  buf_fini(&text);
}

static void finish(ws_client_t *client, ws_asked_t *asked) {
  exchange_t *x = asked->x;

  asked->x = NULL;
  x->peer = NULL;
  x->on_answered = NULL;
  tell(client, x, x->head.status < 400 ? asked->type : asked->failed);
  exchange_audit(x);
  exchange_release(x);
}

static void on_answered(exchange_t *x) {
  ws_client_t *client = x->peer;

  if (!client) { /* it has gone; what was done is told all the same */
    exchange_audit(x);
    return;
  }
  for (int i = 0; i < WS_ASKED + WS_ASKED_STOPS; i++)
    if (client->asked[i].x == x) {
      finish(client, &client->asked[i]);
      return;
    }
}

static ws_asked_t *free_slot(ws_client_t *client, bool ends_movement) {
  int room = ends_movement ? WS_ASKED + WS_ASKED_STOPS : WS_ASKED;

  for (int i = 0; i < room; i++)
    if (!client->asked[i].x) return &client->asked[i];
  return NULL;
}

/* "a=1&b=2" as NUL separated items, and one NUL more. */
static void put_query(const char *text, buf_t *out) {
  for (; *text; text++)
    buf_put_byte(out, *text == '&' ? 0 : (uint8_t)*text);
  buf_put(out, "\0", 2);
}

void ws_ask(ws_client_t *client, const ws_errand_t *errand) {
  ws_asked_t *asked = free_slot(client, errand->ends_movement);
  exchange_t *x = asked ? exchange_new(client->hub->gateway, &PROFILE_NATIVE, NULL) : NULL;
  const call_request_t request = {
      .method = errand->method, .path = errand->path, .authorization = client->token, .accept = ""};

  if (!x) {
    ws_say_error(client, "BUSY", "Too many requests under way; wait for their answers.");
    return;
  }
  *asked = (ws_asked_t){x, errand->type, errand->failed};
  snprintf(x->address, sizeof x->address, "%s", client->address);
  put_query(errand->query, &x->query);
  x->profile->open(x, &request);
  x->in.limit = call_body_max(x) + 1;
  buf_put_text(&x->in, errand->body);
  if (!x->answered) x->profile->run(x);
  if (x->answered) {
    finish(client, asked);
    return;
  }
  x->peer = client;
  x->on_answered = on_answered;
}

void ws_forget_asked(ws_client_t *client) {
  for (int i = 0; i < WS_ASKED + WS_ASKED_STOPS; i++) {
    exchange_t *x = client->asked[i].x;
    if (!x) continue;
    x->peer = NULL; /* it is audited when it is answered */
    client->asked[i].x = NULL;
    exchange_release(x);
  }
}
