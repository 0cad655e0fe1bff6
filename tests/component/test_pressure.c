/* What floods, giants and shortages may not do to a service. */
#include "foreign.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

static harness_t *harness;
static harness_peer_t *bridge;
static foreign_t foreign;

static void set_up(void) {
  harness = harness_new();
  bridge = harness_peer(harness, "rs485-bridge");
}

static void tear_down(void) {
  foreign_close(&foreign);
  harness_destroy(&harness);
}

TestSuite(pressure, .init = set_up, .fini = tear_down, .timeout = 30);

static void on_any(const frame_t *frame, const void *body, void *arg) {
  (void)frame;
  (void)body;
  ++*(unsigned *)arg;
}

static void flood(unsigned tags) {
  raw_tag_t tag = {.sensor = "T1", .source = SYS_SOURCE_SIMULATED, .tag = "0123ABCD"};
  raw_range_t range = {.sensor = "R1", .source = SYS_SOURCE_SIMULATED, .range = 1, .valid = true};
  for (unsigned i = 0; i < tags; i++)
    cr_assert_eq(bus_publish(bridge->bus, TOPIC_RAW_TAG, "T1", &tag), GANTRY_OK);
  bus_publish(bridge->bus, TOPIC_RAW_RANGE, "R1", &range);
}

Test(pressure, of_events_leaves_a_stream_its_turn) {
  unsigned tags = 0;
  unsigned ranges = 0;
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_TAG, NULL, 0, on_any, &tags);
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_any, &ranges);
  cr_assert(harness_heard(harness, bridge->bus, "raw.tag.T1", 2000));
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));

  for (int i = 0; i < 40; i++) {
    flood(200);
    loop_step(harness_loop(harness), 0);
  }

  cr_assert_gt(tags, 1000);
  cr_assert_geq(ranges, 2, "%u", ranges);
}

static bool is_silent(void *arg) {
  return !bus_is_heard(arg, "raw.range.R1");
}

static bool has_come(void *arg) {
  return *(unsigned *)arg > 0;
}

Test(pressure, is_not_felt_by_who_does_not_want_to_hear_for_a_while) {
  unsigned ranges = 0;
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_any, &ranges);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));
  flood(1);
  cr_assert(harness_until(harness, has_come, &ranges, 2000));

  bus_hear(sensing->bus, TOPIC_RAW_RANGE, on_any, false);
  cr_assert(harness_until(harness, is_silent, bridge->bus, 2000));
  ranges = 0;
  for (int i = 0; i < 5; i++)
    flood(1);
  harness_for(harness, 50);
  cr_expect_eq(ranges, 0);

  bus_hear(sensing->bus, TOPIC_RAW_RANGE, on_any, true);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));
  flood(1);
  cr_assert(harness_until(harness, has_come, &ranges, 2000));
  cr_expect_eq(bus_get_stats(sensing->bus).gaps, 0, "what was not asked for is no loss");
}

Test(pressure, of_subscriptions_does_not_hide_a_listener) {
  foreign_open(&foreign, harness, ZMQ_XSUB, "pub", false, "rs485-bridge");
  for (int i = 0; i < 300; i++) {
    char prefix[24];
    int len = snprintf(prefix, sizeof prefix, "\x01noise.%d", i);
    foreign_send_part(&foreign, prefix, (size_t)len, false);
  }
  foreign_send_part(&foreign, "\x01raw.range.", 11, false);

  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));
  foreign_close(&foreign);

  cr_assert(harness_until(harness, is_silent, bridge->bus, 2000));
}

static void on_kept(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  *(rpc_context_t **)arg = call;
}

typedef struct outcome {
  unsigned count;
  gantry_err_t err;
} outcome_t;

static void on_outcome(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  outcome_t *outcome = arg;
  (void)fault;
  (void)reply;
  (void)header;
  outcome->count++;
  outcome->err = err;
}

static bool has_ended(void *arg) {
  return ((const outcome_t *)arg)->count > 0;
}

Test(pressure, on_descriptors_does_not_leave_a_call_without_end) {
  rpc_context_t *kept = NULL;
  outcome_t outcome = {0};
  robot_drive_t drive = {.speed = 0.1, .hold_ms = 200};
  struct rlimit limit;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_kept, &kept);
  rpc_connect(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL);
  harness_for(harness, 20);
  getrlimit(RLIMIT_NOFILE, &limit);
  struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);

  gantry_err_t err = rpc_call(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, NULL, &drive, 500,
                              on_outcome, &outcome);

  bool ended = harness_until(harness, has_ended, &outcome, 3000);
  setrlimit(RLIMIT_NOFILE, &limit); /* the leak checker wants one at the end */

  cr_assert_eq(err, GANTRY_OK);
  cr_assert(ended);
  cr_assert_eq(outcome.err, GANTRY_E_TIMEOUT);
  cr_assert_not_null(kept);
}

static void on_refused_name(rpc_context_t *call, const void *takes, void *arg) {
  char name[200] = "x"; /* two bytes a letter from here on: the fault is cut within one */
  (void)takes;
  (void)arg;
  while (strlen(name) < sizeof name - 3)
    snprintf(name + strlen(name), 3, "\xc3\xa4");
  rpc_fail(call, GANTRY_E_INVALID, "na\xffme", "%s", name);
}

Test(pressure, of_strange_letters_does_not_swallow_an_error) {
  robot_drive_t drive = {.speed = 0.1, .hold_ms = 200};
  robot_driving_t driving;
  gantry_fault_t fault;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_refused_name, NULL);

  gantry_err_t err =
      harness_call(harness, REQUEST_ROBOT_DRIVE, NULL, &drive, &driving, 500, &fault);

  cr_assert_eq(err, GANTRY_E_INVALID, "%s", fault.detail);
  cr_assert_str_eq(fault.field, "na?me");
}

/* Over ipc: inproc knows no limit of size. Of localization, which takes nothing large. Sends parts
 * until the other side hangs up. */
static void expect_hangup(int type, const char *kind, const void *giant, size_t len) {
  char folder[] = "/tmp/gantry-test-XXXXXX";
  char base[64];
  char address[128];
  gantry_fault_t fault;
  bus_t *bus = NULL;
  rpc_server_t *server = NULL;
  cr_assert_not_null(mkdtemp(folder));
  snprintf(base, sizeof base, "ipc://%s", folder);
  bus_settings_t settings = {.service = "localization", .robot = "robot-01", .base = base};
  cr_assert_eq(bus_new(&settings, harness_loop(harness), &bus, &fault), GANTRY_OK);
  cr_assert_eq(rpc_server_new(bus, &server, &fault), GANTRY_OK);
  void *context = zmq_ctx_new();
  void *monitor = zmq_socket(context, ZMQ_PAIR);
  int none = 0;
  int patience_ms = 3000;
  foreign.socket = zmq_socket(context, type);
  zmq_setsockopt(foreign.socket, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
  zmq_socket_monitor(foreign.socket, "inproc://monitor", ZMQ_EVENT_DISCONNECTED);
  zmq_connect(monitor, "inproc://monitor");
  bus_address(base, "localization", kind, address, sizeof address);
  zmq_connect(foreign.socket, address);

  foreign_send_part(&foreign, giant, len, false);

  uint8_t event[16];
  cr_expect_geq(zmq_recv(monitor, event, sizeof event, 0), 0, "%s takes %zu bytes", kind, len);
  foreign_close(&foreign);
  zmq_close(monitor);
  zmq_ctx_term(context);
  rpc_server_destroy(&server);
  bus_destroy(&bus);
  snprintf(address, sizeof address, "%s/localization.lock", folder);
  unlink(address);
  rmdir(folder);
}

Test(pressure, of_a_giant_request_is_shut_out) {
  static const uint8_t GIANT[1024 * 1024];

  expect_hangup(ZMQ_DEALER, "rpc", GIANT, sizeof GIANT);
}

Test(pressure, of_a_giant_subscription_is_shut_out) {
  static const uint8_t GIANT[16 * 1024] = {1};

  expect_hangup(ZMQ_XSUB, "pub", GIANT, sizeof GIANT);
}
