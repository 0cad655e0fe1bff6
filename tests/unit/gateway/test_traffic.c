/* Histograms of requests. */
#include "traffic.h"

#include <criterion/criterion.h>
#include <messages.h>
#include <string.h>

static traffic_t traffic;
static buf_t out;

static void set_up(void) {
  cr_assert_eq(traffic_init(&traffic), GANTRY_OK);
}

static void tear_down(void) {
  traffic_fini(&traffic);
  buf_fini(&out);
}

TestSuite(traffic, .init = set_up, .fini = tear_down);

static void expect_line(const char *line) {
  buf_reset(&out);
  traffic_write(&traffic, &out);
  cr_expect_not_null(strstr(buf_text(&out), line), "%s in %s", line, buf_text(&out));
}

Test(traffic, counts_by_template_class_and_duration) {
  traffic_observe(&traffic, ENDPOINT_HEALTH, 200, 0, 400000);
  traffic_observe(&traffic, ENDPOINT_HEALTH, 200, 0, 500000);
  traffic_observe(&traffic, ENDPOINT_HEALTH, 200, 0, 3000000);
  traffic_observe(&traffic, ENDPOINT_HEALTH, 503, 0, 9000000000);
  traffic_observe(&traffic, ENDPOINT_MAP_GET, 404, 0, 1);

  expect_line("# TYPE gantry_http_request_seconds histogram\n");
  expect_line("_bucket{service=\"api-gateway\",method=\"GET\",route=\"/health\",status=\"2xx\","
              "le=\"0.0005\"} 2\n");
  expect_line("route=\"/health\",status=\"2xx\",le=\"0.0025\"} 2\n");
  expect_line("route=\"/health\",status=\"2xx\",le=\"0.005\"} 3\n");
  expect_line("route=\"/health\",status=\"2xx\",le=\"+Inf\"} 3\n");
  expect_line("_sum{service=\"api-gateway\",method=\"GET\",route=\"/health\",status=\"2xx\"} "
              "0.0039\n");
  expect_line("_count{service=\"api-gateway\",method=\"GET\",route=\"/health\",status=\"2xx\"} "
              "3\n");
  expect_line("route=\"/health\",status=\"5xx\",le=\"5\"} 0\n");
  expect_line("route=\"/health\",status=\"5xx\",le=\"+Inf\"} 1\n");
  expect_line("route=\"/api/v1/map/{map_id}\",status=\"4xx\"");
  cr_expect_eq(traffic.requests, 5);
  cr_expect_eq(traffic.errors, 1);
}

Test(traffic, counts_what_is_no_route_together) {
  for (uint32_t i = 0; i < 1000; i++)
    traffic_observe(&traffic, UINT32_MAX - i, 404, 0, 1000);

  expect_line("_count{service=\"api-gateway\",method=\"other\",route=\"other\",status=\"4xx\"} "
              "1000\n");
}

Test(traffic, says_nothing_of_routes_that_nobody_asked_for) {
  traffic_write(&traffic, &out);

  cr_expect_null(strstr(buf_text(&out), "_bucket"));
}
