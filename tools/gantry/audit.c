/* gantry audit verify: walks the hash chain of the audit log, through storage or in the database
   itself. */
#include <audit.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "commands.h"
#include "store_args.h"

#define PAGE 1000

static const char HELP[] =
    "Usage: gantry audit verify [--bus BASE | --data DIR | --db FILE | --dsn DSN | --dsn-file "
    "FILE]\n"
    "Walks the audit log's hash chain and names the first broken entry: ENTRY_HASH_MISMATCH for "
    "an\n"
    "entry that was altered, CHAIN_LINKAGE_BROKEN for one whose predecessor is gone or another.\n"
    "Asks storage; with --data, --db or --dsn it reads the database itself. Exit 0 sound, 1 not.\n";

/* One page, from wherever the entries are. */
typedef gantry_err_t (*page_fn)(void *arg, const store_audit_verify_t *take,
                                store_audit_verified_t *out, gantry_fault_t *fault);

static gantry_err_t ask_page(void *arg, const store_audit_verify_t *take,
                             store_audit_verified_t *out, gantry_fault_t *fault) {
  session_t *session = arg;
  return rpc_call_wait(session->client, REQUEST_STORE_AUDIT_VERIFY, NULL, take, 0, out, fault);
}

static gantry_err_t read_page(void *arg, const store_audit_verify_t *take,
                              store_audit_verified_t *out, gantry_fault_t *fault) {
  gantry_err_t err = audit_verify(arg, take, out);
  if (err == GANTRY_OK) return err;
  return fault_set(fault, err, "audit_log", "%s", db_message(arg));
}

static int walk(const store_args_t *args, page_fn page_of, void *arg, const progress_t *progress) {
  store_audit_verify_t take = {.limit = PAGE};
  store_audit_verified_t page = {0};
  gantry_fault_t fault = {0};
  unsigned long long entries = 0, chained = 0;
  while (!page.done) {
    fault.err = page_of(arg, &take, &page, &fault);
    if (fault.err == GANTRY_OK &&
        !progress->tell(progress->arg, "audit entries", page.last, page.newest))
      fault_set(&fault, GANTRY_E_REFUSED, "", "interrupted");
    if (fault.err != GANTRY_OK) return store_args_failed(args, &fault);
    take.after = page.last;
    entries += page.entries;
    chained += page.chained;
  }
  ask_progress("%s", "");
  if (page.fault == STORE_AUDIT_FAULT_NONE) {
    printf("%llu entries, %llu of them in the chain: sound\n", entries, chained);
    return 0;
  }
  printf("%s entry %llu: %s\n", desc_enum_text(&STORE_AUDIT_FAULT_ENUM, (int)page.fault),
         (unsigned long long)page.entry, page.detail);
  return STORE_FAILED;
}

static int verify_directly(store_args_t *args, const progress_t *progress) {
  gantry_fault_t fault = {0};
  db_t *db = NULL;
  gantry_err_t err = store_args_find(args, false, &fault);
  if (err == GANTRY_OK) err = store_args_open(args, &db, &fault);
  int code =
      err == GANTRY_OK ? walk(args, read_page, db, progress) : store_args_failed(args, &fault);
  db_close(&db);
  return code;
}

int command_audit(int argc, char **argv) {
  store_args_t args = {.name = "audit", .help = HELP};
  session_t session;
  int code = store_args_parse(&args, argc, argv);
  if (code >= 0) return code;
  if (args.count != 1 || strcmp(args.words[0], "verify") != 0)
    return store_args_wrong(&args, "say verify.");
  progress_t progress = store_args_progress();
  if (store_args_direct(&args)) return verify_directly(&args, &progress);
  if (!session_open(&session, args.bus)) return STORE_SETTINGS;
  code = walk(&args, ask_page, &session, &progress);
  session_close(&session);
  return code;
}
