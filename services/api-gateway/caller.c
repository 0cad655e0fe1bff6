/* Tokens to people. */
#include "caller.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gantry/clock.h>

#include "call.h"
#include "roles.h"

gantry_err_t caller_identify(gateway_t *gateway, const char *text, auth_subject_t *out,
                             uint64_t *expires_s, gantry_fault_t *fault) {
  http_claims_t claims;

  memset(out, 0, sizeof *out);
  if (!strncasecmp(text, "Bearer ", 7)) text += 7;
  text += strspn(text, " ");
  if (!*text) {
    return fault_set(fault, GANTRY_E_UNAUTHENTICATED, "", "%s",
                     "A token is needed: Authorization: Bearer <access_token>.");
  }
  GANTRY_TRY(auth_verify(gateway->auth, text, HTTP_TOKEN_TYPE_ACCESS,
                         clock_wall_ns() / GANTRY_NS_PER_S, &claims, fault));
  snprintf(out->name, sizeof out->name, "%s", claims.sub);
  out->user_id = claims.uid;
  out->role = claims.role;
  if (expires_s) *expires_s = claims.exp;
  return GANTRY_OK;
}

/* What a token says holds until it expires. */
bool caller_holds(const gateway_t *gateway, const auth_subject_t *caller) {
  return gateway->auth && caller->name[0];
}

gantry_err_t call_authenticate(gateway_t *gateway, const char *text, auth_subject_t *out,
                               uint64_t *expires_s, gantry_fault_t *fault) {
  return caller_identify(gateway, text, out, expires_s, fault);
}

gantry_err_t caller_permit(exchange_t *x, const char *authorization) {
  const char *permission = x->endpoint->permission;

  if (!strcmp(permission, "public")) return GANTRY_OK;
  GANTRY_TRY(caller_identify(x->gateway, authorization, &x->caller, NULL, &x->fault));
  if (roles_allow(x->caller.role, permission)) return GANTRY_OK;
  return fault_set(&x->fault, GANTRY_E_FORBIDDEN, "", "Your role lacks the permission %s.",
                   permission);
}
