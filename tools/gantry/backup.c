/* gantry backup and restore. */
#include <backup.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "store_args.h"

#define POLL_MS 200u

static const char BACKUP_HELP[] =
    "Usage: gantry backup FILE [--key FILE] [--bus BASE | --data DIR | --db FILE | --dsn DSN |\n"
    "                     --dsn-file FILE]\n"
    "Writes FILE and FILE.manifest while everything goes on. Storage does it; with --data, --db or "
    "--dsn\n"
    "this program itself. --key seals it: a file with 64 hex digits (`openssl rand -hex 32`), mode "
    "600.\n"
    "Ctrl-C leaves no half file.\n";
static const char RESTORE_HELP[] = "Usage: gantry restore FILE [--key FILE] [--data DIR | --db "
                                   "FILE | --dsn DSN | --dsn-file FILE]\n"
                                   "Puts a backup in place of the database: checks its sum, then "
                                   "its integrity, then exchanges. Storage\n"
                                   "must be stopped. The old database stays aside: "
                                   "DATABASE.before-restore, on a server as schema\n"
                                   "before_restore.\n";

/* The service has another working folder. */
static bool make_absolute(const char *path, char *out, size_t size) {
  char folder[1024];
  if (path[0] == '/') return (size_t)snprintf(out, size, "%s", path) < size;
  if (!getcwd(folder, sizeof folder)) return false;
  return (size_t)snprintf(out, size, "%s/%s", folder, path) < size;
}

static int print_done(const char *file, uint64_t bytes, const char *sha256) {
  printf("%s: %llu bytes, sha256 %s\n", file, (unsigned long long)bytes, sha256);
  return 0;
}

/* Follows the backup that storage makes; Ctrl-C ends it there too. */
static int follow(const store_args_t *args, ask_t *ask_, const progress_t *progress) {
  store_backup_state_t state = {.running = true};
  const sys_empty_t nothing = {0};
  bool stopping = false;
  while (state.running) {
    if (!ask(ask_, REQUEST_STORE_BACKUP_STATE, &nothing, &state)) return STORE_FAILED;
    (void)progress->tell(progress->arg, state.step, state.done, state.total);
    if (state.running && !stopping && !ask_pause(ask_, POLL_MS)) {
      stopping = true;
      if (!ask(ask_, REQUEST_STORE_BACKUP_CANCEL, &nothing, &state)) return STORE_FAILED;
    }
  }
  ask_progress("%s", "");
  if (!state.failed[0]) return print_done(state.file, state.bytes, state.sha256);
  fprintf(stderr, "gantry %s: %s\n", args->name, state.failed);
  return stopping ? STORE_INTERRUPTED : STORE_FAILED;
}

static int backup_by_bus(store_args_t *args, const progress_t *progress) {
  store_backup_t wanted = {0};
  store_backup_state_t state;
  ask_t ask_ = {.name = args->name, .help = args->help};
  if (!make_absolute(args->words[0], wanted.file, sizeof wanted.file) ||
      (args->key && !make_absolute(args->key, wanted.key_file, sizeof wanted.key_file)))
    return store_args_wrong(args, "that path is too long.");
  if (!session_open(&ask_.session, args->bus)) return STORE_SETTINGS;
  int code = STORE_FAILED;
  if (ask(&ask_, REQUEST_STORE_BACKUP, &wanted, &state)) code = follow(args, &ask_, progress);
  session_close(&ask_.session);
  return code;
}

static backup_order_t order_of(const store_args_t *args) {
  return (backup_order_t){.kind = args->kind,
                          .database = args->place,
                          .file = args->words[0],
                          .key_file = args->key ? args->key : "",
                          .now_ns = clock_wall_ns()};
}

static int backup_directly(store_args_t *args, const progress_t *progress) {
  gantry_fault_t fault = {0};
  store_backup_manifest_t manifest;
  if (store_args_find(args, false, &fault) != GANTRY_OK) return store_args_failed(args, &fault);
  backup_order_t order = order_of(args);
  if (backup_make(&order, progress, &manifest, &fault) != GANTRY_OK)
    return store_args_failed(args, &fault);
  ask_progress("%s", "");
  return print_done(order.file, manifest.bytes, manifest.sha256);
}

int command_backup(int argc, char **argv) {
  store_args_t args = {.name = "backup", .help = BACKUP_HELP};
  int code = store_args_parse(&args, argc, argv);
  if (code >= 0) return code;
  if (args.count != 1) return store_args_wrong(&args, "give one file.");
  progress_t progress = store_args_progress();
  return (store_args_direct(&args) ? backup_directly : backup_by_bus)(&args, &progress);
}

int command_restore(int argc, char **argv) {
  store_args_t args = {.name = "restore", .help = RESTORE_HELP};
  gantry_fault_t fault = {0};
  char aside[BACKUP_PATH_MAX];
  int code = store_args_parse(&args, argc, argv);
  if (code >= 0) return code;
  if (args.count != 1) return store_args_wrong(&args, "give one file.");
  if (store_args_find(&args, true, &fault) != GANTRY_OK) return store_args_failed(&args, &fault);
  backup_order_t order = order_of(&args);
  progress_t progress = store_args_progress();
  if (backup_restore(&order, &progress, aside, &fault) != GANTRY_OK)
    return store_args_failed(&args, &fault);
  ask_progress("%s", "");
  if (aside[0])
    printf("restored; what was there is now %s\n", aside);
  else
    puts("restored");
  return 0;
}
