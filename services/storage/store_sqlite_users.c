/* Users: found by name or e-mail, unique in both. */
#include <string.h>

#include "store_sqlite.h"

#define USER_COLUMNS                                                                               \
  "SELECT id, username, email, full_name, hash, role, active, must_change, failed, locked,"        \
  " last_login, created, updated FROM users "

static void read_user(sqlite3_stmt *statement, store_user_t *user) {
  char role[16];
  user->id = sql_get_u64(statement, 0);
  sql_get_text(statement, 1, user->username, sizeof user->username);
  sql_get_text(statement, 2, user->email, sizeof user->email);
  sql_get_text(statement, 3, user->full_name, sizeof user->full_name);
  sql_get_text(statement, 4, user->hash, sizeof user->hash);
  sql_get_text(statement, 5, role, sizeof role);
  int value = desc_enum_value(&STORE_ROLE_ENUM, role, strlen(role));
  user->role = value < 0 ? STORE_ROLE_VIEWER : (store_role_t)value;
  user->active = sql_get_bool(statement, 6);
  user->must_change = sql_get_bool(statement, 7);
  user->failed = (uint32_t)sql_get_u64(statement, 8);
  user->has_locked = !sql_is_null(statement, 9);
  user->locked = sql_get_time(statement, 9);
  user->has_last_login = !sql_is_null(statement, 10);
  user->last_login = sql_get_time(statement, 10);
  user->created = sql_get_time(statement, 11);
  user->updated = sql_get_time(statement, 12);
}

static gantry_err_t get_by_id(store_sqlite_t *store, uint64_t id, store_call_t *call) {
  sqlite3_stmt *statement = sql_use(&store->sql, USER_COLUMNS "WHERE id = ?");
  sql_bind_u64(statement, 1, id);
  gantry_err_t err = sql_next(&store->sql, statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "id", "no user %llu", (unsigned long long)id);
  if (err != GANTRY_OK) return err;
  read_user(statement, call->gives);
  sqlite3_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_sqlite_user_get(store_sqlite_t *store, store_call_t *call) {
  const store_user_key_t *key = call->takes;
  sqlite3_stmt *statement =
      sql_use(&store->sql, USER_COLUMNS "WHERE username = ?1 OR (email = ?1 AND email <> '')"
                                        " ORDER BY username = ?1 DESC LIMIT 1");
  sql_bind_text(statement, 1, key->name);
  gantry_err_t err = sql_next(&store->sql, statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "name", "no user %s", key->name);
  if (err != GANTRY_OK) return err;
  read_user(statement, call->gives);
  sqlite3_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t check_unique(store_sqlite_t *store, const store_user_t *user,
                                 gantry_fault_t *fault) {
  sqlite3_stmt *statement =
      sql_use(&store->sql, "SELECT username = ?1 FROM users WHERE id <> ?3 AND"
                           " (username = ?1 OR (email = ?2 AND email <> ''))"
                           " ORDER BY username = ?1 DESC LIMIT 1");
  sql_bind_text(statement, 1, user->username);
  sql_bind_text(statement, 2, user->email);
  sql_bind_u64(statement, 3, user->id);
  gantry_err_t err = sql_next(&store->sql, statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  bool by_name = sql_get_bool(statement, 0);
  sqlite3_reset(statement);
  return fault_set(fault, GANTRY_E_CONFLICT, by_name ? "username" : "email",
                   "another user has the %s %s", by_name ? "name" : "address",
                   by_name ? user->username : user->email);
}

static void bind_user(sqlite3_stmt *statement, const store_user_t *user, uint64_t now_ns) {
  sql_bind_text(statement, 1, user->username);
  sql_bind_text(statement, 2, user->email);
  sql_bind_text(statement, 3, user->full_name);
  sql_bind_text(statement, 4, user->hash);
  sql_bind_text(statement, 5, desc_enum_text(&STORE_ROLE_ENUM, (int)user->role));
  sql_bind_int(statement, 6, user->active);
  sql_bind_int(statement, 7, user->must_change);
  sql_bind_int(statement, 8, user->failed);
  sql_bind_opt_time(statement, 9, user->has_locked, user->locked);
  sql_bind_opt_time(statement, 10, user->has_last_login, user->last_login);
  sql_bind_time(statement, 11, now_ns);
}

gantry_err_t store_sqlite_user_put(store_sqlite_t *store, store_call_t *call) {
  const store_user_t *user = call->takes;
  uint64_t id = user->id;
  sqlite3_stmt *statement;
  GANTRY_TRY(check_unique(store, user, call->fault));
  if (id == 0) {
    statement =
        sql_use(&store->sql, "INSERT INTO users (username, email, full_name, hash, role, active,"
                             " must_change, failed, locked, last_login, updated, created)"
                             " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)");
  } else {
    statement = sql_use(&store->sql, "UPDATE users SET username = ?1, email = ?2, full_name = ?3,"
                                     " hash = ?4, role = ?5, active = ?6, must_change = ?7,"
                                     " failed = ?8, locked = ?9, last_login = ?10, updated = ?11"
                                     " WHERE id = ?12");
    sql_bind_u64(statement, 12, id);
  }
  bind_user(statement, user, call->now_ns);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  if (id == 0) id = (uint64_t)sql_last_id(&store->sql);
  return get_by_id(store, id, call);
}

gantry_err_t store_sqlite_user_count(store_sqlite_t *store, store_call_t *call) {
  store_count_t *out = call->gives;
  sqlite3_stmt *statement = sql_use(&store->sql, "SELECT count(*) FROM users");
  GANTRY_TRY(sql_next(&store->sql, statement));
  out->count = sql_get_u64(statement, 0);
  sqlite3_reset(statement);
  return GANTRY_OK;
}
