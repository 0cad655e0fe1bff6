/* gantry migrate: which migrations a database has, and bringing it up to date. */
#include <db_lock.h>
#include <gantry/clock.h>
#include <migrate.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "store_args.h"

static const char HELP[] =
    "Usage: gantry migrate status|up [--data DIR | --db FILE | --dsn DSN | --dsn-file FILE]\n"
    "status prints every migration and when it was applied; up applies what is missing.\n"
    "Storage itself does that at its start. A database of a newer program is refused (exit 78).\n";

typedef struct applied {
  uint64_t time_ns; /* 0: not applied */
  bool altered;
} applied_t;

enum { MIGRATIONS_MAX = 64 };

/* A database without the table has no migration. */
static gantry_err_t read_applied(db_t *db, const migrations_t *known, applied_t *applied,
                                 uint64_t *newest) {
  char checksum[65];
  stmt_t *statement =
      db_use(db, "SELECT version, checksum, applied FROM schema_migrations ORDER BY version");
  gantry_err_t err;
  *newest = 0;
  while ((err = db_next(statement)) == GANTRY_OK) {
    *newest = db_get_u64(statement, 0);
    if (*newest == 0 || *newest > known->count) continue;
    db_get_text(statement, 1, checksum, sizeof checksum);
    applied[*newest - 1].time_ns = db_get_time(statement, 2);
    applied[*newest - 1].altered = strcmp(checksum, known->rows[*newest - 1].checksum) != 0;
  }
  return err == GANTRY_E_UNAVAILABLE ? err : GANTRY_OK;
}

static int print_status(const store_args_t *args, db_t *db, const migrations_t *known) {
  applied_t applied[MIGRATIONS_MAX] = {0};
  uint64_t newest = 0;
  gantry_fault_t fault = {0};
  int code = 0;
  if (read_applied(db, known, applied, &newest) != GANTRY_OK) {
    fault_set(&fault, GANTRY_E_UNAVAILABLE, "database", "%s", db_message(db));
    return store_args_failed(args, &fault);
  }
  printf("%-8s %-16s %s\n", "version", "name", "applied");
  for (uint32_t i = 0; i < known->count && i < MIGRATIONS_MAX; i++) {
    char time[32] = "not yet";
    if (applied[i].time_ns) clock_iso(applied[i].time_ns, time, sizeof time);
    printf("%-8u %-16s %s%s\n", known->rows[i].version, known->rows[i].name, time,
           applied[i].altered ? "  NOT THE ONE OF THIS PROGRAM" : "");
    if (applied[i].altered) code = STORE_SETTINGS;
  }
  if (newest <= known->count) return code;
  fprintf(stderr,
          "gantry migrate: the database has schema version %llu, this program knows up to %u: use a"
          " newer program\n",
          (unsigned long long)newest, known->count);
  return STORE_SETTINGS;
}

static int bring_up(const store_args_t *args, db_t *db, const migrations_t *known) {
  gantry_fault_t fault = {0};
  const char *place = args->kind == DB_PG ? "the server's database" : args->place;
  gantry_err_t err = db_claim(db, place, &fault);
  if (err == GANTRY_OK) err = migrate_up(db, place, known, clock_wall_ns(), &fault);
  if (err == GANTRY_OK) return print_status(args, db, known);
  store_args_failed(args, &fault);
  return err == GANTRY_E_INVALID ? STORE_SETTINGS : STORE_FAILED;
}

int command_migrate(int argc, char **argv) {
  store_args_t args = {.name = "migrate", .help = HELP};
  gantry_fault_t fault = {0};
  db_t *db = NULL;
  int lock = -1, code = store_args_parse(&args, argc, argv);
  if (code >= 0) return code;
  bool up = args.count == 1 && strcmp(args.words[0], "up") == 0;
  if (!up && (args.count != 1 || strcmp(args.words[0], "status") != 0))
    return store_args_wrong(&args, "say status or up.");
  if (store_args_find(&args, up, &fault) != GANTRY_OK) return store_args_failed(&args, &fault);
  /* Nobody writes while tables change. */
  if (up && args.kind == DB_SQLITE && (lock = db_lock(args.place, &fault)) < 0)
    return store_args_failed(&args, &fault);
  if (store_args_open(&args, &db, &fault) == GANTRY_OK)
    code = (up ? bring_up : print_status)(&args, db, migrations_of(args.kind));
  else
    code = store_args_failed(&args, &fault) == STORE_FAILED && fault.err == GANTRY_E_INVALID
               ? STORE_SETTINGS
               : STORE_FAILED;
  db_close(&db);
  db_unlock(args.place, &lock);
  return code;
}
