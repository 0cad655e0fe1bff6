/* gantry modules, gantry lines: what hangs on the RS485 lines and how it goes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <messages.h>

#include "ask.h"
#include "commands.h"

static const char MODULES_HELP[] =
    "Usage: gantry modules [--watch]\n"
    "       gantry modules ping|reset|quarantine|release MODULE [--port N]\n"
    "Prints every module that the bridge knows, with its statistics; or does something to one.\n"
    "MODULE is an address (3, 0x03) or a name (safety). Both take --json and --bus BASE.\n";

static const char LINES_HELP[] = "Usage: gantry lines [--watch]\n"
                                 "       gantry lines restart [LINE]\n"
                                 "Prints every RS485 line: how busy it is and how its requests "
                                 "end; or closes a line's device and "
                                 "opens\nit again. Both take --json and --bus "
                                 "BASE.\n";

static const sys_empty_t NOTHING = {0};

static void print_note(const robot_module_t *module) {
  if (module->has_conflict && module->conflict) printf("  claims 0x%02X", module->conflict);
  if (module->has_quarantined && module->quarantined) printf("  quarantined");
  if (module->has_absent && module->absent) printf("  absent");
  if (module->mandatory) printf("  mandatory");
  putchar('\n');
}

static void print_modules(const robot_modules_t *modules) {
  printf("%4s %-5s %-13s %-11s %7s %8s %8s %10s %9s  %s\n", "LINE", "ADDR", "NAME", "STATUS",
         "HEALTH", "MEAN ms", "P95 ms", "REQUESTS", "FAILURES", "FIRMWARE");
  for (uint32_t i = 0; i < modules->modules_count; i++) {
    const robot_module_t *module = &modules->modules[i];
    printf("%4u 0x%02X  %-13s %-11s %5.0f %% %8.2f", module->has_port ? module->port : 1,
           module->address, module->name,
           desc_enum_text(&ROBOT_MODULE_STATUS_ENUM, (int)module->status), module->health,
           module->response_ms);
    if (module->has_response_p95_ms)
      printf(" %8.2f", module->response_p95_ms);
    else
      printf(" %8s", "-");
    printf(" %10llu %9llu  %-7s", (unsigned long long)module->requests,
           (unsigned long long)module->failures, module->firmware);
    print_note(module);
  }
}

static void print_lines(const robot_lines_t *lines) {
  printf("%4s %-22s %-6s %7s %6s %6s %8s %9s %9s %8s %8s  %s\n", "LINE", "DEVICE", "STATE", "BAUD",
         "PLAN", "USED", "PER s", "REQUESTS", "FAILURES", "FOREIGN", "P95 ms", "MODULES");
  for (uint32_t i = 0; i < lines->lines_count; i++) {
    const robot_line_t *line = &lines->lines[i];
    printf("%4u %-22s %-6s %7u %4.0f %% %4.0f %% %8.1f %9llu %9llu %8llu %8.2f  %u of %u%s%s\n",
           line->port, line->path, line->open ? "open" : "closed", line->baud, line->load * 100,
           line->utilisation * 100, line->transactions, (unsigned long long)line->requests,
           (unsigned long long)line->failures, (unsigned long long)line->foreign,
           line->response_p95_ms, line->online, line->modules, line->detail[0] ? "  " : "",
           line->detail);
  }
}

/* A table that is watched stays in place on a terminal. */
static void place(const ask_t *asked) {
  if (asked->watch && !asked->json && isatty(STDOUT_FILENO)) fputs("\033[H\033[J", stdout);
}

static int show_modules(ask_t *asked) {
  robot_modules_t modules;

  do {
    if (!ask(asked, REQUEST_ROBOT_MODULES, &NOTHING, &modules)) return 1;
    place(asked);
    if (asked->json)
      ask_print(&ROBOT_MODULES_DESC, &modules);
    else
      print_modules(&modules);
    fflush(stdout);
  } while (asked->watch && ask_pause(asked, 1000));
  return asked->watch ? ASK_INTERRUPTED : 0;
}

static int show_lines(ask_t *asked) {
  robot_lines_t lines;

  do {
    if (!ask(asked, REQUEST_ROBOT_LINES, &NOTHING, &lines)) return 1;
    place(asked);
    if (asked->json)
      ask_print(&ROBOT_LINES_DESC, &lines);
    else
      print_lines(&lines);
    fflush(stdout);
  } while (asked->watch && ask_pause(asked, 1000));
  return asked->watch ? ASK_INTERRUPTED : 0;
}

static int act(ask_t *asked) {
  robot_module_do_t what = {0};
  robot_module_t module;
  int value = desc_enum_value(&ROBOT_MODULE_ACT_ENUM, asked->words[0], strlen(asked->words[0]));

  if (value < 0 || asked->count != 2)
    return ask_wrong(asked, "it takes ping, reset, quarantine or release, and a module.");
  what.act = (robot_module_act_t)value;
  if (!ask_module(asked, asked->words[1], &what.address, &what.port)) return ASK_USAGE;
  what.has_port = what.port != 0;
  if (!ask(asked, REQUEST_ROBOT_MODULE_DO, &what, &module)) return 1;
  if (asked->json) {
    ask_print(&ROBOT_MODULE_DESC, &module);
    return 0;
  }
  printf("%s at 0x%02X is %s, health %.0f %%, %.2f ms\n", module.name, module.address,
         desc_enum_text(&ROBOT_MODULE_STATUS_ENUM, (int)module.status), module.health,
         module.response_ms);
  return 0;
}

int command_modules(int argc, char **argv) {
  ask_t asked = {.name = "modules", .help = MODULES_HELP};
  int code = ask_parse(&asked, argc, argv, "jwp");

  if (code >= 0) return code;
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = asked.count ? act(&asked) : show_modules(&asked);
  session_close(&asked.session);
  return code;
}

static int restart(ask_t *asked) {
  robot_line_of_t of = {.has_port = true};
  sys_empty_t nothing;
  long port = 1;

  if (strcmp(asked->words[0], "restart") != 0 || asked->count > 2)
    return ask_wrong(asked, "it takes `restart` and the number of a line.");
  if (asked->count == 2 && !ask_whole(asked, "LINE", asked->words[1], 1, 32, &port))
    return ASK_USAGE;
  of.port = (uint8_t)port;
  if (!ask(asked, REQUEST_ROBOT_LINE_RESTART, &of, &nothing)) return 1;
  if (!asked->json) printf("Line %ld is open again.\n", port);
  return 0;
}

int command_lines(int argc, char **argv) {
  ask_t asked = {.name = "lines", .help = LINES_HELP};
  int code = ask_parse(&asked, argc, argv, "jw");

  if (code >= 0) return code;
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = asked.count ? restart(&asked) : show_lines(&asked);
  session_close(&asked.session);
  return code;
}
