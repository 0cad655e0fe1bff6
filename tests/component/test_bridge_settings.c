/* Settings of the bridge that contradict each other: its start ends with the field at fault. And
   what one of them asks of the kernel. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "harness.h"

typedef struct wrong_setting {
  const char *first, *second; /* second: NULL for none */
  const char *field, *words;
} wrong_setting_t;

static void refuse(const wrong_setting_t *wrong) {
  char data[] = "/tmp/gantry-settings-XXXXXX", where[64];
  gantry_fault_t fault = {0};
  service_run_t *run = NULL;
  harness_t *harness = harness_new();
  cr_assert_not_null(mkdtemp(data));
  (void)snprintf(where, sizeof where, "data=%s", data);
  const char *settings[] = {where, wrong->first, wrong->second, NULL};

  gantry_err_t err = harness_try_open(harness, &RS485_BRIDGE, settings, &run, &fault);

  cr_assert_eq(err, GANTRY_E_INVALID, "%s", wrong->first);
  cr_assert_str_eq(fault.field, wrong->field, "%s: %s", wrong->first, fault.field);
  cr_assert_not_null(strstr(fault.detail, wrong->words), "%s: %s", wrong->first, fault.detail);
  harness_destroy(&harness);
  static const char *const kept[] = {"stop.latch", "rs485-bridge.running"};
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
    (void)snprintf(where, sizeof where, "%s/%s", data, kept[i]);
    (void)unlink(where);
  }
  cr_assert_eq(rmdir(data), 0, "nothing else is kept of a start that failed");
}

Test(bridge_settings, that_contradict_each_other_are_refused_by_name) {
  static const wrong_setting_t wrong[] = {
      {"zone_stop=3", NULL, "zone_slow", "zone_stop = 3"},
      {"zone_slow=7", NULL, "zone_clear", "zone_slow = 7"},
      {"zone_min_factor=0.9", NULL, "zone_max_factor", "zone_min_factor = 0.9"},
      {"full_scale_speed=0.5", NULL, "full_scale_speed", "max_speed = 1"},
      {"range_1=", NULL, "range_1", "no sensor id"},
      {"imu=a b", NULL, "imu", "no sensor id"},
      {"range_1=PROX_001", NULL, "range_1", "proximity_1 already"},
      {"baud=2000000", "rs485_port=/dev/null", "baud", "no rate"},
      {"lidar_baud=9601", "lidar_port=/dev/null", "lidar_baud", "no rate"},
      {"more_ports=/dev/null", "rs485_port=/dev/null", "more_ports", "already"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    refuse(&wrong[i]);
}

/* Whether this process holds /dev/cpu_dma_latency open. */
static bool holds_wake_latency(void) {
  DIR *folder = opendir("/proc/self/fd");
  bool holds = false;
  for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    char target[64] = "";
    ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
    holds |= len > 0 && strcmp(target, "/dev/cpu_dma_latency") == 0;
  }
  (void)closedir(folder);
  return holds;
}

/* Whether a bridge with that setting holds it, and lets go with its end. */
static bool bridge_holds(const char *setting) {
  char data[] = "/tmp/gantry-settings-XXXXXX", where[64], file[64];
  harness_t *harness = harness_new();
  cr_assert_not_null(mkdtemp(data));
  (void)snprintf(where, sizeof where, "data=%s", data);
  (void)harness_open(harness, &RS485_BRIDGE, (const char *[]){where, setting, NULL});
  bool holds = holds_wake_latency();
  harness_destroy(&harness);
  cr_assert_not(holds_wake_latency());
  static const char *const files[] = {"stop.latch", "modules.list", "rs485-bridge.outbox",
                                      "rs485-bridge.running"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    (void)snprintf(file, sizeof file, "%s/%s", data, files[i]);
    (void)unlink(file);
  }
  cr_assert_eq(rmdir(data), 0);
  return holds;
}

Test(bridge_settings, processors_are_kept_awake_by_a_bridge_that_is_told_to_and_may) {
  bool may = access("/dev/cpu_dma_latency", R_OK | W_OK) == 0;

  cr_assert_not(bridge_holds(NULL), "unasked it leaves them alone");
  cr_assert_eq(bridge_holds("wake_latency_us=0"), may);
}

Test(bridge_settings, a_bridge_that_may_not_keep_processors_awake_starts_all_the_same) {
  if (geteuid() == 0) cr_assert_eq(seteuid(65534), 0);

  cr_assert_not(bridge_holds("wake_latency_us=0"));
}
