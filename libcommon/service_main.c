/* A service as a process: arguments, settings, signals, the watchdog over its end, and exit codes.
 */
#include "service_internal.h"

#include <gantry/clock.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { STOP_LIMIT_S = 3, SETTINGS_MAX = 64, REALTIME_PRIORITY = 5 };

typedef struct arguments {
  const char *config_path;
  const char *settings[SETTINGS_MAX]; /* KEY=VALUE */
  size_t setting_count;
  bool help, version;
} arguments_t;

/* Ends the process when its end takes too long. */
typedef struct watchdog {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t ended_now;
  bool ended;
  const char *service;
} watchdog_t;

static bool parse_arguments(int argc, char **argv, arguments_t *out) {
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
      out->help = true;
    } else if (strcmp(word, "--version") == 0) {
      out->version = true;
    } else if (strcmp(word, "--config") == 0 && value) {
      out->config_path = value;
      i++;
    } else if (strcmp(word, "--set") == 0 && value && strchr(value, '=') &&
               out->setting_count < SETTINGS_MAX) {
      out->settings[out->setting_count++] = value;
      i++;
    } else {
      fprintf(stderr, "%s: do not understand '%s'; --help tells what there is\n", argv[0], word);
      return false;
    }
  }
  return true;
}

static void print_help(const service_def_t *def) {
  printf("%s: %s\n\n", def->name, def->doc);
  printf("  --config FILE    read settings from FILE\n"
         "  --set KEY=VALUE  set one option, over file and environment\n"
         "  --version        print the version\n"
         "  --help           print this\n\n");
  config_help(def->name, def->options, def->option_count);
}

static gantry_err_t load_config(const service_def_t *def, const arguments_t *arguments,
                                config_t **out, gantry_fault_t *fault) {
  GANTRY_TRY(
      config_load(def->name, def->options, def->option_count, arguments->config_path, out, fault));
  for (size_t i = 0; i < arguments->setting_count; i++) {
    char key[64];
    const char *equals = strchr(arguments->settings[i], '=');
    snprintf(key, sizeof key, "%.*s", (int)(equals - arguments->settings[i]),
             arguments->settings[i]);
    GANTRY_TRY(config_set(*out, key, equals + 1, fault));
  }
  return GANTRY_OK;
}

static int exit_code(gantry_err_t err) {
  if (err == GANTRY_OK) return EXIT_DONE;
  if (err == GANTRY_E_INVALID) return EXIT_CONFIG;
  return err == GANTRY_E_DEVICE ? EXIT_DEVICE : EXIT_BUG;
}

static void *watch(void *arg) {
  watchdog_t *watchdog = arg;
  struct timespec until;
  int waited = 0;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += STOP_LIMIT_S;
  pthread_mutex_lock(&watchdog->mutex);
  while (!watchdog->ended && waited != ETIMEDOUT) {
    waited = pthread_cond_timedwait(&watchdog->ended_now, &watchdog->mutex, &until);
  }
  if (!watchdog->ended) {
    log_error("SERVICE-HUNG", "%s did not end within %d s and is killed", watchdog->service,
              STOP_LIMIT_S);
    _exit(EXIT_BUG);
  }
  pthread_mutex_unlock(&watchdog->mutex);
  return NULL;
}

static void end_watched(service_run_t **run) {
  watchdog_t watchdog = {.service = (*run)->service.name};
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_mutex_init(&watchdog.mutex, NULL);
  pthread_cond_init(&watchdog.ended_now, &monotonic);
  bool watched = pthread_create(&watchdog.thread, NULL, watch, &watchdog) == 0;

  service_close(run);

  pthread_mutex_lock(&watchdog.mutex);
  watchdog.ended = true;
  pthread_cond_signal(&watchdog.ended_now);
  pthread_mutex_unlock(&watchdog.mutex);
  if (watched) pthread_join(watchdog.thread, NULL);
  pthread_cond_destroy(&watchdog.ended_now);
  pthread_mutex_destroy(&watchdog.mutex);
  pthread_condattr_destroy(&monotonic);
}

/* Blocked before the first thread starts, so that every thread inherits it. */
static int open_signals(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

typedef struct ending {
  int fd;
  loop_t *loop;
} ending_t;

static void on_signal(void *arg) {
  ending_t *ending = arg;
  struct signalfd_siginfo info;
  if (read(ending->fd, &info, sizeof info) != (ssize_t)sizeof info) return;
  log_info("SERVICE-SIGNAL", "%s: ending", strsignal((int)info.ssi_signo));
  loop_stop(ending->loop);
}

/* Before any thread is started: ZeroMQ's I/O threads inherit it (asked for on the context, they
   abort where it is refused). It needs CAP_SYS_NICE or RLIMIT_RTPRIO; without, all goes on as
   usual. */
static void raise_priority(void) {
  const struct sched_param priority = {.sched_priority = REALTIME_PRIORITY};
  int refused = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
  if (refused)
    log_info("SERVICE-PRIORITY", "no real-time priority (%s); a busy machine may delay a stop",
             strerror(refused));
}

static int live(const service_def_t *def, config_t *config, int signal_fd) {
  service_run_t *run = NULL;
  gantry_fault_t fault = {0};
  if (def->realtime) raise_priority();
  gantry_err_t err = service_begin(def, config, NULL, &run, &fault);
  if (err != GANTRY_OK) {
    log_error("SERVICE-START", "%s%s%s", fault.field, fault.field[0] ? ": " : "", fault.detail);
    return exit_code(err);
  }
  service_t *service = service_of(run);
  ending_t ending = {.fd = signal_fd, .loop = service->loop};
  log_info("SERVICE-READY", "%s %s at %s", def->name, GANTRY_VERSION, config_text(config, "bus"));
  err = loop_watch(service->loop, signal_fd, on_signal, &ending);
  if (err == GANTRY_OK) loop_run(service->loop);
  end_watched(&run);
  log_info("SERVICE-DONE", "%s has ended", def->name);
  return exit_code(err);
}

int service_main(const service_def_t *def, int argc, char **argv) {
  arguments_t arguments = {0};
  if (!parse_arguments(argc, argv, &arguments)) return EXIT_USAGE;
  if (arguments.help) {
    print_help(def);
    return EXIT_DONE;
  }
  if (arguments.version) {
    printf("%s %s\n", def->name, GANTRY_VERSION);
    return EXIT_DONE;
  }
  /* One heap for the few threads there are: arenas would cost each of them memory. */
  mallopt(M_ARENA_MAX, 1);
  log_open(def->name, LOG_INFO, STDERR_FILENO);
  config_t *config = NULL;
  gantry_fault_t fault = {0};
  if (load_config(def, &arguments, &config, &fault) != GANTRY_OK) {
    log_error("CONFIG", "%s", fault.detail);
    config_destroy(&config);
    return EXIT_CONFIG;
  }
  log_level_t level = LOG_INFO;
  log_level_parse(config_text(config, "log_level"), &level);
  log_open(def->name, level, STDERR_FILENO);
  int signal_fd = open_signals();
  int code = live(def, config, signal_fd);
  if (signal_fd >= 0) close(signal_fd);
  return code;
}
