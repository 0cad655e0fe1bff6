/* Users, as administrators keep them. What changes holds at once: open tokens and WebSockets lose
   what their user has lost. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity_feed.h"
#include "roles.h"
#include "routes_auth.h"

enum { USERS_LIMIT = 100 };

/* ---- read */

static uint32_t limit_of(const http_users_params_t *params) {
  return params->has_limit ? params->limit : USERS_LIMIT;
}

static void on_list(exchange_t *x, const void *reply) {
  const store_user_list_t *list = reply;
  const http_users_params_t *params = x->params;
  http_users_t *users = calloc(1, sizeof *users);

  if (!users) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  for (uint32_t i = 0; i < list->users_count; i++)
    auth_view_user(&list->users[i], &users->users[users->users_count++]);
  users->total_count = list->total;
  users->page = params->has_page ? params->page : 1;
  users->limit = limit_of(params);
  exchange_answer(x, users);
  free(users);
}

static void on_users(exchange_t *x) {
  const http_users_params_t *params = x->params;
  store_user_list_get_t get = {.limit = limit_of(params)};

  if (params->has_page) get.offset = (params->page - 1) * get.limit;
  exchange_call(x, REQUEST_STORE_USER_LIST, &get, on_list, NULL);
}

static void on_user(exchange_t *x) {
  const http_user_params_t *params = x->params;
  store_user_id_t key = {.id = params->id};

  exchange_call(x, REQUEST_STORE_USER_BY_ID, &key, auth_answer_user, NULL);
}

/* ---- create */

static void on_created(exchange_t *x, const void *reply) {
  const store_user_t *user = reply;
  http_user_made_t made = {.success = true, .user_id = user->id};

  identity_feed_user(x->gateway, user);
  auth_note(x, "user %s, role %s", user->username,
            desc_enum_text(&STORE_ROLE_ENUM, (int)user->role));
  if (x->endpoint_id != ENDPOINT_AUTH_REGISTER) {
    auth_answer_user(x, user);
    return;
  }
  snprintf(made.message, sizeof made.message, "User %s is made.", user->username);
  auth_view_user(user, &made.user);
  exchange_answer(x, &made);
}

/* A name that is taken is a business refusal here: 400. */
static void on_uncreated(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err == GANTRY_E_CONFLICT)
    exchange_fail(x, GANTRY_E_REFUSED, "ALREADY_EXISTS", fault->field, "%s", fault->detail);
  else
    exchange_fail_fault(x, fault);
}

static void on_new_hash(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;

  x->working = false;
  if (ok) {
    snprintf(x->user.hash, sizeof x->user.hash, "%s", hash);
    exchange_call(x, REQUEST_STORE_USER_PUT, &x->user, on_created, on_uncreated);
  } else {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The password could not be hashed.");
  }
  exchange_release(x);
}

static bool accept_name(exchange_t *x, const char *name) {
  for (const char *at = name; *at; at++) {
    if (isalnum((unsigned char)*at) || strchr("._-", *at)) continue;
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "username",
                  "username takes letters, digits, dot, dash and underscore only");
    return false;
  }
  return true;
}

static bool accept_email(exchange_t *x, const char *email) {
  const char *at = strchr(email, '@');

  if (at && at != email && at[1] && !strchr(at + 1, '@') && !email[strcspn(email, " \t\r\n<>,;")])
    return true;
  exchange_fail(x, GANTRY_E_SCHEMA, NULL, "email", "email has to be an address: name@host");
  return false;
}

static void on_create(exchange_t *x) {
  const http_user_create_t *body = x->body;
  store_user_t *user = &x->user;
  const char *again = body->has_confirm_password ? body->confirm_password : NULL;

  if (x->endpoint_id == ENDPOINT_AUTH_REGISTER && !again) again = "";
  *user = (store_user_t){.role = STORE_ROLE_VIEWER, .active = true, .must_change = true};
  if (body->has_role && !auth_read_role(x, body->role, &user->role)) return;
  if (!accept_name(x, body->username) || !accept_email(x, body->email)) return;
  if (!auth_accept_password(x, "password", body->password, again)) return;
  snprintf(user->username, sizeof user->username, "%s", body->username);
  snprintf(user->email, sizeof user->email, "%s", body->email);
  snprintf(user->full_name, sizeof user->full_name, "%s", body->full_name);
  auth_work(x, body->password, NULL, on_new_hash);
}

/* ---- change */

static void answer_changed(exchange_t *x) {
  auth_answer_user(x, &x->user);
}

static void on_changed(exchange_t *x, const void *reply) {
  const store_user_t *user = &x->user;

  x->user = *(const store_user_t *)reply;
  identity_feed_user(x->gateway, user);
  auth_note(x, "user %s, role %s, %s%s", user->username,
            desc_enum_text(&STORE_ROLE_ENUM, (int)user->role), user->active ? "active" : "disabled",
            user->must_change ? ", must change the password" : "");
  auth_catch_up(x, answer_changed);
}

static void send_change(exchange_t *x, const store_user_change_t *change) {
  exchange_call(x, REQUEST_STORE_USER_CHANGE, change, on_changed, NULL);
}

static void on_change_hashed(bool ok, const char *hash, void *arg) {
  exchange_t *x = arg;
  store_user_change_t *change = (store_user_change_t *)x->scratch.data;

  x->working = false;
  if (ok) {
    change->has_hash = true;
    snprintf(change->hash, sizeof change->hash, "%s", hash);
    send_change(x, change);
  } else {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The password could not be hashed.");
  }
  exchange_release(x);
}

static void on_update(exchange_t *x) {
  const http_user_update_t *body = x->body;
  const http_user_params_t *params = x->params;
  store_user_change_t *change = auth_room(x, sizeof *change);

  if (!change) return;
  change->id = params->id;
  change->has_role = body->has_role;
  if (body->has_role && !auth_read_role(x, body->role, &change->role)) return;
  if (body->has_email && !accept_email(x, body->email)) return;
  change->has_email = body->has_email;
  snprintf(change->email, sizeof change->email, "%s", body->email);
  change->has_full_name = body->has_full_name;
  snprintf(change->full_name, sizeof change->full_name, "%s", body->full_name);
  change->has_active = body->has_is_active;
  change->active = body->is_active;
  if (!body->has_password) {
    send_change(x, change);
    return;
  }
  if (!auth_accept_password(x, "password", body->password, NULL)) return;
  change->has_must_change = change->must_change = true;
  auth_work(x, body->password, NULL, on_change_hashed);
}

static void on_role(exchange_t *x) {
  const http_user_role_t *body = x->body;
  const http_user_params_t *params = x->params;
  store_user_change_t change = {.id = params->id, .has_role = true};

  if (auth_read_role(x, body->role, &change.role)) send_change(x, &change);
}

static void on_unlock(exchange_t *x) {
  const http_user_params_t *params = x->params;
  store_user_change_t change = {.id = params->id, .has_unlock = true, .unlock = true};

  send_change(x, &change);
}

/* ---- delete */

static void on_deleted(exchange_t *x, const void *reply) {
  const store_user_t *user = reply;

  identity_feed_gone(x->gateway, user->id);
  auth_note(x, "user %s", user->username);
  exchange_done(x, "User %s is deleted.", user->username);
}

static void on_delete(exchange_t *x) {
  const http_user_params_t *params = x->params;
  store_user_id_t key = {.id = params->id};

  exchange_call(x, REQUEST_STORE_USER_DELETE, &key, on_deleted, NULL);
}

const call_route_t ROUTES_USERS[] = {
    {ENDPOINT_AUTH_USERS, on_users},
    {ENDPOINT_AUTH_USER, on_user},
    {ENDPOINT_AUTH_USER_CREATE, on_create},
    {ENDPOINT_AUTH_REGISTER, on_create},
    {ENDPOINT_AUTH_USER_UPDATE, on_update},
    {ENDPOINT_AUTH_USER_ROLE, on_role},
    {ENDPOINT_AUTH_USER_UNLOCK, on_unlock},
    {ENDPOINT_AUTH_USER_DELETE, on_delete},
    {0, NULL},
};
