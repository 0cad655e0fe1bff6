/* gantry sim: what can be done to the simulated plant, from the command line. Words are checked
   here, by the simulator's own table, before its control socket is asked. */
#include "commands.h"

#include <gantry/config.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "sim_picture.h"

#define EXIT_FAILED  1
#define EXIT_USAGE   64
#define EXIT_MISSING 69
#define WATCH_MS     1000
#define ANSWER_MS    5000

typedef struct sim_call {
  char path[108];
  const char *control, *base; /* as given; NULL: not */
  char line[256];             /* the command's words */
  bool watch;
  const char *picture; /* file to draw the state into; NULL: none */
} sim_call_t;

static void help(FILE *out) {
  fputs("Usage: gantry sim [--control PATH] [--bus BASE] COMMAND\n"
        "Does something to the simulated plant. The simulator is that of the suite which --bus or\n"
        "GANTRY_BUS names; --control names another's socket. state --watch goes on every second; "
        "picture FILE.png\n"
        "draws the hall from above as it is now.\n\n",
        out);
  for (size_t i = 0; command_row(i); i++)
    fprintf(out, "  %-31s %s\n", command_row(i)->pattern, command_row(i)->doc);
  fputs("\nWords in upper case:\n", out);
  for (size_t i = 0; command_arg(i); i++)
    fprintf(out, "  %-10s %s\n", command_arg(i)->name, command_arg(i)->doc);
  fputs("\nExit codes: 0 done, 1 refused by the simulator, 64 wrong usage, 69 no simulator.\n",
        out);
}

static bool add_word(sim_call_t *call, const char *word) {
  size_t len = strlen(call->line), more = strlen(word);
  if (len + more + 2 > sizeof call->line) return false;
  if (len > 0) call->line[len++] = ' ';
  memcpy(call->line + len, word, more + 1);
  return true;
}

/* -1: go on; else the exit code. Options come first, so that -2 is a number. */
static int parse(int argc, char **argv, sim_call_t *call) {
  int i = 1;
  for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
    bool control = strcmp(argv[i], "--control") == 0;
    if (strcmp(argv[i], "--help") == 0) {
      help(stdout);
      return 0;
    }
    if ((!control && strcmp(argv[i], "--bus") != 0) || i + 1 == argc) {
      fprintf(stderr, "gantry sim: '%s' is no option, or lacks its value; see gantry sim --help\n",
              argv[i]);
      return EXIT_USAGE;
    }
    *(control ? &call->control : &call->base) = argv[++i];
  }
  if (i == argc) {
    help(stderr);
    return EXIT_USAGE;
  }
  if (argc - i == 2 && strcmp(argv[i], "picture") == 0) {
    call->picture = argv[i + 1];
    return add_word(call, "state") ? -1 : EXIT_USAGE;
  }
  call->watch = argc - i == 2 && strcmp(argv[i], "state") == 0 && !strcmp(argv[i + 1], "--watch");
  for (; i < argc - call->watch; i++) {
    if (add_word(call, argv[i])) continue;
    fputs("gantry sim: that is too long for a command\n", stderr);
    return EXIT_USAGE;
  }
  return -1;
}

/* The control socket lies beside the suite's own sockets. */
static bool find_socket(sim_call_t *call) {
  config_t *config = NULL;
  gantry_fault_t fault = {0};
  int len = 0;
  if (call->control) {
    len = snprintf(call->path, sizeof call->path, "%s", call->control);
    return len > 0 && (size_t)len < sizeof call->path;
  }
  gantry_err_t err = config_load("gantry", NULL, 0, NULL, &config, &fault);
  if (err == GANTRY_OK && call->base) err = config_set(config, "bus", call->base, &fault);
  const char *bus = err == GANTRY_OK ? config_text(config, "bus") : "";
  bool local = strncmp(bus, "ipc://", 6) == 0;
  if (local) len = snprintf(call->path, sizeof call->path, "%s/control", bus + 6);
  config_destroy(&config);
  return local && len > 0 && (size_t)len < sizeof call->path;
}

static int dial(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memcpy(address.sun_path, path, strlen(path) + 1);
  if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
  int why = errno;
  if (fd >= 0) close(fd);
  fprintf(stderr,
          "gantry sim: no simulator answers at %s (%s); start ./scripts/run, or name its control "
          "socket by --control PATH\n",
          path, strerror(why));
  return -1;
}

/* One line there, one line back. False when the simulator has gone. */
static bool ask(int fd, const char *line, char *answer, size_t size) {
  size_t len = 0;
  char request[260];
  int request_len = snprintf(request, sizeof request, "%s\n", line);
  if (send(fd, request, (size_t)request_len, MSG_NOSIGNAL) != request_len) return false;
  while (len + 1 < size && (len == 0 || answer[len - 1] != '\n')) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t count = poll(&wait, 1, ANSWER_MS) > 0 ? read(fd, answer + len, size - 1 - len) : 0;
    if (count <= 0) return false;
    len += (size_t)count;
  }
  answer[len] = '\0';
  return true;
}

static double number(const char *json, const char *key) {
  const char *found = strstr(json, key);
  return found ? strtod(found + strlen(key), NULL) : 0.0;
}

/* What changes while one watches, on a line. */
static void print_glance(const char *json) {
  printf("%9.1f s  rail %6.3f m  %6.3f m/s  charge %5.1f %%  line %5.1f %%  collisions %.0f%s%s\n",
         number(json, "\"time_s\":"), number(json, "\"rail_m\":"), number(json, "\"speed_mps\":"),
         100.0 * number(json, "\"soc\":"), 100.0 * number(json, "\"utilisation\":"),
         number(json, "\"collisions\":"), strstr(json, "\"estop\":true") ? "  E-STOP" : "",
         strstr(json, "\"docked\":true") ? "  docked" : "");
  fflush(stdout);
}

/* The answer, each member of the outer object on its own line. */
static void print_answer(const char *json) {
  int depth = 0;
  bool quoted = false;
  for (const char *at = json; *at && *at != '\n'; at++) {
    if (*at == '"') quoted = !quoted;
    if (!quoted && (*at == '{' || *at == '[')) depth++;
    if (!quoted && (*at == '}' || *at == ']')) depth--;
    putchar(*at);
    if (!quoted && *at == ',' && depth == 1) fputs("\n ", stdout);
  }
  putchar('\n');
}

/* The sentence of a refusal. */
static void print_refusal(const char *json) {
  static const char key[] = "\"error\":\"";
  const char *found = strstr(json, key);
  const char *text = found ? found + strlen(key) : json;
  fprintf(stderr, "gantry sim: %.*s\n", (int)strcspn(text, "\"\n"), text);
}

static int converse(const sim_call_t *call, int fd) {
  char answer[8192];
  for (;;) {
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    if (!ask(fd, call->line, answer, sizeof answer)) {
      fputs("gantry sim: the simulator has gone\n", stderr);
      return EXIT_MISSING;
    }
    if (!strstr(answer, "\"ok\":true")) {
      print_refusal(answer);
      return EXIT_FAILED;
    }
    if (!call->watch) break;
    print_glance(answer);
    (void)poll(&gone, 1, WATCH_MS); /* nothing comes unasked but the simulator's end */
  }
  if (call->picture) return sim_picture_write(call->picture, answer) ? 0 : EXIT_FAILED;
  print_answer(answer);
  return 0;
}

int command_sim(int argc, char **argv) {
  sim_call_t call = {0};
  command_t command;
  char why[COMMAND_WHY_MAX];
  int code = parse(argc, argv, &call);
  if (code >= 0) return code;
  if (!command_parse(call.line, &command, why)) {
    fprintf(stderr, "gantry sim: %s\n", why);
    return EXIT_USAGE;
  }
  if (!find_socket(&call)) {
    fputs("gantry sim: the bus is not a folder on this machine (ipc://FOLDER), or its name is too "
          "long; name the simulator's control socket by --control PATH\n",
          stderr);
    return EXIT_USAGE;
  }
  int fd = dial(call.path);
  if (fd < 0) return EXIT_MISSING;
  code = converse(&call, fd);
  close(fd);
  return code;
}
