/* gantry registers: what a module's profile names, read and written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <messages.h>

#include "ask.h"
#include "commands.h"

static const char HELP[] =
    "Usage: gantry registers MODULE                 all, as polled last\n"
    "       gantry registers MODULE NAME            one, read from the line now\n"
    "       gantry registers MODULE NAME VALUE      write it, and read it back\n"
    "MODULE is an address (3, 0x03) or a name (safety), NAME a register's name or address "
    "(0x7002).\n"
    "VALUE is in the register's unit, or with --raw the number on the line; one below 0 goes "
    "behind `--`.\n"
    "Whoever has the bus writes as admin; a register of safety needs --safety as well.\n"
    "Takes --port N, --json and --bus BASE.\n";

static void print_head(void) {
  printf("%-7s %-22s %14s %-6s %12s %-3s %-6s %-22s %s\n", "ADDR", "NAME", "VALUE", "UNIT", "RAW",
         "R/W", "ACCESS", "RANGE", "AGE s");
}

static void print_register(const robot_register_value_t *row) {
  char value[24] = "-", raw[24] = "-", range[48] = "-", age[16] = "-";

  if (row->has_value) snprintf(value, sizeof value, "%.6g", row->value);
  if (row->has_text) snprintf(value, sizeof value, "\"%s\"", row->text);
  if (row->has_raw) snprintf(raw, sizeof raw, "%lld", (long long)row->raw);
  if (row->has_min && row->has_max)
    snprintf(range, sizeof range, "%g to %g", row->min, row->max);
  else if (row->has_max)
    snprintf(range, sizeof range, "up to %g", row->max);
  else if (row->has_min)
    snprintf(range, sizeof range, "from %g", row->min);
  if (row->has_age) snprintf(age, sizeof age, "%.2f", row->age);
  printf("0x%04X  %-22s %14s %-6s %12s %-3s %-6s %-22s %s%s\n", row->register_, row->name, value,
         row->unit, raw, row->readable ? (row->writable ? "rw" : "r") : "w",
         row->writable ? desc_enum_text(&ROBOT_REGISTER_ACCESS_ENUM, (int)row->access) : "-", range,
         age, row->safety ? "  safety" : "");
}

static bool read_all(ask_t *asked, uint8_t address, uint8_t port, const char *name,
                     robot_register_values_t *values) {
  robot_registers_of_t of = {
      .address = address, .has_port = port != 0, .port = port, .has_name = name != NULL};

  if (name) snprintf(of.name, sizeof of.name, "%s", name);
  return ask(asked, REQUEST_ROBOT_REGISTERS, &of, values);
}

static bool is_address(const char *text, long *out) {
  char *end;

  *out = strtol(text, &end, 0);
  return end != text && !*end;
}

/* The name of the register at an address, as the profile has it; NULL after a complaint. */
static const char *name_at(ask_t *asked, const robot_register_values_t *values, long at) {
  for (uint32_t i = 0; i < values->values_count; i++) {
    if (values->values[i].register_ == at) return values->values[i].name;
  }
  ask_wrong(asked, "the profile of %s has no register at 0x%04lX.", values->module, at);
  return NULL;
}

static int show(ask_t *asked, uint8_t address, uint8_t port) {
  static robot_register_values_t values; /* too large for the stack */
  const char *name = asked->count > 1 ? asked->words[1] : NULL;
  char found[sizeof values.values[0].name];
  long at;

  if (name && is_address(name, &at)) {
    if (!read_all(asked, address, port, NULL, &values)) return 1;
    name = name_at(asked, &values, at);
    if (!name) return ASK_USAGE;
    snprintf(found, sizeof found, "%s", name);
    name = found;
  }
  if (!read_all(asked, address, port, name, &values)) return 1;
  if (asked->json) {
    ask_print(&ROBOT_REGISTER_VALUES_DESC, &values);
    return 0;
  }
  printf("%s at 0x%02X on line %u\n", values.module, values.address, values.port);
  print_head();
  for (uint32_t i = 0; i < values.values_count; i++)
    print_register(&values.values[i]);
  return 0;
}

static int write_one(ask_t *asked, uint8_t address, uint8_t port) {
  robot_register_write_t write = {.address = address,
                                  .has_port = port != 0,
                                  .port = port,
                                  .access = ROBOT_REGISTER_ACCESS_ADMIN,
                                  .safety = asked->safety};
  robot_register_value_t back;
  long at, raw = 0;

  write.has_register = is_address(asked->words[1], &at);
  write.has_name = !write.has_register;
  if (write.has_register && !ask_whole(asked, "NAME", asked->words[1], 0, 0xFFFF, &at))
    return ASK_USAGE;
  write.register_ = (uint16_t)(write.has_register ? at : 0);
  if (write.has_name) snprintf(write.name, sizeof write.name, "%s", asked->words[1]);
  write.has_raw = asked->raw;
  write.has_value = !asked->raw;
  if (asked->raw ? !ask_whole(asked, "VALUE", asked->words[2], INT32_MIN, UINT32_MAX, &raw)
                 : !ask_number(asked, "VALUE", asked->words[2], -1e12, 1e12, &write.value)) {
    return ASK_USAGE;
  }
  write.raw = raw;
  if (!ask(asked, REQUEST_ROBOT_REGISTER_WRITE, &write, &back)) return 1;
  if (asked->json) {
    ask_print(&ROBOT_REGISTER_VALUE_DESC, &back);
    return 0;
  }
  print_head();
  print_register(&back);
  return 0;
}

int command_registers(int argc, char **argv) {
  ask_t asked = {.name = "registers", .help = HELP};
  uint8_t address, port;
  int code = ask_parse(&asked, argc, argv, "jpry");

  if (code >= 0) return code;
  if (asked.count < 1 || asked.count > 3)
    return ask_wrong(&asked, "it takes a module, a register and a value at most.");
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  if (!ask_module(&asked, asked.words[0], &address, &port))
    code = ASK_USAGE;
  else
    code = asked.count == 3 ? write_one(&asked, address, port) : show(&asked, address, port);
  session_close(&asked.session);
  return code;
}
