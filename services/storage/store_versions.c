/* Settings that are kept in versions: each fits a message of the schemas, one of them is in force.
 */
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "store_internal.h"

#define INFO_COLUMNS                                                                               \
  "SELECT kind, scope, version, checksum, comment, created_by, created, active, rolled_back_from," \
  " data FROM setting_version "

static void read_info(stmt_t *statement, store_setting_info_t *info) {
  db_get_text(statement, 0, info->kind, sizeof info->kind);
  db_get_text(statement, 1, info->scope, sizeof info->scope);
  info->version = (uint32_t)db_get_u64(statement, 2);
  db_get_text(statement, 3, info->checksum, sizeof info->checksum);
  db_get_text(statement, 4, info->comment, sizeof info->comment);
  db_get_text(statement, 5, info->created_by, sizeof info->created_by);
  info->created = db_get_time(statement, 6);
  info->active = db_get_bool(statement, 7);
  info->has_rolled_back = !db_is_null(statement, 8);
  info->rolled_back = (uint32_t)db_get_u64(statement, 8);
}

static gantry_err_t find_kind(const char *kind, const desc_t **out, gantry_fault_t *fault) {
  *out = catalogue_setting(kind);
  if (*out) return GANTRY_OK;
  buf_t known = {0};
  for (uint32_t i = 0; i < CATALOGUE_SETTING_COUNT; i++)
    buf_printf(&known, "%s%s", i ? ", " : "", CATALOGUE_SETTINGS[i]->name);
  gantry_err_t err = fault_set(fault, GANTRY_E_NOT_FOUND, "kind",
                               "no setting is called %s: there is %s", kind, buf_text(&known));
  buf_fini(&known);
  return err;
}

/* version 0: the one in force. GANTRY_E_NOT_FOUND without a word when there is none. */
static gantry_err_t read_version(store_t *store, const char *kind, const char *scope,
                                 uint32_t version, store_setting_t *out) {
  stmt_t *statement = db_use(store->db, INFO_COLUMNS
                             "WHERE kind = ?1 AND scope = ?2 AND (version = ?3 OR (?3 = 0 AND"
                             " active = 1))");
  db_bind_text(statement, 1, kind);
  db_bind_text(statement, 2, scope);
  db_bind_int(statement, 3, version);
  GANTRY_TRY(db_next(statement));
  read_info(statement, &out->info);
  db_get_text(statement, 9, out->data, sizeof out->data);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t get_version(store_t *store, const char *kind, const char *scope,
                                uint32_t version, store_setting_t *out, gantry_fault_t *fault) {
  gantry_err_t err = read_version(store, kind, scope, version, out);
  if (err != GANTRY_E_NOT_FOUND) return err;
  if (version) return fault_set(fault, err, "version", "%s has no version %u", kind, version);
  return fault_set(fault, err, "kind", "%s was never set: the service's options hold", kind);
}

/* Checks data against the message of that kind and writes it as the store keeps it: without what
   the message does not know, in its order. */
static gantry_err_t normalise(const desc_t *kind, const char *data, buf_t *out,
                              gantry_fault_t *fault) {
  void *value = calloc(1, kind->size + 1);
  gantry_fault_t wrong = {0};
  if (!value) return GANTRY_E_INTERNAL;
  gantry_err_t err = json_read(kind, data, strlen(data), true, value, &wrong);
  if (err == GANTRY_OK) {
    err = json_write(kind, value, out);
  } else {
    char field[sizeof wrong.field + 5];
    snprintf(field, sizeof field, "data%s%s", wrong.field[0] ? "." : "", wrong.field);
    fault_set(fault, err, field, "%s", wrong.detail);
  }
  free(value);
  return err;
}

static gantry_err_t next_version(store_t *store, const char *kind, const char *scope,
                                 uint32_t *out) {
  stmt_t *statement =
      db_use(store->db, "SELECT coalesce(max(version), 0) + 1 FROM setting_version WHERE kind = ?1"
                        " AND scope = ?2");
  db_bind_text(statement, 1, kind);
  db_bind_text(statement, 2, scope);
  GANTRY_TRY(db_next(statement));
  *out = (uint32_t)db_get_u64(statement, 0);
  db_reset(statement);
  statement = db_use(store->db, "UPDATE setting_version SET active = 0 WHERE kind = ?1 AND scope ="
                                " ?2 AND active = 1");
  db_bind_text(statement, 1, kind);
  db_bind_text(statement, 2, scope);
  return db_finish(statement);
}

/* rolled_back 0: the content is new. */
static gantry_err_t add_version(store_t *store, const store_setting_put_t *put, const char *data,
                                uint32_t rolled_back, store_call_t *call) {
  uint32_t version = 0;
  char checksum[DIGEST_SIZE], detail[192];
  GANTRY_TRY(next_version(store, put->kind, put->scope, &version));
  GANTRY_TRY(digest_of(data, strlen(data), checksum));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO setting_version (kind, scope, version, data, checksum,"
                        " comment, created_by, created, active, rolled_back_from) VALUES"
                        " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9)");
  db_bind_text(statement, 1, put->kind);
  db_bind_text(statement, 2, put->scope);
  db_bind_int(statement, 3, version);
  db_bind_text(statement, 4, data);
  db_bind_text(statement, 5, checksum);
  db_bind_text(statement, 6, put->comment);
  db_bind_text(statement, 7, call->actor);
  db_bind_time(statement, 8, call->now_ns);
  if (rolled_back)
    db_bind_int(statement, 9, rolled_back);
  else
    db_bind_opt_text(statement, 9, false, NULL);
  GANTRY_TRY(db_finish(statement));
  snprintf(detail, sizeof detail, "version %u, sha256 %.16s", version, checksum);
  if (rolled_back)
    snprintf(detail, sizeof detail, "version %u with the content of version %u", version,
             rolled_back);
  GANTRY_TRY(store_note_audit(store, call, put->kind, detail));
  return get_version(store, put->kind, put->scope, version, call->gives, call->fault);
}

/* Somebody else may have been quicker than who has read that version and changes it. */
static gantry_err_t check_version(store_t *store, const store_setting_put_t *put,
                                  gantry_fault_t *fault) {
  store_setting_t present = {0};
  if (!put->has_if_version) return GANTRY_OK;
  gantry_err_t err = read_version(store, put->kind, put->scope, 0, &present);
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  if (present.info.version == put->if_version) return GANTRY_OK;
  (void)fault_set(fault, GANTRY_E_CONFLICT, "if_version",
                  "%s has version %u by now: read it, and change that one", put->kind,
                  present.info.version);
  snprintf(fault->code, sizeof fault->code, "VERSION_CHANGED");
  return GANTRY_E_CONFLICT;
}

gantry_err_t store_setting_put(store_t *store, store_call_t *call) {
  const store_setting_put_t *put = call->takes;
  const desc_t *kind = NULL;
  buf_t data = {.limit = sizeof put->data};
  GANTRY_TRY(find_kind(put->kind, &kind, call->fault));
  GANTRY_TRY(check_version(store, put, call->fault));
  gantry_err_t err = normalise(kind, put->data, &data, call->fault);
  if (err == GANTRY_OK) err = add_version(store, put, buf_text(&data), 0, call);
  buf_fini(&data);
  return err;
}

gantry_err_t store_setting_get(store_t *store, store_call_t *call) {
  const store_setting_key_t *key = call->takes;
  const desc_t *kind = NULL;
  GANTRY_TRY(find_kind(key->kind, &kind, call->fault));
  return get_version(store, key->kind, key->scope, key->has_version ? key->version : 0, call->gives,
                     call->fault);
}

gantry_err_t store_setting_rollback(store_t *store, store_call_t *call) {
  const store_setting_rollback_t *back = call->takes;
  const desc_t *kind = NULL;
  store_setting_t old = {0};
  store_setting_put_t put = {0};
  buf_t data = {.limit = sizeof put.data};
  GANTRY_TRY(find_kind(back->kind, &kind, call->fault));
  GANTRY_TRY(get_version(store, back->kind, back->scope, back->version, &old, call->fault));
  snprintf(put.kind, sizeof put.kind, "%s", back->kind);
  snprintf(put.scope, sizeof put.scope, "%s", back->scope);
  snprintf(put.comment, sizeof put.comment, "%s", back->comment);
  /* The message may have changed since that version was made. */
  gantry_err_t err = normalise(kind, old.data, &data, call->fault);
  if (err == GANTRY_OK) err = add_version(store, &put, buf_text(&data), back->version, call);
  buf_fini(&data);
  return err;
}

gantry_err_t store_setting_versions(store_t *store, store_call_t *call) {
  const store_setting_key_t *key = call->takes;
  store_setting_versions_t *out = call->gives;
  const desc_t *kind = NULL;
  GANTRY_TRY(find_kind(key->kind, &kind, call->fault));
  stmt_t *statement = db_use(store->db, INFO_COLUMNS
                             "WHERE kind = ?1 AND scope = ?2 ORDER BY version DESC LIMIT ?3");
  gantry_err_t err;
  db_bind_text(statement, 1, key->kind);
  db_bind_text(statement, 2, key->scope);
  db_bind_int(statement, 3, sizeof out->versions / sizeof *out->versions);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_info(statement, &out->versions[out->versions_count++]);
  if (err != GANTRY_E_NOT_FOUND) return err;
  statement =
      db_use(store->db, "SELECT count(*) FROM setting_version WHERE kind = ?1 AND scope = ?2");
  db_bind_text(statement, 1, key->kind);
  db_bind_text(statement, 2, key->scope);
  GANTRY_TRY(db_next(statement));
  out->total = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_setting_in_force(store_t *store, const desc_t *kind, const char *scope,
                                    void *value, bool *found, gantry_fault_t *fault) {
  store_setting_t setting = {0};
  gantry_err_t err = read_version(store, kind->name, scope, 0, &setting);
  *found = err == GANTRY_OK;
  memset(value, 0, kind->size);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  GANTRY_TRY(err);
  /* Not strict: a newer program may have stored more. */
  return json_read(kind, setting.data, strlen(setting.data), false, value, fault);
}

gantry_err_t store_setting_list(store_t *store, store_call_t *call) {
  const store_setting_list_get_t *get = call->takes;
  store_setting_list_t *out = call->gives;
  const desc_t *kind = NULL;
  GANTRY_TRY(find_kind(get->kind, &kind, call->fault));
  stmt_t *statement =
      db_use(store->db, INFO_COLUMNS "WHERE kind = ?1 AND active = 1 ORDER BY scope LIMIT ?2");
  gantry_err_t err;
  db_bind_text(statement, 1, get->kind);
  db_bind_int(statement, 2, sizeof out->settings / sizeof *out->settings);
  while ((err = db_next(statement)) == GANTRY_OK) {
    store_setting_t *setting = &out->settings[out->settings_count++];
    read_info(statement, &setting->info);
    db_get_text(statement, 9, setting->data, sizeof setting->data);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}
