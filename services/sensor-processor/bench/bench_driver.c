/* One thread, three deadlines. */
#include "bench_driver.h"

#include <gantry/clock.h>
#include <gantry/mailbox.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ORDERS_MAX  64
#define SAMPLES_MAX 4096

#define QUIT (1u << 31)

/* A fault to be put into a sensor, or only a reason to look at what is wanted. */
typedef struct order {
  bool puts;
  bench_kind_t kind;
  bench_fault_t fault;
  double duration_s, amplitude;
} order_t;

/* One sensor, the thread's own. */
typedef struct source {
  bool runs;
  uint64_t period_ns, next_ns; /* monotonic */
  uint64_t count;              /* readings so far */
  uint32_t images;
  bench_random_t random;
  bench_faults_t faults;
} source_t;

struct bench_driver {
  mailbox_t *orders, *samples;
  atomic_uint wanted; /* sensors that are to run, or QUIT */
  pthread_t thread;
  bool started;
  source_t sources[BENCH_KIND_COUNT];
};

static void emit(bench_driver_t *driver, bench_kind_t kind, uint64_t now_ns) {
  source_t *source = &driver->sources[kind];
  bench_sample_t sample = {.kind = kind, .time_ns = clock_wall_ns(), .mono_ns = now_ns};
  bench_signal(kind, (double)sample.time_ns * 1e-9, &source->random, &sample);
  sample.number = ++source->count;
  sample.image_id = 1000 + ++source->images;
  if (bench_faults_apply(&source->faults, &source->random, &sample))
    (void)mailbox_send(driver->samples, &sample);
}

static void emit_due(bench_driver_t *driver) {
  uint64_t now_ns = clock_mono_ns();
  for (int kind = 0; kind < BENCH_KIND_COUNT; kind++) {
    source_t *source = &driver->sources[kind];
    if (!source->runs || now_ns < source->next_ns) continue;
    emit(driver, (bench_kind_t)kind, now_ns);
    uint64_t missed = (now_ns - source->next_ns) / source->period_ns;
    source->next_ns += (missed + 1) * source->period_ns;
  }
}

static void run_sources(bench_driver_t *driver, uint32_t kinds) {
  uint64_t now_ns = clock_mono_ns();
  for (int kind = 0; kind < BENCH_KIND_COUNT; kind++) {
    source_t *source = &driver->sources[kind];
    bool runs = kinds >> kind & 1;
    if (runs && !source->runs) source->next_ns = now_ns;
    source->runs = runs;
  }
}

/* Carries out what is asked; false: to end. */
static bool obey(bench_driver_t *driver) {
  order_t order;
  while (mailbox_receive(driver->orders, &order))
    if (order.puts)
      bench_faults_put(&driver->sources[order.kind].faults, order.fault, order.duration_s,
                       order.amplitude);
  unsigned wanted = atomic_load(&driver->wanted);
  run_sources(driver, wanted);
  return !(wanted & QUIT);
}

/* Until the next deadline, or an order. */
static void rest(bench_driver_t *driver) {
  uint64_t next_ns = UINT64_MAX, now_ns = clock_mono_ns();
  for (int kind = 0; kind < BENCH_KIND_COUNT; kind++)
    if (driver->sources[kind].runs && driver->sources[kind].next_ns < next_ns)
      next_ns = driver->sources[kind].next_ns;
  uint64_t left_ns = next_ns > now_ns ? next_ns - now_ns : 0;
  struct timespec left = {.tv_sec = (time_t)(left_ns / GANTRY_NS_PER_S),
                          .tv_nsec = (long)(left_ns % GANTRY_NS_PER_S)};
  struct pollfd orders = {.fd = mailbox_fd(driver->orders), .events = POLLIN};
  (void)ppoll(&orders, 1, next_ns == UINT64_MAX ? NULL : &left, NULL);
}

static void *run(void *arg) {
  bench_driver_t *driver = arg;
  while (obey(driver)) {
    emit_due(driver);
    rest(driver);
  }
  return NULL;
}

gantry_err_t bench_driver_new(const bench_driver_settings_t *settings, bench_driver_t **out) {
  bench_driver_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  for (int kind = 0; kind < BENCH_KIND_COUNT; kind++) {
    /* A stream of its own for each: their order in time changes nothing. */
    bench_random_seed(&self->sources[kind].random, settings->seed + (uint64_t)kind);
    self->sources[kind].period_ns = (uint64_t)(1e9 / settings->rate_hz[kind]);
  }
  gantry_err_t err = mailbox_new(sizeof(order_t), ORDERS_MAX, &self->orders);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(bench_sample_t), SAMPLES_MAX, &self->samples);
  if (err == GANTRY_OK) {
    self->started = pthread_create(&self->thread, NULL, run, self) == 0;
    if (!self->started) err = GANTRY_E_INTERNAL;
  }
  if (err != GANTRY_OK)
    bench_driver_destroy(&self);
  else
    *out = self;
  return err;
}

/* A full mailbox is readable already: the thread is about to look. */
static void want(bench_driver_t *driver, unsigned wanted) {
  atomic_store(&driver->wanted, wanted);
  (void)mailbox_send(driver->orders, &(order_t){.puts = false});
}

void bench_driver_destroy(bench_driver_t **self) {
  bench_driver_t *driver = *self;
  if (!driver) return;
  if (driver->started) {
    want(driver, QUIT);
    (void)pthread_join(driver->thread, NULL);
  }
  mailbox_destroy(&driver->orders);
  mailbox_destroy(&driver->samples);
  free(driver);
  *self = NULL;
}

void bench_driver_run(bench_driver_t *driver, uint32_t kinds) {
  want(driver, kinds);
}

bool bench_driver_put(bench_driver_t *driver, bench_kind_t kind, bench_fault_t fault,
                      double duration_s, double amplitude) {
  const order_t order = {
      .puts = true, .kind = kind, .fault = fault, .duration_s = duration_s, .amplitude = amplitude};
  return mailbox_send(driver->orders, &order);
}

bool bench_driver_take(bench_driver_t *driver, bench_sample_t *out) {
  return mailbox_receive(driver->samples, out);
}

int bench_driver_fd(const bench_driver_t *driver) {
  return mailbox_fd(driver->samples);
}
