/* Users: found by name or e-mail, unique in both. */
#include <string.h>

#include "store_internal.h"

#define USER_COLUMNS                                                                               \
  "SELECT id, username, email, full_name, hash, role, active, must_change, failed, locked,"        \
  " last_login, created, updated FROM users "

static void read_user(stmt_t *statement, store_user_t *user) {
  char role[16];
  user->id = db_get_u64(statement, 0);
  db_get_text(statement, 1, user->username, sizeof user->username);
  db_get_text(statement, 2, user->email, sizeof user->email);
  db_get_text(statement, 3, user->full_name, sizeof user->full_name);
  db_get_text(statement, 4, user->hash, sizeof user->hash);
  db_get_text(statement, 5, role, sizeof role);
  int value = desc_enum_value(&STORE_ROLE_ENUM, role, strlen(role));
  user->role = value < 0 ? STORE_ROLE_VIEWER : (store_role_t)value;
  user->active = db_get_bool(statement, 6);
  user->must_change = db_get_bool(statement, 7);
  user->failed = (uint32_t)db_get_u64(statement, 8);
  user->has_locked = !db_is_null(statement, 9);
  user->locked = db_get_time(statement, 9);
  user->has_last_login = !db_is_null(statement, 10);
  user->last_login = db_get_time(statement, 10);
  user->created = db_get_time(statement, 11);
  user->updated = db_get_time(statement, 12);
}

static gantry_err_t get_by_id(store_t *store, uint64_t id, store_call_t *call) {
  stmt_t *statement = db_use(store->db, USER_COLUMNS "WHERE id = ?");
  db_bind_u64(statement, 1, id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "id", "no user %llu", (unsigned long long)id);
  if (err != GANTRY_OK) return err;
  read_user(statement, call->gives);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_user_get(store_t *store, store_call_t *call) {
  const store_user_key_t *key = call->takes;
  stmt_t *statement =
      db_use(store->db, USER_COLUMNS
             "WHERE lower(username) = lower(?1) OR (lower(email) = lower(?1) AND email <> '')"
             " ORDER BY lower(username) = lower(?1) DESC LIMIT 1");
  db_bind_text(statement, 1, key->name);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "name", "no user %s", key->name);
  if (err != GANTRY_OK) return err;
  read_user(statement, call->gives);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t check_unique(store_t *store, const store_user_t *user, gantry_fault_t *fault) {
  stmt_t *statement = db_use(
      store->db, "SELECT lower(username) = lower(?1) FROM users WHERE id <> ?3 AND"
                 " (lower(username) = lower(?1) OR (lower(email) = lower(?2) AND email <> ''))"
                 " ORDER BY lower(username) = lower(?1) DESC LIMIT 1");
  db_bind_text(statement, 1, user->username);
  db_bind_text(statement, 2, user->email);
  db_bind_u64(statement, 3, user->id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  bool by_name = db_get_bool(statement, 0);
  db_reset(statement);
  return fault_set(fault, GANTRY_E_CONFLICT, by_name ? "username" : "email",
                   "another user has the %s %s", by_name ? "name" : "address",
                   by_name ? user->username : user->email);
}

static void bind_user(stmt_t *statement, const store_user_t *user, uint64_t now_ns) {
  db_bind_text(statement, 1, user->username);
  db_bind_text(statement, 2, user->email);
  db_bind_text(statement, 3, user->full_name);
  db_bind_text(statement, 4, user->hash);
  db_bind_text(statement, 5, desc_enum_text(&STORE_ROLE_ENUM, (int)user->role));
  db_bind_int(statement, 6, user->active);
  db_bind_int(statement, 7, user->must_change);
  db_bind_int(statement, 8, user->failed);
  db_bind_opt_time(statement, 9, user->has_locked, user->locked);
  db_bind_opt_time(statement, 10, user->has_last_login, user->last_login);
  db_bind_time(statement, 11, now_ns);
}

gantry_err_t store_user_put(store_t *store, store_call_t *call) {
  const store_user_t *user = call->takes;
  uint64_t id = user->id;
  stmt_t *statement;
  GANTRY_TRY(check_unique(store, user, call->fault));
  if (id == 0) {
    statement =
        db_use(store->db, "INSERT INTO users (username, email, full_name, hash, role, active,"
                          " must_change, failed, locked, last_login, updated, created, id)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)");
  } else {
    statement = db_use(store->db, "UPDATE users SET username = ?1, email = ?2, full_name = ?3,"
                                  " hash = ?4, role = ?5, active = ?6, must_change = ?7,"
                                  " failed = ?8, locked = ?9, last_login = ?10, updated = ?11"
                                  " WHERE id = ?12");
  }
  if (id == 0) id = (uint64_t)store_new_id(store, STORE_ID_USER);
  db_bind_u64(statement, 12, id);
  bind_user(statement, user, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  return get_by_id(store, id, call);
}

gantry_err_t store_user_count(store_t *store, store_call_t *call) {
  store_count_t *out = call->gives;
  stmt_t *statement = db_use(store->db, "SELECT count(*) FROM users");
  GANTRY_TRY(db_next(statement));
  out->count = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}
