/* Sessions of users and tokens of machines: listed, and taken back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "caller.h"
#include "identity_feed.h"
#include "roles.h"
#include "routes_auth.h"

/* ---- sessions */

static void on_sessions_list(exchange_t *x, const void *reply) {
  const store_login_sessions_t *list = reply;
  http_login_sessions_t out = {.sessions_count = list->sessions_count,
                               .total_count = list->sessions_count};

  for (uint32_t i = 0; i < list->sessions_count; i++) {
    const store_login_session_t *from = &list->sessions[i];
    http_login_session_t *to = &out.sessions[i];
    to->session_id = from->id;
    to->issued_at = from->issued;
    to->last_used = from->last_used;
    to->expires_at = from->expires;
    snprintf(to->address, sizeof to->address, "%s", from->address);
    snprintf(to->user_agent, sizeof to->user_agent, "%s", from->agent);
    to->current = from->id == x->caller.session;
  }
  exchange_answer(x, &out);
}

static void on_sessions(exchange_t *x) {
  store_user_id_t key = {.id = x->caller.user_id};

  if (auth_is_user(x)) exchange_call(x, REQUEST_STORE_LOGIN_SESSIONS, &key, on_sessions_list, NULL);
}

static void on_sessions_user(exchange_t *x, const void *reply) {
  store_user_id_t key = {.id = ((const store_user_t *)reply)->id};

  exchange_call(x, REQUEST_STORE_LOGIN_SESSIONS, &key, on_sessions_list, NULL);
}

/* A user who is not there is told from one without sessions. */
static void on_user_sessions(exchange_t *x) {
  const http_user_params_t *params = x->params;
  store_user_id_t key = {.id = params->id};

  exchange_call(x, REQUEST_STORE_USER_BY_ID, &key, on_sessions_user, NULL);
}

static uint64_t session_of(const exchange_t *x) {
  const http_login_session_params_t *params = x->params;

  return strtoull(params->session_id, NULL, 16);
}

static void on_session_ended(exchange_t *x, const void *reply) {
  const store_count_t *count = reply;

  if (count->count == 0) {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "session_id", "There is no such open session.");
    return;
  }
  identity_feed_session_end(x->gateway, session_of(x));
  exchange_done(x, "The session has been ended.");
}

static void on_session_end(exchange_t *x) {
  store_session_revoke_t revoke = {.session = session_of(x), .user_id = x->caller.user_id};
  const http_login_session_params_t *params = x->params;

  if (!auth_is_user(x)) return;
  if (revoke.session == 0 || params->session_id[strspn(params->session_id, "0123456789abcdef")]) {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "session_id", "There is no such open session.");
    return;
  }
  bool others = roles_allow(x->caller.role, "users:write");
  if (others) revoke.user_id = 0;
  snprintf(revoke.reason, sizeof revoke.reason, "%s", others ? "by_admin" : "logout");
  exchange_call(x, REQUEST_STORE_SESSION_REVOKE, &revoke, on_session_ended, NULL);
}

static void answer_all_ended(exchange_t *x) {
  exchange_done(x, "The user's sessions have been ended.");
}

static void on_all_ended(exchange_t *x, const void *reply) {
  const store_count_t *count = reply;

  auth_note(x, "%llu sessions", (unsigned long long)count->count);
  auth_catch_up(x, answer_all_ended);
}

static void on_end_of(exchange_t *x, const void *reply) {
  store_session_revoke_t revoke = {.user_id = ((const store_user_t *)reply)->id,
                                   .reason = "by_admin"};

  exchange_call(x, REQUEST_STORE_SESSION_REVOKE, &revoke, on_all_ended, NULL);
}

static void on_end_all(exchange_t *x) {
  const http_user_params_t *params = x->params;
  store_user_id_t key = {.id = params->id};

  exchange_call(x, REQUEST_STORE_USER_BY_ID, &key, on_end_of, NULL);
}

/* ---- tokens of machines */

static void view_token(const store_service_token_t *token, http_service_token_t *out) {
  *out = (http_service_token_t){.id = token->id,
                                .role = token->role,
                                .is_active = token->active,
                                .created_at = token->created,
                                .has_expires_at = token->has_expires,
                                .expires_at = token->expires,
                                .has_last_used = token->has_last_used,
                                .last_used = token->last_used};
  snprintf(out->name, sizeof out->name, "%s", token->name);
  snprintf(out->created_by, sizeof out->created_by, "%s", token->created_by);
}

static void on_token_list(exchange_t *x, const void *reply) {
  const store_service_tokens_t *list = reply;
  http_service_tokens_t *out = calloc(1, sizeof *out);

  if (!out) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  for (uint32_t i = 0; i < list->tokens_count; i++)
    view_token(&list->tokens[i], &out->tokens[out->tokens_count++]);
  out->total_count = out->tokens_count;
  exchange_answer(x, out);
  free(out);
}

static void on_tokens(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_STORE_SERVICE_TOKEN_LIST, &nothing, on_token_list, NULL);
}

static void answer_token_made(exchange_t *x) {
  exchange_answer(x, x->scratch.data);
}

static void on_token_made(exchange_t *x, const void *reply) {
  http_service_token_made_t *made = (void *)x->scratch.data;

  made->success = true;
  snprintf(made->message, sizeof made->message, "Keep it well: it is not shown again.");
  view_token(reply, &made->data);
  auth_note(x, "machine %s, role %s", made->data.name,
            desc_enum_text(&STORE_ROLE_ENUM, (int)made->data.role));
  auth_catch_up(x, answer_token_made);
}

static void on_token_create(exchange_t *x) {
  const http_service_token_create_t *body = x->body;
  store_service_token_t put = {.role = STORE_ROLE_SERVICE,
                               .has_expires = body->has_expires_in_days};
  http_service_token_made_t *made = auth_room(x, sizeof *made);

  if (!made) return;
  if (body->has_role && !auth_read_role(x, body->role, &put.role)) return;
  snprintf(put.name, sizeof put.name, "%s", body->name);
  put.expires =
      clock_wall_ns() + (uint64_t)body->expires_in_days * 86400 * (uint64_t)GANTRY_NS_PER_S;
  uint64_t until_s = put.has_expires ? put.expires / GANTRY_NS_PER_S : 0;
  if (auth_machine_token(x->gateway->auth, CALLER_MACHINE_PREFIX, until_s, made->token,
                         sizeof made->token) == GANTRY_OK &&
      auth_hash(made->token, put.hash) == GANTRY_OK)
    exchange_call(x, REQUEST_STORE_SERVICE_TOKEN_PUT, &put, on_token_made, NULL);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "No token could be made.");
}

static void on_token_ended(exchange_t *x, const void *reply) {
  const store_service_token_t *token = reply;

  identity_feed_machine_end(x->gateway, token->id);
  auth_note(x, "machine %s", token->name);
  exchange_done(x, "The token of %s holds no longer.", token->name);
}

static void on_token_end(exchange_t *x) {
  const http_service_token_params_t *params = x->params;
  store_service_token_id_t key = {.id = params->id};

  exchange_call(x, REQUEST_STORE_SERVICE_TOKEN_REVOKE, &key, on_token_ended, NULL);
}

const call_route_t ROUTES_TOKENS[] = {
    {ENDPOINT_AUTH_SESSIONS, on_sessions},
    {ENDPOINT_AUTH_SESSION_END, on_session_end},
    {ENDPOINT_AUTH_USER_SESSIONS, on_user_sessions},
    {ENDPOINT_AUTH_USER_SESSIONS_END, on_end_all},
    {ENDPOINT_AUTH_SERVICE_TOKENS, on_tokens},
    {ENDPOINT_AUTH_SERVICE_TOKEN_CREATE, on_token_create},
    {ENDPOINT_AUTH_SERVICE_TOKEN_END, on_token_end},
    {0, NULL},
};
