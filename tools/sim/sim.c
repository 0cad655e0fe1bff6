/* The simulator's loop: one thread, one epoll, one timer armed for the next moment at which a
   byte, a sample or an execution is due. */
#include "sim.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"
#include "noise.h"
#include "sim_state.h"
#include "transcript.h"

#define EXIT_USAGE   64
#define EXIT_MISSING 69
#define TICK_NS      INT64_C(100000000)
#define STEP_NS      INT64_C(1000000)
#define SECOND_NS    INT64_C(1000000000)
#define EVENTS       16

#define NOISE_LEN_MAX 16
#define NOISE_MIN_NS  INT64_C(20000000)
#define NOISE_SPAN_NS INT64_C(100000000)

int64_t sim_now_ns(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

int64_t sim_time_ns(const sim_t *sim, int64_t wall_ns) {
  int64_t moment_ns = sim->mode == WORLD_RUNS ? wall_ns : sim->halted_ns;
  return moment_ns > sim->offset_ns ? moment_ns - sim->offset_ns : 0;
}

void sim_advance(sim_t *sim, int64_t wall_ns) {
  plant_advance(&sim->plant, (uint64_t)(sim_time_ns(sim, wall_ns) / STEP_NS));
  if (sim->options.replay) sim_replay_update(sim, wall_ns);
}

static bool watch(const sim_t *sim, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return fd >= 0 && epoll_ctl(sim->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool sim_plug(sim_t *sim, pty_t *pty, const char *link) {
  return pty_open(pty, link) && watch(sim, pty->master);
}

static void on_frame(void *context, const line_frame_t *frame) {
  sim_t *sim = context;
  if (sim->transcript) transcript_write(sim->transcript, frame);
}

/* Requests whose silence has passed are executed, answers whose time has come leave. */
static void run_line(sim_t *sim, int64_t now_ns) {
  uint8_t bytes[RTU_FRAME_MAX];
  line_frame_t request;
  int64_t execute_ns = 0;
  size_t len = 0;
  while (line_take(&sim->line, now_ns, &request, &execute_ns)) {
    rtu_answer_t answer;
    if (sim->mode == WORLD_STOPPED) continue;
    sim_advance(sim, execute_ns);
    rtu_serve(&sim->plant, request.bytes, request.len, &answer);
    line_answer(&sim->line, execute_ns, &answer);
  }
  while ((len = line_release(&sim->line, now_ns, bytes, sizeof bytes)) > 0)
    pty_write(&sim->rs485, bytes, len);
}

/* Somebody on the line who talks unasked: a few bytes, 20 to 120 ms apart. */
static void run_noise(sim_t *sim, int64_t now_ns) {
  uint8_t bytes[NOISE_LEN_MAX];
  while (sim->noise && sim->noise_ns <= now_ns) {
    uint64_t dice = noise_bits(sim->options.seed, NOISE_BABBLE, sim->noises++);
    size_t len = 1 + dice % NOISE_LEN_MAX;
    for (size_t i = 0; i < len; i++)
      bytes[i] = (uint8_t)noise_bits(dice, NOISE_BABBLE, i);
    line_babble(&sim->line, sim->noise_ns, bytes, len);
    sim->noise_ns += NOISE_MIN_NS + (int64_t)(dice >> 32) % NOISE_SPAN_NS;
  }
}

static void housekeep(sim_t *sim, int64_t now_ns) {
  if (now_ns < sim->tick_ns) return;
  sim->tick_ns = now_ns + TICK_NS;
  sim_advance(sim, now_ns);
  if (sim->transcript) (void)fflush(sim->transcript);
  if (sim->options.replay) sim_replay_report(sim, now_ns);
}

static void run(sim_t *sim) {
  int64_t now_ns = sim_now_ns();
  run_noise(sim, now_ns);
  run_line(sim, now_ns);
  sim_lidar_run(sim, now_ns);
  housekeep(sim, now_ns);
}

static void arm(sim_t *sim) {
  int64_t next_ns = sim->tick_ns;
  int64_t line_ns = line_next_ns(&sim->line), lidar_ns = sim_lidar_next_ns(sim, sim_now_ns());
  if (line_ns < next_ns) next_ns = line_ns;
  if (lidar_ns < next_ns) next_ns = lidar_ns;
  if (sim->noise && sim->noise_ns < next_ns) next_ns = sim->noise_ns;
  if (next_ns < 1) next_ns = 1;
  if (next_ns == sim->armed_ns) return;
  sim->armed_ns = next_ns;
  struct itimerspec due = {
      .it_value = {.tv_sec = next_ns / SECOND_NS, .tv_nsec = next_ns % SECOND_NS}};
  (void)timerfd_settime(sim->timer, TFD_TIMER_ABSTIME, &due, NULL);
}

static void receive_rs485(sim_t *sim) {
  uint8_t bytes[1024];
  int64_t now_ns = sim_now_ns();
  size_t len = pty_read(&sim->rs485, bytes, sizeof bytes);
  if (sim->mode != WORLD_STOPPED) line_receive(&sim->line, now_ns, bytes, len);
}

/* False when a signal says it is over. */
static bool serve(sim_t *sim, int fd) {
  uint64_t expirations = 0;
  if (fd == sim->signals) return false;
  if (fd == sim->timer) {
    (void)!read(fd, &expirations, sizeof expirations);
    sim->armed_ns = 0;
  } else if (fd == sim->rs485.master)
    receive_rs485(sim);
  else if (fd == sim->lidar_port.master)
    sim_lidar_receive(sim, sim_now_ns());
  else
    (void)control_serve(&sim->control, fd);
  return true;
}

static void loop(sim_t *sim) {
  struct epoll_event events[EVENTS];
  bool running = true;
  while (running) {
    arm(sim);
    int count = epoll_wait(sim->epoll, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) return;
    run(sim);
    for (int i = 0; i < count; i++)
      running = serve(sim, events[i].data.fd) && running;
    run(sim);
  }
}

static int open_signals(void) {
  sigset_t set;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGTERM);
  (void)sigaddset(&set, SIGINT);
  (void)sigprocmask(SIG_BLOCK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void prepare_plant(sim_t *sim) {
  const options_t *options = &sim->options;
  plant_cfg_t plant = {.world = {.seed = options->seed,
                                 .wheel_error = options->wheel_error,
                                 .lidar_noise_m = options->lidar_noise_m,
                                 .range_noise_m = options->range_noise_m,
                                 .accel_noise_mg = options->accel_noise_mg},
                       .soc = options->soc,
                       .modules = {.alt = options->alt,
                                   .without_optional = options->without_optional,
                                   .without_odometry = options->without_odometry,
                                   .old_system = options->old_system},
                       .units = options->modules};
  line_cfg_t line = {.baud = options->baud, .paced = !options->unpaced};
  plant_init(&sim->plant, &plant);
  sim->plant.unique = options->unique;
  sim->plant.world.s_m = layout_wrap_m(options->start_m);
  line_init(&sim->line, &line, on_frame, sim);
  lidar_init(&sim->lidar, options->seed);
}

/* A device does not wait for its turn. Timers fire on time; on a busy machine --realtime also puts
   this process before all others, the bridge's threads among them. */
static void raise_priority(bool realtime) {
  const struct sched_param first = {.sched_priority = 20};
  (void)prctl(PR_SET_TIMERSLACK, 1UL);
  if (realtime && sched_setscheduler(0, SCHED_FIFO, &first) != 0)
    (void)fprintf(stderr, "gantry-sim: no real-time priority: %s\n", strerror(errno));
}

static bool open_all(sim_t *sim) {
  const options_t *options = &sim->options;
  sim->signals = open_signals();
  sim->epoll = epoll_create1(EPOLL_CLOEXEC);
  sim->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  raise_priority(options->realtime);
  if (!watch(sim, sim->signals) || !watch(sim, sim->timer)) return false;
  if (options->transcript && !(sim->transcript = fopen(options->transcript, "we"))) {
    (void)fprintf(stderr, "gantry-sim: %s: %s\n", options->transcript, strerror(errno));
    return false;
  }
  if (!sim_replay_open(sim)) return false;
  if (options->rs485 && !sim_plug(sim, &sim->rs485, options->rs485)) return false;
  if (options->lidar && !sim_plug(sim, &sim->lidar_port, options->lidar)) return false;
  return !options->control ||
         control_open(&sim->control, options->control, sim->epoll, sim_command, sim);
}

static void close_all(sim_t *sim) {
  int descriptors[] = {sim->timer, sim->signals, sim->epoll};
  control_close(&sim->control);
  sim_replay_close(sim);
  pty_close(&sim->rs485);
  pty_close(&sim->lidar_port);
  if (sim->transcript) (void)fclose(sim->transcript);
  for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++)
    if (descriptors[i] >= 0) (void)close(descriptors[i]);
}

/* Opens all, runs the loop, closes all; the exit code. */
static int live(sim_t *sim) {
  sim->rs485.master = sim->rs485.slave = -1;
  sim->lidar_port.master = sim->lidar_port.slave = -1;
  sim->control.fd = -1;
  prepare_plant(sim);
  bool ready = open_all(sim);
  if (ready) {
    sim->offset_ns = sim->cleared_ns = sim_now_ns();
    (void)fprintf(stderr, "gantry-sim: running, seed %llu\n",
                  (unsigned long long)sim->options.seed);
    loop(sim);
  }
  close_all(sim);
  return ready ? 0 : EXIT_MISSING;
}

int sim_main(int argc, char **argv) {
  options_t options;
  options_outcome_t outcome = options_parse(&options, argc, argv);
  if (outcome != OPTIONS_RUN) return outcome == OPTIONS_DONE ? 0 : EXIT_USAGE;
  sim_t *sim = calloc(1, sizeof *sim);
  if (!sim) return EXIT_MISSING;
  sim->options = options;
  int code = live(sim);
  free(sim);
  return code;
}
