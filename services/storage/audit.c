/* Appends to the audit chain and walks it. */
#include "audit.h"

#include <gantry/buf.h>
#include <gantry/json.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"

#define HEAD_KEY "audit_head"
#define ROOT_KEY "audit_root"

/* One column of an entry as it stands in the database. */
typedef struct column {
  const char *name;
  const char *text; /* NULL: a number */
  size_t len;
  int64_t number;
} column_t;

/* Sorted by name; previous_hash stands between id and resource. */
enum { COLUMN_COUNT = 13, COLUMN_ID = 5 };
#define COLUMNS                                                                                    \
  "action, actor, address, boot, detail, id, resource, robot, seq, service, success, trace, ts"
static const char *const NAMES[COLUMN_COUNT] = {"action",  "actor",    "address", "boot", "detail",
                                                "id",      "resource", "robot",   "seq",  "service",
                                                "success", "trace",    "ts"};

static void put_number(buf_t *out, int64_t value) {
  buf_printf(out, "%" PRId64, value);
}

/* previous "": the entry begins the chain. */
static gantry_err_t hash_entry(const column_t *columns, const char *previous,
                               char hash[DIGEST_SIZE]) {
  buf_t json = {0};
  for (int i = 0; i < COLUMN_COUNT; i++) {
    buf_printf(&json, "%c\"%s\":", i ? ',' : '{', NAMES[i]);
    if (columns[i].text)
      json_write_text(&json, columns[i].text, columns[i].len);
    else
      put_number(&json, columns[i].number);
    if (i != COLUMN_ID) continue;
    buf_put_text(&json, ",\"previous_hash\":");
    if (previous[0])
      json_write_text(&json, previous, strlen(previous));
    else
      buf_put_text(&json, "null");
  }
  buf_put_byte(&json, '}');
  gantry_err_t err = buf_err(&json);
  if (err == GANTRY_OK) err = digest_of(json.data, json.len, hash);
  buf_fini(&json);
  return err;
}

static column_t text_column(const char *text) {
  return (column_t){.text = text, .len = strlen(text)};
}

static column_t number_column(int64_t number) {
  return (column_t){.number = number};
}

static void columns_of(const audit_entry_t *entry, column_t columns[COLUMN_COUNT]) {
  columns[0] = text_column(entry->action);
  columns[1] = text_column(entry->actor);
  columns[2] = text_column(entry->address);
  columns[3] = number_column((int64_t)entry->boot);
  columns[4] = text_column(entry->detail);
  columns[5] = number_column(entry->id);
  columns[6] = text_column(entry->resource);
  columns[7] = text_column(entry->robot);
  columns[8] = number_column((int64_t)entry->seq);
  columns[9] = text_column(entry->service);
  columns[10] = number_column(entry->success);
  columns[11] = number_column((int64_t)entry->trace);
  columns[12] = number_column(entry->ts_us);
}

static gantry_err_t newest_hash(db_t *db, char hash[DIGEST_SIZE]) {
  stmt_t *statement = db_use(db, "SELECT hash FROM audit_log ORDER BY id DESC LIMIT 1");
  gantry_err_t err = db_next(statement);
  hash[0] = '\0';
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  GANTRY_TRY(err);
  db_get_text(statement, 0, hash, DIGEST_SIZE);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t set_head(db_t *db, const audit_entry_t *entry, const char *hash) {
  char value[DIGEST_SIZE + 24];
  snprintf(value, sizeof value, "%" PRId64 " %s", entry->id, hash);
  stmt_t *statement =
      db_use(db, "INSERT INTO service_state (key, value, updated) VALUES ('" HEAD_KEY "', ?1, ?2)"
                 " ON CONFLICT (key) DO UPDATE SET value = ?1, updated = ?2");
  db_bind_text(statement, 1, value);
  db_bind_int(statement, 2, entry->ts_us);
  return db_finish(statement);
}

gantry_err_t audit_append(db_t *db, const audit_entry_t *entry) {
  column_t columns[COLUMN_COUNT];
  char previous[DIGEST_SIZE], hash[DIGEST_SIZE];
  GANTRY_TRY(newest_hash(db, previous));
  columns_of(entry, columns);
  GANTRY_TRY(hash_entry(columns, previous, hash));
  stmt_t *statement =
      db_use(db, "INSERT INTO audit_log (" COLUMNS ", previous_hash, hash) VALUES (?1, ?2, ?3, ?4,"
                 " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
                 " ON CONFLICT (service, boot, seq) DO NOTHING");
  for (int i = 0; i < COLUMN_COUNT; i++) {
    if (columns[i].text)
      db_bind_text(statement, i + 1, columns[i].text);
    else
      db_bind_int(statement, i + 1, columns[i].number);
  }
  db_bind_opt_text(statement, 14, previous[0] != '\0', previous);
  db_bind_text(statement, 15, hash);
  GANTRY_TRY(db_finish(statement));
  return db_changes(db) ? set_head(db, entry, hash) : GANTRY_E_CONFLICT;
}

gantry_err_t audit_note_cut(db_t *db, uint64_t now_us) {
  char root[DIGEST_SIZE];
  stmt_t *statement = db_use(db, "SELECT previous_hash FROM audit_log ORDER BY id LIMIT 1");
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_OK) return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
  bool chained = db_get_text(statement, 0, root, sizeof root);
  db_reset(statement);
  if (!chained) return GANTRY_OK;
  statement =
      db_use(db, "INSERT INTO service_state (key, value, updated) VALUES ('" ROOT_KEY "', ?1, ?2)"
                 " ON CONFLICT (key) DO UPDATE SET value = ?1, updated = ?2");
  db_bind_text(statement, 1, root);
  db_bind_u64(statement, 2, now_us);
  return db_finish(statement);
}

/* ---- walking it */

typedef struct walk {
  char last_hash[DIGEST_SIZE]; /* of the entry before, "" when it has none */
  char head_hash[DIGEST_SIZE]; /* of the entry written last, "" when no chain was begun */
  int64_t head_id;
} walk_t;

static void broken(store_audit_verified_t *out, store_audit_fault_t fault, int64_t id,
                   const char *format, const char *one, const char *other) {
  out->fault = fault;
  out->entry = (uint64_t)id;
  char *end = out->detail + snprintf(out->detail, sizeof out->detail, "entry %" PRId64 " ", id);
  /* Sixteen digits name a hash. */
  snprintf(end, sizeof out->detail - (size_t)(end - out->detail), format, one, other);
}

static void read_columns(stmt_t *statement, column_t columns[COLUMN_COUNT]) {
  static const bool IS_TEXT[COLUMN_COUNT] = {
      [0] = true, [1] = true, [2] = true, [4] = true, [6] = true, [7] = true, [9] = true};
  for (int i = 0; i < COLUMN_COUNT; i++) {
    columns[i] = number_column(IS_TEXT[i] ? 0 : db_get_int(statement, i));
    if (!IS_TEXT[i]) continue;
    columns[i].text = db_get_blob(statement, i, &columns[i].len);
    if (!columns[i].text) columns[i].text = "";
  }
}

/* Sets out->fault when the entry does not hold. */
static gantry_err_t check_entry(stmt_t *statement, walk_t *walk, store_audit_verified_t *out) {
  column_t columns[COLUMN_COUNT];
  char previous[DIGEST_SIZE], hash[DIGEST_SIZE], computed[DIGEST_SIZE];
  read_columns(statement, columns);
  int64_t id = columns[COLUMN_ID].number;
  db_get_text(statement, 13, previous, sizeof previous);
  bool hashed = db_get_text(statement, 14, hash, sizeof hash);
  if (!hashed) {
    if (walk->last_hash[0])
      broken(out, STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, id,
             "has no hash, though the one before it has %.16s%s", walk->last_hash, "");
    return GANTRY_OK;
  }
  GANTRY_TRY(hash_entry(columns, previous, computed));
  out->chained++;
  if (strcmp(computed, hash) != 0)
    broken(out, STORE_AUDIT_FAULT_ENTRY_HASH_MISMATCH, id,
           "was altered: its columns give %.16s, its hash says %.16s", computed, hash);
  else if (strcmp(previous, walk->last_hash) != 0)
    broken(out, STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, id,
           "follows %.16s, the entry before it has %.16s: entries were removed, moved or forged",
           previous[0] ? previous : "nothing", walk->last_hash[0] ? walk->last_hash : "no hash");
  snprintf(walk->last_hash, sizeof walk->last_hash, "%s", hash);
  return GANTRY_OK;
}

/* The hash of the entry before: of those that stay, or of the last that was cut off. */
static gantry_err_t hash_before(db_t *db, uint64_t after, char hash[DIGEST_SIZE]) {
  stmt_t *statement =
      db_use(db, "SELECT hash FROM audit_log WHERE id <= ?1 ORDER BY id DESC LIMIT 1");
  db_bind_u64(statement, 1, after);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) {
    statement = db_use(db, "SELECT value FROM service_state WHERE key = '" ROOT_KEY "'");
    err = db_next(statement);
  }
  if (err != GANTRY_OK) return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
  db_get_text(statement, 0, hash, DIGEST_SIZE);
  db_reset(statement);
  return GANTRY_OK;
}

/* What the walk begins with; the head before anything else. */
static gantry_err_t begin_walk(db_t *db, uint64_t after, walk_t *walk) {
  *walk = (walk_t){0};
  char value[DIGEST_SIZE + 24];
  stmt_t *statement = db_use(db, "SELECT value FROM service_state WHERE key = '" HEAD_KEY "'");
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_OK) {
    db_get_text(statement, 0, value, sizeof value);
    if (sscanf(value, "%" SCNd64 " %64s", &walk->head_id, walk->head_hash) != 2) walk->head_id = 0;
    db_reset(statement);
  }
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  return hash_before(db, after, walk->last_hash);
}

/* The entry written last must still be there. The head was read before the entries: what was
   appended meanwhile does no harm, for nothing is ever deleted. */
static gantry_err_t check_end(db_t *db, const walk_t *walk, store_audit_verified_t *out) {
  if (walk->head_id == 0) {
    if (walk->last_hash[0])
      broken(out, STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, (int64_t)out->last,
             "is the newest, but the note of the entry written last is gone%s%s", "", "");
    return GANTRY_OK;
  }
  char hash[DIGEST_SIZE] = "";
  stmt_t *statement = db_use(db, "SELECT hash FROM audit_log WHERE id = ?1");
  db_bind_int(statement, 1, walk->head_id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_OK) db_get_text(statement, 0, hash, sizeof hash);
  db_reset(statement);
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  if (strcmp(hash, walk->head_hash) != 0)
    broken(out, STORE_AUDIT_FAULT_CHAIN_LINKAGE_BROKEN, walk->head_id,
           "was written last with hash %.16s and %s: the end was cut or rewritten", walk->head_hash,
           hash[0] ? "has another one now" : "is gone");
  return GANTRY_OK;
}

static gantry_err_t walk_page(db_t *db, const store_audit_verify_t *take, walk_t *walk,
                              store_audit_verified_t *out) {
  stmt_t *statement = db_use(db, "SELECT " COLUMNS ", previous_hash, hash FROM audit_log"
                                 " WHERE id > ?1 ORDER BY id LIMIT ?2");
  gantry_err_t err = GANTRY_OK;
  db_bind_u64(statement, 1, take->after);
  db_bind_int(statement, 2, take->limit);
  while (out->fault == STORE_AUDIT_FAULT_NONE && (err = db_next(statement)) == GANTRY_OK) {
    out->entries++;
    out->last = db_get_u64(statement, COLUMN_ID);
    err = check_entry(statement, walk, out);
    if (err != GANTRY_OK) break;
  }
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t audit_verify(db_t *db, const store_audit_verify_t *take, store_audit_verified_t *out) {
  walk_t walk;
  *out = (store_audit_verified_t){.last = take->after};
  GANTRY_TRY(begin_walk(db, take->after, &walk));
  stmt_t *statement = db_use(db, "SELECT coalesce(max(id), 0) FROM audit_log");
  GANTRY_TRY(db_next(statement));
  out->newest = db_get_u64(statement, 0);
  db_reset(statement);
  GANTRY_TRY(walk_page(db, take, &walk, out));
  out->done = out->fault != STORE_AUDIT_FAULT_NONE || out->entries < take->limit;
  if (out->fault != STORE_AUDIT_FAULT_NONE || !out->done) return GANTRY_OK;
  return check_end(db, &walk, out);
}
