#include <gantry/config.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const option_t OPTIONS[] = {
    {"port", OPTION_TEXT, "/dev/ttyUSB0", 0, 20, NULL, "serial port"},
    {"baud", OPTION_INT, "115200", 1200, 921600, NULL, "bits per second"},
    {"gain", OPTION_REAL, "0.5", 0, 1, NULL, "share"},
    {"offset", OPTION_REAL, "0", 0, 0, NULL, "unbounded"},
    {"count", OPTION_INT, "-7", 0, 0, NULL, "unbounded"},
    {"simulate", OPTION_BOOL, "no", 0, 0, NULL, "without a line"},
    {"profile", OPTION_CHOICE, "oht50", 0, 0, "oht50|other", "register map"},
};
enum { COUNT = sizeof OPTIONS / sizeof OPTIONS[0] };

static config_t *config;
static gantry_fault_t fault;
static char path[64];

static void set_up(void) {
  snprintf(path, sizeof path, "/tmp/gantry-config-XXXXXX");
}

static void tear_down(void) {
  config_destroy(&config);
  unlink(path);
}

TestSuite(config, .init = set_up, .fini = tear_down);

static void write_file(const char *content) {
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
  close(fd);
}

static gantry_err_t load(const char *file) {
  config_destroy(&config);
  return config_load("rs485-bridge", OPTIONS, COUNT, file, &config, &fault);
}

static gantry_err_t load_text(const char *content) {
  write_file(content);
  return load(path);
}

Test(config, has_defaults) {
  cr_assert_eq(load(NULL), GANTRY_OK, "%s", fault.detail);

  cr_assert_str_eq(config_text(config, "port"), "/dev/ttyUSB0");
  cr_assert_eq(config_int(config, "baud"), 115200);
  cr_assert_float_eq(config_real(config, "gain"), 0.5, 1e-12);
  cr_assert_not(config_bool(config, "simulate"));
  cr_assert_str_eq(config_text(config, "profile"), "oht50");
  cr_assert_str_eq(config_text(config, "bus"), "ipc:///run/gantry");
  cr_assert_eq(config_int(config, "count"), -7);
}

Test(config, reads_a_file) {
  gantry_err_t err =
      load_text("# a comment\n\n[common]\nrobot = oht-7\n[mapper]\nanything = goes\n"
                "[rs485-bridge]\n  baud=9600   # slow\nport = /dev/tty#1\ngain = 1e-1\n"
                "simulate = true\nprofile = other\noffset = -1e9\n");

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_str_eq(config_text(config, "robot"), "oht-7");
  cr_assert_eq(config_int(config, "baud"), 9600);
  cr_assert_str_eq(config_text(config, "port"), "/dev/tty#1");
  cr_assert_float_eq(config_real(config, "gain"), 0.1, 1e-12);
  cr_assert(config_bool(config, "simulate"));
  cr_assert_float_eq(config_real(config, "offset"), -1e9, 1);
}

Test(config, prefers_the_more_specific_source) {
  setenv("GANTRY_LOG_LEVEL", "warn", 1);
  cr_assert_eq(load_text("[rs485-bridge]\nlog_level = debug\n[common]\nlog_level = error\n"),
               GANTRY_OK);
  cr_assert_str_eq(config_text(config, "log_level"), "warn");

  setenv("GANTRY_RS485_BRIDGE_LOG_LEVEL", "error", 1);
  cr_assert_eq(load(path), GANTRY_OK);
  cr_assert_str_eq(config_text(config, "log_level"), "error");

  cr_assert_eq(config_set(config, "log_level", "info", &fault), GANTRY_OK);
  cr_assert_str_eq(config_text(config, "log_level"), "info");
}

Test(config, lets_a_section_of_its_own_win_over_common) {
  cr_assert_eq(load_text("[rs485-bridge]\nlog_level = debug\n[common]\nlog_level = error\n"),
               GANTRY_OK);

  cr_assert_str_eq(config_text(config, "log_level"), "debug");
}

Test(config, reads_the_environment) {
  setenv("GANTRY_RS485_BRIDGE_BAUD", "19200", 1);
  setenv("GANTRY_ROBOT", "r2", 1);

  cr_assert_eq(load(NULL), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(config_int(config, "baud"), 19200);
  cr_assert_str_eq(config_text(config, "robot"), "r2");
}

Test(config, refuses_an_environment_variable_that_matches_nothing) {
  setenv("GANTRY_RS485_BRIDGE_BUAD", "19200", 1);

  cr_assert_eq(load(NULL), GANTRY_E_INVALID);

  cr_assert_not_null(strstr(fault.detail, "GANTRY_RS485_BRIDGE_BUAD"));
  cr_assert_null(config);
}

typedef struct wrong {
  const char *content;
  const char *said;
} wrong_t;

Test(config, names_line_and_key_of_what_is_wrong) {
  static const wrong_t WRONG[] = {
      {"[rs485-bridge]\nbuad = 3\n", ":2: [rs485-bridge] has no option buad"},
      {"[rs485-bridge]\nbaud = 3\n", ":2: baud = 3, expected an integer from 1200 to 921600"},
      {"[rs485-bridge]\nbaud = 9600x\n", "baud = 9600x"},
      {"[rs485-bridge]\nbaud = 99999999999999999999\n", "expected an integer"},
      {"[rs485-bridge]\nbaud =\n", "expected an integer"},
      {"[rs485-bridge]\ngain = nan\n", "expected a number from 0 to 1"},
      {"[rs485-bridge]\noffset = x\n", "expected a number"},
      {"[rs485-bridge]\nsimulate = maybe\n", "expected true or false"},
      {"[rs485-bridge]\nprofile = oht5\n", "expected one of oht50|other"},
      {"[rs485-bridge]\nport = a-name-with-more-than-20-bytes\n", "longer than 20 bytes"},
      {"[rs485-bridge]\nbaud = 9600\nbaud = 9600\n", ":3: baud is set twice"},
      {"[common]\nbaud = 9600\n", ":2: [common] has no option baud"},
      {"[nonsense]\n", ":1: no section has the name [nonsense]"},
      {"[rs485-bridge\n", ":1: a section ends in ]"},
      {"baud = 9600\n", ":1: a key stands before any [section]"},
      {"[common]\nwords\n", ":2: expected `key = value`"},
  };
  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    set_up();
    cr_expect_eq(load_text(WRONG[i].content), GANTRY_E_INVALID, "%s", WRONG[i].content);
    cr_expect(strstr(fault.detail, WRONG[i].said), "%s: %s", WRONG[i].content, fault.detail);
    unlink(path);
  }
}

Test(config, refuses_a_line_without_end) {
  char content[3000];
  memset(content, 'x', sizeof content - 1);
  content[sizeof content - 1] = '\0';

  cr_assert_eq(load_text(content), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "longer than"));
}

Test(config, refuses_a_file_that_is_not_there) {
  cr_assert_eq(load("/nowhere/gantry.conf"), GANTRY_E_INVALID);
}

Test(config, refuses_to_set_what_it_does_not_have) {
  load(NULL);

  cr_assert_eq(config_set(config, "nonsense", "1", &fault), GANTRY_E_INVALID);
  cr_assert_eq(config_set(config, "baud", "1", &fault), GANTRY_E_INVALID);
  cr_assert_eq(config_int(config, "baud"), 115200);
}

Test(config, helps, .init = cr_redirect_stdout) {
  config_help("rs485-bridge", OPTIONS, COUNT);

  fflush(stdout);
  char text[8192] = "";
  FILE *file = cr_get_redirected_stdout();
  size_t len = fread(text, 1, sizeof text - 1, file);
  text[len] = '\0';
  cr_assert_not_null(strstr(text, "default 115200; 1200 to 921600; GANTRY_RS485_BRIDGE_BAUD"));
  cr_assert_not_null(strstr(text, "one of debug|info|warn|error; GANTRY_LOG_LEVEL"));
}

Test(config, reads_a_secret_that_is_private) {
  char secret[32];
  write_file("geheim\n");

  cr_assert_eq(config_secret(path, secret, sizeof secret, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_str_eq(secret, "geheim");
}

Test(config, refuses_a_secret_that_others_may_read) {
  char secret[32];
  write_file("geheim\n");
  chmod(path, 0640);

  cr_assert_eq(config_secret(path, secret, sizeof secret, &fault), GANTRY_E_INVALID);
  cr_assert_str_eq(secret, "");
  cr_assert_not_null(strstr(fault.detail, "chmod 600"));
}

Test(config, takes_a_secret_that_root_gave_to_our_group_alone) {
  char secret[32];
  if (geteuid() != 0) cr_skip("only root can lay it there");
  write_file("geheim\n");
  chmod(path, 0640);
  cr_assert_eq(seteuid(65534), 0);

  gantry_err_t err = config_secret(path, secret, sizeof secret, &fault);

  cr_assert_eq(seteuid(0), 0);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  chmod(path, 0644);
  cr_assert_eq(seteuid(65534), 0);
  err = config_secret(path, secret, sizeof secret, &fault);
  cr_assert_eq(seteuid(0), 0);
  cr_assert_eq(err, GANTRY_E_INVALID);
}

Test(config, refuses_secrets_that_are_too_long_or_no_files) {
  char secret[4];
  write_file("geheim\n");

  cr_assert_eq(config_secret(path, secret, sizeof secret, &fault), GANTRY_E_TOO_LARGE);
  cr_assert_eq(config_secret("/nowhere", secret, sizeof secret, &fault), GANTRY_E_INVALID);
  cr_assert_eq(config_secret("/tmp", secret, sizeof secret, &fault), GANTRY_E_INVALID);
}
