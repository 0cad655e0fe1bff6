/* Logins and the sessions they open. Each verdict is an answer and no error: what it has counted or
   taken back has to be committed. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define DAY_NS (24ull * 3600 * 1000000000ull)

/* ---- sessions taken back */

static gantry_err_t end_session(store_t *store, uint64_t id, const char *reason, uint64_t now_ns) {
  int64_t number;
  GANTRY_TRY(store_number_change(store, &number));
  stmt_t *statement = db_use(store->db, "UPDATE user_session SET revoked = ?2, reason = ?3,"
                                        " changed = ?4 WHERE id = ?1 AND revoked IS NULL");
  db_bind_u64(statement, 1, id);
  db_bind_time(statement, 2, now_ns);
  db_bind_text(statement, 3, reason);
  db_bind_int(statement, 4, number);
  return db_finish(statement);
}

/* Of the user's sessions but `kept` that nobody has ended and that expire after since_ns the one
   unused for longest, and how many there are. */
static gantry_err_t stalest_session(store_t *store, uint64_t user_id, uint64_t kept,
                                    uint64_t since_ns, uint64_t *id, uint64_t *count) {
  stmt_t *statement =
      db_use(store->db, "SELECT id, count(*) OVER () FROM user_session WHERE user_id = ?1"
                        " AND id <> ?2 AND revoked IS NULL AND expires > ?3"
                        " ORDER BY last_used, issued, id LIMIT 1");
  db_bind_u64(statement, 1, user_id);
  db_bind_u64(statement, 2, kept);
  db_bind_time(statement, 3, since_ns);
  gantry_err_t err = db_next(statement);
  *count = 0;
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  *id = db_get_u64(statement, 0);
  *count = db_get_u64(statement, 1);
  db_reset(statement);
  return GANTRY_OK;
}

/* All of them, expired ones too: an access token of theirs may still be good. */
gantry_err_t store_end_sessions(store_t *store, uint64_t user_id, uint64_t kept, const char *reason,
                                uint64_t now_ns) {
  uint64_t id = 0, count;
  for (;;) {
    GANTRY_TRY(stalest_session(store, user_id, kept, 0, &id, &count));
    if (count == 0) return GANTRY_OK;
    GANTRY_TRY(end_session(store, id, reason, now_ns));
  }
}

/* What has expired is nobody's any more, and takes no place from one in use. */
static gantry_err_t thin_sessions(store_t *store, uint64_t user_id, uint64_t most,
                                  uint64_t now_ns) {
  uint64_t id = 0, count;
  for (;;) {
    GANTRY_TRY(stalest_session(store, user_id, 0, now_ns, &id, &count));
    if (count <= most) return GANTRY_OK;
    GANTRY_TRY(end_session(store, id, "too_many", now_ns));
  }
}

static gantry_err_t owner_of(store_t *store, uint64_t session, uint64_t *user_id, bool *found) {
  stmt_t *statement =
      db_use(store->db, "SELECT user_id FROM user_session WHERE id = ?1 AND revoked IS NULL");
  db_bind_u64(statement, 1, session);
  gantry_err_t err = db_next(statement);
  *found = err == GANTRY_OK;
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  *user_id = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_session_revoke(store_t *store, store_call_t *call) {
  const store_session_revoke_t *take = call->takes;
  store_count_t *out = call->gives;
  uint64_t owner = 0, stalest = 0;
  bool found;
  if (take->session == 0) {
    GANTRY_TRY(stalest_session(store, take->user_id, 0, 0, &stalest, &out->count));
    return store_end_sessions(store, take->user_id, 0, take->reason, call->now_ns);
  }
  GANTRY_TRY(owner_of(store, take->session, &owner, &found));
  if (!found || (take->user_id != 0 && owner != take->user_id)) return GANTRY_OK;
  out->count = 1;
  return end_session(store, take->session, take->reason, call->now_ns);
}

/* ---- login */

static gantry_err_t forget_old_sessions(store_t *store, uint64_t now_ns) {
  stmt_t *statement = db_use(store->db, "DELETE FROM user_session WHERE expires < ?1");
  db_bind_time(statement, 1, now_ns > 2 * DAY_NS ? now_ns - 2 * DAY_NS : 0);
  return db_finish(statement);
}

static gantry_err_t open_session(store_t *store, const store_login_t *login, uint64_t now_ns) {
  const store_login_session_t *session = &login->session;
  GANTRY_TRY(forget_old_sessions(store, now_ns));
  GANTRY_TRY(thin_sessions(store, login->user_id, login->sessions_max - 1, now_ns));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO user_session (id, user_id, refresh, issued, expires,"
                        " last_used, address, agent, revoked, reason, changed)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7, NULL, '', 0)");
  db_bind_u64(statement, 1, session->id);
  db_bind_u64(statement, 2, login->user_id);
  db_bind_text(statement, 3, login->refresh);
  db_bind_time(statement, 4, now_ns);
  db_bind_time(statement, 5, session->expires);
  db_bind_text(statement, 6, session->address);
  db_bind_text(statement, 7, session->agent);
  return db_finish(statement);
}

static gantry_err_t let_in(store_t *store, const store_login_t *login, store_user_t *user,
                           store_call_t *call) {
  user->failed = 0;
  user->has_locked = false;
  user->has_last_login = true;
  user->last_login = call->now_ns;
  user->must_change = user->must_change || login->must_change;
  if (login->has_better_hash) memcpy(user->hash, login->better_hash, sizeof user->hash);
  GANTRY_TRY(store_save_user(store, user, call));
  return open_session(store, login, call->now_ns);
}

void store_count_failure(const store_login_t *login, store_user_t *user, uint64_t now_ns) {
  user->failed++;
  if (user->failed < login->lock_after) return;
  user->failed = 0;
  user->has_locked = true;
  user->locked = now_ns + (uint64_t)login->lock_s * 1000000000u;
}

/* Without a number: a stranger who guesses gives gateways nothing to do. */
static gantry_err_t user_failed(store_t *store, const store_login_t *login, store_user_t *user,
                                const store_call_t *call) {
  store_count_failure(login, user, call->now_ns);
  stmt_t *statement = db_use(store->db, "UPDATE users SET failed = ?2, locked = ?3 WHERE id = ?1");
  db_bind_u64(statement, 1, user->id);
  db_bind_int(statement, 2, user->failed);
  db_bind_opt_time(statement, 3, user->has_locked, user->locked);
  return db_finish(statement);
}

static gantry_err_t judge_user(store_t *store, store_call_t *call) {
  const store_login_t *login = call->takes;
  store_login_judged_t *out = call->gives;
  store_user_t *user = &out->user;
  GANTRY_TRY(store_load_user(store, login->user_id, user, call->fault));
  out->has_user = true;
  bool same = strcmp(user->hash, login->hash) == 0; /* not changed while it was compared */
  if (user->has_locked && user->locked > call->now_ns) {
    out->verdict = STORE_LOGIN_VERDICT_LOCKED;
    out->has_locked = true;
    out->locked = user->locked;
  } else if (login->success && user->active && same) {
    out->verdict = STORE_LOGIN_VERDICT_OPEN;
    return let_in(store, login, user, call);
  } else if (same) { /* of a disabled user too: not to lock would tell that he exists */
    return user_failed(store, login, user, call);
  }
  return GANTRY_OK;
}

gantry_err_t store_login(store_t *store, store_call_t *call) {
  const store_login_t *login = call->takes;
  store_login_judged_t *out = call->gives;
  out->verdict = STORE_LOGIN_VERDICT_REFUSED;
  gantry_err_t err = login->user_id ? judge_user(store, call) : store_stranger_failed(store, call);
  if (err == GANTRY_OK && out->verdict != STORE_LOGIN_VERDICT_OPEN)
    err = store_forget_strangers(store); /* whoever failed: it takes its time */
  explicit_bzero(out->user.hash, sizeof out->user.hash);
  return err;
}

/* ---- refresh */

typedef struct held {
  uint64_t user_id, expires_ns, used_ns;
  char refresh[65], previous[65];
  bool revoked;
} held_t;

static gantry_err_t find_session(store_t *store, uint64_t id, held_t *out) {
  stmt_t *statement = db_use(store->db, "SELECT user_id, refresh, expires, revoked, previous, "
                                        "last_used FROM user_session WHERE id = ?1");
  db_bind_u64(statement, 1, id);
  GANTRY_TRY(db_next(statement));
  out->user_id = db_get_u64(statement, 0);
  db_get_text(statement, 1, out->refresh, sizeof out->refresh);
  out->expires_ns = db_get_time(statement, 2);
  out->revoked = !db_is_null(statement, 3);
  db_get_text(statement, 4, out->previous, sizeof out->previous);
  out->used_ns = db_get_time(statement, 5);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t rotate(store_t *store, const store_session_refresh_t *take, uint64_t now_ns) {
  stmt_t *statement =
      db_use(store->db, "UPDATE user_session SET previous = refresh, refresh = ?2, expires = ?3,"
                        " last_used = ?4, address = ?5 WHERE id = ?1");
  db_bind_u64(statement, 1, take->session);
  db_bind_text(statement, 2, take->next);
  db_bind_time(statement, 3, take->expires);
  db_bind_time(statement, 4, now_ns);
  db_bind_text(statement, 5, take->address);
  return db_finish(statement);
}

/* Its answer was lost, or two tabs of a browser have shown it: what it was exchanged for holds. */
static bool is_repeated(const held_t *held, const store_session_refresh_t *take, uint64_t now_ns) {
  return strcmp(held->previous, take->refresh) == 0 && held->used_ns <= now_ns &&
         now_ns < held->used_ns + (uint64_t)take->grace_s * 1000000000u;
}

static store_refresh_verdict_t judge_refresh(const held_t *held, bool active,
                                             const store_session_refresh_t *take, uint64_t now_ns) {
  bool present = strcmp(held->refresh, take->refresh) == 0;
  if (held->revoked) return STORE_REFRESH_VERDICT_REVOKED;
  if (!present && !is_repeated(held, take, now_ns)) return STORE_REFRESH_VERDICT_REPLAYED;
  if (held->expires_ns <= now_ns) return STORE_REFRESH_VERDICT_EXPIRED;
  if (!active) return STORE_REFRESH_VERDICT_DISABLED;
  return present ? STORE_REFRESH_VERDICT_RENEWED : STORE_REFRESH_VERDICT_REPEATED;
}

/* As a login does: nobody stays in for ever by refreshing. */
static gantry_err_t age_password(store_t *store, const store_session_refresh_t *take,
                                 store_user_t *user, store_call_t *call) {
  if (user->must_change || !user->has_password_changed ||
      user->password_changed >= take->password_since)
    return GANTRY_OK;
  user->must_change = true;
  return store_save_user(store, user, call);
}

gantry_err_t store_session_refresh(store_t *store, store_call_t *call) {
  const store_session_refresh_t *take = call->takes;
  store_session_refreshed_t *out = call->gives;
  held_t held = {0};
  gantry_err_t err = find_session(store, take->session, &held);
  out->verdict = STORE_REFRESH_VERDICT_UNKNOWN;
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  GANTRY_TRY(err);
  GANTRY_TRY(store_load_user(store, held.user_id, &out->user, call->fault));
  out->has_user = true;
  out->verdict = judge_refresh(&held, out->user.active, take, call->now_ns);
  out->expires = held.expires_ns;
  if (out->verdict == STORE_REFRESH_VERDICT_REPLAYED) {
    err = end_session(store, take->session, "replay", call->now_ns);
  } else if (out->verdict == STORE_REFRESH_VERDICT_RENEWED) {
    out->expires = take->expires;
    err = rotate(store, take, call->now_ns);
    if (err == GANTRY_OK) err = age_password(store, take, &out->user, call);
  }
  explicit_bzero(out->user.hash, sizeof out->user.hash);
  return err;
}

/* ---- list */

gantry_err_t store_login_sessions(store_t *store, store_call_t *call) {
  const store_user_id_t *key = call->takes;
  store_login_sessions_t *out = call->gives;
  gantry_err_t err;
  stmt_t *statement =
      db_use(store->db, "SELECT id, user_id, issued, expires, last_used, address, agent"
                        " FROM user_session WHERE user_id = ?1 AND revoked IS NULL"
                        " AND expires > ?2 ORDER BY issued DESC, id LIMIT ?3");
  db_bind_u64(statement, 1, key->id);
  db_bind_time(statement, 2, call->now_ns);
  db_bind_int(statement, 3, sizeof out->sessions / sizeof *out->sessions);
  while ((err = db_next(statement)) == GANTRY_OK) {
    store_login_session_t *session = &out->sessions[out->sessions_count++];
    session->id = db_get_u64(statement, 0);
    session->user_id = db_get_u64(statement, 1);
    session->issued = db_get_time(statement, 2);
    session->expires = db_get_time(statement, 3);
    session->last_used = db_get_time(statement, 4);
    db_get_text(statement, 5, session->address, sizeof session->address);
    db_get_text(statement, 6, session->agent, sizeof session->agent);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}
