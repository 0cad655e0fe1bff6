/* What the routes of logins, passwords and users share. */
#ifndef GATEWAY_ROUTES_AUTH_H
#define GATEWAY_ROUTES_AUTH_H

#include "call.h"

void auth_view_user(const store_user_t *user, http_user_t *out);
/* Answers with the user of a reply. */
void auth_answer_user(exchange_t *x, const void *reply);

/* Runs the worker for x, which lives until fn has released it (exchange_release): hash NULL makes a
   hash of password, otherwise it is verified. Answers 503 when too many wait. */
void auth_work(exchange_t *x, const char *password, const char *hash, password_fn fn);
/* Answers 401: locked until then after too many wrong passwords. */
void auth_fail_locked(exchange_t *x, uint64_t locked_ns);
/* Whether both texts are one password that is good enough; otherwise answers 400. */
bool auth_accept_password(exchange_t *x, const char *field, const char *password,
                          const char *again);
/* Room of the handler's own that lives with x, zeroed at the first call; NULL: answered 500. */
void *auth_room(exchange_t *x, size_t size);
/* Reads a role; answers 422 for an unknown one. */
bool auth_read_role(exchange_t *x, const char *text, store_role_t *out);
/* Users alone have passwords and sessions: answers 403 to a machine. */
bool auth_is_user(exchange_t *x);
/* Runs then once sessions that storage has ended hold no longer here, too. Whatever then needs of a
   reply is kept in x. */
void auth_catch_up(exchange_t *x, exchange_fn then);
/* What the audit log says beside the status. */
void auth_note(exchange_t *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
