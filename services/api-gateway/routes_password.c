/* A new password: by its owner, or by whoever holds a reset token. It may repeat none of the last
   ones, and it ends the user's other sessions. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "identity_feed.h"
#include "routes_auth.h"

enum { RESET_S = 3600 };

typedef struct password_work {
  store_user_hashes_t hashes; /* what may not come again */
  uint32_t next;              /* of them, to be compared */
  store_user_change_t change;
  char password[PASSWORD_MAX + 1];
} password_work_t;

static password_work_t *work_of(exchange_t *x) {
  return (password_work_t *)x->scratch.data;
}

static void answer_stored(exchange_t *x) {
  exchange_done(x, "The password has been changed; other sessions have been ended.");
}

static void on_stored(exchange_t *x, const void *reply) {
  const store_user_t *user = reply;

  log_info("PASSWORD-CHANGED", "%s has a new password", user->username);
  identity_feed_user(x->gateway, user);
  auth_catch_up(x, answer_stored);
}

/* Somebody else was quicker with the same token or password. */
static void on_unstored(exchange_t *x, const gantry_fault_t *fault) {
  bool spent = fault->err == GANTRY_E_NOT_FOUND && !strcmp(fault->field, "reset_token");

  if (spent)
    exchange_fail(x, GANTRY_E_REFUSED, "RESET_TOKEN", "reset_token", "%s", fault->detail);
  else
    exchange_fail_fault(x, fault);
}

static void on_hashed(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;
  password_work_t *work = work_of(x);
  store_user_change_t *change = &work->change;

  x->working = false;
  explicit_bzero(work->password, sizeof work->password);
  if (ok) {
    change->has_hash = true;
    snprintf(change->hash, sizeof change->hash, "%s", hash);
    exchange_call(x, REQUEST_STORE_USER_CHANGE, change, on_stored, on_unstored);
  } else {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The password could not be hashed.");
  }
  exchange_release(x);
}

static void on_compared(bool same, const char *hash, void *arg);

/* Compares with the next of the last passwords, or goes on when it is none of them. */
static void compare_next(exchange_t *x) {
  password_work_t *work = work_of(x);

  if (work->next == work->hashes.hashes_count)
    auth_work(x, work->password, NULL, on_hashed);
  else
    auth_work(x, work->password, work->hashes.hashes[work->next++].hash, on_compared);
}

static void on_compared(bool same, const char *hash, void *arg) {
  exchange_t *x = arg;

  (void)hash;
  x->working = false;
  if (same)
    exchange_fail(x, GANTRY_E_REFUSED, "PASSWORD_REUSED", "new_password",
                  "That was one of the last passwords; take another one.");
  else
    compare_next(x);
  exchange_release(x);
}

static void on_hashes(exchange_t *x, const void *reply) {
  work_of(x)->hashes = *(const store_user_hashes_t *)reply;
  compare_next(x);
}

/* The change is filled in but for the hash. */
static void begin_change(exchange_t *x, const char *password) {
  password_work_t *work = work_of(x);
  store_user_id_t key = {.id = work->change.id};

  work->change.has_must_change = true;
  snprintf(work->password, sizeof work->password, "%s", password);
  exchange_call(x, REQUEST_STORE_USER_HASHES, &key, on_hashes, NULL);
}

/* ---- by its owner */

static void on_guess_counted(exchange_t *x, const void *reply) {
  const store_login_judged_t *judged = reply;

  if (judged->verdict == STORE_LOGIN_VERDICT_LOCKED)
    auth_fail_locked(x, judged->locked);
  else
    exchange_fail(x, GANTRY_E_UNAUTHENTICATED, "AUTH_FAILED", "current_password",
                  "The present password is wrong.");
}

/* A guess here is worth as much as one at the login, and counts as one. */
static void count_guess(exchange_t *x) {
  const gateway_t *gateway = x->gateway;
  const store_user_change_t *change = &work_of(x)->change;
  store_login_t login = {.user_id = change->id,
                         .lock_after = gateway->lock_after,
                         .lock_s = gateway->lock_s,
                         .sessions_max = gateway->sessions_max};

  snprintf(login.hash, sizeof login.hash, "%s", change->old_hash);
  exchange_call(x, REQUEST_STORE_LOGIN, &login, on_guess_counted, NULL);
}

static void on_current_verified(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;
  const http_change_password_t *body = x->body;

  (void)hash;
  x->working = false;
  if (ok)
    begin_change(x, body->new_password);
  else
    count_guess(x);
  exchange_release(x);
}

static void on_change_user(exchange_t *x, const void *reply) {
  const http_change_password_t *body = x->body;
  const store_user_t *user = reply;
  password_work_t *work = auth_room(x, sizeof *work);

  if (!work) return;
  if (user->has_locked && user->locked > clock_wall_ns()) {
    auth_fail_locked(x, user->locked);
    return;
  }
  work->change.id = user->id;
  work->change.has_old_hash = true;
  snprintf(work->change.old_hash, sizeof work->change.old_hash, "%s", user->hash);
  work->change.has_keep_session = true;
  work->change.keep_session = x->caller.session;
  work->change.has_unlock = work->change.unlock = true; /* as a login: failures are forgotten */
  auth_work(x, body->current_password, user->hash, on_current_verified);
}

static void on_change_password(exchange_t *x) {
  const http_change_password_t *body = x->body;
  store_user_id_t key = {.id = x->caller.user_id};

  if (!auth_is_user(x)) return;
  if (auth_accept_password(x, "new_password", body->new_password, body->confirm_new_password))
    exchange_call(x, REQUEST_STORE_USER_BY_ID, &key, on_change_user, NULL);
}

/* ---- by a reset token */

/* The same answer whether the address is known: there is no mail to send; who asks stands in the
   audit log, and an administrator makes the token. */
static void on_forgot(exchange_t *x) {
  const http_forgot_password_t *body = x->body;

  auth_note(x, "asked for by %.64s", body->email);
  exchange_done(x, "If there is such a user, an administrator can now make a reset token for him.");
}

static void on_reset_user(exchange_t *x, const void *reply) {
  const http_reset_password_t *body = x->body;
  const store_user_t *user = reply;
  password_work_t *work = auth_room(x, sizeof *work);

  if (!work) return;
  x->user = *user; /* names the actor in the audit log */
  work->change.id = user->id;
  work->change.has_unlock = work->change.unlock = true;
  work->change.has_reset = true;
  if (auth_hash(body->reset_token, work->change.reset) == GANTRY_OK)
    begin_change(x, body->new_password);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The token could not be hashed.");
}

static void on_reset_password(exchange_t *x) {
  const http_reset_password_t *body = x->body;
  store_reset_key_t key;

  if (!auth_accept_password(x, "new_password", body->new_password, body->confirm_new_password))
    return;
  if (auth_hash(body->reset_token, key.hash) == GANTRY_OK)
    exchange_call(x, REQUEST_STORE_RESET_GET, &key, on_reset_user, on_unstored);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The token could not be hashed.");
}

static void on_reset_made(exchange_t *x, const void *reply) {
  const store_user_t *user = reply;
  const http_reset_made_t *room = (const void *)x->scratch.data;
  http_reset_made_t made = *room;

  snprintf(made.message, sizeof made.message,
           "Hand it to %.50s: it holds an hour, once, and is not shown again.", user->username);
  auth_note(x, "for %.50s", user->username);
  exchange_answer(x, &made);
}

static void on_make_reset(exchange_t *x) {
  const http_user_params_t *params = x->params;
  store_reset_put_t put = {.user_id = params->id};
  http_reset_made_t *made = auth_room(x, sizeof *made);

  if (!made) return;
  made->success = true;
  made->expires_at = put.expires = clock_wall_ns() + (uint64_t)RESET_S * GANTRY_NS_PER_S;
  if (auth_random_token("reset_", made->reset_token, sizeof made->reset_token) == GANTRY_OK &&
      auth_hash(made->reset_token, put.hash) == GANTRY_OK)
    exchange_call(x, REQUEST_STORE_RESET_PUT, &put, on_reset_made, NULL);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "No token could be made.");
}

const call_route_t ROUTES_PASSWORD[] = {
    {ENDPOINT_AUTH_CHANGE_PASSWORD, on_change_password},
    {ENDPOINT_AUTH_FORGOT_PASSWORD, on_forgot},
    {ENDPOINT_AUTH_RESET_PASSWORD, on_reset_password},
    {ENDPOINT_AUTH_USER_RESET_TOKEN, on_make_reset},
    {0, NULL},
};
