/* Login, refresh, logout, who am I. Users and sessions live in storage; hashing on the worker. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "identity_feed.h"
#include "routes_auth.h"

static const char BAD_CREDENTIALS[] = "User name or password is wrong, or the user is disabled.";

static auth_subject_t subject_of(const store_user_t *user, uint64_t session) {
  auth_subject_t subject = {.user_id = user->id,
                            .role = user->role,
                            .session = session,
                            .must_change = user->must_change};

  snprintf(subject.name, sizeof subject.name, "%s", user->username);
  return subject;
}

static void fail_credentials(exchange_t *x) {
  exchange_fail(x, GANTRY_E_UNAUTHENTICATED, "AUTH_FAILED", "", "%s", BAD_CREDENTIALS);
}

static void fail_unsigned(exchange_t *x, gantry_err_t err) {
  exchange_fail(x, err, NULL, "", "No token could be signed.");
}

/* Signs an access token; false: answered. */
static bool sign_access(exchange_t *x, const auth_subject_t *subject, char *token, size_t size) {
  gateway_t *gateway = x->gateway;
  gantry_err_t err = auth_sign(gateway->auth, subject, HTTP_TOKEN_TYPE_ACCESS,
                               clock_wall_ns() / GANTRY_NS_PER_S, gateway->access_s, token, size);

  if (err != GANTRY_OK) fail_unsigned(x, err);
  return err == GANTRY_OK;
}

/* Signs a refresh token and its hash. */
static gantry_err_t sign_refresh(gateway_t *gateway, const auth_subject_t *subject, uint64_t now_ns,
                                 char *token, size_t size, char hash[AUTH_HASH_SIZE]) {
  GANTRY_TRY(auth_sign(gateway->auth, subject, HTTP_TOKEN_TYPE_REFRESH, now_ns / GANTRY_NS_PER_S,
                       gateway->refresh_s, token, size));
  return auth_hash(token, hash);
}

static uint64_t refresh_end_ns(const gateway_t *gateway, uint64_t now_ns) {
  return now_ns + (uint64_t)gateway->refresh_s * GANTRY_NS_PER_S;
}

/* ---- login */

typedef struct login_work {
  store_login_ask_t ask;
  store_login_t login;
  char refresh[AUTH_TOKEN_MAX + 1];
} login_work_t;

static const char *login_name(const exchange_t *x) {
  const http_login_t *login = x->body;

  return login->has_username ? login->username : login->email;
}

static void on_login_stored(exchange_t *x, const void *reply) {
  const store_login_judged_t *judged = reply;
  const login_work_t *work = (const void *)x->scratch.data;
  http_tokens_t tokens = {.token_type = "bearer", .expires_in = x->gateway->access_s};

  if (judged->verdict == STORE_LOGIN_VERDICT_LOCKED) {
    auth_fail_locked(x, judged->locked);
    return;
  }
  if (judged->verdict != STORE_LOGIN_VERDICT_OPEN) {
    fail_credentials(x);
    return;
  }
  auth_subject_t subject = subject_of(&judged->user, work->login.session.id);
  if (!sign_access(x, &subject, tokens.access_token, sizeof tokens.access_token)) return;
  snprintf(tokens.refresh_token, sizeof tokens.refresh_token, "%s", work->refresh);
  auth_view_user(&judged->user, &tokens.user);
  identity_feed_user(x->gateway, &judged->user);
  x->caller = subject;
  log_info("LOGIN", "%s has logged in from %s", subject.name, x->address);
  exchange_answer(x, &tokens);
}

/* The login could not be taken down: a wrong password is answered all the same. */
static void on_login_unstored(exchange_t *x, const gantry_fault_t *fault) {
  log_warn("LOGIN-UNCOUNTED", "a login was not taken down: %s", fault->detail);
  if (x->verified)
    exchange_fail_fault(x, fault);
  else
    fail_credentials(x);
}

/* A password that was set before has to be changed first; 0: none. */
static uint64_t password_since(const gateway_t *gateway, uint64_t now_ns) {
  uint64_t life_ns = (uint64_t)gateway->password_days * 86400 * GANTRY_NS_PER_S;

  return life_ns && life_ns < now_ns ? now_ns - life_ns : 0;
}

/* Strangers send anything: what is kept is plain text. */
static void copy_agent(const char *agent, char *out, size_t size) {
  size_t i = 0;

  for (; agent[i] && i + 1 < size; i++)
    out[i] = isprint((unsigned char)agent[i]) ? agent[i] : '?';
  out[i] = '\0';
}

static gantry_err_t fill_session(exchange_t *x, login_work_t *work, uint64_t now_ns) {
  store_login_session_t *session = &work->login.session;

  GANTRY_TRY(auth_random_id(&session->id));
  session->expires = refresh_end_ns(x->gateway, now_ns);
  snprintf(session->address, sizeof session->address, "%s", x->address);
  copy_agent(x->agent, session->agent, sizeof session->agent);
  auth_subject_t subject = subject_of(&x->user, session->id);
  return sign_refresh(x->gateway, &subject, now_ns, work->refresh, sizeof work->refresh,
                      work->login.refresh);
}

/* The verdict is storage's: it sees what other logins have done meanwhile. better: hash or "". */
static void take_down(exchange_t *x, const char *better) {
  gateway_t *gateway = x->gateway;
  login_work_t *work = (void *)x->scratch.data;
  store_login_t *login = &work->login;
  uint64_t now_ns = clock_wall_ns();

  login->user_id = x->user.id;
  login->success = x->verified;
  login->must_change =
      x->user.has_password_changed && x->user.password_changed < password_since(gateway, now_ns);
  login->has_better_hash = better[0] != '\0';
  login->lock_after = gateway->lock_after;
  login->lock_s = gateway->lock_s;
  login->sessions_max = gateway->sessions_max;
  snprintf(login->stranger, sizeof login->stranger, "%s", work->ask.stranger);
  snprintf(login->hash, sizeof login->hash, "%s", x->user.hash);
  snprintf(login->better_hash, sizeof login->better_hash, "%s", better);
  gantry_err_t err = fill_session(x, work, now_ns);
  if (err != GANTRY_OK)
    fail_unsigned(x, err);
  else
    exchange_call(x, REQUEST_STORE_LOGIN, login, on_login_stored, on_login_unstored);
}

static void on_better_hash(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;

  x->working = false;
  take_down(x, ok ? hash : "");
  exchange_release(x);
}

static void on_login_verified(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;
  const http_login_t *login = x->body;

  (void)hash;
  x->working = false;
  x->verified = ok;
  if (ok && strncmp(x->user.hash, "$2", 2) == 0)
    auth_work(x, login->password, NULL, on_better_hash);
  else
    take_down(x, "");
  exchange_release(x);
}

/* Nobody has no hash: that costs as much, so that neither time nor answer tells who exists. */
static void on_login_user(exchange_t *x, const void *reply) {
  const http_login_t *login = x->body;
  const store_login_found_t *found = reply;

  if (found->has_user) x->user = found->user;
  if (found->has_locked)
    auth_fail_locked(x, found->locked);
  else
    auth_work(x, login->password, x->user.hash, on_login_verified);
}

/* Failures under a name that nobody has are counted by its hash, in storage for all gateways. */
static bool fill_ask(exchange_t *x, const char *name, store_login_ask_t *ask) {
  char small[sizeof ask->name];
  size_t i = 0;

  for (; name[i] && i + 1 < sizeof small; i++)
    small[i] = (char)tolower((unsigned char)name[i]);
  small[i] = '\0';
  snprintf(ask->name, sizeof ask->name, "%s", name);
  return auth_keyed_hash(x->gateway->auth, "stranger", small, ask->stranger) == GANTRY_OK;
}

static void on_login(exchange_t *x) {
  const char *name = login_name(x);

  if (!name[0]) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "username", "username or email is needed");
    return;
  }
  login_work_t *work = auth_room(x, sizeof *work);
  if (!work) return;
  if (fill_ask(x, name, &work->ask))
    exchange_call(x, REQUEST_STORE_LOGIN_USER, &work->ask, on_login_user, NULL);
  else
    fail_unsigned(x, GANTRY_E_INTERNAL);
}

/* ---- refresh */

typedef struct refresh_work {
  http_claims_t claims; /* of the token that was shown */
  store_session_refresh_t take;
  char next[AUTH_TOKEN_MAX + 1];
} refresh_work_t;

static void fail_refresh(exchange_t *x, store_refresh_verdict_t verdict) {
  static const char *const WHY[STORE_REFRESH_VERDICT_COUNT] = {
      [STORE_REFRESH_VERDICT_UNKNOWN] = "The session is not known; log in again.",
      [STORE_REFRESH_VERDICT_REVOKED] = "The session was ended; log in again.",
      [STORE_REFRESH_VERDICT_EXPIRED] = "The session has expired; log in again.",
      [STORE_REFRESH_VERDICT_REPLAYED] =
          "This refresh token was used before: the session has been ended; log in again.",
      [STORE_REFRESH_VERDICT_DISABLED] = "The user is disabled."};
  bool replayed = verdict == STORE_REFRESH_VERDICT_REPLAYED;

  exchange_fail(x, GANTRY_E_UNAUTHENTICATED, replayed ? "TOKEN_REPLAYED" : "TOKEN_REVOKED",
                "refresh_token", "%s", WHY[verdict] ? WHY[verdict] : "Log in again.");
}

/* The successor of a refresh token is always the same but for its times: who shows the token again
   within the grace gets the one that it was exchanged for. */
static gantry_err_t sign_next(exchange_t *x, uint64_t now_ns, refresh_work_t *work) {
  const http_refresh_t *body = x->body;
  const http_claims_t *claims = &work->claims;
  auth_subject_t subject = {.user_id = claims->uid, .role = claims->role, .session = claims->sid};
  char hash[AUTH_HASH_SIZE];

  snprintf(subject.name, sizeof subject.name, "%s", claims->sub);
  GANTRY_TRY(auth_keyed_hash(x->gateway->auth, "next", body->refresh_token, hash));
  hash[15] = '\0'; /* 60 bits */
  subject.number = strtoull(hash, NULL, 16) + 1;
  return sign_refresh(x->gateway, &subject, now_ns, work->next, sizeof work->next, work->take.next);
}

static gantry_err_t fill_refresh(exchange_t *x, refresh_work_t *work) {
  const http_refresh_t *body = x->body;
  const gateway_t *gateway = x->gateway;
  uint64_t now_ns = clock_wall_ns();

  snprintf(work->take.address, sizeof work->take.address, "%s", x->address);
  work->take.session = work->claims.sid;
  work->take.expires = refresh_end_ns(gateway, now_ns);
  work->take.grace_s = gateway->grace_s;
  work->take.password_since = password_since(gateway, now_ns);
  GANTRY_TRY(auth_hash(body->refresh_token, work->take.refresh));
  return sign_next(x, now_ns, work);
}

static void on_refreshed(exchange_t *x, const void *reply) {
  const store_session_refreshed_t *done = reply;
  refresh_work_t *work = (void *)x->scratch.data;
  http_access_t access = {.token_type = "bearer", .expires_in = x->gateway->access_s};
  gantry_err_t err = GANTRY_OK;

  x->caller = subject_of(&done->user, work->take.session);
  if (done->verdict == STORE_REFRESH_VERDICT_REPLAYED) {
    identity_feed_session_end(x->gateway, work->take.session);
    log_warn("REFRESH-REPLAYED", "a refresh token of %s came twice, from %s: its session has ended",
             done->user.username, x->address);
    auth_note(x, "replayed: the session was ended");
  }
  bool repeated = done->verdict == STORE_REFRESH_VERDICT_REPEATED;
  if (done->verdict != STORE_REFRESH_VERDICT_RENEWED && !repeated) {
    fail_refresh(x, done->verdict);
    return;
  }
  if (repeated) err = sign_next(x, done->expires - refresh_end_ns(x->gateway, 0), work);
  if (err != GANTRY_OK) {
    fail_unsigned(x, err);
    return;
  }
  if (done->user.must_change) identity_feed_user(x->gateway, &done->user);
  if (!sign_access(x, &x->caller, access.access_token, sizeof access.access_token)) return;
  access.has_refresh_token = true;
  snprintf(access.refresh_token, sizeof access.refresh_token, "%s", work->next);
  exchange_answer(x, &access);
}

static void on_refresh(exchange_t *x) {
  const http_refresh_t *body = x->body;
  refresh_work_t *work = auth_room(x, sizeof *work);

  if (!work) return;
  if (auth_verify(x->gateway->auth, body->refresh_token, HTTP_TOKEN_TYPE_REFRESH,
                  clock_wall_ns() / GANTRY_NS_PER_S, &work->claims, &x->fault) != GANTRY_OK) {
    exchange_fail_fault(x, &x->fault);
    return;
  }
  if (!work->claims.has_sid) {
    fail_refresh(x, STORE_REFRESH_VERDICT_UNKNOWN);
    return;
  }
  gantry_err_t err = fill_refresh(x, work);
  if (err != GANTRY_OK)
    fail_unsigned(x, err);
  else
    exchange_call(x, REQUEST_STORE_SESSION_REFRESH, &work->take, on_refreshed, NULL);
}

/* ---- the caller */

static void on_me(exchange_t *x) {
  store_user_id_t key = {.id = x->caller.user_id};

  if (auth_is_user(x)) exchange_call(x, REQUEST_STORE_USER_BY_ID, &key, auth_answer_user, NULL);
}

static void on_logged_out(exchange_t *x, const void *reply) {
  (void)reply;
  identity_feed_session_end(x->gateway, x->caller.session);
  log_info("LOGOUT", "%s has logged out", x->caller.name);
  exchange_done(x, "Logged out: the session's tokens hold no longer.");
}

static void on_logout(exchange_t *x) {
  store_session_revoke_t revoke = {
      .session = x->caller.session, .user_id = x->caller.user_id, .reason = "logout"};

  if (!auth_is_user(x)) return;
  exchange_call(x, REQUEST_STORE_SESSION_REVOKE, &revoke, on_logged_out, NULL);
}

static void on_keys(exchange_t *x) {
  exchange_begin(x);
  auth_write_keys(x->gateway->auth, &x->out);
  exchange_finish(x, 200, "application/json");
}

const call_route_t ROUTES_AUTH[] = {
    {ENDPOINT_AUTH_LOGIN, on_login},   {ENDPOINT_AUTH_REFRESH, on_refresh},
    {ENDPOINT_AUTH_LOGOUT, on_logout}, {ENDPOINT_AUTH_ME, on_me},
    {ENDPOINT_JWKS, on_keys},          {0, NULL},
};
