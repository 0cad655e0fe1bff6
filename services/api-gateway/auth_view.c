/* Helpers of the auth routes: users as the API shows them, work for the hashing thread. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "identity_feed.h"
#include "roles.h"
#include "routes_auth.h"

void auth_view_user(const store_user_t *user, http_user_t *out) {
  buf_t permissions = {.limit = sizeof out->permissions - 1};
  bool locked = user->has_locked && user->locked > clock_wall_ns();

  memset(out, 0, sizeof *out);
  out->id = user->id;
  snprintf(out->username, sizeof out->username, "%s", user->username);
  snprintf(out->email, sizeof out->email, "%s", user->email);
  snprintf(out->full_name, sizeof out->full_name, "%s", user->full_name);
  out->role = user->role;
  snprintf(out->status, sizeof out->status, "%s",
           !user->active ? "disabled"
           : locked      ? "locked"
                         : "active");
  out->is_active = user->active;
  out->must_change_password = user->must_change;
  out->created_at = user->created;
  out->updated_at = user->updated;
  out->has_last_login = user->has_last_login;
  out->last_login = user->last_login;
  out->has_locked_until = locked;
  out->locked_until = user->locked;
  out->has_password_changed_at = user->has_password_changed;
  out->password_changed_at = user->password_changed;
  roles_write(user->role, &permissions);
  snprintf(out->permissions, sizeof out->permissions, "%s", buf_text(&permissions));
  buf_fini(&permissions);
}

void auth_answer_user(exchange_t *x, const void *reply) {
  http_user_t user;

  auth_view_user(reply, &user);
  exchange_answer(x, &user);
}

void auth_work(exchange_t *x, const char *password, const char *hash, password_fn fn) {
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

void auth_fail_locked(exchange_t *x, uint64_t locked_ns) {
  uint64_t now_ns = clock_wall_ns();
  uint64_t left_ns = locked_ns > now_ns ? locked_ns - now_ns : 0;

  x->head.retry_s = (uint32_t)(left_ns / GANTRY_NS_PER_S) + 1;
  exchange_fail(x, GANTRY_E_UNAUTHENTICATED, "ACCOUNT_LOCKED", "",
                "Locked after too many wrong passwords; wait as long as Retry-After says.");
}

bool auth_accept_password(exchange_t *x, const char *field, const char *password,
                          const char *again) {
  const char *weakness = password_weakness(password);

  if (again && strcmp(password, again) != 0) {
    char confirm[64];
    snprintf(confirm, sizeof confirm, "confirm_%s", field);
    exchange_fail(x, GANTRY_E_REFUSED, NULL, confirm, "The two new passwords differ.");
    return false;
  }
  if (!weakness) return true;
  exchange_fail(x, GANTRY_E_REFUSED, "WEAK_PASSWORD", field, "%s", weakness);
  return false;
}

void *auth_room(exchange_t *x, size_t size) {
  if (x->scratch.len == 0) {
    uint8_t *room = buf_reserve(&x->scratch, size);
    if (room) memset(room, 0, size);
    if (room) x->scratch.len = size;
  }
  if (buf_err(&x->scratch) == GANTRY_OK) return x->scratch.data;
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  return NULL;
}

bool auth_read_role(exchange_t *x, const char *text, store_role_t *out) {
  if (roles_parse(text, out)) return true;
  exchange_fail(x, GANTRY_E_SCHEMA, NULL, "role",
                "role is viewer, operator, fleet_admin, admin or service");
  return false;
}

bool auth_is_user(exchange_t *x) {
  if (!x->caller.machine) return true;
  exchange_fail(x, GANTRY_E_FORBIDDEN, NULL, "",
                "This is the token of a machine; only users have passwords and sessions.");
  return false;
}

static void on_caught_up(exchange_t *x, const void *reply) {
  identity_feed_take(x->gateway, reply);
  x->then(x);
}

/* The change is made all the same; the feed goes on asking. */
static void on_behind(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  x->then(x);
}

void auth_catch_up(exchange_t *x, exchange_fn then) {
  store_identity_get_t get = {.since = identity_feed_since(x->gateway)};

  x->then = then;
  exchange_call(x, REQUEST_STORE_IDENTITY, &get, on_caught_up, on_behind);
}

void auth_note(exchange_t *x, const char *format, ...) {
  va_list args;

  va_start(args, format);
  vsnprintf(x->note, sizeof x->note, format, args);
  va_end(args);
}
