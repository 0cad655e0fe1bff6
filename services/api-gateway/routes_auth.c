/* Login, refresh, who am I, change of password. Users live in storage; hashing on the worker. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "roles.h"

enum { LOCK_AFTER = 5, LOCK_S = 30 * 60, BUSY_MS = 2 };

static const char BAD_CREDENTIALS[] = "User name or password is wrong, or the user is disabled.";

static void view_user(const store_user_t *user, http_user_t *out) {
  buf_t permissions = {.limit = sizeof out->permissions - 1};

  memset(out, 0, sizeof *out);
  out->id = user->id;
  snprintf(out->username, sizeof out->username, "%s", user->username);
  snprintf(out->email, sizeof out->email, "%s", user->email);
  snprintf(out->full_name, sizeof out->full_name, "%s", user->full_name);
  out->role = user->role;
  snprintf(out->status, sizeof out->status, "%s", user->active ? "active" : "disabled");
  out->is_active = user->active;
  out->must_change_password = user->must_change;
  out->created_at = user->created;
  out->updated_at = user->updated;
  out->has_last_login = user->has_last_login;
  out->last_login = user->last_login;
  roles_write(user->role, &permissions);
  snprintf(out->permissions, sizeof out->permissions, "%s", buf_text(&permissions));
  buf_fini(&permissions);
}

static auth_subject_t subject_of(const store_user_t *user) {
  auth_subject_t subject = {.user_id = user->id, .role = user->role};

  snprintf(subject.name, sizeof subject.name, "%s", user->username);
  return subject;
}

static void fail_credentials(exchange_t *x) {
  exchange_fail(x, GANTRY_E_UNAUTHENTICATED, "AUTH_FAILED", "", "%s", BAD_CREDENTIALS);
}

static void on_user_missing(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err == GANTRY_E_NOT_FOUND)
    fail_credentials(x);
  else
    exchange_fail_fault(x, fault);
}

/* Runs the worker for x; the hold keeps x alive until fn. */
static void start_hashing(exchange_t *x, const char *password, const char *hash, password_fn fn) {
  gantry_err_t err;

  x->holds++;
  x->working = true;
  if (hash)
    err = password_verify(x->gateway->passwords, password, hash, fn, x);
  else
    err = password_hash(x->gateway->passwords, password, fn, x);
  if (err == GANTRY_OK) return;
  x->holds--;
  x->working = false;
  exchange_fail(x, err, NULL, "", "Too many logins at once; try again in a second.");
}

/* ---- login */

static void on_login_stored(exchange_t *x, const void *reply) {
  gateway_t *gateway = x->gateway;
  http_tokens_t tokens = {.token_type = "bearer", .expires_in = gateway->access_s};
  auth_subject_t subject = subject_of(reply);
  uint64_t now_s = clock_wall_ns() / GANTRY_NS_PER_S;

  gantry_err_t err = auth_sign(gateway->auth, &subject, HTTP_TOKEN_TYPE_ACCESS, now_s,
                               gateway->access_s, tokens.access_token, sizeof tokens.access_token);
  if (err == GANTRY_OK) {
    err = auth_sign(gateway->auth, &subject, HTTP_TOKEN_TYPE_REFRESH, now_s, gateway->refresh_s,
                    tokens.refresh_token, sizeof tokens.refresh_token);
  }
  if (err != GANTRY_OK) {
    exchange_fail(x, err, NULL, "", "No token could be signed.");
    return;
  }
  view_user(reply, &tokens.user);
  x->caller = subject;
  log_info("LOGIN", "%s has logged in from %s", subject.name, x->address);
  exchange_answer(x, &tokens);
}

static void on_failure_stored(exchange_t *x, const void *reply) {
  (void)reply;
  fail_credentials(x);
}

/* The counter could not be stored; the answer to a wrong password stays the same. */
static void on_failure_unstored(exchange_t *x, const gantry_fault_t *fault) {
  log_warn("LOGIN-UNCOUNTED", "a failed login was not counted: %s", fault->detail);
  fail_credentials(x);
}

static void fail_locked(exchange_t *x, uint64_t now_ns) {
  x->head.retry_s = (uint32_t)((x->user.locked - now_ns) / GANTRY_NS_PER_S) + 1;
  exchange_fail(x, GANTRY_E_UNAUTHENTICATED, "ACCOUNT_LOCKED", "",
                "Locked after too many failed logins; wait as long as Retry-After says.");
}

static bool is_locked(const store_user_t *user, uint64_t now_ns) {
  return user->has_locked && user->locked > now_ns;
}

/* The user as he stands now that the hash is known: logins at once must not lose one another's
   failures, nor write a password back that has been changed meanwhile. */
static void on_login_judged(exchange_t *x, const void *reply) {
  store_user_t *user = &x->user;
  bool changed = strcmp(user->hash, ((const store_user_t *)reply)->hash) != 0;
  uint64_t now_ns = clock_wall_ns();

  *user = *(const store_user_t *)reply;
  if (is_locked(user, now_ns)) {
    fail_locked(x, now_ns);
  } else if (changed || !user->active) {
    fail_credentials(x);
  } else if (x->verified) {
    user->failed = 0;
    user->has_locked = false;
    user->has_last_login = true;
    user->last_login = now_ns;
    exchange_call(x, REQUEST_STORE_USER_PUT, user, on_login_stored, NULL);
  } else {
    user->failed++;
    if (user->failed >= LOCK_AFTER) {
      user->failed = 0;
      user->has_locked = true;
      user->locked = now_ns + (uint64_t)LOCK_S * GANTRY_NS_PER_S;
      log_warn("LOGIN-LOCKED", "%s is locked after %d failed logins", user->username, LOCK_AFTER);
    }
    exchange_call(x, REQUEST_STORE_USER_PUT, user, on_failure_stored, on_failure_unstored);
  }
}

static void get_user(exchange_t *x, const char *name, exchange_reply_fn on_user) {
  store_user_key_t key = {0};

  snprintf(key.name, sizeof key.name, "%s", name);
  exchange_call(x, REQUEST_STORE_USER_GET, &key, on_user, on_user_missing);
}

static void on_password_stored(exchange_t *x, const void *reply) {
  (void)reply;
  log_info("PASSWORD-CHANGED", "%s has a new password", x->caller.name);
  exchange_done(x, "The password has been changed.");
}

/* Again, so that what has changed since the password was checked is not written back. */
static void on_change_again(exchange_t *x, const void *reply) {
  store_user_t user = *(const store_user_t *)reply;

  snprintf(user.hash, sizeof user.hash, "%s", x->user.hash);
  user.must_change = false;
  exchange_call(x, REQUEST_STORE_USER_PUT, &user, on_password_stored, NULL);
}

/* Whether another request is between reading and writing the same user. */
static bool user_is_busy(const exchange_t *x) {
  for (const exchange_t *other = x->gateway->exchanges; other; other = other->next) {
    if (other != x && other->writing && !other->answered &&
        !strcmp(other->user.username, x->user.username))
      return true;
  }
  return false;
}

/* Reads the user once more and writes him; waits while another does the same. */
static void rewrite_user(void *arg) {
  exchange_t *x = arg;
  bool changing = x->endpoint_id == ENDPOINT_AUTH_CHANGE_PASSWORD;

  if (user_is_busy(x) && loop_after(x->gateway->service->loop, BUSY_MS, rewrite_user, x) > 0) {
    x->working = true; /* keeps its hold */
    return;
  }
  x->working = false;
  x->writing = true;
  get_user(x, x->user.username, changing ? on_change_again : on_login_judged);
  exchange_release(x);
}

static void on_login_verified(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;

  (void)hash;
  x->working = false;
  x->verified = ok;
  if (x->user.id != 0) {
    rewrite_user(x);
    return;
  }
  fail_credentials(x);
  exchange_release(x);
}

static void on_login_user(exchange_t *x, const void *reply) {
  const http_login_t *login = x->body;
  uint64_t now_ns = clock_wall_ns();

  x->user = *(const store_user_t *)reply;
  if (is_locked(&x->user, now_ns)) {
    fail_locked(x, now_ns);
    return;
  }
  start_hashing(x, login->password, x->user.hash, on_login_verified);
}

/* An unknown user costs a hash as well, so that time does not tell who exists. */
static void on_login_unknown(exchange_t *x, const gantry_fault_t *fault) {
  const http_login_t *login = x->body;

  if (fault->err != GANTRY_E_NOT_FOUND) {
    exchange_fail_fault(x, fault);
    return;
  }
  start_hashing(x, login->password, "", on_login_verified);
}

static void on_login(exchange_t *x) {
  const http_login_t *login = x->body;
  store_user_key_t key = {0};

  snprintf(key.name, sizeof key.name, "%s", login->has_username ? login->username : login->email);
  if (!key.name[0]) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "username", "username or email is needed");
    return;
  }
  exchange_call(x, REQUEST_STORE_USER_GET, &key, on_login_user, on_login_unknown);
}

/* ---- refresh */

static void on_refresh_user(exchange_t *x, const void *reply) {
  const store_user_t *user = reply;
  gateway_t *gateway = x->gateway;
  http_access_t access = {.token_type = "bearer", .expires_in = gateway->access_s};
  auth_subject_t subject = subject_of(user);

  if (!user->active) {
    fail_credentials(x);
    return;
  }
  gantry_err_t err =
      auth_sign(gateway->auth, &subject, HTTP_TOKEN_TYPE_ACCESS, clock_wall_ns() / GANTRY_NS_PER_S,
                gateway->access_s, access.access_token, sizeof access.access_token);
  if (err != GANTRY_OK)
    exchange_fail(x, err, NULL, "", "No token could be signed.");
  else
    exchange_answer(x, &access);
}

static void on_refresh(exchange_t *x) {
  const http_refresh_t *body = x->body;
  store_user_key_t key = {0};
  http_claims_t claims;

  if (auth_verify(x->gateway->auth, body->refresh_token, HTTP_TOKEN_TYPE_REFRESH,
                  clock_wall_ns() / GANTRY_NS_PER_S, &claims, &x->fault) != GANTRY_OK) {
    exchange_fail_fault(x, &x->fault);
    return;
  }
  snprintf(key.name, sizeof key.name, "%s", claims.sub);
  exchange_call(x, REQUEST_STORE_USER_GET, &key, on_refresh_user, on_user_missing);
}

/* ---- the caller */

static void on_me_user(exchange_t *x, const void *reply) {
  http_user_t user;

  view_user(reply, &user);
  exchange_answer(x, &user);
}

static void on_me(exchange_t *x) {
  get_user(x, x->caller.name, on_me_user);
}

static void on_new_hash(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;

  x->working = false;
  if (ok) {
    snprintf(x->user.hash, sizeof x->user.hash, "%s", hash);
    rewrite_user(x);
    return;
  }
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The password could not be hashed.");
  exchange_release(x);
}

static void on_current_verified(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;
  const http_change_password_t *body = x->body;

  (void)hash;
  x->working = false;
  if (ok) {
    start_hashing(x, body->new_password, NULL, on_new_hash);
  } else {
    exchange_fail(x, GANTRY_E_UNAUTHENTICATED, "AUTH_FAILED", "current_password",
                  "The present password is wrong.");
  }
  exchange_release(x);
}

static void on_change_user(exchange_t *x, const void *reply) {
  const http_change_password_t *body = x->body;

  x->user = *(const store_user_t *)reply;
  start_hashing(x, body->current_password, x->user.hash, on_current_verified);
}

static void on_change_password(exchange_t *x) {
  const http_change_password_t *body = x->body;
  const char *weakness = password_weakness(body->new_password);

  if (strcmp(body->new_password, body->confirm_new_password) != 0) {
    exchange_fail(x, GANTRY_E_REFUSED, NULL, "confirm_new_password",
                  "The two new passwords differ.");
  } else if (weakness) {
    exchange_fail(x, GANTRY_E_REFUSED, "WEAK_PASSWORD", "new_password", "%s", weakness);
  } else {
    get_user(x, x->caller.name, on_change_user);
  }
}

const call_route_t ROUTES_AUTH[] = {
    {ENDPOINT_AUTH_LOGIN, on_login},
    {ENDPOINT_AUTH_REFRESH, on_refresh},
    {ENDPOINT_AUTH_ME, on_me},
    {ENDPOINT_AUTH_CHANGE_PASSWORD, on_change_password},
    {0, NULL},
};
