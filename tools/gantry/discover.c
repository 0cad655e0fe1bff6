/* gantry discover: looks for modules, and says how far it is. */
#include <stdio.h>

#include <messages.h>

#include "ask.h"
#include "commands.h"

static const char HELP[] =
    "Usage: gantry discover [--first N] [--last N] [--port N]\n"
    "Asks every address on the RS485 lines (or those from --first to --last, or one line) who is "
    "there,\nshows the progress on a terminal and prints what answered. Ctrl-C stops the search.\n"
    "Takes --json and --bus BASE. Exit code: 0 done, 1 refused or failed, 130 interrupted.\n";

static const uint32_t POLL_MS = 150;

static bool steer(ask_t *asked, const robot_discovery_set_t *set, robot_discovery_t *out) {
  return ask(asked, REQUEST_ROBOT_DISCOVERY, set, out);
}

static bool goes_on(const robot_discovery_t *search) {
  return search->state == ROBOT_DISCOVERY_STATE_RUNNING ||
         search->state == ROBOT_DISCOVERY_STATE_PAUSED;
}

static void print_found(const ask_t *asked, const robot_discovery_t *search) {
  if (asked->json) {
    ask_print(&ROBOT_DISCOVERY_DESC, search);
    return;
  }
  printf("%s: %u modules answered%s%s\n",
         desc_enum_text(&ROBOT_DISCOVERY_STATE_ENUM, (int)search->state), search->found,
         search->detail[0] ? "; " : "", search->detail);
  for (uint32_t i = 0; i < search->conflicts_count; i++)
    printf("conflict: the module at 0x%02X claims another address\n", search->conflicts[i]);
  puts("`gantry modules` lists them.");
}

static int search(ask_t *asked, const robot_discovery_set_t *start) {
  robot_discovery_t search;

  if (!steer(asked, start, &search)) return 1;
  while (goes_on(&search)) {
    ask_progress("%s %3.0f %%  asking 0x%02X, %u found",
                 desc_enum_text(&ROBOT_DISCOVERY_STATE_ENUM, (int)search.state),
                 search.progress * 100, search.address, search.found);
    if (!ask_pause(asked, POLL_MS)) {
      ask_progress("%s", "");
      fputs("gantry discover: interrupted; the search is stopped.\n", stderr);
      (void)steer(asked, &(robot_discovery_set_t){.action = ROBOT_DISCOVERY_ACTION_STOP}, &search);
      return ASK_INTERRUPTED;
    }
    if (!steer(asked, &(robot_discovery_set_t){.action = ROBOT_DISCOVERY_ACTION_STATUS}, &search))
      return 1;
  }
  ask_progress("%s", "");
  print_found(asked, &search);
  return search.state == ROBOT_DISCOVERY_STATE_DONE ? 0 : 1;
}

int command_discover(int argc, char **argv) {
  ask_t asked = {.name = "discover", .help = HELP};
  long first = 1, last = 247, port = 1;
  int code = ask_parse(&asked, argc, argv, "jpfl");

  if (code >= 0) return code;
  if (asked.count) return ask_wrong(&asked, "`%s` is too much.", asked.words[0]);
  if (!ask_whole(&asked, "--first", asked.first, 1, 247, &first) ||
      !ask_whole(&asked, "--last", asked.last, 1, 247, &last) ||
      !ask_whole(&asked, "--port", asked.port, 1, 32, &port)) {
    return ASK_USAGE;
  }
  if (first > last) return ask_wrong(&asked, "--first lies behind --last.");
  robot_discovery_set_t start = {.action = ROBOT_DISCOVERY_ACTION_START,
                                 .has_port = asked.port != NULL,
                                 .port = (uint8_t)port,
                                 .has_first = asked.first != NULL,
                                 .first = (uint8_t)first,
                                 .has_last = asked.last != NULL,
                                 .last = (uint8_t)last};
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = search(&asked, &start);
  session_close(&asked.session);
  return code;
}
