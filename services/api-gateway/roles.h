/* What each role may do. Data and one question. */
#ifndef GATEWAY_ROLES_H
#define GATEWAY_ROLES_H

#include <stdbool.h>

#include <gantry/buf.h>
#include <messages.h>

/* Whether role holds permission ("map:write"). "authenticated" is held by every role, "public" by
   everyone; an unknown role or permission is refused. */
bool roles_allow(store_role_t role, const char *permission);

/* Appends {"map":["read",...],...}: what the role may do, by resource. */
void roles_write(store_role_t role, buf_t *out);

/* A role by its name or another by which it is known (administrator, vehicle_admin, device),
   whatever the case; false for any other word. */
bool roles_parse(const char *text, store_role_t *out);

#endif
