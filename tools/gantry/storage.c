/* gantry storage: what is kept, how full the disk is, what happens by itself. */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"

#define WATCH_MS 2000

static const char HELP[] =
    "Usage: gantry storage [--json] [--watch] [--bus BASE]\n"
    "       gantry storage pin SESSION | unpin SESSION\n"
    "Shows what storage keeps, how full its disk is, what lifecycle does, how far outboxes have\n"
    "delivered. A pinned session is never deleted by age nor to make room. `+` stands behind a "
    "count\n"
    "that was ended early.\n";

static const char *bytes_text(uint64_t bytes, char *out, size_t size) {
  static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = (double)bytes;
  size_t unit = 0;
  for (; value >= 1024 && unit < 4; unit++)
    value /= 1024;
  snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, UNITS[unit]);
  return out;
}

static void print_disk(const store_state_t *state) {
  char size[32], free_size[32], room[32], all[32];
  printf("%s, schema %u: %s", state->backend, state->schema_version,
         bytes_text(state->database_bytes, size, sizeof size));
  if (state->free_bytes)
    printf(", %s of it free", bytes_text(state->free_bytes, free_size, sizeof free_size));
  printf("\ndisk       %s", desc_enum_text(&STORE_DISK_LEVEL_ENUM, (int)state->disk_level));
  if (state->has_disk_bytes)
    printf(", %.1f %% used, room for %s of %s", state->disk_used,
           bytes_text(state->disk_room, room, sizeof room),
           bytes_text(state->disk_bytes, all, sizeof all));
  else
    printf(", not watched (disk_folder)");
  printf("\n");
}

static void print_lifecycle(const store_state_t *state) {
  char passed[32], last[32], next[32];
  printf("lifecycle  %s%s%s, deleted %llu, purged %llu rows, last pass %s, longest step %.1f ms\n",
         desc_enum_text(&STORE_LIFECYCLE_PHASE_ENUM, (int)state->phase),
         state->phase_table[0] ? " " : "", state->phase_table, (unsigned long long)state->deleted,
         (unsigned long long)state->purged,
         ask_time_text(state->has_passed, state->passed, passed, sizeof passed), state->step_max);
  printf("sessions   %llu, %llu of them pinned\n", (unsigned long long)state->sessions,
         (unsigned long long)state->pinned);
  printf("backup     last %s %s, next %s%s%s\n",
         ask_time_text(state->has_backup_last, state->backup_last, last, sizeof last),
         state->backup_file,
         ask_time_text(state->has_backup_next, state->backup_next, next, sizeof next),
         state->backup_fault[0] ? ", failed: " : "", state->backup_fault);
}

static void print_tables(const store_state_t *state) {
  char size[32], oldest[32], newest[32];
  printf("\n%-16s %12s %11s  %-20s  %s\n", "table", "rows", "size", "oldest", "newest");
  for (uint32_t i = 0; i < state->tables_count; i++) {
    const store_table_state_t *table = &state->tables[i];
    printf("%-16s %11llu%s %11s  %-20s  %s\n", table->name, (unsigned long long)table->rows,
           table->exact ? " " : "+",
           table->has_bytes ? bytes_text(table->bytes, size, sizeof size) : "-",
           ask_time_text(table->has_oldest, table->oldest, oldest, sizeof oldest),
           ask_time_text(table->has_newest, table->newest, newest, sizeof newest));
  }
  printf("\n%-16s %12s %11s  %-20s  %s\n", "readings of", "readings", "sensors", "oldest",
         "newest");
  for (uint32_t i = 0; i < state->groups_count; i++) {
    const store_series_state_t *group = &state->groups[i];
    printf("%-16s %11llu  %11u  %-20s  %s\n", group->type, (unsigned long long)group->readings,
           group->series, ask_time_text(group->has_oldest, group->oldest, oldest, sizeof oldest),
           ask_time_text(group->has_newest, group->newest, newest, sizeof newest));
  }
}

static void print_marks(const store_state_t *state) {
  char updated[32];
  if (state->marks_count) printf("\n%-18s %14s  %s\n", "outbox of", "delivered to", "at");
  for (uint32_t i = 0; i < state->marks_count; i++) {
    const store_mark_state_t *mark = &state->marks[i];
    printf("%-18s %14llu  %s\n", mark->producer, (unsigned long long)mark->last,
           ask_time_text(true, mark->updated, updated, sizeof updated));
  }
}

static int show(ask_t *asked) {
  static const sys_empty_t NOTHING = {0};
  store_state_t state;
  do {
    if (!ask(asked, REQUEST_STORE_STATE, &NOTHING, &state)) return 1;
    if (asked->json) {
      ask_print(&STORE_STATE_DESC, &state);
      continue;
    }
    if (asked->watch) printf("\033[H\033[J");
    print_disk(&state);
    print_lifecycle(&state);
    print_tables(&state);
    print_marks(&state);
  } while (asked->watch && ask_pause(asked, WATCH_MS));
  return 0;
}

static int pin(ask_t *asked, bool pinned) {
  store_pin_t takes = {.pinned = pinned}, gives;
  if (asked->count != 2) return ask_wrong(asked, "say which session.");
  if (strlen(asked->words[1]) >= sizeof takes.session)
    return ask_wrong(asked, "a session's id has at most %zu characters.", sizeof takes.session - 1);
  snprintf(takes.session, sizeof takes.session, "%s", asked->words[1]);
  if (!ask(asked, REQUEST_STORE_PIN, &takes, &gives)) return 1;
  printf("%s %s\n", gives.session,
         gives.pinned ? "is pinned" : "may be deleted when its age comes");
  return 0;
}

int command_storage(int argc, char **argv) {
  ask_t asked = {.name = "storage", .help = HELP};
  int code = ask_parse(&asked, argc, argv, "jw");
  if (code >= 0) return code;
  const char *verb = asked.count ? asked.words[0] : "";
  bool pins = strcmp(verb, "pin") == 0, unpins = strcmp(verb, "unpin") == 0;
  if (verb[0] && !pins && !unpins)
    return ask_wrong(&asked, "there is no '%s': pin or unpin.", verb);
  if (!session_open(&asked.session, asked.base)) return ASK_SETTINGS;
  code = verb[0] ? pin(&asked, pins) : show(&asked);
  session_close(&asked.session);
  return code;
}
