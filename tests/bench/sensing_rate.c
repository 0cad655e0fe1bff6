/* How fast readings and sweeps go through the pipeline of sensor-processor: in process, on one
   thread. sensing_rate readings|scans SECONDS REPETITIONS DATA. Prints one line of JSON: how many a
   second, each repetition, and how often memory was asked for between the first and the last one.
 */
#include <gantry/clock.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"
#include "processor.h"
#include "setup.h"

#define SENSORS         16u
#define RAYS            360u
#define REPETITIONS_MAX 9u
#define STEP            64u /* readings between two looks at the clock */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

/* Of this thread alone: the outbox and the bus have threads of their own. */
static _Thread_local bool counting;
static _Thread_local uint64_t asked;

void *malloc(size_t size) {
  asked += counting;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  asked += counting;
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  asked += counting;
  return __libc_realloc(old, size);
}

typedef struct bench {
  service_run_t *run;
  processor_t *processor;
  uint64_t number, begin_ns;
  char sensors[SENSORS][16];
  raw_scan_t scan;
} bench_t;

/* Bounds, a change limit, an outlier filter, a low-pass, numbers, a rate and two rules. */
static const char PIPELINE[] =
    "{\"code\":\"force\",\"min\":-10,\"max\":900,\"max_rate\":1e5,\"stuck\":1,\"expected_hz\":100,"
    "\"filters\":[{\"kind\":\"hampel\",\"window\":7},{\"kind\":\"lowpass\",\"cutoff\":10,"
    "\"rate\":100,\"order\":4}],\"rules\":[{\"name\":\"high\",\"kind\":\"above\",\"limit\":800,"
    "\"severity\":\"error\"},{\"name\":\"spike\",\"kind\":\"spike\",\"limit\":500,"
    "\"severity\":\"warning\"}]}";

static void must(gantry_err_t err, const gantry_fault_t *fault) {
  if (err == GANTRY_OK) return;
  fprintf(stderr, "sensing_rate: %s: %s %s\n", gantry_err_name(err), fault->field, fault->detail);
  exit(70);
}

static void configure(bench_t *bench) {
  gantry_fault_t fault;
  sensor_pipeline_t pipeline;
  for (uint32_t i = 0; i < SENSORS; i++) {
    snprintf(bench->sensors[i], sizeof bench->sensors[i], "F%02u", i);
    registry_entry_t *entry =
        registry_add(&bench->processor->registry, bench->sensors[i], REGISTRY_VALUE);
    must(setup_read(bench->processor, entry->id, SENSOR_TYPE_VALUE, PIPELINE, &pipeline, &fault),
         &fault);
    must(setup_apply(bench->processor, entry, &pipeline, &fault), &fault);
  }
  raw_scan_t *scan = &bench->scan;
  snprintf(scan->sensor, sizeof scan->sensor, "L1");
  scan->angles_count = scan->ranges_count = scan->qualities_count = RAYS;
  for (uint32_t i = 0; i < RAYS; i++) {
    scan->angles[i] = (float)(M_PI - 0.001 - i * 2 * M_PI / RAYS);
    scan->qualities[i] = (uint8_t)(47 + i % 40);
  }
}

/* Reading n: sensor n % SENSORS at 100 Hz, a wave with a little on top, numbered. */
static void push_reading(bench_t *bench) {
  uint64_t n = bench->number++, turn = n / SENSORS;
  origin_t origin = {.cause = {.trace = 1, .born_ns = bench->begin_ns},
                     .code = "force",
                     .unit = "N",
                     .source = SYS_SOURCE_SIMULATED,
                     .time_ns = bench->begin_ns + turn * 10 * GANTRY_NS_PER_MS,
                     .number = turn + 1,
                     .base = 1,
                     .batch = true};
  outcome_t outcome;
  gantry_fault_t fault;
  double value = 100 + (double)(turn * 37 % 101) + (double)(n % 7);
  must(pipeline_value(bench->processor, &origin, bench->sensors[n % SENSORS], value, &outcome,
                      &fault),
       &fault);
}

static void push_scan(bench_t *bench) {
  uint64_t n = bench->number++;
  origin_t origin = {.cause = {.trace = 1, .born_ns = clock_mono_ns()},
                     .source = SYS_SOURCE_SIMULATED,
                     .time_ns = bench->begin_ns + n * 100 * GANTRY_NS_PER_MS,
                     .base = 1};
  outcome_t outcome;
  gantry_fault_t fault;
  for (uint32_t i = 0; i < RAYS; i++)
    bench->scan.ranges[i] = 2 + (float)((n + i) % 50) * 0.04F;
  must(pipeline_scan(bench->processor, &origin, &bench->scan, &outcome, &fault), &fault);
}

static double rate(bench_t *bench, void (*push)(bench_t *), double seconds) {
  uint64_t begin_ns = clock_mono_ns(), done = 0;
  double elapsed_s = 0;
  counting = true;
  while (elapsed_s < seconds) {
    for (uint32_t i = 0; i < STEP; i++)
      push(bench);
    done += STEP;
    elapsed_s = clock_age_ms(clock_mono_ns(), begin_ns) / 1000;
  }
  counting = false;
  return (double)done / elapsed_s;
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  static bench_t bench;
  char data[300];
  gantry_fault_t fault;
  bool scans = strcmp(argv[1], "scans") == 0;
  double seconds = strtod(argv[2], NULL);
  unsigned long repetitions = strtoul(argv[3], NULL, 10);
  if (repetitions < 1 || repetitions > REPETITIONS_MAX) return 64;
  snprintf(data, sizeof data, "data=%s", argv[4]);
  must(service_open(&SENSOR_PROCESSOR, "inproc://sensing", NULL,
                    (const char *[]){data, "log_level=error", NULL}, &bench.run, &fault),
       &fault);
  bench.processor = service_self(bench.run);
  bench.begin_ns = clock_wall_ns();
  configure(&bench);
  for (uint32_t i = 0; i < 10000; i++)
    (scans ? push_scan : push_reading)(&bench); /* buffers have their sizes now */
  printf("{\"rates\": [");
  for (unsigned long i = 0; i < repetitions; i++)
    printf("%s%.0f", i ? ", " : "", rate(&bench, scans ? push_scan : push_reading, seconds));
  printf("], \"pushed\": %llu, \"allocations\": %llu}\n", (unsigned long long)bench.number,
         (unsigned long long)asked);
  service_close(&bench.run);
  return 0;
}
