/* gantry robot: what it does, and what it is told. */
#include <stdio.h>
#include <string.h>

#include <messages.h>

#include "ask.h"
#include "commands.h"

static const char HELP[] =
    "Usage: gantry robot [status] [--watch]\n"
    "       gantry robot move [forward|backward] [METRES] [--speed SHARE] [--timeout S] [--wait]\n"
    "       gantry robot home|dock|undock [--timeout S] [--wait]\n"
    "       gantry robot pause|resume|stop|halt|shutdown|configure|configured\n"
    "       gantry robot estop [REASON]\n"
    "       gantry robot reset --safe --located\n"
    "       gantry robot mode [auto|manual|semi|maintenance|emergency] [--reason TEXT]\n"
    "       gantry robot speed SHARE [--acceleration SHARE] [--deceleration SHARE]\n"
    "       gantry robot preset slow|normal|fast|max\n"
    "       gantry robot up|down [PERCENT]\n"
    "       gantry robot limits\n"
    "All take --json and --bus BASE. Shares go from 0 to 1 of the robot's limits.\n"
    "`halt` ramps down whatever runs; `stop` ends the command under way. `estop` is latched: it "
    "ends "
    "with `reset\n--safe --located`, which says that you have looked and that the robot is where "
    "it "
    "believes to be.\n"
    "`--wait` shows the progress until the command ends; Ctrl-C then halts the robot.\n"
    "Exit code: 0 done, 1 refused or failed, 64 wrong usage, 78 no bus, 130 interrupted.\n";

static const uint32_t POLL_MS = 200;
static const sys_empty_t NOTHING = {0};

static const char *state_word(const robot_status_t *status) {
  return desc_enum_text(&ROBOT_FSM_STATE_ENUM, (int)status->state);
}

static void print_command(const robot_status_t *status) {
  if (status->command == ROBOT_COMMAND_KIND_NONE) {
    puts("command   none yet");
    return;
  }
  printf("command   ");
  if (status->command_id > 0) printf("#%u ", status->command_id); /* a reset is not numbered */
  printf("%s: %s", desc_enum_text(&ROBOT_COMMAND_KIND_ENUM, (int)status->command),
         desc_enum_text(&ROBOT_COMMAND_STATE_ENUM, (int)status->command_state));
  if (status->has_progress) printf(", %.0f %%", status->progress * 100);
  printf("%s%s\n", status->command_detail[0] ? ": " : "", status->command_detail);
}

/* The bits of the dock module's status, in words; none: it rests. */
static void print_dock(const robot_status_t *status) {
  static const char *const bits[] = {"approaching", "aligning", "docking",     "docked",
                                     "undocking",   "fault",    "calibrating", "emergency stop"};
  const char *before = " (";

  printf("dock      %s, status 0x%04X", status->docked ? "docked" : "not docked",
         status->dock_status);
  for (unsigned i = 0; i < sizeof bits / sizeof bits[0]; i++) {
    if (!(status->dock_status >> i & 1u)) continue;
    printf("%s%s", before, bits[i]);
    before = ", ";
  }
  puts(before[0] == ',' ? ")" : "");
}

static int print_status(const ask_t *ask, const robot_status_t *status) {
  if (ask->json) {
    ask_print(&ROBOT_STATUS_DESC, status);
    return 0;
  }
  printf("state     %s (%s) for %.1f s\n", state_word(status),
         desc_enum_text(&ROBOT_WORD_ENUM, (int)status->word), status->in_state);
  printf("mode      %s\n", desc_enum_text(&ROBOT_MODE_ENUM, (int)status->mode));
  print_command(status);
  printf("speed     at most %.2f m/s now, set to %.0f %% (%s), ramps %.2f up and %.2f m/s2 down\n",
         status->speed_limit, status->speed_share * 100,
         desc_enum_text(&ROBOT_PRESET_ENUM, (int)status->preset), status->acceleration,
         status->deceleration);
  printf("move      %s%s\n",
         status->ready ? "would be accepted" : "refused: ", status->ready ? "" : status->waits_for);
  if (status->degraded[0]) printf("degraded  %s\n", status->degraded);
  print_dock(status);
  fflush(stdout);
  return 0;
}

static int show(ask_t *asked) {
  robot_status_t status;

  do {
    if (!ask(asked, REQUEST_ROBOT_STATUS, &NOTHING, &status)) return 1;
    print_status(asked, &status);
    if (asked->watch && !asked->json) putchar('\n');
  } while (asked->watch && ask_pause(asked, 1000));
  return asked->watch ? ASK_INTERRUPTED : 0;
}

/* ---- commands */

static int halt(ask_t *asked) {
  robot_driving_t driving;

  if (!ask(asked, REQUEST_ROBOT_HALT, &NOTHING, &driving)) return 1;
  if (asked->json)
    ask_print(&ROBOT_DRIVING_DESC, &driving);
  else
    puts("The robot ramps to a stop.");
  return 0;
}

static int end_of(const ask_t *asked, const robot_status_t *status) {
  ask_progress("%s", "");
  if (asked->json)
    ask_print(&ROBOT_STATUS_DESC, status);
  else
    print_command(status);
  return status->command_state == ROBOT_COMMAND_STATE_FAILED ||
                 status->command_state == ROBOT_COMMAND_STATE_CANCELLED
             ? 1
             : 0;
}

/* Until command id has ended, or another has taken its place. */
static int wait_for(ask_t *asked, robot_status_t *status) {
  uint32_t id = status->command_id;

  while (status->command_id == id && status->command_state == ROBOT_COMMAND_STATE_RUNNING) {
    ask_progress("%s: %.0f %% %s", state_word(status), status->progress * 100,
                 status->command_detail);
    if (!ask_pause(asked, POLL_MS)) {
      ask_progress("%s", "");
      fputs("gantry robot: interrupted; the robot is halted.\n", stderr);
      (void)halt(asked);
      return ASK_INTERRUPTED;
    }
    if (!ask(asked, REQUEST_ROBOT_STATUS, &NOTHING, status)) return 1;
  }
  return end_of(asked, status);
}

static int command(ask_t *asked, robot_command_t *command) {
  robot_status_t status;
  double seconds = 0;

  if (!ask_number(asked, "--timeout", asked->timeout, 0.001, 3600, &seconds)) return ASK_USAGE;
  command->has_timeout_ms = asked->timeout != NULL;
  command->timeout_ms = (uint32_t)(seconds * 1000);
  if (!ask(asked, REQUEST_ROBOT_COMMAND, command, &status)) return 1;
  return asked->wait ? wait_for(asked, &status) : end_of(asked, &status);
}

static bool direction_of(const char *text, robot_direction_t *out) {
  int value = desc_enum_value(&ROBOT_DIRECTION_ENUM, text, strlen(text));

  if (value >= 0) *out = (robot_direction_t)value;
  return value >= 0;
}

static int move(ask_t *asked) {
  robot_command_t move = {.kind = ROBOT_COMMAND_KIND_MOVE};
  int next = 1;

  if (next < asked->count && direction_of(asked->words[next], &move.direction)) {
    move.has_direction = true;
    next++;
  }
  move.has_distance = next < asked->count;
  if (move.has_distance &&
      !ask_number(asked, "METRES", asked->words[next++], 0, 10000, &move.distance)) {
    return ASK_USAGE;
  }
  if (next < asked->count) return ask_wrong(asked, "`%s` is too much.", asked->words[next]);
  move.has_speed = asked->speed != NULL;
  if (!ask_number(asked, "--speed", asked->speed, 0, 1, &move.speed)) return ASK_USAGE;
  return command(asked, &move);
}

static int speed(ask_t *asked) {
  robot_command_t set = {.kind = ROBOT_COMMAND_KIND_SPEED, .has_speed = true};

  if (asked->count != 2) return ask_wrong(asked, "speed takes one share from 0 to 1.");
  set.has_acceleration = asked->acceleration != NULL;
  set.has_deceleration = asked->deceleration != NULL;
  if (!ask_number(asked, "SHARE", asked->words[1], 0, 1, &set.speed) ||
      !ask_number(asked, "--acceleration", asked->acceleration, 0, 1, &set.acceleration) ||
      !ask_number(asked, "--deceleration", asked->deceleration, 0, 1, &set.deceleration)) {
    return ASK_USAGE;
  }
  return command(asked, &set);
}

static int preset(ask_t *asked) {
  robot_command_t set = {.kind = ROBOT_COMMAND_KIND_PRESET, .has_preset = true};
  const char *text = asked->count == 2 ? asked->words[1] : "";
  int value = desc_enum_value(&ROBOT_PRESET_ENUM, text, strlen(text));

  if (value < 0 || value == ROBOT_PRESET_CUSTOM)
    return ask_wrong(asked, "preset is slow, normal, fast or max.");
  set.preset = (robot_preset_t)value;
  return command(asked, &set);
}

static int cargo(ask_t *asked, robot_command_kind_t kind) {
  robot_command_t lift = {.kind = kind, .has_position = asked->count > 1};
  double percent = 0;

  if (asked->count > 1 && !ask_number(asked, "PERCENT", asked->words[1], 0, 100, &percent))
    return ASK_USAGE;
  lift.position = percent / 100;
  return command(asked, &lift);
}

static int reset(ask_t *asked) {
  robot_command_t reset = {.kind = ROBOT_COMMAND_KIND_RESET,
                           .has_safe_confirm = asked->safe,
                           .safe_confirm = asked->safe,
                           .has_location_ok = asked->located,
                           .location_ok = asked->located};

  if (!asked->safe || !asked->located)
    return ask_wrong(asked, "reset wants --safe (you have looked) and --located (the robot is "
                            "where it believes to be).");
  return command(asked, &reset);
}

/* ---- stop, mode, limits */

static int estop(ask_t *asked) {
  robot_estop_t stop = {.cause = ROBOT_CAUSE_SOFTWARE};
  robot_safety_t safety;

  snprintf(stop.reason, sizeof stop.reason, "%s",
           asked->count > 1 ? asked->words[1] : "gantry robot estop");
  if (!ask(asked, REQUEST_ROBOT_ESTOP, &stop, &safety)) {
    fputs("The stop is NOT confirmed. Use the hardware stop.\n", stderr);
    return 1;
  }
  if (asked->json)
    ask_print(&ROBOT_SAFETY_DESC, &safety);
  else
    printf("Stopped and latched; motors %s, confirmed in %.1f ms.\n",
           safety.motors_off ? "read back off" : "NOT confirmed off", safety.confirm_ms);
  return safety.latched && safety.motors_off ? 0 : 1;
}

static int mode(ask_t *asked) {
  robot_mode_set_t set = {0};
  robot_status_t status;

  if (asked->count == 1) return show(asked);
  int value = desc_enum_value(&ROBOT_MODE_ENUM, asked->words[1], strlen(asked->words[1]));
  if (value < 0) {
    return ask_wrong(asked, "mode is auto, manual, semi, maintenance or emergency, not `%s`.",
                     asked->words[1]);
  }
  set.mode = (robot_mode_t)value;
  snprintf(set.reason, sizeof set.reason, "%s",
           asked->reason ? asked->reason : "gantry robot mode");
  if (!ask(asked, REQUEST_ROBOT_MODE, &set, &status)) return 1;
  return print_status(asked, &status);
}

static int limits(ask_t *asked) {
  robot_limits_t limits;

  if (!ask(asked, REQUEST_ROBOT_LIMITS, &NOTHING, &limits)) return 1;
  if (asked->json) {
    ask_print(&ROBOT_LIMITS_DESC, &limits);
    return 0;
  }
  printf("speed         %.2f m/s, in mode emergency %.2f m/s\n", limits.max_speed,
         limits.emergency_speed);
  printf("acceleration  %.2f m/s2 up, %.2f m/s2 down\n", limits.max_acceleration,
         limits.max_deceleration);
  printf("zones         stop %.2f m, slow %.2f m, clear %.2f m\n", limits.zone_stop,
         limits.zone_slow, limits.zone_clear);
  printf("battery       no move below %.0f %%\n", limits.battery_min * 100);
  printf("dead man      %u ms\n", limits.dead_man_ms);
  return 0;
}

/* ---- which */

static int plain(ask_t *asked, const char *name) {
  static const robot_command_kind_t PLAIN[] = {
      ROBOT_COMMAND_KIND_HOME,     ROBOT_COMMAND_KIND_DOCK,      ROBOT_COMMAND_KIND_UNDOCK,
      ROBOT_COMMAND_KIND_PAUSE,    ROBOT_COMMAND_KIND_RESUME,    ROBOT_COMMAND_KIND_STOP,
      ROBOT_COMMAND_KIND_SHUTDOWN, ROBOT_COMMAND_KIND_CONFIGURE, ROBOT_COMMAND_KIND_CONFIGURED};

  for (size_t i = 0; i < sizeof PLAIN / sizeof PLAIN[0]; i++) {
    if (strcmp(desc_enum_text(&ROBOT_COMMAND_KIND_ENUM, (int)PLAIN[i]), name) != 0) continue;
    return command(asked, &(robot_command_t){.kind = PLAIN[i]});
  }
  return ask_wrong(asked, "there is no `%s`.", name);
}

static int run(ask_t *asked, const char *name) {
  static const struct {
    const char *name;
    int (*run)(ask_t *asked);
  } VERBS[] = {{"status", show}, {"move", move},     {"halt", halt},
               {"estop", estop}, {"reset", reset},   {"mode", mode},
               {"speed", speed}, {"preset", preset}, {"limits", limits}};

  for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
    if (strcmp(VERBS[i].name, name) == 0) return VERBS[i].run(asked);
  }
  if (strcmp(name, "up") == 0) return cargo(asked, ROBOT_COMMAND_KIND_CARGO_UP);
  if (strcmp(name, "down") == 0) return cargo(asked, ROBOT_COMMAND_KIND_CARGO_DOWN);
  return plain(asked, name);
}

int command_robot(int argc, char **argv) {
  ask_t asked = {.name = "robot", .help = HELP};
  int code = ask_parse(&asked, argc, argv, "jwWSLRsadt");

  if (code >= 0) return code;
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = run(&asked, asked.count ? asked.words[0] : "status");
  session_close(&asked.session);
  return code;
}
