/* Tokens to people and machines. A token seen before costs a look-up; whether it was taken back is
   asked every time. */
#include "caller.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gantry/clock.h>

#include "call.h"
#include "identity_feed.h"
#include "roles.h"
#include "token_cache.h"

static const char MACHINE_PREFIX[] = CALLER_MACHINE_PREFIX;

static gantry_err_t verify_token(gateway_t *gateway, const char *token, uint64_t now_s,
                                 token_entry_t *out, gantry_fault_t *fault) {
  const token_entry_t *known = token_cache_find(gateway->tokens, token, now_s);
  http_claims_t claims;

  if (known) {
    *out = *known;
    return GANTRY_OK;
  }
  GANTRY_TRY(auth_verify(gateway->auth, token, HTTP_TOKEN_TYPE_ACCESS, now_s, &claims, fault));
  *out = (token_entry_t){.expires_s = claims.exp};
  snprintf(out->subject.name, sizeof out->subject.name, "%s", claims.sub);
  out->subject.user_id = claims.uid;
  out->subject.role = claims.role;
  out->subject.session = claims.has_sid ? claims.sid : 0;
  token_cache_put(gateway->tokens, token, out);
  return GANTRY_OK;
}

static gantry_err_t identify_machine(gateway_t *gateway, const char *token, uint64_t now_ns,
                                     auth_subject_t *out, gantry_fault_t *fault) {
  char hash[AUTH_HASH_SIZE];

  GANTRY_TRY(auth_hash(token, hash));
  gantry_err_t err = identity_machine(gateway->identity, hash, now_ns, out, fault);
  if (err == GANTRY_OK) identity_feed_used(gateway, out->machine);
  if (err == GANTRY_E_UNAVAILABLE &&
      auth_machine_holds(gateway->auth, token, now_ns / GANTRY_NS_PER_S)) {
    out->role = STORE_ROLE_SERVICE;
    snprintf(out->name, sizeof out->name, "machine:sha256-%.16s", hash);
  }
  return err;
}

gantry_err_t caller_identify(gateway_t *gateway, const char *text, auth_subject_t *out,
                             uint64_t *expires_s, gantry_fault_t *fault) {
  uint64_t now_ns = clock_wall_ns();
  token_entry_t entry;

  memset(out, 0, sizeof *out);
  if (expires_s) *expires_s = UINT64_MAX;
  if (!strncasecmp(text, "Bearer ", 7)) text += 7;
  text += strspn(text, " ");
  if (!*text) {
    return fault_set(fault, GANTRY_E_UNAUTHENTICATED, "", "%s",
                     "A token is needed: Authorization: Bearer <access_token>.");
  }
  if (!strncmp(text, MACHINE_PREFIX, sizeof MACHINE_PREFIX - 1))
    return identify_machine(gateway, text, now_ns, out, fault);
  GANTRY_TRY(verify_token(gateway, text, now_ns / GANTRY_NS_PER_S, &entry, fault));
  *out = entry.subject;
  if (expires_s) *expires_s = entry.expires_s;
  gantry_err_t err = identity_check(gateway->identity, now_ns, out, fault);
  if (err == GANTRY_E_UNAUTHENTICATED) token_cache_drop(gateway->tokens, text);
  return err;
}

bool caller_holds(const gateway_t *gateway, const auth_subject_t *caller) {
  auth_subject_t now = *caller;
  gantry_err_t err = identity_check(gateway->identity, clock_wall_ns(), &now, NULL);

  if (err == GANTRY_E_UNAVAILABLE) return true;
  return err == GANTRY_OK && now.role == caller->role && now.must_change == caller->must_change;
}

static gantry_err_t refuse_unchanged(gantry_fault_t *fault) {
  gantry_err_t err =
      fault_set(fault, GANTRY_E_FORBIDDEN, "", "%s",
                "The password has to be changed first: POST /api/v1/auth/change-password.");

  snprintf(fault->code, sizeof fault->code, "PASSWORD_CHANGE_REQUIRED");
  return err;
}

gantry_err_t call_authenticate(gateway_t *gateway, const char *text, auth_subject_t *out,
                               uint64_t *expires_s, gantry_fault_t *fault) {
  GANTRY_TRY(caller_identify(gateway, text, out, expires_s, fault));
  return out->must_change ? refuse_unchanged(fault) : GANTRY_OK;
}

static bool may_before_change(const exchange_t *x) {
  return call_is_stop(x) || x->endpoint_id == ENDPOINT_AUTH_ME ||
         x->endpoint_id == ENDPOINT_AUTH_LOGOUT || x->endpoint_id == ENDPOINT_AUTH_CHANGE_PASSWORD;
}

gantry_err_t caller_permit(exchange_t *x, const char *authorization) {
  const char *permission = x->endpoint->permission;

  if (!strcmp(permission, "public")) return GANTRY_OK;
  gantry_err_t err = caller_identify(x->gateway, authorization, &x->caller, NULL, &x->fault);
  /* A stop waits for nobody: a sound token is enough. */
  if (err == GANTRY_E_UNAVAILABLE && call_is_stop(x) && x->caller.name[0]) {
    snprintf(x->note, sizeof x->note, "storage could not say whether the token was taken back");
    log_warn("STOP-UNCHECKED", "%s stops by a token that may have been taken back", x->caller.name);
    err = GANTRY_OK;
  }
  GANTRY_TRY(err);
  if (x->caller.must_change && !may_before_change(x)) return refuse_unchanged(&x->fault);
  if (roles_allow(x->caller.role, permission)) return GANTRY_OK;
  return fault_set(&x->fault, GANTRY_E_FORBIDDEN, "", "Your role lacks the permission %s.",
                   permission);
}
