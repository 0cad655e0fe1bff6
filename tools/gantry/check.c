/* gantry check: whether a database is sound, check by check. */
#include <check.h>
#include <migrate.h>
#include <stdio.h>

#include "ask.h"
#include "commands.h"
#include "store_args.h"

static const char HELP[] =
    "Usage: gantry check [--data DIR | --db FILE | --dsn DSN | --dsn-file FILE]\n"
    "Looks at a database, also while storage runs: every page, references, the audit chain, "
    "settings,\n"
    "maps, and roll-ups and sessions against readings. Changes nothing. Exit 0 sound, 1 not.\n";

static int run_all(const store_args_t *args, db_t *db) {
  progress_t progress = store_args_progress();
  int code = 0;
  for (uint32_t i = 0; i < CHECK_COUNT; i++) {
    gantry_fault_t fault = {0};
    gantry_err_t err = CHECKS[i].run(db, &progress, &fault);
    ask_progress("%s", "");
    if (err == GANTRY_E_REFUSED) return store_args_failed(args, &fault);
    if (err != GANTRY_OK) code = STORE_FAILED;
    printf("%-12s %s%s%s%s\n", CHECKS[i].name, err == GANTRY_OK ? "ok" : "BROKEN ", fault.field,
           fault.field[0] ? ": " : "", fault.detail);
    fflush(stdout);
  }
  return code;
}

int command_check(int argc, char **argv) {
  store_args_t args = {.name = "check", .help = HELP};
  gantry_fault_t fault = {0};
  db_t *db = NULL;
  int code = store_args_parse(&args, argc, argv);
  if (code >= 0) return code;
  if (args.count > 0) return store_args_wrong(&args, "`%s` is too much.", args.words[0]);
  gantry_err_t err = store_args_find(&args, false, &fault);
  if (err == GANTRY_OK) err = store_args_open(&args, &db, &fault);
  if (err == GANTRY_OK)
    err = migrate_check(db, args.kind == DB_PG ? "the server's database" : args.place,
                        migrations_of(args.kind), &fault);
  if (err == GANTRY_OK && db_begin_read(db) != GANTRY_OK)
    err = fault_set(&fault, GANTRY_E_UNAVAILABLE, "database", "%s", db_message(db));
  if (err == GANTRY_OK) {
    code = run_all(&args, db);
    db_rollback(db);
  } else {
    code = store_args_failed(&args, &fault);
  }
  db_close(&db);
  return code;
}
