/* Queue of a WebSocket client. */
#include "ws_client.h"

#include <string.h>

static bool lane_push(ws_lane_t *lane, uint32_t room, ws_frame_t *frame) {
  if (lane->count == room) return false;
  lane->frames[(lane->head + lane->count) % WS_CLIENT_ALERTS] = ws_frame_hold(frame);
  lane->count++;
  return true;
}

static ws_frame_t *lane_pop(ws_lane_t *lane) {
  if (!lane->count) return NULL;
  ws_frame_t *frame = lane->frames[lane->head];
  lane->head = (lane->head + 1) % WS_CLIENT_ALERTS;
  lane->count--;
  return frame;
}

static ws_put_t replace(ws_queue_t *queue, ws_frame_t **slot, ws_frame_t *frame) {
  bool lost = *slot != NULL;

  ws_frame_release(*slot);
  *slot = ws_frame_hold(frame);
  if (!lost) return WS_PUT_KEPT;
  queue->dropped++;
  return WS_PUT_REPLACED;
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

ws_put_t ws_queue_put(ws_queue_t *queue, ws_frame_t *frame) {
  switch (frame->type) {
  case WS_CONTROL:
    return lane_push(&queue->control, WS_CLIENT_CONTROL, frame) ? WS_PUT_KEPT : WS_PUT_OVERFLOW;
  case WS_ALERT:
    return lane_push(&queue->alerts, WS_CLIENT_ALERTS, frame) ? WS_PUT_KEPT : WS_PUT_OVERFLOW;
  case WS_MAP_UPDATE:
    if (lane_push(&queue->patches, WS_CLIENT_PATCHES, frame)) return WS_PUT_KEPT;
    ws_frame_release(lane_pop(&queue->patches));
    (void)lane_push(&queue->patches, WS_CLIENT_PATCHES, frame);
    queue->dropped++;
    return WS_PUT_REPLACED;
  case WS_SENSOR_DATA:
    return replace(queue, sensor_slot(queue, frame->key), frame);
  default:
    return replace(queue, &queue->newest[frame->type], frame);
  }
}

static ws_frame_t *take_slot(ws_frame_t **slot) {
  ws_frame_t *frame = *slot;

  *slot = NULL;
  return frame;
}

static ws_frame_t *take_sensor(ws_queue_t *queue) {
  for (uint32_t i = 0; i < WS_CLIENT_SENSORS; i++) {
    uint32_t at = (queue->next_sensor + i) % WS_CLIENT_SENSORS;
    if (!queue->sensors[at]) continue;
    queue->next_sensor = (at + 1) % WS_CLIENT_SENSORS;
    return take_slot(&queue->sensors[at]);
  }
  return NULL;
}

ws_frame_t *ws_queue_take(ws_queue_t *queue) {
  ws_frame_t *frame = lane_pop(&queue->control);

  if (!frame) frame = lane_pop(&queue->alerts);
  if (!frame) frame = take_slot(&queue->newest[WS_POSITION]);
  if (!frame) frame = take_slot(&queue->newest[WS_TELEMETRY]);
  if (!frame) frame = take_slot(&queue->newest[WS_STATUS]);
  if (!frame) frame = take_slot(&queue->newest[WS_SESSION]);
  if (!frame) frame = take_sensor(queue);
  if (!frame) frame = lane_pop(&queue->patches);
  return frame;
}

bool ws_queue_is_empty(const ws_queue_t *queue) {
  if (queue->control.count || queue->alerts.count || queue->patches.count) return false;
  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    if (queue->newest[i]) return false;
  }
  for (int i = 0; i < WS_CLIENT_SENSORS; i++) {
    if (queue->sensors[i]) return false;
  }
  return true;
}

void ws_queue_fini(ws_queue_t *queue) {
  ws_frame_t *frame;

  while ((frame = ws_queue_take(queue)))
    ws_frame_release(frame);
}
