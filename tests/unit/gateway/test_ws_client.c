/* What waits for a slow client. */
#include "ws_client.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static ws_queue_t queue;

static void tear_down(void) {
  ws_queue_fini(&queue);
}

TestSuite(ws_client, .fini = tear_down);

static ws_put_t put(ws_type_t type, const char *key, const char *text) {
  ws_frame_t *frame = ws_frame_text(type, key, text, strlen(text));
  ws_put_t result = ws_queue_put(&queue, frame);

  ws_frame_release(frame);
  return result;
}

static void expect_next(const char *text) {
  ws_frame_t *frame = ws_queue_take(&queue);

  cr_assert_not_null(frame, "%s", text);
  cr_expect_eq(frame->len, strlen(text), "%s", text);
  cr_expect_eq(memcmp(frame->bytes + WS_HEADROOM, text, frame->len), 0, "%s", text);
  ws_frame_release(frame);
}

Test(ws_client, keeps_the_newest_of_a_stream_and_counts_the_lost) {
  cr_expect_eq(put(WS_POSITION, "", "one"), WS_PUT_KEPT);
  cr_expect_eq(put(WS_POSITION, "", "two"), WS_PUT_REPLACED);

  expect_next("two");
  cr_expect(ws_queue_is_empty(&queue));
  cr_expect_eq(queue.dropped, 1);
}

Test(ws_client, keeps_one_frame_a_sensor_and_lets_them_take_turns) {
  put(WS_SENSOR_DATA, "A", "a1");
  put(WS_SENSOR_DATA, "B", "b1");
  put(WS_SENSOR_DATA, "A", "a2");

  expect_next("a2");
  put(WS_SENSOR_DATA, "A", "a3");
  expect_next("b1");
  expect_next("a3");
}

Test(ws_client, counts_sensors_beyond_its_slots_as_lost) {
  char key[8];

  for (int i = 0; i < WS_CLIENT_SENSORS; i++) {
    snprintf(key, sizeof key, "s%d", i);
    cr_assert_eq(put(WS_SENSOR_DATA, key, key), WS_PUT_KEPT);
  }
  cr_expect_eq(put(WS_SENSOR_DATA, "more", "x"), WS_PUT_REPLACED);
  cr_expect_eq(queue.dropped, 1);
}

Test(ws_client, keeps_every_alert_in_order_and_never_replaces_one) {
  for (int i = 0; i < WS_CLIENT_ALERTS; i++)
    cr_assert_eq(put(WS_ALERT, "", "alert"), WS_PUT_KEPT);

  cr_expect_eq(put(WS_ALERT, "", "one more"), WS_PUT_OVERFLOW);
  cr_expect_eq(queue.dropped, 0);
}

Test(ws_client, drops_the_oldest_patch) {
  char text[8];

  for (int i = 0; i < WS_CLIENT_PATCHES + 1; i++) {
    snprintf(text, sizeof text, "p%d", i);
    put(WS_MAP_UPDATE, "", text);
  }
  expect_next("p1");
  cr_expect_eq(queue.dropped, 1);
}

Test(ws_client, sends_answers_and_alerts_before_everything_else) {
  put(WS_MAP_UPDATE, "", "map");
  put(WS_SENSOR_DATA, "A", "sensor");
  put(WS_STATUS, "", "status");
  put(WS_TELEMETRY, "", "telemetry");
  put(WS_POSITION, "", "position");
  put(WS_ALERT, "", "alert");
  put(WS_CONTROL, "", "pong");

  expect_next("pong");
  expect_next("alert");
  expect_next("position");
  expect_next("telemetry");
  expect_next("status");
  expect_next("sensor");
  expect_next("map");
  cr_expect_null(ws_queue_take(&queue));
}

Test(ws_client, bounds_answers_too) {
  for (int i = 0; i < WS_CLIENT_CONTROL; i++)
    cr_assert_eq(put(WS_CONTROL, "", "pong"), WS_PUT_KEPT);

  cr_expect_eq(put(WS_CONTROL, "", "pong"), WS_PUT_OVERFLOW);
}
