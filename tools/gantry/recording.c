/* gantry session: recording sessions. */
#include "recording.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"

#define LIST_ROWS 50

static const char HELP[] = "Usage: gantry session [list] [--state STATE] [--json] [--bus BASE]\n"
                           "       gantry session show SESSION          its sensors in figures; "
                           "`last`: the newest session\n"
                           "       gantry session start [NAME] [--description TEXT] [--sensor ID]\n"
                           "       gantry session stop\n"
                           "       gantry session export SESSION FILE [--format "
                           "csv|csv_wide|jsonl|mcap] [--sensor ID] [--resume]\n"
                           "       gantry session delete SESSION        with its readings\n"
                           "       gantry session pin SESSION | unpin SESSION\n"
                           "A session that is pinned is not deleted by age. An export is written "
                           "to FILE.part; when it was\n"
                           "interrupted, --resume goes on where it ended. Without --format the end "
                           "of FILE says what it is\n"
                           "to look like.\n";

/* ---- words */

static bool get_list(ask_t *asked, uint32_t limit, session_list_t *out) {
  session_list_get_t get = {.limit = limit};
  if (asked->state) {
    int state = desc_enum_value(&SESSION_STATE_ENUM, asked->state, strlen(asked->state));
    if (state < 0)
      return ask_wrong(asked, "--state is recording, stopped or discarded, not `%s`.",
                       asked->state) == 0;
    get.has_state = true;
    get.state = (session_state_t)state;
  }
  return ask(asked, REQUEST_SESSION_LIST, &get, out);
}

bool recording_find(ask_t *asked, const char *word, char *out, size_t size) {
  static session_list_t newest;
  if (strcmp(word, "last") == 0) {
    if (!get_list(asked, 1, &newest)) return false;
    if (newest.rows_count == 0) return ask_wrong(asked, "nothing was recorded yet.") == 0;
    word = newest.rows[0].session.session;
  }
  if ((size_t)snprintf(out, size, "%s", word) < size) return true;
  return ask_wrong(asked, "`%s` is too long for a session's id.", word) == 0;
}

static bool key_of(ask_t *asked, session_key_t *out) {
  *out = (session_key_t){0};
  return recording_find(asked, asked->words[1], out->session, sizeof out->session);
}

/* ---- verbs */

static int list(ask_t *asked) {
  static session_list_t all;
  char begun[32];
  if (!get_list(asked, LIST_ROWS, &all)) return 1;
  if (asked->json) ask_print(REQUEST_SESSION_LIST->gives, &all);
  if (asked->json) return 0;
  printf("%-36s  %-9s  %-20s  %10s  %8s  %s\n", "session", "state", "begun", "readings", "findings",
         "name");
  for (uint32_t i = 0; i < all.rows_count; i++) {
    const session_row_t *row = &all.rows[i];
    printf("%-36s  %-9s  %-20s  %10llu  %8llu  %s%s\n", row->session.session,
           desc_enum_text(&SESSION_STATE_ENUM, (int)row->session.state),
           ask_time_text(row->session.has_started, row->session.started, begun, sizeof begun),
           (unsigned long long)row->readings, (unsigned long long)row->findings, row->session.name,
           row->pinned ? " (pinned)" : "");
  }
  if (all.cursor[0]) printf("and older ones; %llu in all\n", (unsigned long long)all.total);
  return 0;
}

static const char *number_text(bool given, double value, char *out, size_t size) {
  snprintf(out, size, given ? "%.6g" : "-", value);
  return out;
}

static void print_sensor(const session_sensor_summary_t *sensor) {
  char texts[7][24];
  printf("%-20s %-12s %10llu %6llu %6llu %8llu %5llu", sensor->sensor, sensor->type,
         (unsigned long long)sensor->readings, (unsigned long long)sensor->warnings,
         (unsigned long long)sensor->errors, (unsigned long long)sensor->missing,
         (unsigned long long)sensor->gaps);
  printf(" %10s %10s %10s %10s %10s %10s %s\n",
         number_text(sensor->has_mean, sensor->mean, texts[0], sizeof texts[0]),
         number_text(sensor->has_deviation, sensor->deviation, texts[1], sizeof texts[1]),
         number_text(sensor->has_min, sensor->min, texts[2], sizeof texts[2]),
         number_text(sensor->has_p50, sensor->p50, texts[3], sizeof texts[3]),
         number_text(sensor->has_p95, sensor->p95, texts[4], sizeof texts[4]),
         number_text(sensor->has_max, sensor->max, texts[5], sizeof texts[5]), sensor->unit);
}

static int show(ask_t *asked) {
  static session_summary_t summary;
  session_key_t key;
  char begun[32], ended[32];
  if (!key_of(asked, &key) || !ask(asked, REQUEST_SESSION_SUMMARY, &key, &summary)) return 1;
  if (asked->json) ask_print(REQUEST_SESSION_SUMMARY->gives, &summary);
  if (asked->json) return 0;
  const session_session_t *session = &summary.row.session;
  printf("%s %s\n%s\n", session->session, session->name, session->description);
  printf("%s, begun %s by %s, ended %s, %llu readings, %llu findings%s\n\n",
         desc_enum_text(&SESSION_STATE_ENUM, (int)session->state),
         ask_time_text(session->has_started, session->started, begun, sizeof begun),
         session->started_by[0] ? session->started_by : "-",
         ask_time_text(session->has_stopped, session->stopped, ended, sizeof ended),
         (unsigned long long)summary.row.readings, (unsigned long long)summary.row.findings,
         summary.row.pinned ? ", pinned" : "");
  printf("%-20s %-12s %10s %6s %6s %8s %5s %10s %10s %10s %10s %10s %10s unit\n", "sensor", "type",
         "readings", "warned", "errors", "missing", "gaps", "mean", "deviation", "min", "median",
         "95 %", "max");
  for (uint32_t i = 0; i < summary.sensors_count; i++)
    print_sensor(&summary.sensors[i]);
  return 0;
}

static int start(ask_t *asked) {
  session_start_t start = {.has_name = asked->count > 1,
                           .has_description = asked->description != NULL,
                           .has_sensors = asked->sensor != NULL};
  session_session_t begun;
  const char *name = start.has_name ? asked->words[1] : "";
  const char *text = asked->description ? asked->description : "";
  if ((size_t)snprintf(start.name, sizeof start.name, "%s", name) >= sizeof start.name)
    return ask_wrong(asked, "a name has at most %zu bytes.", sizeof start.name - 1);
  if ((size_t)snprintf(start.description, sizeof start.description, "%s", text) >=
      sizeof start.description)
    return ask_wrong(asked, "a description has at most %zu bytes.", sizeof start.description - 1);
  if (asked->sensor) {
    start.sensors_count = 1;
    snprintf(start.sensors[0], sizeof start.sensors[0], "%s", asked->sensor);
  }
  if (!ask(asked, REQUEST_SESSION_START, &start, &begun)) return 1;
  puts(begun.session);
  return 0;
}

static int stop(ask_t *asked) {
  const sys_empty_t nothing = {0};
  session_status_t status;
  if (!ask(asked, REQUEST_SESSION_STOP, &nothing, &status)) return 1;
  printf("%s: %llu readings, %llu findings\n", status.session.session,
         (unsigned long long)status.readings, (unsigned long long)status.findings);
  return 0;
}

static int delete_session(ask_t *asked) {
  session_key_t key, gone;
  if (!key_of(asked, &key) || !ask(asked, REQUEST_SESSION_DELETE, &key, &gone)) return 1;
  printf("%s is deleted\n", gone.session);
  return 0;
}

static int pin(ask_t *asked) {
  store_pin_t takes = {.pinned = asked->words[0][0] == 'p'}, gives;
  if (!recording_find(asked, asked->words[1], takes.session, sizeof takes.session)) return 1;
  if (!ask(asked, REQUEST_STORE_PIN, &takes, &gives)) return 1;
  printf("%s %s\n", gives.session,
         gives.pinned ? "is pinned" : "may be deleted when its age comes");
  return 0;
}

typedef struct verb {
  const char *name;
  int least, most; /* words, with the verb itself */
  int (*run)(ask_t *asked);
} verb_t;

int command_session(int argc, char **argv) {
  static const verb_t VERBS[] = {{"list", 1, 1, list},
                                 {"show", 2, 2, show},
                                 {"start", 1, 2, start},
                                 {"stop", 1, 1, stop},
                                 {"export", 3, 3, recording_export},
                                 {"delete", 2, 2, delete_session},
                                 {"pin", 2, 2, pin},
                                 {"unpin", 2, 2, pin}};
  ask_t asked = {.name = "session", .help = HELP};
  const verb_t *verb = NULL;
  int code = ask_parse(&asked, argc, argv, "jFneDT");
  if (code >= 0) return code;
  if (asked.count == 0) asked.words[asked.count++] = "list";
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
    if (strcmp(VERBS[i].name, asked.words[0]) == 0) verb = &VERBS[i];
  if (!verb || asked.count < verb->least || asked.count > verb->most)
    return ask_wrong(&asked, "that is none of its forms.");
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = verb->run(&asked);
  session_close(&asked.session);
  return code;
}
