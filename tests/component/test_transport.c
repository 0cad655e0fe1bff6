/* Sockets that the harness's inproc does not have: ipc with its lock, tcp with its ports. */
#include <gantry/clock.h>
#include <gantry/pack.h>
#include <gantry/rpc_client.h>
#include <gantry/rpc_server.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

typedef struct party {
  bus_t *bus;
  rpc_server_t *server;
  rpc_client_t *client;
} party_t;

static loop_t *loop;
static char folder[64];
static char base[160];

static void set_up(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry-test-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(base, sizeof base, "ipc://%s", folder);
  cr_assert_eq(loop_new(&loop), GANTRY_OK);
}

static void tear_down(void) {
  static const char *const LEFT[] = {"mapper.pub", "mapper.rpc", "mapper.lock"};
  for (size_t i = 0; i < sizeof LEFT / sizeof LEFT[0]; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, LEFT[i]);
    unlink(path);
  }
  rmdir(folder);
  loop_destroy(&loop);
}

/* The tests run at once, each as a process of its own, and a bus takes ports at three distances of
   a hundred: no two of these meet on one. */
static void use_tcp(int which) {
  snprintf(base, sizeof base, "tcp://127.0.0.1:%d", 20000 + 40 * (getpid() % 300) + 13 * which);
}

TestSuite(transport, .init = set_up, .fini = tear_down, .timeout = 30);

static gantry_err_t open_bus(const char *service, bool tap, bus_t **out, gantry_fault_t *fault) {
  bus_settings_t settings = {.service = service, .robot = "robot-01", .base = base, .tap = tap};
  return bus_new(&settings, loop, out, fault);
}

static party_t open_party(const char *service, bool tap) {
  party_t party = {0};
  gantry_fault_t fault = {0};
  cr_assert_eq(open_bus(service, tap, &party.bus, &fault), GANTRY_OK, "%s", fault.detail);
  if (!tap)
    cr_assert_eq(rpc_server_new(party.bus, &party.server, &fault), GANTRY_OK, "%s", fault.detail);
  rpc_client_new(party.bus, &party.client);
  return party;
}

static void close_party(party_t *party) {
  rpc_client_destroy(&party->client);
  rpc_server_destroy(&party->server);
  bus_destroy(&party->bus);
}

static void on_ping(rpc_context_t *call, const void *takes, void *arg) {
  sys_pong_t pong = {.service = "mapper", .pid = 7};
  (void)takes;
  (void)arg;
  rpc_reply(call, &pong);
}

static void on_counted_ping(rpc_context_t *call, const void *takes, void *arg) {
  ++*(unsigned *)arg;
  on_ping(call, takes, NULL);
}

/* A request as another host would send it: its monotonic clock means nothing here. */
static void send_request(void *dealer, const char *name, uint64_t wall_ns, const desc_t *desc,
                         const void *takes) {
  sys_header_t header = {.kind = SYS_KIND_REQUEST,
                         .version = 1,
                         .from = "gantry",
                         .mono = UINT64_MAX,
                         .wall = wall_ns,
                         .has_ttl_ms = true,
                         .ttl_ms = 1500};
  buf_t packed = {0}, body = {0};
  cr_assert_eq(pack_message(&SYS_HEADER_DESC, &header, &packed, NULL), GANTRY_OK);
  cr_assert_eq(pack_message(desc, takes, &body, NULL), GANTRY_OK);
  zmq_send(dealer, name, strlen(name), ZMQ_SNDMORE);
  zmq_send(dealer, packed.data, packed.len, ZMQ_SNDMORE);
  zmq_send(dealer, body.data, body.len, 0);
  buf_fini(&packed);
  buf_fini(&body);
}

static void send_ping(void *dealer, uint64_t wall_ns) {
  send_request(dealer, "sys.ping", wall_ns, &SYS_EMPTY_DESC, &(sys_empty_t){0});
}

static void check_ping(void) {
  party_t mapper = open_party("mapper", false);
  party_t tool = open_party("gantry", true);
  rpc_serve(mapper.server, REQUEST_SYS_PING, on_ping, NULL);
  sys_empty_t nothing = {0};
  sys_pong_t pong = {0};
  gantry_fault_t fault = {0};

  gantry_err_t err =
      rpc_call_wait(tool.client, REQUEST_SYS_PING, "mapper", &nothing, 3000, &pong, &fault);

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(pong.pid, 7);
  close_party(&tool);
  close_party(&mapper);
}

Test(transport, carries_requests_over_ipc) {
  check_ping();
}

Test(transport, carries_requests_over_tcp) {
  use_tcp(0);
  check_ping();
}

Test(transport, says_unavailable_when_the_server_was_never_there) {
  party_t tool = open_party("gantry", true);
  sys_empty_t nothing = {0};
  gantry_fault_t fault = {0};

  gantry_err_t err =
      rpc_call_wait(tool.client, REQUEST_SYS_PING, "mapper", &nothing, 1000, NULL, &fault);

  cr_assert_eq(err, GANTRY_E_UNAVAILABLE);
  cr_assert_str_eq(fault.detail, "mapper is not there");
  close_party(&tool);
}

Test(transport, reaches_a_server_that_has_come_back) {
  party_t mapper = open_party("mapper", false);
  party_t tool = open_party("gantry", true);
  rpc_serve(mapper.server, REQUEST_SYS_PING, on_ping, NULL);
  sys_empty_t nothing = {0};
  gantry_fault_t fault = {0};
  cr_assert_eq(rpc_call_wait(tool.client, REQUEST_SYS_PING, "mapper", &nothing, 3000, NULL, &fault),
               0);

  close_party(&mapper);
  mapper = open_party("mapper", false);
  rpc_serve(mapper.server, REQUEST_SYS_PING, on_ping, NULL);
  gantry_err_t err = GANTRY_E_TIMEOUT;
  for (int i = 0; i < 20 && err != GANTRY_OK; i++) {
    err = rpc_call_wait(tool.client, REQUEST_SYS_PING, "mapper", &nothing, 200, NULL, &fault);
  }

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  close_party(&tool);
  close_party(&mapper);
}

Test(transport, tells_a_living_owner_of_an_address) {
  party_t mapper = open_party("mapper", false);
  bus_t *second = NULL;
  gantry_fault_t fault = {0};

  gantry_err_t err = open_bus("mapper", false, &second, &fault);

  cr_assert_eq(err, GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "mapper already runs"));
  close_party(&mapper);
}

Test(transport, replaces_the_socket_of_a_dead_process) {
  char path[128];
  snprintf(path, sizeof path, "%s/mapper.pub", folder);
  FILE *stale = fopen(path, "w");
  fclose(stale);

  check_ping();
}

Test(transport, makes_the_folder_of_its_sockets) {
  rmdir(folder);

  check_ping();
}

Test(transport, explains_a_folder_that_cannot_be) {
  bus_t *bus = NULL;
  gantry_fault_t fault = {0};
  snprintf(base, sizeof base, "ipc:///proc/nowhere");

  cr_assert_eq(open_bus("mapper", false, &bus, &fault), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "/proc/nowhere"));
}

Test(transport, explains_a_path_too_long_for_a_socket) {
  bus_t *bus = NULL;
  gantry_fault_t fault = {0};
  snprintf(base, sizeof base, "ipc:///tmp/%090d", 1);

  cr_assert_eq(open_bus("mapper", false, &bus, &fault), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "too long"));
}

Test(transport, explains_what_is_no_address) {
  static const char *const WRONG[] = {"",          "http://x",      "ipc:/x",
                                      "tcp://h:0", "tcp://h:65536", "tcp://h:7x"};
  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    bus_t *bus = NULL;
    gantry_fault_t fault = {0};
    snprintf(base, sizeof base, "%s", WRONG[i]);

    cr_assert_eq(open_bus("mapper", false, &bus, &fault), GANTRY_E_INVALID, "%s", WRONG[i]);
    cr_assert_not_null(strstr(fault.detail, "no bus address"));
  }
}

Test(transport, explains_names_that_are_too_long) {
  bus_t *bus = NULL;
  gantry_fault_t fault = {0};

  cr_assert_eq(open_bus("a-service-with-a-name-of-more-than-32-bytes", false, &bus, &fault),
               GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "too long"));
}

Test(transport, gives_every_socket_its_address) {
  char out[100];
  bus_address("ipc:///run/gantry", "mapper", "pub", out, sizeof out);
  cr_assert_str_eq(out, "ipc:///run/gantry/mapper.pub");
  bus_address("inproc://x", "rs485-bridge", "safety", out, sizeof out);
  cr_assert_str_eq(out, "inproc://x/rs485-bridge.safety");
  bus_address("tcp://gantry-{service}", CATALOGUE_SERVICES[1], "rpc", out, sizeof out);
  cr_assert_str_eq(out, "tcp://gantry-rs485-bridge:7101");
  bus_address("tcp://gantry-{service}.ns:8000", CATALOGUE_SERVICES[2], "safety", out, sizeof out);
  cr_assert_str_eq(out, "tcp://gantry-sensor-processor.ns:8202");
  cr_assert_eq(bus_address("ipc:///run/gantry", "mapper", "none", out, sizeof out),
               GANTRY_E_INVALID);
  cr_assert_eq(bus_address("tcp://h", "nobody", "pub", out, sizeof out), GANTRY_E_INVALID);
  cr_assert_eq(bus_address("ipc:///run/gantry", "mapper", "pub", out, 8), GANTRY_E_INVALID);
}

Test(transport, lets_no_tap_serve) {
  party_t tool = open_party("gantry", true);
  rpc_server_t *server = NULL;
  gantry_fault_t fault = {0};

  cr_assert_eq(rpc_server_new(tool.bus, &server, &fault), GANTRY_E_INVALID);
  close_party(&tool);
}

static void *open_dealer(void *context, const char *service, const char *kind) {
  void *dealer = zmq_socket(context, ZMQ_DEALER);
  char address[200];
  int none = 0;
  zmq_setsockopt(dealer, ZMQ_LINGER, &none, sizeof none);
  bus_address(base, service, kind, address, sizeof address);
  zmq_connect(dealer, address);
  return dealer;
}

static void step_until_served(const unsigned *served, unsigned count) {
  uint64_t start_ns = clock_mono_ns();
  while (*served < count && clock_age_ms(clock_mono_ns(), start_ns) < 5000) {
    loop_step(loop, 50);
  }
}

/* Across hosts monotonic clocks do not compare: the wall clock tells the age. */
Test(transport, judges_age_over_tcp_by_the_wall_clock) {
  use_tcp(1);
  unsigned served = 0;
  party_t mapper = open_party("mapper", false);
  rpc_serve(mapper.server, REQUEST_SYS_PING, on_counted_ping, &served);
  void *context = zmq_ctx_new();
  void *dealer = open_dealer(context, "mapper", "rpc");
  uint64_t now_ns = clock_wall_ns();

  send_ping(dealer, now_ns - 2ull * GANTRY_NS_PER_S);
  send_ping(dealer, now_ns + GANTRY_NS_PER_S);
  step_until_served(&served, 1);

  cr_assert_eq(served, 1);
  cr_assert_eq(bus_get_stats(mapper.bus).refused, 1);
  zmq_close(dealer);
  zmq_ctx_term(context);
  close_party(&mapper);
}

static void on_estop(rpc_context_t *call, const void *takes, void *arg) {
  robot_safety_t safety = {0};
  (void)takes;
  ++*(unsigned *)arg;
  rpc_reply(call, &safety);
}

/* Another host's clock may be wrong by hours. */
Test(transport, refuses_no_stop_over_tcp_because_of_a_clock) {
  use_tcp(2);
  unsigned served = 0;
  party_t bridge = open_party("rs485-bridge", false);
  rpc_serve(bridge.server, REQUEST_ROBOT_ESTOP, on_estop, &served);
  void *context = zmq_ctx_new();
  void *dealer = open_dealer(context, "rs485-bridge", "safety");
  robot_estop_t estop = {.cause = ROBOT_CAUSE_SOFTWARE};
  uint64_t now_ns = clock_wall_ns(), hours_ns = 7200ull * GANTRY_NS_PER_S;
  const uint64_t made_ns[] = {now_ns - hours_ns, now_ns + hours_ns, 0};

  for (size_t i = 0; i < sizeof made_ns / sizeof made_ns[0]; i++)
    send_request(dealer, "robot.estop", made_ns[i], &ROBOT_ESTOP_DESC, &estop);
  step_until_served(&served, 3);

  cr_assert_eq(served, 3);
  cr_assert_eq(bus_get_stats(bridge.bus).refused, 0);
  zmq_close(dealer);
  zmq_ctx_term(context);
  close_party(&bridge);
}
