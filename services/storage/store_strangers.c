/* Failed logins under names that nobody has: they lock like those of a user, at every gateway. The
   names are kept as hashes: people type passwords there. */
#include <string.h>

#include "store_internal.h"

#define STRANGERS_MAX 4096 /* the one longest unused makes room */

/* failed, has_locked and locked alone are filled in. */
static gantry_err_t load(store_t *store, const char *hash, store_user_t *out) {
  stmt_t *statement = db_use(store->db, "SELECT failed, locked FROM stranger WHERE hash = ?1");
  db_bind_text(statement, 1, hash);
  gantry_err_t err = db_next(statement);
  *out = (store_user_t){0};
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  out->failed = (uint32_t)db_get_u64(statement, 0);
  out->has_locked = !db_is_null(statement, 1);
  out->locked = db_get_time(statement, 1);
  db_reset(statement);
  return GANTRY_OK;
}

static bool is_locked(const store_user_t *user, uint64_t now_ns) {
  return user->has_locked && user->locked > now_ns;
}

gantry_err_t store_stranger_failed(store_t *store, store_call_t *call) {
  const store_login_t *login = call->takes;
  store_login_judged_t *out = call->gives;
  store_user_t stranger;
  GANTRY_TRY(load(store, login->stranger, &stranger));
  if (is_locked(&stranger, call->now_ns)) {
    out->verdict = STORE_LOGIN_VERDICT_LOCKED;
    out->has_locked = true;
    out->locked = stranger.locked;
    return GANTRY_OK;
  }
  store_count_failure(login, &stranger, call->now_ns);
  stmt_t *statement =
      db_use(store->db, "INSERT INTO stranger (hash, failed, locked, seen) VALUES (?1, ?2, ?3, ?4)"
                        " ON CONFLICT (hash) DO UPDATE SET failed = ?2, locked = ?3, seen = ?4");
  db_bind_text(statement, 1, login->stranger);
  db_bind_int(statement, 2, stranger.failed);
  db_bind_opt_time(statement, 3, stranger.has_locked, stranger.locked);
  db_bind_time(statement, 4, call->now_ns);
  return db_finish(statement);
}

gantry_err_t store_forget_strangers(store_t *store) {
  stmt_t *statement =
      db_use(store->db, "DELETE FROM stranger WHERE seen < (SELECT seen FROM stranger"
                        " ORDER BY seen DESC LIMIT 1 OFFSET ?1)");
  db_bind_int(statement, 1, STRANGERS_MAX - 1);
  return db_finish(statement);
}

gantry_err_t store_login_user(store_t *store, store_call_t *call) {
  const store_login_ask_t *ask = call->takes;
  store_login_found_t *out = call->gives;
  store_user_t stranger;
  GANTRY_TRY(load(store, ask->stranger, &stranger)); /* of a known one too: it takes its time */
  gantry_err_t err = store_find_user(store, ask->name, &out->user);
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  out->has_user = err == GANTRY_OK;
  const store_user_t *whom = out->has_user ? &out->user : &stranger;
  out->has_locked = is_locked(whom, call->now_ns);
  out->locked = whom->locked;
  return GANTRY_OK;
}
