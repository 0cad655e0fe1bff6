/* The native profile: call.c and ws.c under the names of a profile. */
#include "profile.h"
#include "ws.h"

static const char *origins(const gateway_t *gateway) {
  return gateway->origins;
}

static void answer_preflight(exchange_t *x, const char *origin) {
  (void)origin;
  x->head.preflight = true;
  exchange_begin(x);
  exchange_finish(x, 204, NULL);
}

static int admit(gateway_t *gateway, struct lws *wsi) {
  return ws_admit(gateway->hub, wsi);
}

static void *open_client(gateway_t *gateway, struct lws *wsi) {
  return ws_open(gateway->hub, wsi);
}

static int receive(void *client, const char *bytes, size_t len) {
  return ws_receive(client, bytes, len);
}

static int write_client(void *client) {
  return ws_write(client);
}

static void close_client(void *client) {
  ws_close(client);
}

const profile_t PROFILE_NATIVE = {
    .name = "gantry",
    .origins = origins,
    .preflight = answer_preflight,
    .open = call_open,
    .run = call_run,
    .fail = exchange_fail_native,
    .plain_ws_status = 426,
    .ws_admit = admit,
    .ws_open = open_client,
    .ws_receive = receive,
    .ws_write = write_client,
    .ws_close = close_client,
};
