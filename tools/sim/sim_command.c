/* The control socket's commands, executed. Every answer is one line of JSON with "ok". */
#include "sim_state.h"

#include <stdarg.h>

/* A text that grows within a buffer and never beyond. */
typedef struct text {
  char *buf;
  size_t size, len;
} text_t;

static void say(text_t *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(text_t *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(text->buf + text->len, text->size - text->len, format, arguments);
  va_end(arguments);
  if (count < 0) return;
  text->len += (size_t)count;
  if (text->len >= text->size) text->len = text->size - 1;
}

static const char *truth(bool value) {
  return value ? "true" : "false";
}

static void say_error(text_t *text, const char *reason) {
  say(text, "{\"ok\":false,\"error\":\"%s\",\"commands\":[", reason);
  for (size_t i = 0; command_help(i); i++)
    say(text, "%s\"%s\"", i ? "," : "", command_help(i));
  say(text, "]}\n");
}

static void say_motors(sim_t *sim, text_t *text) {
  module_t *module = plant_module(&sim->plant, MODULE_TRAVEL);
  plant_refresh(&sim->plant, module);
  say(text, ",\"motors\":[");
  for (int i = 0; i < 2; i++) {
    uint16_t base = (uint16_t)(i * 0x10);
    say(text,
        "%s{\"enable\":%u,\"setpoint\":%u,\"actual\":%u,\"direction\":%u,\"status\":%u,"
        "\"error\":%u}",
        i ? "," : "", bank_get(&module->bank, base + 0x01), bank_get(&module->bank, base + 0x02),
        bank_get(&module->bank, base + 0x06), bank_get(&module->bank, base + 0x07),
        bank_get(&module->bank, base + 0x0B), bank_get(&module->bank, base + 0x0C));
  }
  say(text, "]");
}

static void say_line(const sim_t *sim, text_t *text, int64_t now_ns) {
  const line_stats_t *stats = &sim->line.stats;
  double elapsed_ns = (double)(now_ns - sim->cleared_ns);
  say(text,
      ",\"line\":{\"baud\":%u,\"paced\":%s,\"requests\":%llu,\"answers\":%llu,"
      "\"crc_errors\":%llu,\"collisions\":%llu,\"collisions_late\":%llu,\"collision_bytes\":%llu,"
      "\"dropped\":%llu,\"occupied_ns\":%lld,\"elapsed_ns\":%.0f,\"utilisation\":%.4f}",
      sim->line.cfg.baud, truth(sim->line.cfg.paced), (unsigned long long)stats->requests,
      (unsigned long long)stats->answers, (unsigned long long)stats->crc_errors,
      (unsigned long long)stats->collisions, (unsigned long long)stats->collisions_late,
      (unsigned long long)stats->collision_bytes, (unsigned long long)stats->dropped,
      (long long)stats->occupied_ns, elapsed_ns,
      elapsed_ns > 0.0 ? (double)stats->occupied_ns / elapsed_ns : 0.0);
}

static void say_state(sim_t *sim, text_t *text) {
  static const char *const modes[] = {"running", "stopped", "frozen"};
  const world_t *world = &sim->plant.world;
  int64_t now_ns = sim_now_ns();
  sim_advance(sim, now_ns);
  pose2_t pose = world_pose(world, 0.0), odometry = world->odometry;
  say(text,
      "{\"ok\":true,\"seed\":%llu,\"now_ns\":%lld,\"time_s\":%.3f,\"world\":\"%s\","
      "\"pose\":{\"x\":%.5f,\"y\":%.5f,\"theta\":%.6f},\"rail_m\":%.5f,\"speed_mps\":%.5f,"
      "\"travelled_m\":%.4f,\"odometry\":{\"x\":%.5f,\"y\":%.5f,\"theta\":%.6f},"
      "\"contacts\":%llu,\"obstacles\":%zu,\"estop\":%s,\"soc\":%.4f",
      (unsigned long long)sim->options.seed, (long long)now_ns, (double)world->step * WORLD_STEP_S,
      modes[sim->mode], pose.x, pose.y, pose.theta, world->s_m, world->speed_mps,
      world->travelled_m, odometry.x, odometry.y, odometry.theta,
      (unsigned long long)world->contacts, world->obstacle_count, truth(sim->plant.estop_input),
      battery_soc(&sim->plant.battery));
  say_motors(sim, text);
  say_line(sim, text, now_ns);
  say(text, ",\"lidar\":{\"scanning\":%s,\"stopped\":%s,\"samples\":%llu,\"dropped_bytes\":%llu}",
      truth(sim->lidar.scanning), truth(sim->lidar_stopped), (unsigned long long)sim->lidar.sample,
      (unsigned long long)sim->lidar_port.dropped);
  if (sim->options.replay)
    say(text, ",\"replay\":{\"log_s\":%.3f,\"scans\":%llu,\"unheard\":%llu,\"ended\":%s}",
        sim_replay_log_s(sim, now_ns), (unsigned long long)sim->replay.scans,
        (unsigned long long)sim->replay.scans_unheard,
        truth(sim->replay.core.ended && !sim->replay.core.has_next));
  say(text, "}\n");
}

static void read_register(sim_t *sim, const command_t *command, text_t *text) {
  module_t *module = plant_module(&sim->plant, command->unit);
  if (!module || !bank_has(&module->bank, command->address)) {
    say_error(text, "no such register");
    return;
  }
  sim_advance(sim, sim_now_ns());
  plant_refresh(&sim->plant, module);
  say(text, "{\"ok\":true,\"value\":%u}\n", bank_get(&module->bank, command->address));
}

/* Stops, freezes or starts the world. A start after a stop is a power-on of every device. */
static void set_mode(sim_t *sim, world_mode_t mode) {
  int64_t now_ns = sim_now_ns();
  if (mode == sim->mode) return;
  if (sim->mode == WORLD_RUNS) {
    sim_advance(sim, now_ns);
    sim->halted_ns = now_ns;
  }
  if (mode == WORLD_STOPPED) line_cut(&sim->line);
  if (sim->mode == WORLD_STOPPED) {
    plant_power_on(&sim->plant);
    lidar_init(&sim->lidar, sim->options.seed);
  }
  if (mode == WORLD_RUNS) sim->offset_ns += now_ns - sim->halted_ns;
  sim->mode = mode;
}

static bool set_plugged(sim_t *sim, bool lidar, bool plugged) {
  pty_t *pty = lidar ? &sim->lidar_port : &sim->rs485;
  const char *link = lidar ? sim->options.lidar : sim->options.rs485;
  if (!link) return false;
  if (plugged) return pty->master >= 0 || sim_plug(sim, pty, link);
  pty_close(pty);
  if (!lidar) line_cut(&sim->line);
  return true;
}

static bool execute(sim_t *sim, const command_t *command) {
  module_t *module = plant_module(&sim->plant, command->unit);
  switch (command->kind) {
  case COMMAND_FAULT:
    if (module) command_apply_fault(command, &module->fault);
    return module != NULL;
  case COMMAND_ESTOP:
    sim_advance(sim, sim_now_ns());
    plant_estop(&sim->plant, command->on);
    return true;
  case COMMAND_LIDAR:
    sim->lidar_stopped = !command->on;
    return true;
  case COMMAND_WORLD:
    set_mode(sim, command->mode);
    return true;
  case COMMAND_OBSTACLE:
    if (command->on)
      return world_obstacle_add(&sim->plant.world, command->x, command->y, command->radius_m);
    world_obstacle_clear(&sim->plant.world);
    return true;
  case COMMAND_UNPLUG:
  case COMMAND_PLUG:
    return set_plugged(sim, command->lidar_port, command->kind == COMMAND_PLUG);
  case COMMAND_LINE_CLEAR:
    sim->line.stats = (line_stats_t){0};
    sim->cleared_ns = sim_now_ns();
    return true;
  default:
    return false;
  }
}

void sim_command(void *context, const char *line, char *answer, size_t size) {
  sim_t *sim = context;
  text_t text = {.buf = answer, .size = size};
  command_t command;
  if (!command_parse(line, &command))
    say_error(&text, "unknown command");
  else if (command.kind == COMMAND_STATE)
    say_state(sim, &text);
  else if (command.kind == COMMAND_REG)
    read_register(sim, &command, &text);
  else if (command.kind == COMMAND_SEED)
    say(&text, "{\"ok\":true,\"seed\":%llu}\n", (unsigned long long)sim->options.seed);
  else if (execute(sim, &command))
    say(&text, "{\"ok\":true}\n");
  else
    say_error(&text, "cannot do that");
}
