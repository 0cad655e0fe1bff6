/* Storage tells everybody what people do about alerts. */
#include "harness.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <gantry/alerts.h>
#include <stdio.h>
#include <stdlib.h>

static harness_t *harness;
static harness_peer_t *mapper;

static void set_up(void) {
  harness = harness_new();
  mapper = harness_peer(harness, "mapper");
  harness_open(harness, &STORAGE, (const char *[]){"batch_ms=20", NULL});
  harness_keep(harness, mapper, harness_folder(harness));
}

static void tear_down(void) {
  harness_destroy(&harness);
}

TestSuite(storage_alerts, .init = set_up, .fini = tear_down, .timeout = 30);

/* False while storage has not taken the alert in. */
static bool is_acknowledged(void *key) {
  store_alert_row_t row;

  return harness_call(harness, REQUEST_STORE_ALERT_ACK, "anna", key, &row, 0, NULL) == GANTRY_OK;
}

Test(storage_alerts, tells_everybody_what_was_done_about_an_alert) {
  inbox_t *told = harness_collect(harness, "store.alert_marked");
  sys_alerts_t *alerts = calloc(1, sizeof *alerts);
  snprintf(alerts->service, sizeof alerts->service, "mapper");
  alerts->alerts_count = 1;
  snprintf(alerts->alerts[0].id, sizeof alerts->alerts[0].id, "ZONE-SLOW");
  cr_assert(harness_heard(harness, mapper->bus, "alert.mapper", 2000));
  cr_assert_eq(bus_publish(mapper->bus, TOPIC_ALERT, "mapper", alerts), GANTRY_OK);
  store_alert_key_t key = {.id = alerts_number("mapper", "ZONE-SLOW", "", 0)};
  store_alert_row_t row;
  gantry_fault_t fault = {0};
  free(alerts);

  cr_assert(harness_until(harness, is_acknowledged, &key, 5000), "%s", fault.detail);
  cr_assert_eq(harness_call(harness, REQUEST_STORE_ALERT_RESOLVE, "anna", &key, &row, 0, &fault),
               GANTRY_OK, "%s", fault.detail);

  cr_assert(harness_collected(harness, told, 2, 2000));
  const store_alert_marked_t *marked = inbox_body(told, 0);
  cr_expect_eq(marked->alert.id, key.id);
  cr_expect_not(marked->resolved);
  marked = inbox_body(told, 1);
  cr_expect(marked->resolved);
}
