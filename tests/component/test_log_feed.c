/* A service's log on the bus. */
#include "harness.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

static harness_t *harness;
static inbox_t *said;

static gantry_err_t start(service_t *service, void **self, gantry_fault_t *fault) {
  (void)service, (void)self, (void)fault;
  return GANTRY_OK;
}

static const service_def_t PLAIN = {.name = "mapper", .doc = "Plain.", .start = start};

static void set_up(void) {
  harness = harness_new();
  harness_open(harness, &PLAIN, NULL);
  said = harness_collect(harness, "log.");
  log_open("mapper", LOG_INFO, open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static void tear_down(void) {
  log_open("mapper", LOG_INFO, STDERR_FILENO);
  harness_destroy(&harness);
}

TestSuite(log_feed, .init = set_up, .fini = tear_down, .timeout = 20);

Test(log_feed, puts_what_a_service_logs_on_the_bus) {
  log_debug("QUIET", "nobody needs this");
  log_set_trace(0x1234);
  log_warn("WORTH-SEEING", "a byte that is no text: \xff");
  log_set_trace(0);
  cr_assert(harness_collected(harness, said, 1, 2000));

  const sys_log_line_t *line = inbox_body(said, 0);
  cr_assert_str_eq(inbox_frame(said, 0)->topic, "log.mapper");
  cr_assert_eq(line->level, SYS_LOG_LEVEL_WARN);
  cr_assert_str_eq(line->id, "WORTH-SEEING");
  cr_assert_str_eq(line->message, "a byte that is no text: ?");
  cr_assert(line->has_trace && line->trace == 0x1234);
  cr_assert_eq(line->lost, 0);
}

static bool has_error(void *arg) {
  const sys_log_line_t *line = inbox_newest(arg, "log.mapper");
  return line && line->level == SYS_LOG_LEVEL_ERROR;
}

Test(log_feed, bounds_a_flood_of_lines_and_keeps_room_for_an_error_behind_it) {
  uint64_t lost = 0;

  for (int i = 0; i < 1000; i++)
    log_info("FLOOD", "%d", i);
  harness_for(harness, 20);
  log_error("AFTER", "the flood");
  cr_assert(harness_until(harness, has_error, said, 2000));

  for (size_t i = 0; i < inbox_count(said); i++)
    lost += ((const sys_log_line_t *)inbox_body(said, i))->lost;
  size_t infos = inbox_count(said) - 1;
  cr_assert(infos >= 40 && infos <= 80, "%zu lines", infos);
  cr_assert_eq(lost + infos, 1000, "%zu lost of a thousand", (size_t)lost);
}
