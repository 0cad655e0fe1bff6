/* The life of a service: as a component test opens it, and as a process with exit codes. */
#include "harness.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static harness_t *harness;
static char folder[64];

static void set_up(void) {
  harness = harness_new();
  snprintf(folder, sizeof folder, "/tmp/gantry-service-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void) {
  static const char *const LEFT[] = {"bus/mapper.pub",
                                     "bus/mapper.rpc",
                                     "bus/mapper.lock",
                                     "mapper.running",
                                     "gantry.conf",
                                     "log",
                                     "bus"};
  harness_destroy(&harness);
  for (size_t i = 0; i < sizeof LEFT / sizeof LEFT[0]; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, LEFT[i]);
    remove(path);
  }
  rmdir(folder);
}

TestSuite(service, .init = set_up, .fini = tear_down, .timeout = 40);

typedef struct plain {
  service_t *service;
  unsigned *stopped;
  unsigned asked; /* how often for its health */
} plain_t;

static unsigned stops;

static gantry_err_t plain_start(service_t *service, void **self, gantry_fault_t *fault) {
  if (config_bool(service->config, "fail"))
    return fault_set(fault, GANTRY_E_DEVICE, "port", "no such device");
  plain_t *plain = calloc(1, sizeof *plain);
  plain->service = service;
  plain->stopped = &stops;
  metric_add(metrics_counter(service->metrics, "gantry_tests_total", "", "tests"), 3);
  *self = plain;
  return GANTRY_OK;
}

static void plain_stop(void **self) {
  plain_t *plain = *self;
  if (!plain) return;
  ++*plain->stopped;
  free(plain);
  *self = NULL;
}

static void plain_health(void *self, sys_health_t *out) {
  plain_t *plain = self;
  plain->asked++;
  if (config_bool(plain->service->config, "slow") && plain->asked < 2)
    out->status = SYS_STATUS_STARTING;
  if (!config_bool(plain->service->config, "sick")) return;
  out->status = SYS_STATUS_DEGRADED;
  snprintf(out->detail, sizeof out->detail, "not well");
}

static const option_t OPTIONS[] = {
    {"fail", OPTION_BOOL, "no", 0, 0, NULL, "fail at start"},
    {"slow", OPTION_BOOL, "no", 0, 0, NULL, "take its time to be ready"},
    {"sick", OPTION_BOOL, "no", 0, 0, NULL, "be degraded"}};
static const service_def_t PLAIN = {.name = "mapper",
                                    .doc = "Plain.",
                                    .options = OPTIONS,
                                    .option_count = 3,
                                    .start = plain_start,
                                    .stop = plain_stop,
                                    .health = plain_health};

Test(service, answers_a_ping) {
  harness_open(harness, &PLAIN, NULL);
  sys_empty_t nothing = {0};
  sys_pong_t pong;

  gantry_err_t err = harness_call(harness, REQUEST_SYS_PING, "mapper", &nothing, &pong, 1000, NULL);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_str_eq(pong.service, "mapper");
  cr_assert_eq(pong.pid, (uint32_t)getpid());
  cr_assert_eq(pong.status, SYS_STATUS_READY);
}

Test(service, changes_its_log_level) {
  harness_open(harness, &PLAIN, NULL);
  sys_log_level_set_t level = {.level = SYS_LOG_LEVEL_ERROR};

  gantry_err_t err =
      harness_call(harness, REQUEST_SYS_LOG_LEVEL, "mapper", &level, NULL, 1000, NULL);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(log_get_level(), LOG_ERROR);
}

static bool is_a_second_old(void *arg) {
  const sys_health_t *health = inbox_newest(arg, "health.mapper");
  return health && health->uptime >= 1.0;
}

Test(service, says_how_it_goes_each_second) {
  inbox_t *said = harness_collect(harness, "health.mapper");
  harness_open(harness, &PLAIN, NULL);
  inbox_clear(said);

  cr_assert(harness_until(harness, is_a_second_old, said, 5000));

  const sys_health_t *health = inbox_newest(said, "health.mapper");
  cr_assert_eq(health->status, SYS_STATUS_READY);
  cr_assert_eq(health->pid, (uint32_t)getpid());
  cr_assert_gt(health->rss_bytes, 100000);
  cr_assert_gt(health->uptime, 0.5);
}

Test(service, can_be_degraded) {
  harness_open(harness, &PLAIN, (const char *[]){"sick=yes", NULL});
  inbox_t *said = harness_collect(harness, "health.mapper");

  cr_assert(harness_collected(harness, said, 1, 5000));

  const sys_health_t *health = inbox_newest(said, "health.mapper");
  cr_assert_eq(health->status, SYS_STATUS_DEGRADED);
  cr_assert_str_eq(health->detail, "not well");
}

static bool is_ready(void *arg) {
  const sys_health_t *health = inbox_newest(arg, "health.mapper");
  return health && health->status == SYS_STATUS_READY;
}

Test(service, may_call_itself_starting_until_it_is_ready) {
  inbox_t *said = harness_collect(harness, "health.mapper");
  harness_open(harness, &PLAIN, (const char *[]){"slow=yes", NULL});
  const sys_health_t *health = inbox_newest(said, "health.mapper");
  cr_assert_eq(health->status, SYS_STATUS_STARTING);

  cr_assert(harness_until(harness, is_ready, said, 5000));
}

Test(service, publishes_its_metrics) {
  harness_open(harness, &PLAIN, NULL);
  inbox_t *said = harness_collect(harness, "metrics.mapper");

  cr_assert(harness_collected(harness, said, 1, 7000));

  const sys_metrics_t *metrics = inbox_newest(said, "metrics.mapper");
  uint32_t i = metrics->metrics_count - 1;
  cr_assert_str_eq(metrics->metrics[i].name, "gantry_tests_total");
  cr_assert_float_eq(metrics->metrics[i].value, 3, 1e-12);
}

Test(service, mirrors_its_requests_while_tapped) {
  harness_open(harness, &PLAIN, NULL);
  inbox_t *said = harness_collect(harness, "sys.rpc.");
  sys_empty_t nothing = {0};
  sys_mirror_t mirror = {.seconds = 60};
  harness_call(harness, REQUEST_SYS_PING, "mapper", &nothing, NULL, 1000, NULL);
  harness_call(harness, REQUEST_SYS_MIRROR, "mapper", &mirror, NULL, 1000, NULL);
  harness_call(harness, REQUEST_SYS_PING, "mapper", &nothing, NULL, 1000, NULL);

  /* The reply to the mirror request itself, then the ping and its reply. */
  cr_assert(harness_collected(harness, said, 3, 2000));
  const sys_rpc_trace_t *asked = inbox_body(said, 1);
  const sys_rpc_trace_t *answered = inbox_body(said, 2);
  cr_assert_eq(asked->header.kind, SYS_KIND_REQUEST);
  cr_assert_eq(answered->header.kind, SYS_KIND_REPLY);
  cr_assert_str_eq(answered->request, "sys.ping");
  cr_assert_eq(asked->header.trace, answered->header.trace);
  cr_assert(answered->has_ms);

  mirror.seconds = 0;
  harness_call(harness, REQUEST_SYS_MIRROR, "mapper", &mirror, NULL, 1000, NULL);
  size_t before = inbox_count(said);
  harness_call(harness, REQUEST_SYS_PING, "mapper", &nothing, NULL, 1000, NULL);
  cr_assert_leq(inbox_count(said), before + 1);
}

Test(service, stops_once_and_says_draining) {
  inbox_t *said = harness_collect(harness, "health.mapper");
  service_run_t *run = harness_open(harness, &PLAIN, NULL);
  cr_assert_not_null(service_self(run));

  harness_close(harness, &run);

  cr_assert_null(run);
  cr_assert_eq(stops, 1);
  for (int i = 0; i < 100; i++) {
    const sys_health_t *health = inbox_newest(said, "health.mapper");
    if (health && health->status == SYS_STATUS_DRAINING) return;
    harness_for(harness, 10);
  }
  cr_assert_fail("nobody heard of the end");
}

Test(service, hands_on_why_it_did_not_start) {
  service_run_t *run;
  gantry_fault_t fault;

  gantry_err_t err =
      harness_try_open(harness, &PLAIN, (const char *[]){"fail=yes", NULL}, &run, &fault);

  cr_assert_eq(err, GANTRY_E_DEVICE);
  cr_assert_str_eq(fault.detail, "no such device");
  cr_assert_null(run);
}

Test(service, refuses_settings_it_does_not_have) {
  service_run_t *run;
  gantry_fault_t fault;

  cr_assert_eq(harness_try_open(harness, &PLAIN, (const char *[]){"speed=3", NULL}, &run, &fault),
               GANTRY_E_INVALID);
  cr_assert_eq(harness_try_open(harness, &PLAIN, (const char *[]){"fail", NULL}, &run, &fault),
               GANTRY_E_INVALID);
}

/* Starts the tiny service with its bus and log in the test's folder. */
static pid_t spawn(const char *const *arguments) {
  char bus[100], data[100], log[100];
  const char *argv[16] = {getenv("TINY_SERVICE"), "--set", bus, "--set", data};
  int argc = 5;
  snprintf(bus, sizeof bus, "bus=ipc://%s/bus", folder);
  snprintf(data, sizeof data, "data=%s", folder);
  snprintf(log, sizeof log, "%s/log", folder);
  for (; arguments && *arguments && argc < 15; arguments++) {
    argv[argc++] = *arguments;
  }
  argv[argc] = NULL;
  cr_assert_not_null(argv[0]);
  pid_t pid = fork();
  if (pid == 0) {
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execv(argv[0], (char *const *)argv);
    _exit(127);
  }
  return pid;
}

static int ended(pid_t pid) {
  int status = 0;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool log_has(void *arg) {
  char path[100];
  char text[8192];
  snprintf(path, sizeof path, "%s/log", folder);
  FILE *file = fopen(path, "r");
  size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
  if (file) fclose(file);
  text[len] = '\0';
  return strstr(text, arg) != NULL;
}

static int run_with(const char *const *arguments) {
  return ended(spawn(arguments));
}

static int run_with_file(const char *content) {
  char path[100];
  snprintf(path, sizeof path, "%s/gantry.conf", folder);
  FILE *file = fopen(path, "w");
  fputs(content, file);
  fclose(file);
  return run_with((const char *[]){"--config", path, NULL});
}

Test(service, process_explains_itself) {
  cr_assert_eq(run_with((const char *[]){"--help", NULL}), EXIT_DONE);
  cr_assert(log_has("GANTRY_MAPPER_PORT"));
  cr_assert(log_has("GANTRY_LOG_LEVEL"));
  cr_assert_eq(run_with((const char *[]){"--version", NULL}), EXIT_DONE);
  cr_assert(log_has("mapper " GANTRY_VERSION));
}

Test(service, process_exits_64_on_wrong_arguments) {
  cr_assert_eq(run_with((const char *[]){"--nonsense", NULL}), EXIT_USAGE);
  cr_assert_eq(run_with((const char *[]){"--config", NULL}), EXIT_USAGE);
  cr_assert_eq(run_with((const char *[]){"--set", "port", NULL}), EXIT_USAGE);
}

Test(service, process_exits_78_on_a_wrong_value) {
  cr_assert_eq(run_with((const char *[]){"--set", "port=11", NULL}), EXIT_CONFIG);
  cr_assert(log_has("from 1 to 10"));
}

Test(service, process_exits_78_on_an_unknown_key_in_the_file) {
  cr_assert_eq(run_with_file("[mapper]\nporrt = 3\n"), EXIT_CONFIG);
  cr_assert(log_has("gantry.conf:2"));
  cr_assert(log_has("porrt"));
}

Test(service, process_exits_78_without_its_file) {
  cr_assert_eq(run_with((const char *[]){"--config", "/nowhere/gantry.conf", NULL}), EXIT_CONFIG);
}

Test(service, process_exits_69_without_its_device) {
  cr_assert_eq(run_with((const char *[]){"--set", "fail=device", NULL}), EXIT_DEVICE);
  cr_assert(log_has("plug it in"));
}

Test(service, process_exits_78_when_start_dislikes_a_setting) {
  cr_assert_eq(run_with((const char *[]){"--set", "fail=config", NULL}), EXIT_CONFIG);
}

Test(service, process_exits_70_on_a_bug) {
  cr_assert_eq(run_with((const char *[]){"--set", "fail=bug", NULL}), EXIT_BUG);
}

Test(service, process_exits_78_when_it_runs_already) {
  pid_t first = spawn(NULL);
  cr_assert(harness_until(harness, log_has, "SERVICE-READY", 5000));

  cr_assert_eq(run_with(NULL), EXIT_CONFIG);

  cr_assert(log_has("mapper already runs"));
  char other[100];
  snprintf(other, sizeof other, "bus=ipc://%s", folder);
  cr_assert_eq(run_with((const char *[]){"--set", other, NULL}), EXIT_CONFIG,
               "on a bus of its own");
  cr_assert(log_has("another mapper keeps its files"));
  kill(first, SIGTERM);
  cr_assert_eq(ended(first), EXIT_DONE);
}

Test(service, process_ends_cleanly_on_sigterm) {
  pid_t pid = spawn(NULL);
  cr_assert(harness_until(harness, log_has, "SERVICE-READY", 5000));

  kill(pid, SIGTERM);

  cr_assert_eq(ended(pid), EXIT_DONE);
  cr_assert(log_has("SERVICE-DONE"));
}

Test(service, process_starts_again_after_kill_9) {
  pid_t pid = spawn(NULL);
  cr_assert(harness_until(harness, log_has, "SERVICE-READY", 5000));
  kill(pid, SIGKILL);
  cr_assert_eq(ended(pid), -SIGKILL);

  pid = spawn(NULL);
  harness_until(harness, log_has, "SERVICE-SIGNAL", 300);
  kill(pid, SIGINT);

  cr_assert_eq(ended(pid), EXIT_DONE);
}

Test(service, process_is_ended_when_its_stop_hangs) {
  pid_t pid = spawn((const char *[]){"--set", "hang=yes", NULL});
  cr_assert(harness_until(harness, log_has, "SERVICE-READY", 5000));
  uint64_t asked_ns = clock_mono_ns();

  kill(pid, SIGTERM);

  cr_assert_eq(ended(pid), EXIT_BUG);
  cr_assert_lt(clock_age_ms(clock_mono_ns(), asked_ns), 4500);
  cr_assert(log_has("SERVICE-HUNG"));
}
