/* The control socket's commands, executed. Every answer is one line of JSON with "ok". */
#include <math.h>
#include <string.h>

#include "layout.h"
#include "sim_state.h"

static const char NO_MODULE[] = "there is no module at that address";
static const char NO_REGISTER[] = "that module has no such register";
static const char NO_WORLD[] = "in a replay there is no world: the log says what is seen and where";

/* NULL when it is done, else why it cannot be. */
typedef const char *(*handler_t)(sim_t *sim, const command_t *command);

static module_t *module_of(sim_t *sim, const command_t *command) {
  return plant_module(&sim->plant, (uint8_t)command->args[0]);
}

static const char *do_fault(sim_t *sim, const command_t *command) {
  module_t *module = module_of(sim, command);
  if (!module) return NO_MODULE;
  module_fault_t *fault = &module->fault;
  double value = command->args[1];
  if (command->kind == COMMAND_CLEAR) memset(fault, 0, sizeof *fault);
  if (command->kind == COMMAND_SILENT) fault->silent = true;
  if (command->kind == COMMAND_GARBAGE) fault->garbage = true;
  if (command->kind == COMMAND_ZEROS) fault->zeros = true;
  if (command->kind == COMMAND_LOST) fault->lost_share = value;
  if (command->kind == COMMAND_CRC) fault->crc_share = value;
  if (command->kind == COMMAND_EXCEPTION) fault->exception = (uint8_t)value;
  if (command->kind == COMMAND_ALIAS) {
    fault->has_alias = true;
    fault->alias = (uint8_t)value;
  }
  if (command->kind == COMMAND_LATE) {
    fault->late_min_us = (uint32_t)value;
    fault->late_max_us = (uint32_t)command->args[2];
    fault->late_share = command->on ? 1.0 : command->args[3];
  }
  return NULL;
}

static const char *do_conflict(sim_t *sim, const command_t *command) {
  module_t *module = module_of(sim, command);
  if (!module) return NO_MODULE;
  bank_preset(&module->bank, sim->options.old_system ? 0x00F0 : 0x0100, (uint16_t)command->args[1]);
  return NULL;
}

static const char *do_firmware(sim_t *sim, const command_t *command) {
  module_t *module = module_of(sim, command);
  if (!module) return NO_MODULE;
  bank_preset(&module->bank, sim->options.old_system ? 0x00F1 : 0x0105, (uint16_t)command->args[1]);
  return NULL;
}

static const char *do_module(sim_t *sim, const command_t *command) {
  module_t *module = module_of(sim, command);
  if (!module) return NO_MODULE;
  sim_advance(sim, sim_now_ns());
  plant_module_power(&sim->plant, module, command->on);
  return NULL;
}

static const char *do_noise(sim_t *sim, const command_t *command) {
  sim->noise = command->on;
  sim->noise_ns = sim_now_ns();
  return NULL;
}

static const char *do_unique(sim_t *sim, const command_t *command) {
  sim->plant.unique = command->on;
  return NULL;
}

static const char *do_estop(sim_t *sim, const command_t *command) {
  sim_advance(sim, sim_now_ns());
  plant_estop(&sim->plant, command->on);
  return NULL;
}

static const char *do_input(sim_t *sim, const command_t *command) {
  unsigned input = command->kind == COMMAND_DOOR ? 2 : (unsigned)command->args[0];
  uint16_t bit = (uint16_t)(1u << (input - 1));
  sim->plant.inputs = command->on ? sim->plant.inputs | bit : (uint16_t)(sim->plant.inputs & ~bit);
  return NULL;
}

static const char *do_motor(sim_t *sim, const command_t *command) {
  module_t *module = module_of(sim, command);
  if (!module || module->unit != MODULE_TRAVEL) return "the motors are at address 4";
  sim_advance(sim, sim_now_ns());
  plant_motor_fault(&sim->plant, (int)command->args[1] - 1,
                    command->on ? (uint16_t)command->args[2] : 0);
  return NULL;
}

static const char *do_imu(sim_t *sim, const command_t *command) {
  plant_refresh(&sim->plant, plant_module(&sim->plant, MODULE_DOCK));
  sim->plant.imu = command->kind == COMMAND_IMU_FREEZE ? IMU_FROZEN
                   : command->kind == COMMAND_IMU_FAIL ? IMU_FAILED
                                                       : IMU_RUNS;
  return NULL;
}

static const char *do_battery(sim_t *sim, const command_t *command) {
  battery_set_soc(&sim->plant.battery, command->args[0]);
  return NULL;
}

static const char *do_charger(sim_t *sim, const command_t *command) {
  sim->plant.charger_fault = command->on;
  return NULL;
}

static const char *do_axis(sim_t *sim, const command_t *command) {
  axis_t *axis = plant_axis(&sim->plant, (uint8_t)command->args[0]);
  if (!axis) return "the lifter is at address 6, the cargo door at 7";
  axis->jammed = command->on;
  return NULL;
}

static const char *do_dock(sim_t *sim, const command_t *command) {
  plant_t *plant = &sim->plant;
  sim_advance(sim, sim_now_ns());
  if (command->kind == COMMAND_DOCK_FAULT) dock_fail(&plant->dock, (uint16_t)command->args[0]);
  if (command->kind == COMMAND_DOCK_ANGLE) plant->dock_askew_rad = command->args[0] * M_PI / 180.0;
  if (command->kind == COMMAND_DOCK_CLEAR) {
    dock_clear(&plant->dock);
    plant->dock_askew_rad = 0.0;
  }
  return NULL;
}

static const char *do_obstacle(sim_t *sim, const command_t *command) {
  const double *args = command->args;
  world_t *world = &sim->plant.world;
  sim_advance(sim, sim_now_ns());
  if (command->kind == COMMAND_OBSTACLE_CLEAR) world_obstacle_clear(world);
  if (command->kind == COMMAND_OBSTACLE_CLEAR) return NULL;
  if (command->kind == COMMAND_OBSTACLE_MOVE)
    return world_obstacle_move(world, (size_t)args[0] - 1, args[1], args[2], args[3])
               ? NULL
               : "there is no obstacle of that number";
  if (command->kind == COMMAND_PERSON)
    return world_person(world, args[0], args[1]) ? NULL : "no room for more obstacles";
  return world_obstacle_add(world, args[0], args[1], args[2]) ? NULL : "no room for more obstacles";
}

static const char *do_place(sim_t *sim, const command_t *command) {
  sim_advance(sim, sim_now_ns());
  world_place(&sim->plant.world, command->args[0]);
  return NULL;
}

static const char *do_push(sim_t *sim, const command_t *command) {
  sim_advance(sim, sim_now_ns());
  sim->plant.world.push_m = command->args[0];
  return NULL;
}

static const char *do_slip(sim_t *sim, const command_t *command) {
  sim_advance(sim, sim_now_ns());
  sim->plant.world.slip_share = command->args[0];
  sim->plant.world.slip_steps = (uint64_t)(command->args[1] * 1e-6 / WORLD_STEP_S);
  return NULL;
}

static const char *do_tag(sim_t *sim, const command_t *command) {
  world_t *world = &sim->plant.world;
  if (command->kind == COMMAND_TAG_CLEAR)
    memset(world->tag_says, 0, sizeof world->tag_says);
  else
    world->tag_says[(size_t)command->args[0] - 1] = (uint8_t)command->args[1];
  return NULL;
}

static const char *set_plugged(sim_t *sim, pty_t *pty, const char *link, bool plugged) {
  if (!link) return "this simulator does not have that port";
  if (plugged && pty->master < 0 && !sim_plug(sim, pty, link)) return "the port cannot be made";
  if (!plugged) pty_close(pty);
  return NULL;
}

static const char *do_plug_rs485(sim_t *sim, const command_t *command) {
  if (!command->on) line_cut(&sim->line);
  return set_plugged(sim, &sim->rs485, sim->options.rs485, command->on);
}

static const char *do_plug_lidar(sim_t *sim, const command_t *command) {
  return set_plugged(sim, &sim->lidar_port, sim->options.lidar, command->on);
}

static const char *do_lidar(sim_t *sim, const command_t *command) {
  sim->lidar_stopped = !command->on;
  return NULL;
}

static const char *do_lidar_blind(sim_t *sim, const command_t *command) {
  sim->lidar_blind = command->on;
  if (!command->on) sim->lidar_fault = (lidar_fault_t){0};
  return NULL;
}

static const char *do_lidar_fault(sim_t *sim, const command_t *command) {
  if (command->kind == COMMAND_LIDAR_SPIKE) sim->lidar_fault.spike_share = command->args[0];
  if (command->kind == COMMAND_LIDAR_WEAK) sim->lidar_fault.weak_share = command->args[0];
  if (command->kind == COMMAND_LIDAR_SHADOW) sim->lidar_fault.shadow = true;
  return NULL;
}

static void put_fault(register_fault_t *fault, const command_t *command, uint64_t step) {
  double value = command->args[2];
  if (command->kind == COMMAND_SENSOR_CLEAR) fault->on = false;
  if (command->kind == COMMAND_SENSOR_STUCK) fault->stuck = true;
  if (command->kind == COMMAND_SENSOR_SIGN) fault->sign = true;
  if (command->kind == COMMAND_SENSOR_OFFSET) fault->offset = value;
  if (command->kind == COMMAND_SENSOR_NOISE) fault->noise = fabs(value);
  if (command->kind == COMMAND_SENSOR_FOR)
    fault->until_step = step + (uint64_t)(value * 1e-6 / WORLD_STEP_S) + 1;
  if (command->kind == COMMAND_SENSOR_VALUE) {
    fault->has_value = true;
    fault->value = (uint16_t)value;
  }
  if (command->kind == COMMAND_SENSOR_SPIKE) {
    fault->spike = value;
    fault->spike_share = command->args[3];
  }
}

static const char *do_sensor(sim_t *sim, const command_t *command) {
  plant_t *plant = &sim->plant;
  bool all = command->kind == COMMAND_SENSOR_CLEAR && !command->on;
  uint16_t address = (uint16_t)command->args[1];
  if (all) register_faults_clear(&plant->faults);
  if (all) return NULL;
  module_t *module = module_of(sim, command);
  if (!module) return NO_MODULE;
  if (!bank_has(&module->bank, address)) return NO_REGISTER;
  register_fault_t *fault = register_fault_of(&plant->faults, module->unit, address);
  if (!fault) return "too many registers are wrong at once";
  sim_advance(sim, sim_now_ns());
  put_fault(fault, command, plant->world.step);
  return NULL;
}

/* Stops, freezes or starts the world. A start after a stop is a power-on of every device. */
static const char *set_mode(sim_t *sim, world_mode_t mode) {
  int64_t now_ns = sim_now_ns();
  if (mode == sim->mode) return NULL;
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
  return NULL;
}

static const char *do_world(sim_t *sim, const command_t *command) {
  if (command->kind == COMMAND_WORLD_STOP) return set_mode(sim, WORLD_STOPPED);
  return set_mode(sim, command->kind == COMMAND_WORLD_FREEZE ? WORLD_FROZEN : WORLD_RUNS);
}

static const char *do_line_clear(sim_t *sim, const command_t *command) {
  (void)command;
  sim->line.stats = (line_stats_t){0};
  sim->cleared_ns = sim_now_ns();
  return NULL;
}

static const char *do_set(sim_t *sim, const command_t *command) {
  module_t *module = module_of(sim, command);
  if (!module) return NO_MODULE;
  uint16_t address = (uint16_t)command->args[1];
  if (!bank_has(&module->bank, address)) return NO_REGISTER;
  bank_set(&module->bank, address, (uint16_t)command->args[2]);
  return NULL;
}

static const handler_t handlers[COMMAND_KINDS] = {
    [COMMAND_SILENT] = do_fault,
    [COMMAND_LOST] = do_fault,
    [COMMAND_CRC] = do_fault,
    [COMMAND_LATE] = do_fault,
    [COMMAND_EXCEPTION] = do_fault,
    [COMMAND_GARBAGE] = do_fault,
    [COMMAND_ZEROS] = do_fault,
    [COMMAND_ALIAS] = do_fault,
    [COMMAND_CLEAR] = do_fault,
    [COMMAND_CONFLICT] = do_conflict,
    [COMMAND_FIRMWARE] = do_firmware,
    [COMMAND_MODULE] = do_module,
    [COMMAND_NOISE] = do_noise,
    [COMMAND_UNIQUE] = do_unique,
    [COMMAND_ESTOP] = do_estop,
    [COMMAND_DOOR] = do_input,
    [COMMAND_INPUT] = do_input,
    [COMMAND_MOTOR] = do_motor,
    [COMMAND_IMU_RUN] = do_imu,
    [COMMAND_IMU_FREEZE] = do_imu,
    [COMMAND_IMU_FAIL] = do_imu,
    [COMMAND_BATTERY] = do_battery,
    [COMMAND_CHARGER] = do_charger,
    [COMMAND_AXIS] = do_axis,
    [COMMAND_DOCK_FAULT] = do_dock,
    [COMMAND_DOCK_CLEAR] = do_dock,
    [COMMAND_DOCK_ANGLE] = do_dock,
    [COMMAND_OBSTACLE_MOVE] = do_obstacle,
    [COMMAND_PERSON] = do_obstacle,
    [COMMAND_PLACE] = do_place,
    [COMMAND_PUSH] = do_push,
    [COMMAND_SLIP] = do_slip,
    [COMMAND_TAG_SAYS] = do_tag,
    [COMMAND_TAG_CLEAR] = do_tag,
    [COMMAND_OBSTACLE_ADD] = do_obstacle,
    [COMMAND_OBSTACLE_CLEAR] = do_obstacle,
    [COMMAND_PLUG_RS485] = do_plug_rs485,
    [COMMAND_PLUG_LIDAR] = do_plug_lidar,
    [COMMAND_LIDAR] = do_lidar,
    [COMMAND_LIDAR_BLIND] = do_lidar_blind,
    [COMMAND_LIDAR_SPIKE] = do_lidar_fault,
    [COMMAND_LIDAR_WEAK] = do_lidar_fault,
    [COMMAND_LIDAR_SHADOW] = do_lidar_fault,
    [COMMAND_SENSOR_STUCK] = do_sensor,
    [COMMAND_SENSOR_SIGN] = do_sensor,
    [COMMAND_SENSOR_VALUE] = do_sensor,
    [COMMAND_SENSOR_OFFSET] = do_sensor,
    [COMMAND_SENSOR_NOISE] = do_sensor,
    [COMMAND_SENSOR_SPIKE] = do_sensor,
    [COMMAND_SENSOR_FOR] = do_sensor,
    [COMMAND_SENSOR_CLEAR] = do_sensor,
    [COMMAND_WORLD_RUN] = do_world,
    [COMMAND_WORLD_STOP] = do_world,
    [COMMAND_WORLD_FREEZE] = do_world,
    [COMMAND_LINE_CLEAR] = do_line_clear,
    [COMMAND_SET] = do_set,
};

static bool needs_world(command_kind_t kind) {
  return kind == COMMAND_OBSTACLE_ADD || kind == COMMAND_OBSTACLE_MOVE ||
         kind == COMMAND_OBSTACLE_CLEAR || kind == COMMAND_PERSON || kind == COMMAND_PLACE ||
         (kind >= COMMAND_PUSH && kind <= COMMAND_TAG_CLEAR) || kind == COMMAND_LIDAR_BLIND ||
         kind == COMMAND_LIDAR_SPIKE || kind == COMMAND_LIDAR_WEAK || kind == COMMAND_LIDAR_SHADOW;
}

static void execute(sim_t *sim, const command_t *command, text_t *text) {
  bool absent = sim->options.replay && needs_world(command->kind);
  const char *why = absent ? NO_WORLD : handlers[command->kind](sim, command);
  if (why)
    sim_tell_error(text, why);
  else
    sim_tell_done(text);
}

void sim_command(void *context, const char *line, char *answer, size_t size) {
  sim_t *sim = context;
  text_t text = {.buf = answer, .size = size};
  command_t command;
  char why[COMMAND_WHY_MAX];
  if (!command_parse(line, &command, why))
    sim_tell_error(&text, why);
  else if (command.kind == COMMAND_STATE)
    sim_tell_state(sim, &text);
  else if (command.kind == COMMAND_REG)
    sim_tell_register(sim, (uint8_t)command.args[0], (uint16_t)command.args[1], &text);
  else if (command.kind == COMMAND_SEED)
    sim_tell_seed(sim, &text);
  else if (command.kind == COMMAND_HELP)
    sim_tell_help(&text);
  else
    execute(sim, &command, &text);
}
