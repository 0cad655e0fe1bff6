/* The bus between two services that the test plays: the bridge speaks, others listen. */
#include "harness.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct heard {
  unsigned count;
  double values[64]; /* the first values, in order */
  sys_header_t header;
} heard_t;

typedef struct expected {
  const heard_t *heard;
  unsigned count;
} expected_t;

static bool has_heard(void *arg) {
  const expected_t *expected = arg;
  return expected->heard->count >= expected->count;
}

static bool wait_heard(harness_t *harness, const heard_t *heard, unsigned count) {
  expected_t expected = {.heard = heard, .count = count};
  return harness_until(harness, has_heard, &expected, 3000);
}

static void note(heard_t *heard, const frame_t *frame, double value) {
  if (heard->count < 64) heard->values[heard->count] = value;
  heard->count++;
  heard->header = frame->header;
}

static void on_range(const frame_t *frame, const void *body, void *arg) {
  note(arg, frame, ((const raw_range_t *)body)->range);
}

static void on_power(const frame_t *frame, const void *body, void *arg) {
  note(arg, frame, ((const robot_power_t *)body)->voltage);
}

static void on_tag(const frame_t *frame, const void *body, void *arg) {
  note(arg, frame, ((const raw_tag_t *)body)->signal);
}

static harness_t *harness;
static harness_peer_t *bridge;

static void set_up(void) {
  harness = harness_new();
  bridge = harness_peer(harness, "rs485-bridge");
}

static void tear_down(void) {
  harness_destroy(&harness);
}

static raw_range_t range_of(double range_m) {
  raw_range_t range = {
      .sensor = "R1", .source = SYS_SOURCE_SIMULATED, .range = range_m, .valid = true};
  return range;
}

TestSuite(bus, .init = set_up, .fini = tear_down, .timeout = 30);

Test(bus, delivers_a_published_message) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  cr_assert_eq(bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard), GANTRY_OK);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  raw_range_t range = range_of(1.5);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range), GANTRY_OK);

  cr_assert(wait_heard(harness, &heard, 1));
  cr_assert_float_eq(heard.values[0], 1.5, 1e-12);
  cr_assert_str_eq(heard.header.from, "rs485-bridge");
  cr_assert_neq(heard.header.trace, 0);
}

Test(bus, keeps_the_newest_of_a_stream) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  for (int i = 1; i <= 20; i++) {
    raw_range_t range = range_of(i);
    bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range);
  }
  cr_assert(wait_heard(harness, &heard, 1));

  cr_assert_eq(heard.count, 1);
  cr_assert_float_eq(heard.values[0], 20, 1e-12);
  cr_assert_eq(bus_get_stats(sensing->bus).dropped, 19);
  cr_assert_eq(bus_get_stats(sensing->bus).gaps, 0);
}

Test(bus, keeps_each_instance_of_a_stream) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  for (int i = 1; i <= 4; i++) {
    raw_range_t range = range_of(i);
    bus_publish(bridge->bus, TOPIC_RAW_RANGE, i % 2 ? "odd" : "even", &range);
  }
  cr_assert(wait_heard(harness, &heard, 2));

  cr_assert_eq(heard.count, 2);
  cr_assert_float_eq(heard.values[0], 3, 1e-12);
  cr_assert_float_eq(heard.values[1], 4, 1e-12);
}

Test(bus, queues_a_stream_where_it_is_asked_to) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, "R1", 4, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  for (int i = 1; i <= 6; i++) {
    raw_range_t range = range_of(i);
    bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range);
  }
  cr_assert(wait_heard(harness, &heard, 4));

  cr_assert_eq(heard.count, 4);
  for (int i = 0; i < 4; i++) {
    cr_assert_float_eq(heard.values[i], i + 3, 1e-12);
  }
  cr_assert_eq(bus_get_stats(sensing->bus).dropped, 2);
}

Test(bus, does_not_take_an_instance_for_a_longer_one) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, "R1", 8, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  raw_range_t longer = range_of(1);
  raw_range_t exact = range_of(2);
  bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R10", &longer);
  bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &exact);
  cr_assert(wait_heard(harness, &heard, 1));

  cr_assert_eq(heard.count, 1);
  cr_assert_float_eq(heard.values[0], 2, 1e-12);
}

Test(bus, delivers_every_event_in_order) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_TAG, NULL, 0, on_tag, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.tag.RFID", 2000));

  for (int i = 0; i < 50; i++) {
    raw_tag_t tag = {.sensor = "RFID", .tag = "0123ABCD", .signal = i / 50.0};
    cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_TAG, "RFID", &tag), GANTRY_OK);
  }
  cr_assert(wait_heard(harness, &heard, 50));

  for (int i = 0; i < 50; i++) {
    cr_assert_float_eq(heard.values[i], i / 50.0, 1e-12);
  }
}

Test(bus, repeats_state_with_its_first_birth) {
  heard_t heard = {0};
  harness_peer_t *gateway = harness_peer(harness, "api-gateway");
  bus_subscribe(gateway->bus, TOPIC_ROBOT_POWER, NULL, 0, on_power, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "robot.power", 2000));
  robot_power_t power = {.voltage = 48.5};
  bus_publish(bridge->bus, TOPIC_ROBOT_POWER, NULL, &power);
  cr_assert(wait_heard(harness, &heard, 1));
  sys_header_t first = heard.header;

  cr_assert(wait_heard(harness, &heard, 2));

  double period_ms = clock_age_ms(heard.header.mono, first.mono);
  cr_assert_eq(heard.header.born, first.born);
  cr_assert_eq(heard.header.trace, first.trace);
  cr_assert_eq(heard.header.seq, first.seq + 1);
  cr_assert(period_ms > 900 && period_ms < 1800, "%g ms", period_ms);
  cr_assert_float_eq(heard.values[1], 48.5, 1e-12);
}

Test(bus, tells_a_newcomer_the_state_at_once) {
  heard_t heard = {0};
  robot_power_t power = {.voltage = 47.0};
  bus_publish(bridge->bus, TOPIC_ROBOT_POWER, NULL, &power);
  harness_peer_t *gateway = harness_peer(harness, "api-gateway");

  uint64_t asked_ns = clock_mono_ns();
  bus_subscribe(gateway->bus, TOPIC_ROBOT_POWER, NULL, 0, on_power, &heard);

  cr_assert(wait_heard(harness, &heard, 1));
  cr_assert_lt(clock_age_ms(clock_mono_ns(), asked_ns), 800);
}

Test(bus, does_not_repeat_a_stream) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));
  raw_range_t range = range_of(1);
  bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range);
  cr_assert(wait_heard(harness, &heard, 1));

  harness_for(harness, 1300);

  cr_assert_eq(heard.count, 1);
}

Test(bus, copies_trace_and_birth_from_the_cause) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));
  cause_t cause = {.trace = 0xABCDEF, .born_ns = clock_mono_ns() - 5000000};
  raw_range_t range = range_of(1);

  bus_publish_from(bridge->bus, &cause, TOPIC_RAW_RANGE, "R1", &range);
  cr_assert(wait_heard(harness, &heard, 1));

  cr_assert_eq(heard.header.trace, cause.trace);
  cr_assert_eq(heard.header.born, cause.born_ns);
}

Test(bus, sends_nothing_that_does_not_fit_its_schema) {
  raw_range_t broken = range_of(1.0 / 0.0);

  gantry_err_t err = bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &broken);

  cr_assert_eq(err, GANTRY_E_SCHEMA);
  cr_assert_eq(bus_get_stats(bridge->bus).published, 0);
  cr_assert_eq(bus_get_stats(bridge->bus).refused, 1);
}

Test(bus, refuses_to_publish_what_another_service_produces) {
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  raw_range_t range = range_of(1);

  cr_assert_eq(bus_publish(sensing->bus, TOPIC_RAW_RANGE, "R1", &range), GANTRY_E_INVALID);
}

Test(bus, refuses_instances_that_would_be_other_topics) {
  raw_range_t range = range_of(1);
  robot_power_t power = {0};
  char longest[FRAME_TOPIC_MAX + 2];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';

  cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_RANGE, "a.b", &range), GANTRY_E_INVALID);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_RANGE, "a b", &range), GANTRY_E_INVALID);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_RANGE, "", &range), GANTRY_E_INVALID);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_RANGE, NULL, &range), GANTRY_E_INVALID);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_RANGE, longest, &range), GANTRY_E_INVALID);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_ROBOT_POWER, "x", &power), GANTRY_E_INVALID);
}

Test(bus, refuses_a_subscription_the_catalogue_does_not_list) {
  heard_t heard = {0};
  harness_peer_t *storage = harness_peer(harness, "storage");

  gantry_err_t err = bus_subscribe(storage->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard);

  cr_assert_eq(err, GANTRY_E_INVALID);
}

Test(bus, lets_only_taps_tap) {
  heard_t heard = {0};

  cr_assert_eq(bus_tap(bridge->bus, "", on_range, &heard), GANTRY_E_FORBIDDEN);
}

Test(bus, shows_a_tap_everything_of_every_service) {
  inbox_t *all = harness_collect(harness, "");
  harness_peer_t *storage = harness_peer(harness, "storage");
  raw_range_t range = range_of(3);
  sys_event_t event = {.id = "DISK-FULL", .severity = SYS_SEVERITY_WARNING};

  bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range);
  bus_publish(storage->bus, TOPIC_EVENT, NULL, &event);

  cr_assert(harness_collected(harness, all, 2, 2000));
  const raw_range_t *said = inbox_newest(all, "raw.range.R1");
  const sys_event_t *happened = inbox_newest(all, "event.storage");
  cr_assert_not_null(said);
  cr_assert_not_null(happened);
  cr_assert_float_eq(said->range, 3, 1e-12);
  cr_assert_str_eq(happened->id, "DISK-FULL");
}

Test(bus, knows_when_nobody_listens_any_more) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_range, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  harness_leave(harness, &sensing);

  for (int i = 0; i < 200 && bus_is_heard(bridge->bus, "raw.range.R1"); i++) {
    harness_for(harness, 10);
  }
  cr_assert_not(bus_is_heard(bridge->bus, "raw.range.R1"));
}

Test(bus, refuses_a_second_service_of_the_same_name) {
  loop_t *loop;
  bus_t *second;
  gantry_fault_t fault;
  bus_settings_t settings = {.service = "rs485-bridge",
                             .robot = "robot-01",
                             .base = harness_base(harness),
                             .context = harness_context(harness)};
  loop_new(&loop);

  gantry_err_t err = bus_new(&settings, loop, &second, &fault);

  cr_assert_eq(err, GANTRY_E_CONFLICT);
  cr_assert_null(second);
  loop_destroy(&loop);
}

static void on_range_again(const frame_t *frame, const void *body, void *arg) {
  double before = ((const raw_range_t *)body)->range;
  on_range(frame, body, arg);
  loop_step(harness_loop(harness), 0);
  cr_assert_float_eq(((const raw_range_t *)body)->range, before, 1e-12);
}

Test(bus, does_not_overwrite_a_message_whose_handler_steps_the_loop) {
  heard_t heard = {0};
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 8, on_range_again, &heard);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  for (int i = 1; i <= 3; i++) {
    raw_range_t range = range_of(i);
    bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range);
  }

  cr_assert(wait_heard(harness, &heard, 3));
  cr_assert_float_eq(heard.values[2], 3, 1e-12);
}

static bool holds_records(void *arg) {
  uint64_t *records = arg;
  return outbox_get_stats(bridge->outbox).records == *records;
}

/* An outbox that is full, or has room. */
static void keep_in(const char *folder, uint64_t limit_bytes) {
  const outbox_settings_t settings = {.folder = folder,
                                      .service = "rs485-bridge",
                                      .boot = bus_boot(bridge->bus),
                                      .limit_bytes = limit_bytes};
  bus_set_outbox(bridge->bus, NULL);
  outbox_close(&bridge->outbox);
  cr_assert_eq(outbox_open(&settings, bus_loop(bridge->bus), &bridge->outbox), GANTRY_OK);
  bus_set_outbox(bridge->bus, bridge->outbox);
}

Test(bus, keeps_a_state_that_a_full_outbox_did_not_take_once_there_is_room) {
  const robot_safety_t safety = {.state = ROBOT_FSM_STATE_ESTOP, .speed_factor = 1};
  char folder[] = "/tmp/gantry_bus_XXXXXX", path[64];
  uint64_t one = 1;
  cr_assert_not_null(mkdtemp(folder));
  keep_in(folder, 16);
  cr_assert_eq(bus_publish(bridge->bus, TOPIC_ROBOT_SAFETY, NULL, &safety), GANTRY_E_UNAVAILABLE);

  keep_in(folder, 1 << 20);
  for (int i = 0; i < 3; i++)
    cr_assert_eq(bus_publish(bridge->bus, TOPIC_ROBOT_SAFETY, NULL, &safety), GANTRY_OK);

  cr_assert(harness_until(harness, holds_records, &one, 5000));
  bus_set_outbox(bridge->bus, NULL);
  outbox_close(&bridge->outbox);
  (void)snprintf(path, sizeof path, "%s/rs485-bridge.outbox", folder);
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(rmdir(folder), 0);
}
