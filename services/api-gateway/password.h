/* Password hashing on a thread of its own: yescrypt takes tens of milliseconds, the loop has none.
 */
#ifndef GATEWAY_PASSWORD_H
#define GATEWAY_PASSWORD_H

#include <stddef.h>

#include <gantry/err.h>
#include <gantry/loop.h>

#define PASSWORD_HASH_MAX 255
#define PASSWORD_MAX      200

typedef struct password password_t;

/* ok: the hash was made, or the password fits it. hash is the new hash ("" after a verification);
   valid until the function returns. Called exactly once for each accepted job, from the loop. */
typedef void (*password_fn)(bool ok, const char *hash, void *arg);

/* Starts the thread and watches its answers in loop. cost: yescrypt's, 1 (tests) to 11; 5 is usual.
 */
gantry_err_t password_new(loop_t *loop, unsigned cost, password_t **out);
/* Ends the thread after the job at hand; jobs unanswered are dropped without a call. */
void password_destroy(password_t **self);

/* Both answer GANTRY_E_UNAVAILABLE at once, without a call, when 64 jobs wait already. */
gantry_err_t password_hash(password_t *self, const char *password, password_fn fn, void *arg);
/* hash as crypt(5) writes it: yescrypt or bcrypt. An empty or foreign hash never fits, and takes as
   long as one that does. */
gantry_err_t password_verify(password_t *self, const char *password, const char *hash,
                             password_fn fn, void *arg);

/* NULL when the password is good enough (12 characters with upper and lower case and a digit),
   otherwise what it lacks. Pure. */
const char *password_weakness(const char *password);

#endif
