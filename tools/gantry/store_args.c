/* Options of the commands on stored data. */
#include "store_args.h"

#include <errno.h>
#include <gantry/clock.h>
#include <gantry/config.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "session.h"

#define TELL_MS 100u

static const struct option LONG[] = {
    {"bus", required_argument, NULL, 'b'},      {"db", required_argument, NULL, 'f'},
    {"data", required_argument, NULL, 'd'},     {"dsn", required_argument, NULL, 's'},
    {"dsn-file", required_argument, NULL, 'S'}, {"key", required_argument, NULL, 'k'},
    {"version", required_argument, NULL, 'v'},  {"new-id", no_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},           {0}};

int store_args_parse(store_args_t *args, int argc, char **argv) {
  const char **texts[128] = {
      ['b'] = &args->bus,      ['f'] = &args->database, ['d'] = &args->data,   ['s'] = &args->dsn,
      ['S'] = &args->dsn_file, ['k'] = &args->key,      ['v'] = &args->version};
  int choice;
  optind = 1;
  opterr = 0;
  while ((choice = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
    if (choice == 'h') {
      fputs(args->help, stdout);
      return 0;
    }
    if (choice == '?')
      return store_args_wrong(args, "`%s` is no option of it, or lacks its value.",
                              argv[optind - 1]);
    if (choice == 'n') args->new_id = true;
    if (texts[choice]) *texts[choice] = optarg;
  }
  if (argc - optind > (int)(sizeof args->words / sizeof *args->words))
    return store_args_wrong(args, "that is too much to take in.");
  for (; optind < argc; optind++)
    args->words[args->count++] = argv[optind];
  if ((args->database != NULL) + (args->data != NULL) + (args->dsn != NULL) +
          (args->dsn_file != NULL) >
      1)
    return store_args_wrong(args, "give one of --db, --data, --dsn and --dsn-file.");
  return -1;
}

int store_args_wrong(const store_args_t *args, const char *format, ...) {
  va_list list;
  fprintf(stderr, "gantry %s: ", args->name);
  va_start(list, format);
  vfprintf(stderr, format, list);
  va_end(list);
  fprintf(stderr, "\n`gantry %s --help` says how.\n", args->name);
  return STORE_USAGE;
}

int store_args_failed(const store_args_t *args, const gantry_fault_t *fault) {
  ask_progress("%s", "");
  session_complain(args->name, fault);
  if (fault->err == GANTRY_E_REFUSED && strcmp(fault->detail, "interrupted") == 0)
    return STORE_INTERRUPTED;
  return STORE_FAILED;
}

bool store_args_direct(const store_args_t *args) {
  return args->database || args->data || args->dsn || args->dsn_file;
}

static gantry_err_t find_server(store_args_t *args, gantry_fault_t *fault) {
  args->kind = DB_PG;
  if (args->dsn_file) return config_secret(args->dsn_file, args->place, sizeof args->place, fault);
  snprintf(args->place, sizeof args->place, "%s", args->dsn);
  return GANTRY_OK;
}

gantry_err_t store_args_find(store_args_t *args, bool may_be_absent, gantry_fault_t *fault) {
  config_t *config = NULL;
  if (args->dsn || args->dsn_file) return find_server(args, fault);
  args->kind = DB_SQLITE;
  if (args->database) {
    snprintf(args->place, sizeof args->place, "%s", args->database);
  } else {
    GANTRY_TRY(config_load("gantry", NULL, 0, NULL, &config, fault));
    snprintf(args->place, sizeof args->place, "%s/gantry.db",
             args->data ? args->data : config_text(config, "data"));
    config_destroy(&config);
  }
  if (may_be_absent || access(args->place, F_OK) == 0) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_NOT_FOUND, "database",
                   "%s: %s; --data or --db names another place, --dsn a server", args->place,
                   strerror(errno));
}

gantry_err_t store_args_open(const store_args_t *args, db_t **out, gantry_fault_t *fault) {
  return args->kind == DB_PG ? db_pg_open(args->place, out, fault)
                             : db_sqlite_open(args->place, out, fault);
}

/* ---- progress */

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static bool tell(void *arg, const char *what, uint64_t done, uint64_t total) {
  static uint64_t told_ns;
  uint64_t now_ns = clock_mono_ns();
  (void)arg;
  if (now_ns - told_ns < TELL_MS * GANTRY_NS_PER_MS) return !interrupted;
  told_ns = now_ns;
  if (total)
    ask_progress("%s: %llu of %llu (%.0f %%)", what, (unsigned long long)done,
                 (unsigned long long)total, 100.0 * (double)done / (double)total);
  else
    ask_progress("%s: %llu", what, (unsigned long long)done);
  return !interrupted;
}

progress_t store_args_progress(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  return (progress_t){.tell = tell};
}
