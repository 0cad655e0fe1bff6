/* Look-ups in the catalogue. */
#include <criterion/criterion.h>
#include <messages.h>
#include <stdio.h>
#include <string.h>

Test(catalogue, finds_topics_with_and_without_instance) {
  cr_assert_eq(catalogue_topic("sensor.scan.LIDAR_001"), TOPIC_SENSOR_SCAN);
  cr_assert_eq(catalogue_topic("loc.pose"), TOPIC_LOC_POSE);
}

Test(catalogue, names_must_fit_the_whole_pattern) {
  static const char *const NAMES[] = {
      "",           "sensor.scan", "sensor.scan.",    "sensor.scan.a.b",
      "loc.pose.x", "loc.pos",     "sensor.scanner.x"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    cr_assert_null(catalogue_topic(NAMES[i]), "%s", NAMES[i]);
  }
}

Test(catalogue, every_topic_is_found_by_its_own_name) {
  for (uint32_t i = 0; i < CATALOGUE_TOPIC_COUNT; i++) {
    const topic_t *topic = &CATALOGUE_TOPICS[i];
    char name[128];
    snprintf(name, sizeof name, "%s%s", topic->prefix, topic->instanced ? "x" : "");

    cr_assert_eq(catalogue_topic(name), topic, "%s", name);
  }
}

Test(catalogue, finds_requests) {
  cr_assert_eq(catalogue_request("robot.estop"), REQUEST_ROBOT_ESTOP);
  cr_assert_null(catalogue_request("robot.nothing"));
}

Test(catalogue, stop_has_the_safety_lane) {
  cr_assert_eq(REQUEST_ROBOT_ESTOP->lane, LANE_SAFETY);
}

Test(catalogue, knows_consumers) {
  static const char *const EVERYONE[] = {"*"};
  const topic_t open = {.consumers = EVERYONE, .consumer_count = 1};

  cr_assert(topic_has_consumer(TOPIC_SENSOR_SCAN, "mapper"));
  cr_assert_not(topic_has_consumer(TOPIC_SENSOR_SCAN, "rs485-bridge"));
  cr_assert(topic_has_consumer(&open, "mapper"));
}

Test(catalogue, largest_bodies_are_those_of_who_speaks) {
  cr_assert_geq(catalogue_max_published(), desc_packed_max(TOPIC_SENSOR_SCAN->message));
  cr_assert_geq(catalogue_max_taken("storage"), desc_packed_max(REQUEST_STORE_MAP_PUT->takes));
  cr_assert_geq(catalogue_max_given("storage"), desc_packed_max(REQUEST_STORE_HISTORY->gives));
  cr_assert_lt(catalogue_max_taken("rs485-bridge"), 4096);
}

Test(catalogue, there_are_six_services) {
  cr_assert_eq(CATALOGUE_SERVICE_COUNT, 6);
}

Test(catalogue, endpoints_are_indexed_by_their_id) {
  cr_assert_eq(CATALOGUE_ENDPOINT_COUNT, ENDPOINT_COUNT);
  cr_assert_str_eq(CATALOGUE_ENDPOINTS[ENDPOINT_MAP_STATUS].path, "/api/v1/map/status");
}
