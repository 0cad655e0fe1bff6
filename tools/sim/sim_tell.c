/* What the control socket's answers say. */
#include "sim_state.h"

#include <stdarg.h>

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

void sim_tell_error(text_t *text, const char *reason) {
  say(text, "{\"ok\":false,\"error\":\"%s\"}\n", reason);
}

void sim_tell_done(text_t *text) {
  say(text, "{\"ok\":true}\n");
}

void sim_tell_seed(const sim_t *sim, text_t *text) {
  say(text, "{\"ok\":true,\"seed\":%llu}\n", (unsigned long long)sim->options.seed);
}

void sim_tell_help(text_t *text) {
  say(text, "{\"ok\":true,\"commands\":[");
  for (size_t i = 0; command_row(i); i++)
    say(text, "%s\"%s\"", i ? "," : "", command_row(i)->pattern);
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
      "\"crc_errors\":%llu,\"collisions\":%llu,\"collisions_late\":%llu,\"collisions_held\":%llu,"
      "\"collision_bytes\":%llu,"
      "\"dropped\":%llu,\"occupied_ns\":%lld,\"elapsed_ns\":%.0f,\"utilisation\":%.4f}",
      sim->line.cfg.baud, truth(sim->line.cfg.paced), (unsigned long long)stats->requests,
      (unsigned long long)stats->answers, (unsigned long long)stats->crc_errors,
      (unsigned long long)stats->collisions, (unsigned long long)stats->collisions_late,
      (unsigned long long)stats->collisions_held, (unsigned long long)stats->collision_bytes,
      (unsigned long long)stats->dropped, (long long)stats->occupied_ns, elapsed_ns,
      elapsed_ns > 0.0 ? (double)stats->occupied_ns / elapsed_ns : 0.0);
}

static void say_obstacles(const world_t *world, text_t *text) {
  say(text, ",\"obstacles_at\":[");
  for (size_t i = 0; i < world->obstacle_count; i++)
    say(text, "%s[%.3f,%.3f,%.3f]", i ? "," : "", world->obstacles[i].x, world->obstacles[i].y,
        world->obstacles[i].radius_m);
  say(text, "]");
}

static bool is_faulty(const module_fault_t *fault) {
  return fault->silent || fault->garbage || fault->zeros || fault->exception || fault->has_alias ||
         fault->lost_share > 0.0 || fault->crc_share > 0.0 || fault->late_max_us > 0;
}

static void say_plant(sim_t *sim, text_t *text) {
  plant_t *plant = &sim->plant;
  const bank_t *power = &plant_module(plant, MODULE_POWER)->bank;
  plant_refresh(plant, plant_module(plant, MODULE_POWER));
  say(text,
      ",\"battery\":{\"pack_v\":%.2f,\"current_a\":%.2f,\"temperature_c\":%.1f,"
      "\"charge_state\":%u,\"faults\":%u}",
      battery_pack_v(&plant->battery), plant->battery.current_a, plant->battery.temperature_c,
      bank_get(power, 0x003E), bank_get(power, 0x0023));
  say(text, ",\"dock\":{\"status\":%u,\"docked\":%s,\"fault\":%u,\"tries\":%u}", plant->dock.status,
      truth(plant->dock.status & DOCK_DOCKED), plant->dock.fault_code, plant->dock.tries);
  say(text, ",\"inputs\":%u,\"noise\":%s,\"unique\":%s,\"modules\":[", plant->inputs,
      truth(sim->noise), truth(plant->unique));
  const char *comma = "";
  for (size_t i = 0; i < PLANT_MODULES; i++) {
    const module_t *module = &plant->modules[i];
    if (!module->present && !is_faulty(&module->fault)) continue;
    say(text, "%s{\"unit\":%u,\"present\":%s,\"faulty\":%s}", comma, module->unit,
        truth(module->present), truth(is_faulty(&module->fault)));
    comma = ",";
  }
  say(text, "]");
}

void sim_tell_state(sim_t *sim, text_t *text) {
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
  say_obstacles(world, text);
  say_plant(sim, text);
  say_line(sim, text, now_ns);
  say(text,
      ",\"lidar\":{\"scanning\":%s,\"stopped\":%s,\"blind\":%s,\"samples\":%llu,\"dropped_bytes\":%"
      "llu}",
      truth(sim->lidar.scanning), truth(sim->lidar_stopped), truth(sim->lidar_blind),
      (unsigned long long)sim->lidar.sample, (unsigned long long)sim->lidar_port.dropped);
  if (sim->options.replay)
    say(text, ",\"replay\":{\"log_s\":%.3f,\"scans\":%llu,\"unheard\":%llu,\"ended\":%s}",
        sim_replay_log_s(sim, now_ns), (unsigned long long)sim->replay.scans,
        (unsigned long long)sim->replay.scans_unheard,
        truth(sim->replay.core.ended && !sim->replay.core.has_next));
  say(text, "}\n");
}

void sim_tell_register(sim_t *sim, uint8_t unit, uint16_t address, text_t *text) {
  module_t *module = plant_module(&sim->plant, unit);
  if (!module || !bank_has(&module->bank, address)) {
    sim_tell_error(text, module ? "that module has no such register" : "no such module");
    return;
  }
  sim_advance(sim, sim_now_ns());
  plant_refresh(&sim->plant, module);
  say(text, "{\"ok\":true,\"value\":%u}\n", bank_get(&module->bank, address));
}
