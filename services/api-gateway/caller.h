/* Who asks: from the Authorization header to a name, a role, and whether that still holds. */
#ifndef GATEWAY_CALLER_H
#define GATEWAY_CALLER_H

#include "exchange.h"

#define CALLER_MACHINE_PREFIX "gantry_" /* tokens of machines begin so */

/* Of "Bearer <token>" or a bare token: an access token, or a token of a machine. expires_s may be
   NULL. GANTRY_E_UNAUTHENTICATED with a fault, or GANTRY_E_UNAVAILABLE while it is not known who
   may come in: then out is filled when the token by itself is sound, else its name is "". */
gantry_err_t caller_identify(gateway_t *gateway, const char *text, auth_subject_t *out,
                             uint64_t *expires_s, gantry_fault_t *fault);
/* Whether somebody who came in as caller would come in the same way now. */
bool caller_holds(const gateway_t *gateway, const auth_subject_t *caller);
/* Judges the caller of x for its endpoint: fills x->caller, or x->fault and answers an error. */
gantry_err_t caller_permit(exchange_t *x, const char *authorization);

#endif
