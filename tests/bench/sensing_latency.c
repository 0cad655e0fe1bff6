/* Plays the bridge before a running sensor-processor and listens to what it says:
   sensing_latency BUS SECONDS. Sensors as on the robot: three accelerometers and four distances at
   20 Hz, a LiDAR of 360 points at 10 Hz. A session records meanwhile, so that every reading is made
   into a row. Prints one line of JSON: milliseconds from a raw message's birth, when it was sent,
   to the moment its checked form was sent, both as they stand in that one's header. */
#include <gantry/bus.h>
#include <gantry/clock.h>
#include <gantry/rpc_client.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAYS        360u
#define SAMPLES_MAX 200000u

typedef struct probe {
  loop_t *loop;
  bus_t *bridge, *tap;
  rpc_client_t *client;
  bool recording;
  uint64_t heard, sent, ticks, end_ns;
  uint32_t count;
  float ms[SAMPLES_MAX];
  raw_scan_t scan;
} probe_t;

static probe_t probe;

static void on_sensor(const frame_t *frame, const void *body, void *arg) {
  probe_t *self = arg;
  (void)body;
  if (strncmp(frame->topic, "sensor.status.", 14) == 0) return;
  if (strncmp(frame->topic, "sensor.readings.", 16) == 0) return;
  self->heard++;
  if (self->count < SAMPLES_MAX)
    self->ms[self->count++] = (float)clock_age_ms(frame->header.mono, frame->header.born);
}

static void on_started(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  probe_t *self = arg;
  (void)reply, (void)header;
  self->recording = err == GANTRY_OK;
  if (err != GANTRY_OK)
    fprintf(stderr, "sensing_latency: %s %s\n", gantry_err_name(err), fault->detail);
}

static void send_scan(probe_t *self) {
  raw_scan_t *scan = &self->scan;
  for (uint32_t i = 0; i < RAYS; i++)
    scan->ranges[i] = 2 + (float)((self->ticks + i) % 50) * 0.04F;
  bus_publish(self->bridge, TOPIC_RAW_SCAN, scan->sensor, scan);
  self->sent++;
}

/* Every 50 ms: what the polls of one round bring. */
static void on_tick(void *arg) {
  probe_t *self = arg;
  self->ticks++;
  for (uint32_t i = 0; i < 4; i++) {
    raw_range_t range = {.source = SYS_SOURCE_SIMULATED, .valid = true, .has_detected = true};
    snprintf(range.sensor, sizeof range.sensor, "PROX_%u", i);
    range.range = 0.3 + 0.001 * (double)(self->ticks % 7);
    bus_publish(self->bridge, TOPIC_RAW_RANGE, range.sensor, &range);
  }
  for (uint32_t i = 0; i < 3; i++) {
    raw_imu_t imu = {.source = SYS_SOURCE_SIMULATED, .z = 9.81};
    snprintf(imu.sensor, sizeof imu.sensor, "ACCEL_%u", i);
    imu.x = 0.01 * (double)(self->ticks % 5);
    bus_publish(self->bridge, TOPIC_RAW_IMU, imu.sensor, &imu);
  }
  self->sent += 7;
  if (self->ticks % 2 == 0) send_scan(self);
}

static void must(gantry_err_t err, const gantry_fault_t *fault) {
  if (err == GANTRY_OK) return;
  fprintf(stderr, "sensing_latency: %s: %s\n", gantry_err_name(err), fault->detail);
  exit(70);
}

static bool is_heard(const probe_t *self) {
  return bus_is_heard(self->bridge, "raw.scan.L1") && bus_is_heard(self->bridge, "raw.imu.A") &&
         bus_is_heard(self->bridge, "raw.range.A");
}

static bool await(probe_t *self, bool (*holds)(const probe_t *), double seconds) {
  uint64_t begin_ns = clock_mono_ns();
  while (!holds(self) && clock_age_ms(clock_mono_ns(), begin_ns) < seconds * 1000)
    loop_step(self->loop, 10);
  return holds(self);
}

static bool is_recording(const probe_t *self) {
  return self->recording;
}

static bool is_over(const probe_t *self) {
  return clock_mono_ns() >= self->end_ns;
}

static bool has_all(const probe_t *self) {
  return self->heard >= self->sent;
}

static void open_all(probe_t *self, const char *base) {
  gantry_fault_t fault;
  const bus_settings_t bridge = {.service = "rs485-bridge", .robot = "robot-01", .base = base};
  const bus_settings_t tap = {.service = "gantry", .robot = "robot-01", .base = base, .tap = true};
  must(loop_new(&self->loop), &fault);
  must(bus_new(&bridge, self->loop, &self->bridge, &fault), &fault);
  must(bus_new(&tap, self->loop, &self->tap, &fault), &fault);
  must(rpc_client_new(self->tap, &self->client), &fault);
  must(bus_tap(self->tap, "sensor.", on_sensor, self), &fault);
  snprintf(self->scan.sensor, sizeof self->scan.sensor, "L1");
  self->scan.source = SYS_SOURCE_SIMULATED;
  self->scan.angles_count = self->scan.ranges_count = self->scan.qualities_count = RAYS;
  for (uint32_t i = 0; i < RAYS; i++) {
    self->scan.angles[i] = (float)(M_PI - 0.001 - i * 2 * M_PI / RAYS);
    self->scan.qualities[i] = 60;
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  session_start_t start = {.has_name = true, .name = "bench"};
  double seconds = strtod(argv[2], NULL);
  open_all(&probe, argv[1]);
  if (!await(&probe, is_heard, 20)) return 69;
  if (rpc_call(probe.client, REQUEST_SESSION_START, NULL, NULL, &start, 3000, on_started, &probe) !=
      GANTRY_OK)
    return 69;
  if (!await(&probe, is_recording, 5)) return 69;
  int timer = loop_every(probe.loop, 50, on_tick, &probe);
  probe.end_ns = clock_mono_ns() + (uint64_t)(seconds * 1e9);
  await(&probe, is_over, seconds + 1);
  loop_cancel(probe.loop, timer);
  await(&probe, has_all, 2);
  printf("{\"sent\": %llu, \"heard\": %llu, \"ms\": [", (unsigned long long)probe.sent,
         (unsigned long long)probe.heard);
  for (uint32_t i = 0; i < probe.count; i++)
    printf("%s%.4f", i ? ", " : "", (double)probe.ms[i]);
  printf("]}\n");
  rpc_client_destroy(&probe.client);
  bus_destroy(&probe.tap);
  bus_destroy(&probe.bridge);
  loop_destroy(&probe.loop);
  return 0;
}
