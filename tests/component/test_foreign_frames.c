/* Foreign bytes on every socket of the house: whatever comes is refused and counted or, where the
   mutation happens to leave it well formed, handled; never more than that. */
#include "foreign.h"
#include "harness.h"

#include <gantry/clock.h>
#include <gantry/unpack.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { MUTATIONS = 600 };

static harness_t *harness;
static foreign_t foreign; /* the test's own socket */

static void set_up(void) {
  harness = harness_new();
}

static void tear_down(void) {
  foreign_close(&foreign);
  harness_destroy(&harness);
}

TestSuite(foreign_frames, .init = set_up, .fini = tear_down, .timeout = 60);

static void on_tag(const frame_t *frame, const void *body, void *arg) {
  (void)frame;
  (void)body;
  ++*(unsigned *)arg;
}

typedef struct counted {
  const bus_t *bus;
  uint64_t refused;
} counted_t;

static bool is_refused(void *arg) {
  counted_t *counted = arg;
  return bus_get_stats(counted->bus).refused >= counted->refused;
}

static bool wait_refused(const bus_t *bus, uint64_t refused) {
  counted_t counted = {.bus = bus, .refused = refused};
  return harness_until(harness, is_refused, &counted, 5000);
}

static bool is_positive(void *arg) {
  return *(unsigned *)arg > 0;
}

static const raw_tag_t TAG = {.sensor = "RFID", .tag = "0123ABCD", .signal = 0.5};

static harness_peer_t *subscribed_peer(unsigned *heard) {
  foreign_open(&foreign, harness, ZMQ_XPUB, "pub", true, "rs485-bridge");
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_TAG, NULL, 0, on_tag, heard);
  char subscription[64];
  harness_for(harness, 20);
  cr_assert_gt(zmq_recv(foreign.socket, subscription, sizeof subscription, 0), 0);
  return sensing;
}

Test(foreign_frames, are_refused_by_subscribers) {
  unsigned heard = 0;
  harness_peer_t *sensing = subscribed_peer(&heard);
  sys_header_t header = foreign_header(SYS_KIND_EVENT, "rs485-bridge", 1);

  foreign_send_part(&foreign, "raw.tag.RFID", 12, false);
  cr_assert(wait_refused(sensing->bus, 1));
  foreign_send_part(&foreign, "raw.tag.RFID", 12, true);
  foreign_send_part(&foreign, "\xdd\xff\xff\xff\xff", 5, true);
  foreign_send_part(&foreign, "\x80", 1, false);
  cr_assert(wait_refused(sensing->bus, 2));
  foreign_send(&foreign, "raw.tag.RFID", &header, &SYS_EMPTY_DESC, &(sys_empty_t){0});
  cr_assert(wait_refused(sensing->bus, 3));
  header.kind = SYS_KIND_STATE;
  foreign_send(&foreign, "raw.tag.RFID", &header, &RAW_TAG_DESC, &TAG);
  cr_assert(wait_refused(sensing->bus, 4));
  header = foreign_header(SYS_KIND_EVENT, "mapper", 1);
  foreign_send(&foreign, "raw.tag.RFID", &header, &RAW_TAG_DESC, &TAG);

  cr_assert(wait_refused(sensing->bus, 5));
  cr_assert_eq(heard, 0);
}

Test(foreign_frames, do_not_keep_subscribers_from_the_next_message) {
  unsigned heard = 0;
  uint64_t state = 0x9E3779B97F4A7C15u;
  harness_peer_t *sensing = subscribed_peer(&heard);
  for (int i = 0; i < MUTATIONS; i++) {
    sys_header_t header = foreign_header(SYS_KIND_EVENT, "rs485-bridge", (uint64_t)i + 1);
    foreign_send_mutated(&foreign, "raw.tag.RFID", &header, &RAW_TAG_DESC, &TAG, &state);
    if (i % 64 == 0) harness_for(harness, 1);
  }
  harness_for(harness, 50);
  cr_assert_gt(bus_get_stats(sensing->bus).refused, MUTATIONS / 4);

  heard = 0;
  sys_header_t header = foreign_header(SYS_KIND_EVENT, "rs485-bridge", MUTATIONS + 1);
  foreign_send(&foreign, "raw.tag.RFID", &header, &RAW_TAG_DESC, &TAG);

  cr_assert(harness_until(harness, is_positive, &heard, 2000));
}

Test(foreign_frames, show_gaps_in_the_numbers_as_loss) {
  unsigned heard = 0;
  harness_peer_t *sensing = subscribed_peer(&heard);
  static const uint64_t SEQS[] = {1, 2, 5, 6, 10};
  for (size_t i = 0; i < sizeof SEQS / sizeof SEQS[0]; i++) {
    sys_header_t header = foreign_header(SYS_KIND_EVENT, "rs485-bridge", SEQS[i]);
    foreign_send(&foreign, "raw.tag.RFID", &header, &RAW_TAG_DESC, &TAG);
  }
  sys_header_t restarted = foreign_header(SYS_KIND_EVENT, "rs485-bridge", 100);
  restarted.boot = 2;
  foreign_send(&foreign, "raw.tag.RFID", &restarted, &RAW_TAG_DESC, &TAG);

  for (int i = 0; i < 100 && heard < 6; i++) {
    harness_for(harness, 5);
  }

  cr_assert_eq(heard, 6);
  cr_assert_eq(bus_get_stats(sensing->bus).gaps, 5);
}

Test(foreign_frames, are_refused_by_publishers) {
  harness_peer_t *bridge = harness_peer(harness, "rs485-bridge");
  foreign_open(&foreign, harness, ZMQ_XSUB, "pub", false, "rs485-bridge");

  foreign_send_part(&foreign, "\x07nonsense", 9, false);
  foreign_send_part(&foreign, "", 0, false);

  cr_assert(wait_refused(bridge->bus, 2));
}

static void on_drive(rpc_context_t *call, const void *takes, void *arg) {
  robot_driving_t driving = {0};
  (void)takes;
  ++*(unsigned *)arg;
  rpc_reply(call, &driving);
}

static const robot_drive_t DRIVE = {.speed = 0.5, .hold_ms = 200};

/* Reads the reply that the foreign DEALER gets. */
static bool receive_reply(char *name, size_t size, sys_header_t *header) {
  uint8_t bytes[2048];
  int len = -1;
  for (int i = 0; i < 400 && len < 0; i++) {
    harness_for(harness, 5);
    len = zmq_recv(foreign.socket, name, size - 1, ZMQ_DONTWAIT);
  }
  if (len < 0) return false;
  name[len] = '\0';
  len = zmq_recv(foreign.socket, bytes, sizeof bytes, 0);
  gantry_err_t err = unpack_message(&SYS_HEADER_DESC, bytes, (size_t)len, header, NULL);
  zmq_recv(foreign.socket, bytes, sizeof bytes, 0);
  return err == GANTRY_OK;
}

static harness_peer_t *serving_peer(unsigned *served, const char *kind) {
  harness_peer_t *bridge = harness_peer(harness, "rs485-bridge");
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, served);
  foreign_open(&foreign, harness, ZMQ_DEALER, kind, false, "rs485-bridge");
  return bridge;
}

static void expect_refusal(const char *err, const char *field) {
  char name[200];
  sys_header_t reply;
  cr_assert(receive_reply(name, sizeof name, &reply));
  cr_assert(reply.has_err && reply.has_field);
  cr_assert_str_eq(reply.err, err);
  cr_assert_str_eq(reply.field, field);
}

Test(foreign_frames, get_a_reply_that_names_the_fault) {
  unsigned served = 0;
  serving_peer(&served, "rpc");
  sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", 1);

  foreign_send_part(&foreign, "robot.drive", 11, false);
  expect_refusal("schema", "frames");
  foreign_send_part(&foreign, "robot.drive", 11, true);
  foreign_send_part(&foreign, "\x80", 1, true);
  foreign_send_part(&foreign, "\x80", 1, false);
  expect_refusal("schema", "kind");
  foreign_send(&foreign, "robot.drive", &header, &SYS_EMPTY_DESC, &(sys_empty_t){0});
  expect_refusal("schema", "direction");
  foreign_send(&foreign, "robot.fly", &header, &SYS_EMPTY_DESC, &(sys_empty_t){0});
  expect_refusal("not_found", "name");
  header.kind = SYS_KIND_EVENT;
  foreign_send(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE);
  expect_refusal("schema", "header.kind");

  cr_assert_eq(served, 0);
}

Test(foreign_frames, that_are_too_old_are_never_executed) {
  unsigned served = 0;
  serving_peer(&served, "rpc");
  sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", 1);
  header.has_ttl_ms = true;
  header.ttl_ms = 100;
  header.mono -= 101ull * GANTRY_NS_PER_MS;

  foreign_send(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE);

  expect_refusal("expired", "header.ttl_ms");
  cr_assert_eq(served, 0);
}

Test(foreign_frames, without_a_ttl_have_the_catalogues) {
  unsigned served = 0;
  serving_peer(&served, "rpc");
  sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", 1);
  header.mono -= (uint64_t)REQUEST_ROBOT_DRIVE->timeout_ms * GANTRY_NS_PER_MS;

  foreign_send(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE);

  expect_refusal("expired", "header.ttl_ms");
  cr_assert_eq(served, 0);
}

Test(foreign_frames, from_the_future_are_refused) {
  unsigned served = 0;
  serving_peer(&served, "rpc");
  sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", 1);
  header.mono += 60ull * GANTRY_NS_PER_S;

  foreign_send(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE);

  expect_refusal("schema", "header.mono");
  cr_assert_eq(served, 0);
}

Test(foreign_frames, of_ordinary_requests_have_no_place_on_the_safety_lane) {
  unsigned served = 0;
  serving_peer(&served, "safety");
  sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", 1);

  foreign_send(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE);

  expect_refusal("invalid", "name");
  cr_assert_eq(served, 0);
}

Test(foreign_frames, do_not_keep_servers_from_the_next_request) {
  unsigned served = 0;
  uint64_t state = 0x1234567;
  char name[200];
  sys_header_t reply;
  harness_peer_t *bridge = serving_peer(&served, "rpc");
  for (int i = 0; i < MUTATIONS; i++) {
    sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", (uint64_t)i + 1);
    foreign_send_mutated(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE, &state);
    if (i % 64 == 0) harness_for(harness, 1);
  }
  harness_for(harness, 50);
  while (receive_reply(name, sizeof name, &reply) && reply.seq != MUTATIONS + 1) {
    if (bus_get_stats(bridge->bus).refused + served < MUTATIONS) continue;
    sys_header_t header = foreign_header(SYS_KIND_REQUEST, "nobody", MUTATIONS + 1);
    if (served < MUTATIONS * 2)
      foreign_send(&foreign, "robot.drive", &header, &ROBOT_DRIVE_DESC, &DRIVE);
  }

  cr_assert_eq(reply.seq, MUTATIONS + 1);
  cr_assert_not(reply.has_err);
  cr_assert_gt(bus_get_stats(bridge->bus).refused, MUTATIONS / 4);
}

typedef struct outcome {
  unsigned count;
  gantry_err_t err;
} outcome_t;

static void on_outcome(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  (void)fault;
  (void)reply;
  (void)header;
  ((outcome_t *)arg)->count++;
  ((outcome_t *)arg)->err = err;
}

static bool is_over(void *arg) {
  return ((outcome_t *)arg)->count > 0;
}

Test(foreign_frames, do_not_answer_a_call) {
  outcome_t outcome = {0};
  uint64_t state = 77;
  char identity[256];
  char bytes[2048];
  foreign_open(&foreign, harness, ZMQ_ROUTER, "rpc", true, "rs485-bridge");
  harness_peer_t *caller = harness_peer(harness, "api-gateway");
  rpc_call(caller->client, REQUEST_ROBOT_DRIVE, NULL, NULL, &DRIVE, 3000, on_outcome, &outcome);
  int len = -1;
  for (int i = 0; i < 400 && len < 0; i++) {
    harness_for(harness, 5);
    len = zmq_recv(foreign.socket, identity, sizeof identity, ZMQ_DONTWAIT);
  }
  cr_assert_gt(len, 0);
  for (int i = 0; i < 3; i++) {
    zmq_recv(foreign.socket, bytes, sizeof bytes, 0);
  }

  robot_driving_t driving = {0};
  for (int i = 0; i < MUTATIONS; i++) {
    sys_header_t header = foreign_header(SYS_KIND_REPLY, "rs485-bridge", 1000 + (uint64_t)i);
    foreign_send_part(&foreign, identity, (size_t)len, true);
    foreign_send_mutated(&foreign, "robot.drive", &header, &ROBOT_DRIVING_DESC, &driving, &state);
    if (i % 64 == 0) harness_for(harness, 1);
  }
  harness_for(harness, 30);
  cr_assert_eq(outcome.count, 0);
  cr_assert_gt(bus_get_stats(caller->bus).refused, MUTATIONS / 4);
  sys_header_t wrong = foreign_header(SYS_KIND_REPLY, "rs485-bridge", 1);
  foreign_send_part(&foreign, identity, (size_t)len, true);
  foreign_send(&foreign, "robot.halt", &wrong, &ROBOT_DRIVING_DESC, &driving);
  foreign_send_part(&foreign, identity, (size_t)len, true);
  foreign_send(&foreign, "robot.drive", &wrong, &SYS_EMPTY_DESC, &(sys_empty_t){0});

  cr_assert(harness_until(harness, is_over, &outcome, 2000));
  cr_assert_eq(outcome.err, GANTRY_E_SCHEMA);
}
