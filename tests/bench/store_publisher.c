/* Feeds storage through the bus, as a service does: readings by the batch and events, and books in
   a ledger what was acknowledged. Killed and started again it goes on with new numbers. Ends at
   SIGTERM, or after --seconds, once storage has everything; then says in one line of JSON what it
   did. */
#include <gantry/bus.h>
#include <gantry/clock.h>
#include <gantry/delivery.h>
#include <errno.h>
#include <getopt.h>
#include <messages.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_ledger.h"
#include "store_rows.h"

#define SERVICE       "sensor-processor"
#define UNDER_WAY_MAX 64u    /* messages not yet acknowledged */
#define EVENTS_MAX    20000u /* whose latency is kept */
#define OUTBOX_BYTES  (64u << 20)

typedef struct options {
  const char *bus, *data, *ledger;
  const char *session;
  double seconds;    /* 0: until SIGTERM */
  double rate;       /* readings a second; 0: as fast as it goes */
  double events;     /* a second */
  uint32_t rows;     /* readings a message */
  uint64_t begin_us; /* wall time of reading 0 */
  uint64_t kept_max; /* bytes that may wait in the outbox while the rate is free */
} options_t;

typedef struct publisher publisher_t;

/* A message whose acknowledgement is awaited. */
typedef struct pending {
  publisher_t *publisher;
  bool is_event;
  uint64_t first, sent_ns;
  uint32_t count; /* 0: free */
} pending_t;

struct publisher {
  options_t options;
  loop_t *loop;
  bus_t *bus;
  rpc_client_t *client;
  outbox_t *outbox;
  delivery_t *delivery;
  store_ledger_t ledger;
  pending_t pending[UNDER_WAY_MAX];
  uint32_t under_way;
  uint64_t begin_ns, readings, acknowledged, refused;
  uint64_t events_sent;
  float event_ms[EVENTS_MAX];
  uint32_t event_count;
  sensor_readings_t batch;
};

static volatile sig_atomic_t ending;

static void on_signal(int number) {
  (void)number;
  ending = 1;
}

static void on_done(gantry_err_t err, void *arg) {
  pending_t *pending = arg;
  publisher_t *self = pending->publisher;
  self->under_way--;
  if (err != GANTRY_OK) {
    self->refused += pending->count;
  } else if (pending->is_event) {
    store_ledger_note_event(&self->ledger, pending->first);
    if (self->event_count < EVENTS_MAX)
      self->event_ms[self->event_count++] = (float)clock_age_ms(clock_mono_ns(), pending->sent_ns);
  } else {
    store_ledger_note_readings(&self->ledger, pending->first, pending->count);
    self->acknowledged += pending->count;
  }
  pending->count = 0;
}

static pending_t *take_pending(publisher_t *self) {
  for (uint32_t i = 0; i < UNDER_WAY_MAX; i++)
    if (self->pending[i].count == 0) return &self->pending[i];
  return NULL;
}

static void send(publisher_t *self, pending_t *pending, const topic_t *topic, const void *body) {
  pending->publisher = self;
  pending->sent_ns = clock_mono_ns();
  if (bus_publish_durable(self->bus, NULL, topic, SERVICE, body, on_done, pending) == GANTRY_OK) {
    self->under_way++;
  } else {
    self->refused += pending->count;
    pending->count = 0;
  }
}

static void fill_series(sensor_readings_t *batch, const char *session) {
  batch->series_count = STORE_SENSORS;
  for (uint32_t i = 0; i < STORE_SENSORS; i++) {
    sensor_series_key_t *series = &batch->series[i];
    snprintf(series->sensor, sizeof series->sensor, "bench-%u", i);
    snprintf(series->type, sizeof series->type, "force");
    snprintf(series->unit, sizeof series->unit, "N");
    snprintf(series->session, sizeof series->session, "%s", session);
    series->source = SYS_SOURCE_SIMULATED;
  }
}

static void send_readings(publisher_t *self, pending_t *pending) {
  sensor_readings_t *batch = &self->batch;
  uint32_t rows = self->options.rows;
  if (!store_ledger_readings(&self->ledger, rows, &pending->first)) return;
  pending->count = rows;
  pending->is_event = false;
  for (uint32_t i = 0; i < rows; i++) {
    uint64_t number = pending->first + i;
    batch->which[i] = (uint8_t)store_row_sensor(number);
    batch->time[i] = store_row_time_us(number, self->options.begin_us) * 1000;
    batch->number[i] = number;
    batch->value[i] = store_row_value(number);
    batch->quality[i] = 1.0F;
    batch->validity[i] = 0;
  }
  batch->which_count = batch->time_count = batch->number_count = batch->value_count =
      batch->quality_count = batch->validity_count = rows;
  self->readings += rows;
  send(self, pending, TOPIC_SENSOR_READINGS, batch);
}

static void send_event(publisher_t *self, pending_t *pending) {
  sys_event_t event = {
      .id = "BENCH", .category = SYS_CATEGORY_STATE, .severity = SYS_SEVERITY_INFO};
  if (!store_ledger_event(&self->ledger, &pending->first)) return;
  pending->count = 1;
  pending->is_event = true;
  snprintf(event.subject, sizeof event.subject, "%llu", (unsigned long long)pending->first);
  snprintf(event.message, sizeof event.message, "one of many");
  self->events_sent++;
  send(self, pending, TOPIC_EVENT, &event);
}

/* Whether another message of readings is due now. */
static bool is_due(publisher_t *self, double elapsed_s) {
  if (self->options.rows == 0) return false;
  if (self->options.rate > 0) return (double)self->readings < elapsed_s * self->options.rate;
  return outbox_get_stats(self->outbox).bytes < self->options.kept_max;
}

static void publish(publisher_t *self) {
  double elapsed_s = clock_age_ms(clock_mono_ns(), self->begin_ns) / 1000.0;
  pending_t *pending = take_pending(self);
  if (pending && (double)self->events_sent < elapsed_s * self->options.events) {
    send_event(self, pending);
    pending = take_pending(self);
  }
  /* A few at a time, so that acknowledgements are seen in between. */
  for (int i = 0; pending && i < 8 && is_due(self, elapsed_s); i++) {
    send_readings(self, pending);
    pending = take_pending(self);
  }
}

static bool is_over(const publisher_t *self) {
  double elapsed_s = clock_age_ms(clock_mono_ns(), self->begin_ns) / 1000.0;
  return ending || (self->options.seconds > 0 && elapsed_s >= self->options.seconds);
}

static bool is_empty(publisher_t *self) {
  outbox_stats_t stats = outbox_get_stats(self->outbox);
  return self->under_way == 0 && stats.opened && stats.records == 0;
}

static bool run(publisher_t *self, double *publish_s, double *drained_s) {
  self->begin_ns = clock_mono_ns();
  bool ok = true;
  while (ok && !is_over(self)) {
    publish(self);
    loop_step(self->loop, 1);
    ok = store_ledger_write(&self->ledger);
  }
  *publish_s = clock_age_ms(clock_mono_ns(), self->begin_ns) / 1000.0;
  while (ok && !is_empty(self)) {
    loop_step(self->loop, 1);
    ok = store_ledger_write(&self->ledger);
  }
  *drained_s = clock_age_ms(clock_mono_ns(), self->begin_ns) / 1000.0;
  if (!ok) fprintf(stderr, "store_publisher: ledger: %s\n", strerror(errno));
  return ok;
}

static void say(const publisher_t *self, double publish_s, double drained_s) {
  printf("{\"readings\": %llu, \"acknowledged\": %llu, \"refused\": %llu, \"publish_s\": %.6f, "
         "\"drained_s\": %.6f, \"event_ms\": [",
         (unsigned long long)self->readings, (unsigned long long)self->acknowledged,
         (unsigned long long)self->refused, publish_s, drained_s);
  for (uint32_t i = 0; i < self->event_count; i++)
    printf("%s%.3f", i ? ", " : "", (double)self->event_ms[i]);
  printf("]}\n");
}

static options_t read_options(int argc, char **argv) {
  static const struct option NAMES[] = {
      {"bus", 1, NULL, 'b'},     {"data", 1, NULL, 'd'},  {"ledger", 1, NULL, 'l'},
      {"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},  {"events", 1, NULL, 'e'},
      {"rows", 1, NULL, 'n'},    {"begin", 1, NULL, 'u'}, {"kept", 1, NULL, 'k'},
      {"session", 1, NULL, 'i'}, {NULL, 0, NULL, 0}};
  options_t options = {.session = "", .rows = 1000, .kept_max = 4u << 20};
  for (int name; (name = getopt_long(argc, argv, "", NAMES, NULL)) != -1;) {
    if (name == 'b') options.bus = optarg;
    if (name == 'd') options.data = optarg;
    if (name == 'l') options.ledger = optarg;
    if (name == 's') options.seconds = strtod(optarg, NULL);
    if (name == 'r') options.rate = strtod(optarg, NULL);
    if (name == 'e') options.events = strtod(optarg, NULL);
    if (name == 'n') options.rows = (uint32_t)strtoul(optarg, NULL, 10);
    if (name == 'u') options.begin_us = strtoull(optarg, NULL, 10);
    if (name == 'i') options.session = optarg;
    if (name == 'k') options.kept_max = strtoull(optarg, NULL, 10);
  }
  return options;
}

static gantry_err_t start(publisher_t *self, gantry_fault_t *fault) {
  const options_t *options = &self->options;
  const bus_settings_t settings = {.service = SERVICE, .robot = "robot-01", .base = options->bus};
  GANTRY_TRY(loop_new(&self->loop));
  GANTRY_TRY(bus_new(&settings, self->loop, &self->bus, fault));
  GANTRY_TRY(rpc_client_new(self->bus, &self->client));
  const outbox_settings_t box = {.folder = options->data,
                                 .service = SERVICE,
                                 .boot = bus_boot(self->bus),
                                 .limit_bytes = OUTBOX_BYTES};
  GANTRY_TRY(outbox_open(&box, self->loop, &self->outbox));
  GANTRY_TRY(delivery_new(self->outbox, self->bus, self->client, &self->delivery));
  bus_set_outbox(self->bus, self->outbox);
  return GANTRY_OK;
}

static void stop(publisher_t *self) {
  if (self->bus) bus_set_outbox(self->bus, NULL);
  if (self->delivery) delivery_stop(self->delivery);
  outbox_close(&self->outbox);
  rpc_client_destroy(&self->client);
  delivery_destroy(&self->delivery);
  bus_destroy(&self->bus);
  loop_destroy(&self->loop);
  store_ledger_close(&self->ledger);
}

int main(int argc, char **argv) {
  static publisher_t self; /* large: a batch of every column */
  gantry_fault_t fault = {0};
  double publish_s = 0.0, drained_s = 0.0;
  self.options = read_options(argc, argv);
  if (!self.options.bus || !self.options.data || !self.options.ledger ||
      self.options.rows > sizeof self.batch.which)
    return 64;
  struct sigaction action = {.sa_handler = on_signal};
  (void)sigaction(SIGTERM, &action, NULL);
  if (!store_ledger_open(&self.ledger, self.options.ledger)) {
    fprintf(stderr, "store_publisher: %s: %s\n", self.options.ledger, strerror(errno));
    return 69;
  }
  fill_series(&self.batch, self.options.session);
  gantry_err_t err = start(&self, &fault);
  bool ok = err == GANTRY_OK && run(&self, &publish_s, &drained_s);
  if (err != GANTRY_OK)
    fprintf(stderr, "store_publisher: %s %s\n", gantry_err_name(err), fault.detail);
  else
    say(&self, publish_s, drained_s);
  stop(&self);
  return ok ? 0 : 70;
}
