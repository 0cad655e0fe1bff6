/* Users: found by name or e-mail, unique in both. Whatever bears on who may come in is numbered
   (store_identity.c). */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define USER_COLUMNS                                                                               \
  "SELECT id, username, email, full_name, hash, role, active, must_change, failed, locked,"        \
  " last_login, created, updated, password_changed FROM users "

store_role_t store_read_role(stmt_t *statement, int column) {
  char role[16];
  db_get_text(statement, column, role, sizeof role);
  int value = desc_enum_value(&STORE_ROLE_ENUM, role, strlen(role));
  return value < 0 ? STORE_ROLE_VIEWER : (store_role_t)value;
}

static void read_user(stmt_t *statement, store_user_t *user) {
  user->id = db_get_u64(statement, 0);
  db_get_text(statement, 1, user->username, sizeof user->username);
  db_get_text(statement, 2, user->email, sizeof user->email);
  db_get_text(statement, 3, user->full_name, sizeof user->full_name);
  db_get_text(statement, 4, user->hash, sizeof user->hash);
  user->role = store_read_role(statement, 5);
  user->active = db_get_bool(statement, 6);
  user->must_change = db_get_bool(statement, 7);
  user->failed = (uint32_t)db_get_u64(statement, 8);
  user->has_locked = !db_is_null(statement, 9);
  user->locked = db_get_time(statement, 9);
  user->has_last_login = !db_is_null(statement, 10);
  user->last_login = db_get_time(statement, 10);
  user->created = db_get_time(statement, 11);
  user->updated = db_get_time(statement, 12);
  user->has_password_changed = !db_is_null(statement, 13);
  user->password_changed = db_get_time(statement, 13);
}

gantry_err_t store_load_user(store_t *store, uint64_t id, store_user_t *out,
                             gantry_fault_t *fault) {
  stmt_t *statement = db_use(store->db, USER_COLUMNS "WHERE id = ?1");
  db_bind_u64(statement, 1, id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(fault, err, "id", "no user %llu", (unsigned long long)id);
  if (err != GANTRY_OK) return err;
  read_user(statement, out);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_user_by_id(store_t *store, store_call_t *call) {
  const store_user_id_t *key = call->takes;
  return store_load_user(store, key->id, call->gives, call->fault);
}

gantry_err_t store_user_list(store_t *store, store_call_t *call) {
  const store_user_list_get_t *get = call->takes;
  store_user_list_t *out = call->gives;
  gantry_err_t err;
  stmt_t *statement =
      db_use(store->db, USER_COLUMNS "ORDER BY lower(username), id LIMIT ?1 OFFSET ?2");
  db_bind_int(statement, 1, get->limit);
  db_bind_int(statement, 2, get->offset);
  while ((err = db_next(statement)) == GANTRY_OK) {
    store_user_t *user = &out->users[out->users_count++];
    read_user(statement, user);
    explicit_bzero(user->hash, sizeof user->hash);
  }
  if (err != GANTRY_E_NOT_FOUND) return err;
  statement = db_use(store->db, "SELECT count(*) FROM users");
  GANTRY_TRY(db_next(statement));
  out->total = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_find_user(store_t *store, const char *name, store_user_t *out) {
  stmt_t *statement =
      db_use(store->db, USER_COLUMNS
             "WHERE lower(username) = lower(?1) OR (lower(email) = lower(?1) AND email <> '')"
             " ORDER BY lower(username) = lower(?1) DESC LIMIT 1");
  db_bind_text(statement, 1, name);
  GANTRY_TRY(db_next(statement));
  read_user(statement, out);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_user_get(store_t *store, store_call_t *call) {
  const store_user_key_t *key = call->takes;
  gantry_err_t err = store_find_user(store, key->name, call->gives);
  if (err != GANTRY_E_NOT_FOUND) return err;
  return fault_set(call->fault, err, "name", "no user %s", key->name);
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

gantry_err_t store_save_user(store_t *store, const store_user_t *user, store_call_t *call) {
  int64_t number;
  GANTRY_TRY(check_unique(store, user, call->fault));
  GANTRY_TRY(store_number_change(store, &number));
  stmt_t *statement =
      db_use(store->db, "UPDATE users SET username = ?1, email = ?2, full_name = ?3, hash = ?4,"
                        " role = ?5, active = ?6, must_change = ?7, failed = ?8, locked = ?9,"
                        " last_login = ?10, updated = ?11, changed = ?13, password_changed ="
                        " CASE WHEN hash = ?4 THEN password_changed ELSE ?11 END WHERE id = ?12");
  db_bind_u64(statement, 12, user->id);
  db_bind_int(statement, 13, number);
  bind_user(statement, user, call->now_ns);
  return db_finish(statement);
}

static gantry_err_t add_user(store_t *store, const store_user_t *user, store_call_t *call,
                             uint64_t *id) {
  int64_t number;
  GANTRY_TRY(check_unique(store, user, call->fault));
  GANTRY_TRY(store_number_change(store, &number));
  *id = (uint64_t)store_new_id(store, STORE_ID_USER);
  stmt_t *statement =
      db_use(store->db, "INSERT INTO users (username, email, full_name, hash, role, active,"
                        " must_change, failed, locked, last_login, updated, created,"
                        " password_changed, id, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                        " ?8, ?9, ?10, ?11, ?11, ?11, ?12, ?13)");
  db_bind_u64(statement, 12, *id);
  db_bind_int(statement, 13, number);
  bind_user(statement, user, call->now_ns);
  return db_finish(statement);
}

gantry_err_t store_user_put(store_t *store, store_call_t *call) {
  const store_user_t *user = call->takes;
  uint64_t id = user->id;
  if (id == 0)
    GANTRY_TRY(add_user(store, user, call, &id));
  else
    GANTRY_TRY(store_save_user(store, user, call));
  return store_load_user(store, id, call->gives, call->fault);
}

gantry_err_t store_user_count(store_t *store, store_call_t *call) {
  store_count_t *out = call->gives;
  stmt_t *statement = db_use(store->db, "SELECT count(*) FROM users");
  GANTRY_TRY(db_next(statement));
  out->count = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

/* ---- changes */

/* Somebody has to be able to let the others in. */
static gantry_err_t check_last_admin(store_t *store, const store_user_t *was,
                                     gantry_fault_t *fault) {
  if (was->role != STORE_ROLE_ADMIN || !was->active) return GANTRY_OK;
  stmt_t *statement = db_use(
      store->db, "SELECT count(*) FROM users WHERE role = 'admin' AND active = 1 AND id <> ?1");
  db_bind_u64(statement, 1, was->id);
  GANTRY_TRY(db_next(statement));
  bool last = db_get_int(statement, 0) == 0;
  db_reset(statement);
  if (!last) return GANTRY_OK;
  (void)fault_set(fault, GANTRY_E_CONFLICT, "id",
                  "%s is the last administrator; make another one first", was->username);
  snprintf(fault->code, sizeof fault->code, "LAST_ADMIN");
  return GANTRY_E_CONFLICT;
}

static void apply_change(const store_user_change_t *change, store_user_t *user) {
  if (change->has_email) memcpy(user->email, change->email, sizeof user->email);
  if (change->has_full_name) memcpy(user->full_name, change->full_name, sizeof user->full_name);
  if (change->has_role) user->role = change->role;
  if (change->has_active) user->active = change->active;
  if (change->has_hash) memcpy(user->hash, change->hash, sizeof user->hash);
  if (change->has_must_change) user->must_change = change->must_change;
  if (!change->has_unlock || !change->unlock) return;
  user->failed = 0;
  user->has_locked = false;
}

static gantry_err_t change_user(store_t *store, const store_user_t *was, store_call_t *call) {
  const store_user_change_t *change = call->takes;
  store_user_t user = *was;
  apply_change(change, &user);
  if (user.role != STORE_ROLE_ADMIN || !user.active)
    GANTRY_TRY(check_last_admin(store, was, call->fault));
  if (change->has_hash) GANTRY_TRY(store_keep_old_hash(store, was, call->now_ns));
  GANTRY_TRY(store_save_user(store, &user, call));
  uint64_t kept = change->has_keep_session ? change->keep_session : 0;
  if (change->has_hash)
    GANTRY_TRY(store_end_sessions(store, user.id, kept, "password", call->now_ns));
  if (!user.active) GANTRY_TRY(store_end_sessions(store, user.id, 0, "disabled", call->now_ns));
  return store_load_user(store, user.id, call->gives, call->fault);
}

/* Who shows the present password: no more guesses than at a login. */
static gantry_err_t check_owner(const store_user_change_t *change, const store_user_t *was,
                                store_call_t *call) {
  if (strcmp(change->old_hash, was->hash) != 0)
    return fault_set(call->fault, GANTRY_E_CONFLICT, "old_hash",
                     "the password of %s was changed meanwhile", was->username);
  if (!was->has_locked || was->locked <= call->now_ns) return GANTRY_OK;
  (void)fault_set(call->fault, GANTRY_E_UNAUTHENTICATED, "old_hash",
                  "%s is locked after too many wrong passwords", was->username);
  snprintf(call->fault->code, sizeof call->fault->code, "ACCOUNT_LOCKED");
  return GANTRY_E_UNAUTHENTICATED;
}

gantry_err_t store_user_change(store_t *store, store_call_t *call) {
  const store_user_change_t *change = call->takes;
  store_user_t was = {0};
  GANTRY_TRY(store_load_user(store, change->id, &was, call->fault));
  if (change->has_old_hash) GANTRY_TRY(check_owner(change, &was, call));
  if (change->has_reset) GANTRY_TRY(store_spend_reset(store, change, call));
  gantry_err_t err = change_user(store, &was, call);
  explicit_bzero(&was, sizeof was);
  return err;
}

gantry_err_t store_user_delete(store_t *store, store_call_t *call) {
  static const char *const DELETES[] = {"DELETE FROM users WHERE id = ?1",
                                        "DELETE FROM user_session WHERE user_id = ?1",
                                        "DELETE FROM password_history WHERE user_id = ?1",
                                        "DELETE FROM password_reset WHERE user_id = ?1"};
  const store_user_id_t *key = call->takes;
  store_user_t *user = call->gives;
  int64_t number;
  GANTRY_TRY(store_load_user(store, key->id, user, call->fault));
  GANTRY_TRY(check_last_admin(store, user, call->fault));
  for (size_t i = 0; i < sizeof DELETES / sizeof *DELETES; i++) {
    stmt_t *statement = db_use(store->db, DELETES[i]);
    db_bind_u64(statement, 1, key->id);
    GANTRY_TRY(db_finish(statement));
  }
  GANTRY_TRY(store_number_change(store, &number));
  stmt_t *statement = db_use(store->db, "INSERT INTO user_gone (id, username, deleted, changed)"
                                        " VALUES (?1, ?2, ?3, ?4)");
  db_bind_u64(statement, 1, key->id);
  db_bind_text(statement, 2, user->username);
  db_bind_time(statement, 3, call->now_ns);
  db_bind_int(statement, 4, number);
  return db_finish(statement);
}
