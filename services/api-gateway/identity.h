/* Who may come in, in memory: users as they stand, sessions taken back, tokens of machines. Fed by
   the log of storage (identity_feed.h), asked for every request. It only takes away: a signed token
   of a user of whom nothing is known yet is worth what it says. Pure; time is an argument. */
#ifndef GATEWAY_IDENTITY_H
#define GATEWAY_IDENTITY_H

#include "auth.h"

typedef struct identity identity_t;

gantry_err_t identity_new(identity_t **out);
void identity_destroy(identity_t **self);

/* Takes a row of the log; a later one replaces an earlier one of the same thing. GANTRY_E_INTERNAL
   without memory: nothing is known any more. */
gantry_err_t identity_take(identity_t *identity, const store_identity_row_t *row);
/* Everything has been heard that there is: before, nobody comes in. */
void identity_set_known(identity_t *identity, bool known);
bool identity_is_known(const identity_t *identity);
/* Forgets all, before the log is read anew. */
void identity_clear(identity_t *identity);
/* Forgets rows that say nothing any more. */
void identity_expire(identity_t *identity, uint64_t now_ns);

/* Whether whom a token names may come in, and as what: role and must_change are put as they are
   now. GANTRY_E_UNAUTHENTICATED with a fault for a session, user or machine that was taken back;
   GANTRY_E_UNAVAILABLE as long as nothing is known. */
gantry_err_t identity_check(const identity_t *identity, uint64_t now_ns, auth_subject_t *subject,
                            gantry_fault_t *fault);
/* Fills whom the service token with this SHA-256 names. GANTRY_E_UNAUTHENTICATED when it is none in
   force. */
gantry_err_t identity_machine(const identity_t *identity, const char *hash, uint64_t now_ns,
                              auth_subject_t *out, gantry_fault_t *fault);

#endif
