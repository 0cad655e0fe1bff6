#include <gantry/log.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2];

static void set_up(void) {
  cr_assert_eq(pipe(pipe_fds), 0);
  log_open("mapper", LOG_INFO, pipe_fds[1]);
}

TestSuite(log, .init = set_up);

/* The next line as JSON; the caller decrefs. */
static json_t *read_line(void) {
  char text[4096];
  ssize_t len = read(pipe_fds[0], text, sizeof text - 1);
  cr_assert_gt(len, 0);
  text[len] = '\0';
  cr_assert_eq(text[len - 1], '\n');
  cr_assert_eq(strchr(text, '\n'), text + len - 1);
  json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  cr_assert_not_null(line, "%s", text);
  return line;
}

static const char *member(const json_t *line, const char *key) {
  return json_string_value(json_object_get(line, key));
}

Test(log, writes_one_object_a_line) {
  log_info("MAP-SAVED", "map %s, %u cells", "hall", 12u);

  json_t *line = read_line();
  cr_assert_str_eq(member(line, "level"), "info");
  cr_assert_str_eq(member(line, "service"), "mapper");
  cr_assert_str_eq(member(line, "id"), "MAP-SAVED");
  cr_assert_str_eq(member(line, "msg"), "map hall, 12 cells");
  cr_assert_eq(strlen(member(line, "ts")), 27);
  cr_assert_null(member(line, "trace"));
  json_decref(line);
}

Test(log, escapes_what_json_does_not_take) {
  log_info("X", "a \"quote\" \\ tab\t newline\n \xff \xc3\xa4");

  json_t *line = read_line();
  cr_assert_str_eq(member(line, "msg"), "a \"quote\" \\ tab\t newline\n \xef\xbf\xbd \xc3\xa4");
  json_decref(line);
}

Test(log, carries_the_trace_of_its_thread) {
  log_set_trace(0xABC);
  log_warn("X", "y");

  json_t *line = read_line();
  cr_assert_str_eq(member(line, "trace"), "0000000000000abc");
  cr_assert_eq(log_get_trace(), 0xABC);
  json_decref(line);
}

Test(log, keeps_silent_below_its_level) {
  log_debug("LOW", "not written");
  log_set_level(LOG_ERROR);
  log_info("LOW", "not written");
  log_error("HIGH", "written");

  json_t *line = read_line();
  cr_assert_str_eq(member(line, "id"), "HIGH");
  json_decref(line);
}

Test(log, stays_json_when_a_message_is_too_long) {
  char text[3000];
  memset(text, '"', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  log_set_trace(UINT64_MAX);

  log_info("LONG", "%s", text);

  json_t *line = read_line();
  cr_assert_str_eq(member(line, "id"), "LONG");
  cr_assert_str_eq(member(line, "trace"), "ffffffffffffffff");
  json_decref(line);
}

Test(log, knows_its_levels_by_name) {
  log_level_t level = LOG_INFO;

  cr_assert_eq(log_level_parse("debug", &level), GANTRY_OK);
  cr_assert_eq(level, LOG_DEBUG);
  cr_assert_eq(log_level_parse("loud", &level), GANTRY_E_INVALID);
  cr_assert_str_eq(log_level_name(LOG_WARN), "warn");
}

Test(log, closes_its_quotes_when_the_last_byte_is_taken) {
  char text[1000];
  memset(text, 'a', sizeof text - 1);
  memset(text, 1, 330);
  text[sizeof text - 1] = '\0';

  log_info("LONG", "%s", text);

  json_t *line = read_line();
  cr_assert_str_eq(member(line, "id"), "LONG");
  json_decref(line);
}

/* Reads what is there; the number of lines in it that hold words. */
static unsigned drain(const char *words) {
  static char text[1 << 17];
  unsigned count = 0;
  cr_assert_eq(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
  size_t len = 0;
  for (ssize_t more; (more = read(pipe_fds[0], text + len, sizeof text - 1 - len)) > 0;)
    len += (size_t)more;
  text[len] = '\0';
  for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
    count++;
  return count;
}

Test(log, waits_for_no_reader_and_says_what_was_lost, .timeout = 10) {
  unsigned written = 2000;
  char words[48];
  for (unsigned i = 0; i < written; i++) /* more than a pipe holds */
    log_info("MANY", "a line of some length, so that it takes fewer of them to fill the pipe");
  unsigned kept = drain("\"MANY\"");
  cr_assert_gt(kept, 100);
  cr_assert_lt(kept, written);

  log_info("NEXT", "somebody reads again");

  (void)snprintf(words, sizeof words, "nobody read them: %u\"", written - kept);
  char text[4096];
  ssize_t len = read(pipe_fds[0], text, sizeof text - 1);
  cr_assert_gt(len, 0);
  text[len] = '\0';
  cr_assert_not_null(strstr(text, words), "%s", text);
  cr_assert_not_null(strstr(text, "\"NEXT\""));
}
