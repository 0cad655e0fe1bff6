/* The latch on a disk that is slow, stuck or full: the file is read by the test, the motors are
   asked of the simulator. fdatasync and pwrite are the test's own, which holds them up or lets them
   fail. */
#include "bridge_rig.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TURNS 3 /* a busy machine may wake a thread 10 ms late, hardly each time */

typedef enum disk { DISK_FINE, DISK_SLOW_TO_SYNC, DISK_STUCK, DISK_FULL } disk_t;

static bridge_rig_t rig;
static gantry_fault_t fault;
static robot_safety_t stopped;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static disk_t disk; /* under the mutex, as what follows */
static bool held;   /* somebody waits for the disk */

/* Waits while the disk is in that state or a worse one; the state it has then. */
static disk_t wait_while(disk_t from) {
  pthread_mutex_lock(&mutex);
  while (disk >= from && disk <= DISK_STUCK) {
    held = true;
    pthread_cond_wait(&changed, &mutex);
  }
  disk_t now = disk;
  pthread_mutex_unlock(&mutex);
  return now;
}

int fdatasync(int fd) {
  (void)wait_while(DISK_SLOW_TO_SYNC);
  return (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  if (wait_while(DISK_STUCK) != DISK_FULL) return syscall(SYS_pwrite64, fd, data, size, offset);
  errno = ENOSPC;
  return -1;
}

static void set_disk(disk_t state) {
  pthread_mutex_lock(&mutex);
  disk = state;
  held = false;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static bool is_held(void *arg) {
  (void)arg;
  pthread_mutex_lock(&mutex);
  bool is = held;
  pthread_mutex_unlock(&mutex);
  return is;
}

/* Whether the file says cause and, on the next line, detail. */
static bool file_says(const char *cause, const char *detail) {
  char path[128], text[512] = "", lines[256];
  (void)snprintf(path, sizeof path, "%s/stop.latch", rig.data);
  (void)snprintf(lines, sizeof lines, "\n%s\n%s\n", cause, detail);
  FILE *file = fopen(path, "r");
  size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
  text[len] = '\0';
  if (file) (void)fclose(file);
  return strstr(text, lines) != NULL;
}

static bool says_driving(void *arg) {
  (void)arg;
  return file_says("restart", "the bridge was restarted while the robot was driving");
}

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
}

static void tear_down(void) {
  set_disk(DISK_FINE);
  bridge_rig_close(&rig);
}

static void drive(void) {
  cr_assert(bridge_rig_get_driving(&rig, 0.5, &fault), "%s", bridge_rig_safety(&rig)->detail);
  cr_assert(harness_until(rig.harness, says_driving, NULL, 2000));
}

/* Stops with so much patience; took_ms: how long the answer took. */
static gantry_err_t try_stop(const char *reason, uint32_t timeout_ms, double *took_ms) {
  robot_estop_t takes = {.cause = ROBOT_CAUSE_NETWORK};
  uint64_t began_ns = clock_mono_ns();
  (void)snprintf(takes.reason, sizeof takes.reason, "%s", reason);
  gantry_err_t err =
      harness_call(rig.harness, REQUEST_ROBOT_ESTOP, NULL, &takes, &stopped, timeout_ms, &fault);
  *took_ms = clock_age_ms(clock_mono_ns(), began_ns);
  return err;
}

/* The same, which must be answered well; how long that took, ms. */
static double stop(const char *reason, uint32_t timeout_ms) {
  double took_ms;
  cr_assert_eq(try_stop(reason, timeout_ms, &took_ms), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_is_off(&rig));
  cr_assert(stopped.latched && stopped.motors_off);
  return took_ms;
}

TestSuite(bridge_latch, .init = set_up, .fini = tear_down, .timeout = 40);

Test(bridge_latch, the_cause_is_in_the_file_when_the_stop_is_answered) {
  for (int i = 0; i < 5; i++) {
    char reason[24];
    (void)snprintf(reason, sizeof reason, "turn %d", i);
    (void)stop(reason, 600);
    cr_assert(file_says("network", reason));
    for (int tries = 0; tries < 100 && bridge_rig_reset(&rig, true, true, &fault); tries++)
      harness_for(rig.harness, 20);
    cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 1000), "%s", fault.detail);
  }
}

Test(bridge_latch, a_disk_that_is_slow_with_an_older_wish_does_not_keep_the_cause_out_of_the_file) {
  set_disk(DISK_SLOW_TO_SYNC);
  drive();
  cr_assert(harness_until(rig.harness, is_held, NULL, 2000));

  (void)stop("while it syncs", 600);

  cr_assert(file_says("network", "while it syncs"));
  cr_assert(is_held(NULL), "the disk is not done with the older one yet");
}

Test(bridge_latch, a_stuck_disk_delays_the_answer_a_little_and_does_not_refuse_it) {
  drive();
  set_disk(DISK_STUCK);

  double took_ms = stop("while it hangs", 1000);

  cr_assert(is_held(NULL));
  cr_assert_not(file_says("network", "while it hangs"));
  cr_assert_gt(took_ms, stopped.confirm_ms + 90.0, "it waited for the file");
  cr_assert_lt(took_ms, 800.0, "and not for ever");
}

Test(bridge_latch, a_stuck_disk_does_not_delay_the_answer_beyond_the_callers_deadline) {
  double took_ms = 0.0;
  gantry_err_t err = GANTRY_E_TIMEOUT;
  for (int i = 0; i < TURNS && !(err == GANTRY_OK && took_ms < 120.0); i++) {
    set_disk(DISK_FINE);
    drive();
    set_disk(DISK_STUCK);
    err = try_stop("in a hurry", 120, &took_ms);
  }

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_lt(took_ms, 120.0);
  cr_assert(bridge_rig_is_off(&rig));
  cr_assert(stopped.latched && stopped.motors_off);
}

Test(bridge_latch, what_the_stuck_disk_owed_is_in_the_file_once_it_goes_on) {
  drive();
  set_disk(DISK_STUCK);
  (void)stop("while it hangs", 1000);
  set_disk(DISK_FINE);

  harness_close(rig.harness, &rig.run);

  cr_assert(file_says("network", "while it hangs"));
}

Test(bridge_latch, a_full_disk_does_not_delay_the_answer) {
  double over_ms = 100.0;
  for (int i = 0; i < TURNS && over_ms >= 90.0; i++) {
    set_disk(DISK_FINE);
    drive();
    set_disk(DISK_FULL);
    over_ms = stop("without room", 1000) - stopped.confirm_ms;
  }

  cr_assert_lt(over_ms, 90.0);
}
