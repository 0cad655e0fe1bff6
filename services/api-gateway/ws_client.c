/* Queue of a WebSocket client. */
#include "ws_client.h"

#include <string.h>

#include <gantry/clock.h>

static const uint32_t PACEABLE = 1u << WS_POSITION | 1u << WS_TELEMETRY | 1u << WS_SENSOR_DATA |
                                 1u << WS_STATUS | 1u << WS_SESSION;

/* ---- what waits is counted */

static ws_frame_t *enter(ws_queue_t *queue, ws_frame_t *frame) {
  queue->count++;
  queue->bytes += frame->len;
  return ws_frame_hold(frame);
}

static ws_frame_t *leave(ws_queue_t *queue, ws_frame_t *frame) {
  queue->count--;
  queue->bytes -= frame->len;
  return frame;
}

static void lose(ws_queue_t *queue, ws_frame_t *frame) {
  queue->dropped[frame->type]++;
  queue->dropped_total++;
  ws_frame_release(leave(queue, frame));
}

/* ---- lanes and slots */

static bool lane_push(ws_queue_t *queue, ws_lane_t *lane, uint32_t room, ws_frame_t *frame) {
  if (lane->count == room) return false;
  lane->frames[(lane->head + lane->count) % WS_CLIENT_LANE] = enter(queue, frame);
  lane->count++;
  return true;
}

/* Still counted. */
static ws_frame_t *lane_pop(ws_lane_t *lane) {
  if (!lane->count) return NULL;
  ws_frame_t *frame = lane->frames[lane->head];
  lane->head = (lane->head + 1) % WS_CLIENT_LANE;
  lane->count--;
  return frame;
}

static ws_frame_t *slot_pop(ws_frame_t **slot) {
  ws_frame_t *frame = *slot;

  *slot = NULL;
  return frame;
}

static ws_put_t push_newest(ws_queue_t *queue, ws_lane_t *lane, uint32_t room, ws_frame_t *frame) {
  if (lane_push(queue, lane, room, frame)) return WS_PUT_KEPT;
  lose(queue, lane_pop(lane));
  (void)lane_push(queue, lane, room, frame);
  return WS_PUT_LOST;
}

static ws_put_t replace(ws_queue_t *queue, ws_frame_t **slot, ws_frame_t *frame) {
  ws_frame_t *before = slot_pop(slot);
  bool waited = queue->paced & 1u << frame->type;

  if (before && waited)
    ws_frame_release(leave(queue, before));
  else if (before)
    lose(queue, before);
  *slot = enter(queue, frame);
  return before && !waited ? WS_PUT_LOST : WS_PUT_KEPT;
}

/* The slot that holds this sensor's frame already, else a free one, else the sensor's share of the
   table: two sensors then displace one another, and it is counted. */
static ws_frame_t **sensor_slot(ws_queue_t *queue, const char *sensor) {
  ws_frame_t **vacant = NULL;

  for (uint32_t i = 0; i < WS_CLIENT_SENSORS; i++) {
    ws_frame_t **slot = &queue->sensors[i];
    if (*slot && !strcmp((*slot)->key, sensor)) return slot;
    if (!*slot && !vacant) vacant = slot;
  }
  return vacant ? vacant : &queue->sensors[(unsigned char)sensor[0] % WS_CLIENT_SENSORS];
}

static ws_frame_t *pop_sensor(ws_queue_t *queue) {
  for (uint32_t i = 0; i < WS_CLIENT_SENSORS; i++) {
    uint32_t at = (queue->next_sensor + i) % WS_CLIENT_SENSORS;
    if (!queue->sensors[at]) continue;
    queue->next_sensor = (at + 1) % WS_CLIENT_SENSORS;
    return slot_pop(&queue->sensors[at]);
  }
  return NULL;
}

/* ---- putting */

static ws_put_t put(ws_queue_t *queue, ws_frame_t *frame) {
  switch (frame->type) {
  case WS_CONTROL:
    return lane_push(queue, &queue->control, WS_CLIENT_LANE, frame) ? WS_PUT_KEPT : WS_PUT_OVERFLOW;
  case WS_ALERT:
    return lane_push(queue, &queue->alerts, WS_CLIENT_LANE, frame) ? WS_PUT_KEPT : WS_PUT_OVERFLOW;
  case WS_RS485:
    return push_newest(queue, &queue->events, WS_CLIENT_LANE, frame);
  case WS_LOG:
    return push_newest(queue, &queue->logs, WS_CLIENT_LANE, frame);
  case WS_MAP_UPDATE:
    return push_newest(queue, &queue->patches, WS_CLIENT_PATCHES, frame);
  case WS_SENSOR_DATA:
    return replace(queue, sensor_slot(queue, frame->key), frame);
  default:
    return replace(queue, &queue->newest[frame->type], frame);
  }
}

/* The least urgent of all that may be lost. */
static ws_frame_t *pop_least(ws_queue_t *queue) {
  ws_frame_t *frame = lane_pop(&queue->patches);

  if (!frame) frame = lane_pop(&queue->logs);
  if (!frame) frame = pop_sensor(queue);
  if (!frame) frame = lane_pop(&queue->events);
  for (int i = WS_TYPE_COUNT; !frame && i-- > 0;)
    if (i != WS_ACTIVE_ALERTS_UPDATE) frame = slot_pop(&queue->newest[i]);
  return frame ? frame : slot_pop(&queue->newest[WS_ACTIVE_ALERTS_UPDATE]); /* not told again */
}

ws_put_t ws_queue_put(ws_queue_t *queue, ws_frame_t *frame) {
  ws_put_t result = put(queue, frame);

  while (queue->bytes > WS_CLIENT_BYTES && result != WS_PUT_OVERFLOW) {
    ws_frame_t *least = pop_least(queue);
    result = least ? WS_PUT_LOST : WS_PUT_OVERFLOW;
    if (least) lose(queue, least);
  }
  return result;
}

/* ---- taking */

bool ws_queue_pace(ws_queue_t *queue, ws_type_t type, double max_hz) {
  if (!(PACEABLE & 1u << type)) return false;
  queue->paced &= ~(1u << type);
  queue->period_ms[type] = max_hz > 0 ? (uint32_t)(1000 / max_hz) : 0;
  if (queue->period_ms[type]) queue->paced |= 1u << type;
  return true;
}

/* A quarter of a period early is still in time: what comes at that very rate comes unevenly. */
static bool is_due(const ws_queue_t *queue, ws_type_t type, uint64_t now_ns) {
  uint64_t period_ns = queue->period_ms[type] * GANTRY_NS_PER_MS;

  return !(queue->paced & 1u << type) || now_ns + period_ns / 4 >= queue->next_ns[type];
}

static void count_turn(ws_queue_t *queue, ws_type_t type, uint64_t now_ns) {
  uint64_t period_ns = queue->period_ms[type] * GANTRY_NS_PER_MS;
  uint64_t *next_ns = &queue->next_ns[type];

  if (queue->paced & 1u << type) *next_ns = (*next_ns > now_ns ? *next_ns : now_ns) + period_ns;
}

static bool has_sensor(const ws_queue_t *queue) {
  for (uint32_t i = 0; i < WS_CLIENT_SENSORS; i++)
    if (queue->sensors[i]) return true;
  return false;
}

static ws_frame_t *take_newest(ws_queue_t *queue, uint64_t now_ns) {
  static const ws_type_t ORDER[] = {WS_POSITION, WS_ACTIVE_ALERTS_UPDATE, WS_TELEMETRY, WS_STATUS,
                                    WS_SESSION};

  for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
    ws_type_t type = ORDER[i];
    if (!queue->newest[type] || !is_due(queue, type, now_ns)) continue;
    count_turn(queue, type, now_ns);
    return slot_pop(&queue->newest[type]);
  }
  return NULL;
}

/* All sensors have one turn together. */
static ws_frame_t *take_sensor(ws_queue_t *queue, uint64_t now_ns) {
  if (!is_due(queue, WS_SENSOR_DATA, now_ns)) return NULL;
  ws_frame_t *frame = pop_sensor(queue);
  if (frame && !has_sensor(queue)) count_turn(queue, WS_SENSOR_DATA, now_ns);
  return frame;
}

ws_frame_t *ws_queue_take(ws_queue_t *queue, uint64_t now_ns) {
  ws_frame_t *frame = NULL;

  if (!queue->count) return NULL;
  frame = lane_pop(&queue->control);
  if (!frame) frame = lane_pop(&queue->alerts);
  if (!frame) frame = take_newest(queue, now_ns);
  if (!frame) frame = lane_pop(&queue->events);
  if (!frame) frame = take_sensor(queue, now_ns);
  if (!frame) frame = lane_pop(&queue->logs);
  if (!frame) frame = lane_pop(&queue->patches);
  return frame ? leave(queue, frame) : NULL;
}

void ws_queue_fini(ws_queue_t *queue) {
  ws_frame_t *frame;

  queue->paced = 0;
  while ((frame = ws_queue_take(queue, 0)))
    ws_frame_release(frame);
}
