/* Requests for registers: by name and by address, from memory and from the line, and what is
 * written. */
#include "bridge_registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "register_rules.h"

#define MOVING_READ_MAX 8 /* as the longest poll */

/* ---- what a profile says of a unit */

typedef struct place {
  bridge_line_t *line;
  uint8_t unit;
  const register_module_t *module; /* NULL: the profile knows no module there */
  const register_module_t *common; /* NULL: none */
} place_t;

static bool find_place(bridge_t *bridge, rpc_context_t *call, uint8_t unit, unsigned port,
                       place_t *out) {
  out->line = bridge_line(bridge, port);
  out->unit = unit;
  if (!out->line) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "port", "there is no line %u", port);
    return false;
  }
  out->module = registers_module_at(out->line->cfg.profile, unit);
  out->common = registers_common(out->line->cfg.profile);
  if (out->module || out->common) return true;
  rpc_fail(call, GANTRY_E_NOT_FOUND, "address",
           "the profile %s names no module at 0x%02X; read it by number", //
           out->line->cfg.profile->name, unit);
  return false;
}

/* By name or, name NULL, by address. *module is whose it is. */
static const register_row_t *find_row(const place_t *place, const char *name, uint16_t address,
                                      const register_module_t **module) {
  const register_module_t *blocks[2] = {place->module, place->common};
  for (size_t i = 0; i < 2; i++) {
    const register_row_t *row =
        name ? registers_find(blocks[i], name) : registers_at(blocks[i], address);
    *module = blocks[i];
    if (row) return row;
  }
  return NULL;
}

static void add_row(const bridge_t *bridge, const place_t *place, const register_row_t *row,
                    robot_register_values_t *out) {
  uint16_t words[2];
  uint64_t read_ns = 0;
  if (out->values_count == sizeof out->values / sizeof out->values[0]) return;
  robot_register_value_t *value = &out->values[out->values_count++];
  bridge_fill_register(row, value);
  if (values_get(bridge->values, place->line->number, place->unit, row, words, &read_ns))
    bridge_fill_value(row, words, clock_age_ms(clock_mono_ns(), read_ns) / 1000.0, value);
}

/* Both blocks by ascending address. */
static void reply_all(const bridge_t *bridge, const place_t *place, rpc_context_t *call) {
  robot_register_values_t *out = calloc(1, sizeof *out);
  size_t i = 0, k = 0, count = place->module ? place->module->row_count : 0;
  size_t common_count = place->common ? place->common->row_count : 0;
  if (!out) {
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  bridge_fill_head(place->line, place->unit, place->module, out);
  while (i < count || k < common_count) {
    bool own = k == common_count ||
               (i < count && place->module->rows[i].address < place->common->rows[k].address);
    add_row(bridge, place, own ? &place->module->rows[i++] : &place->common->rows[k++], out);
  }
  rpc_reply(call, out);
  free(out);
}

void on_registers(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_registers_of_t *of = takes;
  const register_module_t *module;
  place_t place;
  if (!find_place(bridge, call, of->address, of->has_port ? of->port : 1, &place)) return;
  if (!of->has_name) {
    reply_all(bridge, &place, call);
    return;
  }
  const register_row_t *row = find_row(&place, of->name, 0, &module);
  if (!row) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "name", "the profile %s has no register %s at 0x%02X",
             place.line->cfg.profile->name, of->name, of->address);
    return;
  }
  if (!(row->flags & REGISTER_READ)) {
    rpc_fail(call, GANTRY_E_REFUSED, "name", "%s is only written", row->name);
    return;
  }
  register_call_t *slot = bridge_register_begin(bridge, call, place.line, of->address, CALL_ROW);
  if (!slot) return;
  slot->row = row;
  job_t job = {
      .function = LINE_READ_HOLDING, .first = row->address, .count = row->words, .retries = 1};
  bridge_register_submit(bridge, slot, &job);
}

void on_registers_read(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_registers_read_t *read = takes;
  unsigned port = read->has_port ? read->port : 1;
  bridge_line_t *line = bridge_line(bridge, port);
  job_t job = {
      .function = LINE_READ_HOLDING, .first = read->register_, .count = read->count, .retries = 1};
  if (read->count > LINE_READ_MAX || (uint32_t)read->register_ + read->count > 0x10000)
    rpc_fail(call, GANTRY_E_INVALID, "count", "registers end at 0xFFFF; at most 125 a read");
  else if (!line)
    rpc_fail(call, GANTRY_E_NOT_FOUND, "port", "there is no line %u", port);
  else if (robot_may_move(&bridge->robot) && line == bridge->lines && read->count > MOVING_READ_MAX)
    rpc_fail(call, GANTRY_E_CONFLICT, "count",
             "at most %d registers a read while the robot moves: a stop waits for the answer",
             MOVING_READ_MAX);
  else {
    register_call_t *slot = bridge_register_begin(bridge, call, line, read->address, CALL_WORDS);
    if (slot) bridge_register_submit(bridge, slot, &job);
  }
}

/* ---- writing */

static void refuse(bridge_t *bridge, rpc_context_t *call, gantry_err_t err, const char *field,
                   const char *why) {
  bridge_register_record(bridge, call, false, "refused: %s", why);
  rpc_fail(call, err, field, "%s", why);
}

static bool is_well_formed(rpc_context_t *call, const robot_register_write_t *write) {
  if (write->has_name == write->has_register) {
    rpc_fail(call, GANTRY_E_INVALID, "name", "give either name or register");
    return false;
  }
  if (write->has_value != write->has_raw) return true;
  rpc_fail(call, GANTRY_E_INVALID, "value", "give either value or raw");
  return false;
}

static gantry_err_t error_of(register_verdict_t verdict) {
  if (verdict == REGISTER_ROLE) return GANTRY_E_FORBIDDEN;
  return verdict == REGISTER_RANGE ? GANTRY_E_INVALID : GANTRY_E_REFUSED;
}

/* A motor whose rate or mode changes on the way may not hear the stop. */
static bool must_stand(const bridge_t *bridge, const place_t *place, const register_row_t *row) {
  if (!robot_may_move(&bridge->robot)) return false;
  return row->access != REGISTER_USER || place->unit == bridge_unit(bridge, "travel_motor");
}

/* Everything that can be known before the line is touched. */
static bool may_write(bridge_t *bridge, rpc_context_t *call, const robot_register_write_t *write,
                      const place_t *place, const register_module_t *module,
                      const register_row_t *row, int64_t *raw) {
  char why[160];
  const register_wish_t wish = {.access = (register_access_t)write->access,
                                .safety = write->safety,
                                .scaled = write->has_value,
                                .value = write->value,
                                .raw = write->raw};
  register_verdict_t verdict = register_judge(module, row, &wish, raw, why, sizeof why);
  if (verdict != REGISTER_FINE) {
    refuse(bridge, call, error_of(verdict), verdict == REGISTER_RANGE ? "value" : "name", why);
    return false;
  }
  if (place->line->number != 1) return true;
  if (!mode_allows(bridge->commands.mode, MODE_WRITE)) {
    (void)snprintf(why, sizeof why,
                   "mode %s takes no registers by hand; change it to manual or maintenance",
                   mode_name(bridge->commands.mode));
    refuse(bridge, call, GANTRY_E_CONFLICT, "", why);
    return false;
  }
  bool own = motors_owns(&bridge->wiring, place->unit, row);
  if (!own && !must_stand(bridge, place, row)) return true;
  (void)snprintf(why, sizeof why,
                 own ? "%s is the bridge's own; drive by robot.drive or robot.command"
                     : "%s is not written while the robot moves; stop it first",
                 row->name);
  refuse(bridge, call, own ? GANTRY_E_REFUSED : GANTRY_E_CONFLICT, "name", why);
  return false;
}

void on_register_write(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_register_write_t *write = takes;
  const register_module_t *module;
  int64_t raw = 0;
  uint16_t words[2];
  place_t place;
  if (!is_well_formed(call, write)) return;
  if (!find_place(bridge, call, write->address, write->has_port ? write->port : 1, &place)) return;
  const register_row_t *row =
      find_row(&place, write->has_name ? write->name : NULL, write->register_, &module);
  if (!row) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, write->has_name ? "name" : "register",
             "the profile %s has no such register at 0x%02X", place.line->cfg.profile->name,
             write->address);
    return;
  }
  if (!may_write(bridge, call, write, &place, module, row, &raw)) return;
  register_call_t *slot =
      bridge_register_begin(bridge, call, place.line, write->address, CALL_WRITE);
  if (!slot) return;
  slot->row = row;
  slot->raw = raw;
  registers_words(row, raw, words);
  job_t job = {.function = row->words == 1 ? LINE_WRITE_ONE : LINE_WRITE_MANY,
               .first = row->address,
               .count = row->words,
               .values = {words[0], words[1]},
               .retries = row->flags & REGISTER_ONCE ? 0 : 1};
  bridge_register_submit(bridge, slot, &job);
}
