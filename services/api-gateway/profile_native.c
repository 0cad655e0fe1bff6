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

const profile_t PROFILE_NATIVE = {
    .name = "gantry",
    .origins = origins,
    .preflight = answer_preflight,
    .open = call_open,
    .run = call_run,
    .fail = exchange_fail_native,
    .plain_ws_status = 426,
    .ws_admit = ws_admit,
    .ws_open = ws_open,
};
