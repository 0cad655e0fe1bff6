/* Fan-out. A frame goes out from the bus handler that brought its datum: waiting for a writable
   socket costs a turn of the loop and a fifth more CPU. Only what a socket did not take waits. A
   thousand sockets take some ten milliseconds, though, and a stop must not wait for them: a round
   has a slice of time, and the next after requests and the bus have had their turn. */
#include <string.h>

#include <gantry/clock.h>

#include "monitor.h"
#include "ws_internal.h"

enum {
  LOOK = 16,      /* clients between two looks at the clock */
  LATE_SHARE = 8, /* a round that is late gets longer slices: so it ends on a busy gateway, too */
};
static const uint64_t SLICE_NS = GANTRY_NS_PER_MS / 2, SLICE_MOST_NS = 4 * GANTRY_NS_PER_MS;

/* Of these nobody misses the older frame. */
static const uint32_t NEWEST = 1u << WS_POSITION | 1u << WS_TELEMETRY | 1u << WS_SENSOR_DATA |
                               1u << WS_STATUS | 1u << WS_SESSION | 1u << WS_ACTIVE_ALERTS_UPDATE;

static bool wants(const ws_client_t *client, const ws_round_t *round) {
  if (!(client->queue.subscribed & 1u << round->frame->type)) return false;
  return round->frame->type != WS_LOG || round->level >= client->log_level;
}

/* Straight into the socket where nothing waits before it. */
static bool hand_over(ws_client_t *client, ws_frame_t *frame) {
  bool waits = client->queue.count || client->queue.paced & 1u << frame->type;

  if (!waits && ws_socket_send(client->socket, frame)) return true;
  if (!ws_socket_is_closing(client->socket)) ws_put(client, frame);
  return false;
}

/* Returns false when the time was over before all were told. */
static bool tell(ws_hub_t *hub, ws_round_t *round, uint64_t end_ns) {
  uint32_t sent = 0, looked = 0;

  while (round->next && (++looked % LOOK != 0 || clock_mono_ns() < end_ns)) {
    ws_client_t *client = round->next;
    round->next = client->next;
    __builtin_prefetch(client->next);
    if (wants(client, round)) sent += hand_over(client, round->frame);
  }
  metric_add(hub->gateway->metrics.ws_frames, sent);
  return !round->next;
}

static void note_age(ws_hub_t *hub, const ws_frame_t *frame) {
  uint64_t now_ns = clock_mono_ns();

  if (frame->type != WS_POSITION || !frame->born_ns) return;
  double age_ms = clock_age_ms(now_ns, frame->born_ns);
  metric_observe(hub->gateway->metrics.pose_age_ms, age_ms);
  monitor_note_age(hub->gateway, now_ns, age_ms);
}

/* The oldest one until end_ns; true when it has ended. */
static bool go_on(ws_hub_t *hub, uint64_t end_ns) {
  ws_round_t *round = &hub->rounds[hub->oldest];

  if (!tell(hub, round, end_ns)) return false;
  note_age(hub, round->frame);
  ws_frame_release(round->frame);
  hub->oldest = (hub->oldest + 1) % WS_ROUNDS;
  if (--hub->rounds_count) hub->rounds[hub->oldest].next = hub->clients;
  return true;
}

/* Clients whose paced frames wait for their time. */
static bool serve_paced(ws_hub_t *hub, uint64_t end_ns) {
  uint32_t looked = 0;

  while (hub->due && (++looked % LOOK != 0 || clock_mono_ns() < end_ns)) {
    ws_client_t *client = hub->due;
    hub->due = client->next;
    if (client->queue.paced && client->queue.count) ws_drain(client);
  }
  return !hub->due;
}

/* True while there is more to do. */
static bool on_turn(void *arg) {
  ws_hub_t *hub = arg;

  if (!hub->rounds_count && !hub->due) return false;
  uint64_t now_ns = clock_mono_ns(), slice_ns = SLICE_NS;
  if (hub->rounds_count) slice_ns += (now_ns - hub->rounds[hub->oldest].asked_ns) / LATE_SHARE;
  uint64_t end_ns = now_ns + (slice_ns < SLICE_MOST_NS ? slice_ns : SLICE_MOST_NS);
  while (hub->rounds_count && go_on(hub, end_ns))
    continue;
  return hub->rounds_count > 0 || !serve_paced(hub, end_ns);
}

gantry_err_t ws_rounds_start(ws_hub_t *hub) {
  return loop_drain(hub->gateway->service->loop, -1, on_turn, hub);
}

void ws_rounds_end(ws_hub_t *hub, uint32_t types) {
  bool found = false;

  for (uint32_t i = 0; i < hub->rounds_count; i++)
    found = found || types & 1u << hub->rounds[(hub->oldest + i) % WS_ROUNDS].frame->type;
  while (found && hub->rounds_count)
    (void)go_on(hub, UINT64_MAX);
}

void ws_rounds_leave(ws_hub_t *hub, const ws_client_t *client) {
  ws_round_t *round = &hub->rounds[hub->oldest];

  if (hub->rounds_count && round->next == client) round->next = client->next;
  if (hub->due == client) hub->due = client->next;
}

void ws_rounds_stop(ws_hub_t *hub) {
  loop_undrain(hub->gateway->service->loop, on_turn, hub);
  for (; hub->rounds_count; hub->rounds_count--) {
    ws_frame_release(hub->rounds[hub->oldest].frame);
    hub->oldest = (hub->oldest + 1) % WS_ROUNDS;
  }
}

static ws_round_t *waiting(ws_hub_t *hub, ws_type_t type, const char *key) {
  for (uint32_t i = 1; i < hub->rounds_count; i++) {
    ws_round_t *round = &hub->rounds[(hub->oldest + i) % WS_ROUNDS];
    if (round->frame->type == type && !strcmp(round->frame->key, key)) return round;
  }
  return NULL;
}

/* In the place of one that nobody has been told yet. */
static bool displace(ws_hub_t *hub, ws_frame_t *frame) {
  ws_round_t *round = NEWEST & 1u << frame->type ? waiting(hub, frame->type, frame->key) : NULL;

  if (!round) return false;
  ws_frame_release(round->frame);
  round->frame = frame;
  return true;
}

static void begin(ws_hub_t *hub, ws_frame_t *frame, sys_log_level_t level) {
  if (displace(hub, frame)) return;
  if (hub->rounds_count == WS_ROUNDS) (void)go_on(hub, UINT64_MAX);
  hub->rounds[(hub->oldest + hub->rounds_count) % WS_ROUNDS] = (ws_round_t){
      .frame = frame, .next = hub->clients, .level = level, .asked_ns = clock_mono_ns()};
  if (hub->rounds_count++) return; /* behind those that are on their way */
  if (on_turn(hub)) loop_wake(hub->gateway->service->loop);
}

/* A frame that takes the place of one nobody has seen takes its number, too. */
uint64_t ws_seq(ws_hub_t *hub, ws_type_t type, bool to_all) {
  bool displaces = NEWEST & 1u << type && type != WS_SENSOR_DATA && waiting(hub, type, "");

  if (to_all && !displaces) hub->seq[type]++;
  return hub->seq[type];
}

void ws_serve_paced(ws_hub_t *hub) {
  if (!hub->paced || hub->due) return;
  hub->due = hub->clients;
  loop_wake(hub->gateway->service->loop);
}

static void keep_past(ws_hub_t *hub, ws_frame_t *frame) {
  ws_frame_t **slot = &hub->past[hub->seq[WS_ALERT] % WS_PAST];

  ws_frame_release(*slot);
  *slot = ws_frame_hold(frame);
}

void ws_broadcast(ws_hub_t *hub, ws_frame_t *frame) {
  if (!frame) return;
  if (frame->type == WS_ALERT) keep_past(hub, frame);
  begin(hub, frame, SYS_LOG_LEVEL_ERROR);
}

void ws_broadcast_log(ws_hub_t *hub, ws_frame_t *frame, sys_log_level_t level) {
  if (frame) begin(hub, frame, level);
}
