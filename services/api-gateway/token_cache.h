/* Access tokens that were verified already: a client that comes again costs a look-up instead of a
   signature. What is found here has been signed by us; whether it was taken back since is not
   asked here (identity.h). Pure; time is an argument. */
#ifndef GATEWAY_TOKEN_CACHE_H
#define GATEWAY_TOKEN_CACHE_H

#include "auth.h"

typedef struct token_cache token_cache_t;

typedef struct token_entry {
  auth_subject_t subject;
  uint64_t expires_s;
} token_entry_t;

/* capacity is rounded up to a power of two of at least 16; a token longest unused makes room.
   secret keys the hash, so that nobody can choose tokens that meet. */
gantry_err_t token_cache_new(size_t capacity, const uint64_t secret[2], token_cache_t **out);
void token_cache_destroy(token_cache_t **self);

/* NULL when the token is not there, or has expired: then it is dropped. Valid until the next call.
 */
const token_entry_t *token_cache_find(token_cache_t *cache, const char *token, uint64_t now_s);
/* Without memory nothing is kept. */
void token_cache_put(token_cache_t *cache, const char *token, const token_entry_t *entry);
/* Forgets a token; harmless when it is not there. */
void token_cache_drop(token_cache_t *cache, const char *token);
/* Tokens held. */
size_t token_cache_count(const token_cache_t *cache);

#endif
