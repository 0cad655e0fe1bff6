/* One trace through two services: every hop's log line at level debug carries it. */
#include "harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static harness_t *harness;
static int pipe_fds[2];
static char text[65536];

static void set_up(void) {
  cr_assert_eq(pipe(pipe_fds), 0);
  harness = harness_new();
  log_open("test", LOG_DEBUG, pipe_fds[1]);
}

static void tear_down(void) {
  harness_destroy(&harness);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

TestSuite(trace, .init = set_up, .fini = tear_down, .timeout = 20);

/* How many lines of that id carry the trace. */
static unsigned lines_with(const char *id, const char *trace) {
  unsigned count = 0;
  for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
    size_t len = strcspn(line, "\n");
    const char *has_id = strstr(line, id);
    const char *has_trace = strstr(line, trace);
    if (has_id && has_id < line + len && has_trace && has_trace < line + len) count++;
  }
  return count;
}

static void read_log(void) {
  ssize_t len = read(pipe_fds[0], text, sizeof text - 1);
  cr_assert_gt(len, 0);
  text[len] = '\0';
}

typedef struct relay {
  bus_t *bus;
  unsigned heard;
} relay_t;

/* What the sensor processor does: listens to raw ranges and says filtered ones. */
static void on_raw(const frame_t *frame, const void *body, void *arg) {
  relay_t *relay = arg;
  cause_t cause = frame_cause(frame);
  (void)body;
  relay->heard++;
  cr_assert_eq(log_get_trace(), frame->header.trace);
  sys_event_t event = {.id = "RELAYED"};
  cr_assert_eq(bus_publish_from(relay->bus, &cause, TOPIC_EVENT, NULL, &event), GANTRY_OK);
}

Test(trace, is_found_at_every_hop_of_a_message) {
  harness_peer_t *bridge = harness_peer(harness, "rs485-bridge");
  harness_peer_t *sensing = harness_peer(harness, "sensor-processor");
  relay_t relay = {.bus = sensing->bus};
  inbox_t *events = harness_collect(harness, "event.");
  bus_subscribe(sensing->bus, TOPIC_RAW_RANGE, NULL, 0, on_raw, &relay);
  cr_assert(harness_heard(harness, bridge->bus, "raw.range.R1", 2000));
  raw_range_t range = {.sensor = "R1", .range = 1, .valid = true};
  cause_t cause = {.trace = 0x5ca1ab1e, .born_ns = 12345};

  bus_publish_from(bridge->bus, &cause, TOPIC_RAW_RANGE, "R1", &range);

  cr_assert(harness_collected(harness, events, 1, 2000));
  const sys_header_t *header = &inbox_frame(events, 0)->header;
  cr_assert_eq(header->trace, cause.trace);
  cr_assert_eq(header->born, cause.born_ns);
  cr_assert_eq(log_get_trace(), 0);
  read_log();
  cr_assert_eq(lines_with("BUS-OUT", "000000005ca1ab1e"), 2);
  cr_assert_eq(lines_with("BUS-IN", "000000005ca1ab1e"), 2);
}

static void on_drive(rpc_context_t *call, const void *takes, void *arg) {
  robot_driving_t driving = {0};
  (void)takes;
  (void)arg;
  cr_assert_eq(log_get_trace(), rpc_cause(call).trace);
  rpc_reply(call, &driving);
}

static void on_driving(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  (void)fault;
  (void)reply;
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(header->trace, 0x5ca1ab1e);
  *(bool *)arg = true;
}

static bool is_true(void *arg) {
  return *(bool *)arg;
}

Test(trace, is_found_at_every_hop_of_a_request) {
  bool answered = false;
  harness_peer_t *bridge = harness_peer(harness, "rs485-bridge");
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, NULL);
  robot_drive_t drive = {.speed = 0.5, .hold_ms = 200};
  cause_t cause = {.trace = 0x5ca1ab1e};

  rpc_call(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, &cause, &drive, 1000, on_driving,
           &answered);

  cr_assert(harness_until(harness, is_true, &answered, 2000));
  read_log();
  cr_assert_eq(lines_with("RPC-OUT", "000000005ca1ab1e"), 1);
  cr_assert_eq(lines_with("RPC-IN", "000000005ca1ab1e"), 1);
  cr_assert_eq(lines_with("RPC-DONE", "000000005ca1ab1e"), 1);
  cr_assert_eq(lines_with("RPC-BACK", "000000005ca1ab1e"), 1);
}
