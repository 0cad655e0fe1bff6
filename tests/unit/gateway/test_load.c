/* Load out of procfs. */
#include "load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define S UINT64_C(1000000000)

static char folder[64];

static void set_up(void) {
  char path[96];

  snprintf(folder, sizeof folder, "/tmp/gantry-load-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/net", folder);
  cr_assert_eq(mkdir(path, 0700), 0);
}

static void tear_down(void) {
  static const char *const NAMES[] = {"stat", "meminfo", "loadavg", "net/dev", "net", ""};

  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
    (void)remove(path);
  }
}

TestSuite(load, .init = set_up, .fini = tear_down);

static void write_file(const char *name, const char *text) {
  char path[96];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "we");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

Test(load, tells_rates_since_the_sample_before) {
  load_sample_t before = {0};
  load_t load;
  write_file("stat", "cpu  100 0 0 900 0 0 0 0\ncpu0 1 2 3 4\n");
  write_file("net/dev", "Inter-| Receive | Transmit\n face |bytes packets\n"
                        "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
                        "  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n");
  load_read(folder, 10 * S, &before, &load);
  cr_expect_float_eq(load.cpu, 0, 0, "nothing is known of the time before");
  write_file("stat", "cpu  160 0 15 915 10 0 0 0\n");
  write_file("net/dev", "    lo: 5999 1 0 0 0 0 0 0 5999 1 0 0 0 0 0 0\n"
                        "  eth0:3000 1 0 0 0 0 0 0 2500 1 0 0 0 0 0 0\n");

  load_read(folder, 12 * S, &before, &load);

  cr_expect_float_eq(load.cpu, 75, 1e-9, "waiting for a disk is idle");
  cr_expect_float_eq(load.network_in, 1000, 1e-9);
  cr_expect_float_eq(load.network_out, 250, 1e-9);
}

Test(load, tells_memory_and_the_mean_of_a_minute) {
  load_sample_t before = {0};
  load_t load;
  write_file("meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  250 kB\n");
  write_file("loadavg", "1.50 0.70 0.30 1/150 4711\n");

  load_read(folder, S, &before, &load);

  cr_expect_float_eq(load.memory, 75, 1e-9);
  cr_expect_float_eq(load.average, 1.5, 1e-9);
}

Test(load, is_nothing_where_nothing_can_be_read) {
  load_sample_t before = {0};
  load_t load;

  load_read("/nonexistent", S, &before, &load);
  load_read("/nonexistent", 2 * S, &before, &load);

  cr_expect_float_eq(load.cpu + load.memory + load.network_in, 0, 0);
}

Test(load, of_this_machine_is_within_percent) {
  load_sample_t before = {0};
  load_t load;

  load_read("/proc", S, &before, &load);

  cr_expect(load.memory > 0 && load.memory <= 100);
  cr_expect_gt(before.total, 0);
}
