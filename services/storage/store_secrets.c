/* Hashes of secrets: passwords that may not come again, reset tokens, tokens of machines. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define HISTORY_KEPT 5 /* beside the present one */

/* ---- earlier passwords */

gantry_err_t store_keep_old_hash(store_t *store, const store_user_t *user, uint64_t now_ns) {
  stmt_t *statement =
      db_use(store->db, "INSERT INTO password_history (id, user_id, hash, set_at) SELECT"
                        " coalesce(max(id), 0) + 1, ?1, ?2, ?3 FROM password_history");
  db_bind_u64(statement, 1, user->id);
  db_bind_text(statement, 2, user->hash);
  db_bind_time(statement, 3, now_ns);
  GANTRY_TRY(db_finish(statement));
  statement = db_use(store->db, "DELETE FROM password_history WHERE user_id = ?1 AND id NOT IN"
                                " (SELECT id FROM password_history WHERE user_id = ?1"
                                " ORDER BY id DESC LIMIT ?2)");
  db_bind_u64(statement, 1, user->id);
  db_bind_int(statement, 2, HISTORY_KEPT);
  return db_finish(statement);
}

gantry_err_t store_user_hashes(store_t *store, store_call_t *call) {
  const store_user_id_t *key = call->takes;
  store_user_hashes_t *out = call->gives;
  store_user_t user = {0};
  gantry_err_t err;
  GANTRY_TRY(store_load_user(store, key->id, &user, call->fault));
  memcpy(out->hashes[out->hashes_count++].hash, user.hash, sizeof user.hash);
  explicit_bzero(&user, sizeof user);
  stmt_t *statement = db_use(store->db, "SELECT hash FROM password_history WHERE user_id = ?1"
                                        " ORDER BY id DESC LIMIT ?2");
  db_bind_u64(statement, 1, key->id);
  db_bind_int(statement, 2, HISTORY_KEPT);
  while ((err = db_next(statement)) == GANTRY_OK) {
    store_user_hash_t *row = &out->hashes[out->hashes_count++];
    db_get_text(statement, 0, row->hash, sizeof row->hash);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* ---- reset tokens */

gantry_err_t store_reset_put(store_t *store, store_call_t *call) {
  const store_reset_put_t *put = call->takes;
  store_user_t *user = call->gives;
  GANTRY_TRY(store_load_user(store, put->user_id, user, call->fault));
  explicit_bzero(user->hash, sizeof user->hash);
  stmt_t *statement =
      db_use(store->db, "INSERT INTO password_reset (user_id, hash, expires, created_by)"
                        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user_id) DO UPDATE SET"
                        " hash = ?2, expires = ?3, created_by = ?4");
  db_bind_u64(statement, 1, put->user_id);
  db_bind_text(statement, 2, put->hash);
  db_bind_time(statement, 3, put->expires);
  db_bind_text(statement, 4, call->actor);
  return db_finish(statement);
}

static gantry_err_t find_reset(store_t *store, const char *hash, store_call_t *call,
                               uint64_t *user_id) {
  stmt_t *statement =
      db_use(store->db, "SELECT user_id FROM password_reset WHERE hash = ?1 AND expires > ?2");
  db_bind_text(statement, 1, hash);
  db_bind_time(statement, 2, call->now_ns);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "reset_token",
                     "this reset token is unknown, spent or too old; ask for another one");
  GANTRY_TRY(err);
  *user_id = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_reset_get(store_t *store, store_call_t *call) {
  const store_reset_key_t *key = call->takes;
  uint64_t user_id = 0;
  GANTRY_TRY(find_reset(store, key->hash, call, &user_id));
  return store_load_user(store, user_id, call->gives, call->fault);
}

gantry_err_t store_spend_reset(store_t *store, const store_user_change_t *change,
                               store_call_t *call) {
  uint64_t user_id = 0;
  GANTRY_TRY(find_reset(store, change->reset, call, &user_id));
  if (user_id != change->id)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "reset_token",
                     "this reset token is another user's");
  stmt_t *statement = db_use(store->db, "DELETE FROM password_reset WHERE user_id = ?1");
  db_bind_u64(statement, 1, user_id);
  return db_finish(statement);
}

/* ---- tokens of machines */

#define TOKEN_COLUMNS                                                                              \
  "SELECT id, name, role, active, created, created_by, expires, last_used FROM service_token "

static void read_token(stmt_t *statement, store_service_token_t *token) {
  token->id = db_get_u64(statement, 0);
  db_get_text(statement, 1, token->name, sizeof token->name);
  token->role = store_read_role(statement, 2);
  token->active = db_get_bool(statement, 3);
  token->created = db_get_time(statement, 4);
  db_get_text(statement, 5, token->created_by, sizeof token->created_by);
  token->has_expires = !db_is_null(statement, 6);
  token->expires = db_get_time(statement, 6);
  token->has_last_used = !db_is_null(statement, 7);
  token->last_used = db_get_time(statement, 7);
}

static gantry_err_t load_token(store_t *store, uint64_t id, store_call_t *call) {
  stmt_t *statement = db_use(store->db, TOKEN_COLUMNS "WHERE id = ?1");
  db_bind_u64(statement, 1, id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "id", "no service token %llu", (unsigned long long)id);
  GANTRY_TRY(err);
  read_token(statement, call->gives);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t find_token(store_t *store, const char *name, bool *found) {
  stmt_t *statement =
      db_use(store->db, "SELECT id FROM service_token WHERE name = ?1 AND active = 1");
  db_bind_text(statement, 1, name);
  gantry_err_t err = db_next(statement);
  *found = err == GANTRY_OK;
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  db_reset(statement);
  return err;
}

gantry_err_t store_service_token_put(store_t *store, store_call_t *call) {
  const store_service_token_t *put = call->takes;
  int64_t number;
  bool found;
  GANTRY_TRY(find_token(store, put->name, &found));
  if (found)
    return fault_set(call->fault, GANTRY_E_CONFLICT, "name",
                     "a service token %s is in force; revoke it first", put->name);
  GANTRY_TRY(store_number_change(store, &number));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO service_token (id, name, role, hash, active, created,"
                        " created_by, expires, last_used, changed)"
                        " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, NULL, ?1)");
  db_bind_int(statement, 1, number); /* as good a row number as any */
  db_bind_text(statement, 2, put->name);
  db_bind_text(statement, 3, desc_enum_text(&STORE_ROLE_ENUM, (int)put->role));
  db_bind_text(statement, 4, put->hash);
  db_bind_time(statement, 5, call->now_ns);
  db_bind_text(statement, 6, call->actor);
  db_bind_opt_time(statement, 7, put->has_expires, put->expires);
  GANTRY_TRY(db_finish(statement));
  return load_token(store, (uint64_t)number, call);
}

gantry_err_t store_service_token_list(store_t *store, store_call_t *call) {
  store_service_tokens_t *out = call->gives;
  gantry_err_t err;
  stmt_t *statement = db_use(store->db, TOKEN_COLUMNS "ORDER BY active DESC, id DESC LIMIT ?1");
  db_bind_int(statement, 1, sizeof out->tokens / sizeof *out->tokens);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_token(statement, &out->tokens[out->tokens_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_service_token_revoke(store_t *store, store_call_t *call) {
  const store_service_token_id_t *key = call->takes;
  int64_t number;
  GANTRY_TRY(load_token(store, key->id, call));
  GANTRY_TRY(store_number_change(store, &number));
  stmt_t *statement =
      db_use(store->db, "UPDATE service_token SET active = 0, changed = ?2 WHERE id = ?1");
  db_bind_u64(statement, 1, key->id);
  db_bind_int(statement, 2, number);
  GANTRY_TRY(db_finish(statement));
  return load_token(store, key->id, call);
}

gantry_err_t store_service_token_used(store_t *store, store_call_t *call) {
  const store_service_token_id_t *key = call->takes;
  stmt_t *statement = db_use(store->db, "UPDATE service_token SET last_used = ?2 WHERE id = ?1");
  db_bind_u64(statement, 1, key->id);
  db_bind_time(statement, 2, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  return load_token(store, key->id, call);
}
