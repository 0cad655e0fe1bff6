/* What waits for a slow client. */
#include "ws_client.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

static ws_queue_t queue;
static uint64_t now_ns;

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
  ws_frame_t *frame = ws_queue_take(&queue, now_ns);

  cr_assert_not_null(frame, "%s", text);
  cr_expect_eq(frame->len, strlen(text), "%s", text);
  cr_expect_eq(memcmp(frame->bytes + WS_HEADROOM, text, frame->len), 0, "%s", text);
  ws_frame_release(frame);
}

Test(ws_client, keeps_the_newest_of_a_stream_and_counts_the_lost) {
  cr_expect_eq(put(WS_POSITION, "", "one"), WS_PUT_KEPT);
  cr_expect_eq(put(WS_POSITION, "", "two"), WS_PUT_LOST);

  expect_next("two");
  cr_expect_eq(queue.count, 0);
  cr_expect_eq(queue.dropped_total, 1);
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
  cr_expect_eq(put(WS_SENSOR_DATA, "more", "x"), WS_PUT_LOST);
  cr_expect_eq(queue.dropped_total, 1);
}

Test(ws_client, keeps_every_alert_in_order_and_never_replaces_one) {
  for (int i = 0; i < WS_CLIENT_LANE; i++)
    cr_assert_eq(put(WS_ALERT, "", "alert"), WS_PUT_KEPT);

  cr_expect_eq(put(WS_ALERT, "", "one more"), WS_PUT_OVERFLOW);
  cr_expect_eq(queue.dropped_total, 0);
}

Test(ws_client, drops_the_oldest_patch) {
  char text[8];

  for (int i = 0; i < WS_CLIENT_PATCHES + 1; i++) {
    snprintf(text, sizeof text, "p%d", i);
    put(WS_MAP_UPDATE, "", text);
  }
  expect_next("p1");
  cr_expect_eq(queue.dropped_total, 1);
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
  cr_expect_null(ws_queue_take(&queue, now_ns));
}

Test(ws_client, bounds_answers_too) {
  for (int i = 0; i < WS_CLIENT_LANE; i++)
    cr_assert_eq(put(WS_CONTROL, "", "pong"), WS_PUT_KEPT);

  cr_expect_eq(put(WS_CONTROL, "", "pong"), WS_PUT_OVERFLOW);
}

Test(ws_client, keeps_the_last_events_and_log_lines) {
  for (int i = 0; i < WS_CLIENT_LANE; i++) {
    cr_assert_eq(put(WS_LOG, "", "line"), WS_PUT_KEPT);
    cr_assert_eq(put(WS_RS485, "", "event"), WS_PUT_KEPT);
  }

  cr_expect_eq(put(WS_LOG, "", "last"), WS_PUT_LOST);
  cr_expect_eq(queue.dropped[WS_LOG], 1);
  cr_expect_eq(put(WS_RS485, "", "last"), WS_PUT_LOST);
  cr_expect_eq(queue.dropped[WS_RS485], 1);
  cr_expect_eq(queue.count, 2 * WS_CLIENT_LANE);
}

Test(ws_client, holds_no_more_bytes_than_its_share_and_loses_the_least_urgent) {
  static char text[200 << 10];
  memset(text, 'x', sizeof text - 1);

  put(WS_POSITION, "", "position");
  for (int i = 0; i < 4; i++)
    put(WS_MAP_UPDATE, "", text);
  cr_expect_leq(queue.bytes, WS_CLIENT_BYTES);
  put(WS_SENSOR_DATA, "A", text);
  put(WS_SENSOR_DATA, "B", text);

  cr_expect_leq(queue.bytes, WS_CLIENT_BYTES);
  cr_expect_eq(queue.dropped[WS_MAP_UPDATE], 3);
  cr_expect_eq(queue.dropped[WS_SENSOR_DATA], 0);
  expect_next("position");
}

Test(ws_client, lets_a_paced_type_leave_no_faster_than_it_may) {
  cr_assert(ws_queue_pace(&queue, WS_POSITION, 5));
  unsigned taken = 0;

  for (now_ns = GANTRY_NS_PER_S; now_ns < 3 * GANTRY_NS_PER_S; now_ns += 50 * GANTRY_NS_PER_MS) {
    put(WS_POSITION, "", "frame");
    ws_frame_t *frame = ws_queue_take(&queue, now_ns);
    taken += frame != NULL;
    ws_frame_release(frame);
  }

  cr_expect(taken >= 10 && taken <= 11, "%u in two seconds", taken);
  cr_expect_eq(queue.dropped_total, 0, "what waits for its time is not lost");
  cr_expect_eq(put(WS_STATUS, "", "other"), WS_PUT_KEPT);
  expect_next("other");
}

Test(ws_client, sends_the_newest_of_a_paced_type_when_its_time_has_come) {
  now_ns = GANTRY_NS_PER_S;
  cr_assert(ws_queue_pace(&queue, WS_STATUS, 1));
  put(WS_STATUS, "", "first");
  expect_next("first");
  put(WS_STATUS, "", "second");
  put(WS_STATUS, "", "third");

  cr_expect_null(ws_queue_take(&queue, now_ns));
  now_ns += GANTRY_NS_PER_S;
  expect_next("third");
  cr_assert(ws_queue_pace(&queue, WS_STATUS, 0));
  put(WS_STATUS, "", "as it comes");
  expect_next("as it comes");
}

Test(ws_client, paces_sensors_together_and_starves_none) {
  now_ns = GANTRY_NS_PER_S;
  cr_assert(ws_queue_pace(&queue, WS_SENSOR_DATA, 1));
  put(WS_SENSOR_DATA, "A", "a1");
  put(WS_SENSOR_DATA, "B", "b1");

  expect_next("a1");
  expect_next("b1");
  put(WS_SENSOR_DATA, "A", "a2");
  cr_expect_null(ws_queue_take(&queue, now_ns));
}

Test(ws_client, paces_nothing_of_which_every_frame_counts) {
  cr_expect_not(ws_queue_pace(&queue, WS_ALERT, 1));
  cr_expect_not(ws_queue_pace(&queue, WS_MAP_UPDATE, 1));
  cr_expect_not(ws_queue_pace(&queue, WS_LOG, 1));
}
