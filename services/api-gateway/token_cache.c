/* Sets of four: a token's hash names its set, its text decides. */
#include "token_cache.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 4 };

typedef struct slot {
  char *text; /* owned; NULL: free */
  uint64_t hash, used;
  token_entry_t entry;
} slot_t;

struct token_cache {
  slot_t *slots; /* owned, sets * WAYS */
  size_t sets;   /* a power of two */
  size_t count;
  uint64_t turn; /* counts look-ups: which was used last */
  uint64_t secret[2];
};

gantry_err_t token_cache_new(size_t capacity, const uint64_t secret[2], token_cache_t **out) {
  token_cache_t *cache = calloc(1, sizeof *cache);

  *out = cache;
  if (!cache) return GANTRY_E_INTERNAL;
  for (cache->sets = 4; cache->sets * WAYS < capacity;)
    cache->sets *= 2;
  memcpy(cache->secret, secret, sizeof cache->secret);
  cache->slots = calloc(cache->sets * WAYS, sizeof *cache->slots);
  if (cache->slots) return GANTRY_OK;
  token_cache_destroy(out);
  return GANTRY_E_INTERNAL;
}

static void clear(token_cache_t *cache, slot_t *slot) {
  if (!slot->text) return;
  explicit_bzero(slot->text, strlen(slot->text));
  free(slot->text);
  *slot = (slot_t){0};
  cache->count--;
}

void token_cache_destroy(token_cache_t **self) {
  token_cache_t *cache = *self;

  if (!cache) return;
  for (size_t i = 0; cache->slots && i < cache->sets * WAYS; i++)
    clear(cache, &cache->slots[i]);
  free(cache->slots);
  free(cache);
  *self = NULL;
}

static uint64_t mix(uint64_t hash, uint64_t word, uint64_t factor) {
  hash = (hash ^ word) * (factor | 1);
  return hash ^ hash >> 29;
}

static uint64_t hash_of(const token_cache_t *cache, const char *text, size_t len) {
  uint64_t hash = cache->secret[0] ^ len, word = 0;
  size_t i = 0;

  for (; i + sizeof word <= len; i += sizeof word) {
    memcpy(&word, text + i, sizeof word);
    hash = mix(hash, word, cache->secret[1]);
  }
  word = 0;
  memcpy(&word, text + i, len - i);
  hash = mix(hash, word, cache->secret[1]);
  return mix(hash, cache->secret[0], 0x9e3779b97f4a7c15u);
}

static slot_t *find(token_cache_t *cache, const char *text, uint64_t hash) {
  slot_t *set = &cache->slots[(hash & (cache->sets - 1)) * WAYS];

  for (int i = 0; i < WAYS; i++) {
    if (set[i].text && set[i].hash == hash && !strcmp(set[i].text, text)) return &set[i];
  }
  return NULL;
}

const token_entry_t *token_cache_find(token_cache_t *cache, const char *token, uint64_t now_s) {
  slot_t *slot = find(cache, token, hash_of(cache, token, strlen(token)));

  if (slot && slot->entry.expires_s <= now_s) {
    clear(cache, slot);
    return NULL;
  }
  if (!slot) return NULL;
  slot->used = ++cache->turn;
  return &slot->entry;
}

void token_cache_put(token_cache_t *cache, const char *token, const token_entry_t *entry) {
  uint64_t hash = hash_of(cache, token, strlen(token));
  slot_t *slot = find(cache, token, hash);
  slot_t *set = &cache->slots[(hash & (cache->sets - 1)) * WAYS];

  if (!slot) {
    slot = set;
    for (int i = 1; i < WAYS && slot->text; i++)
      if (!set[i].text || set[i].used < slot->used) slot = &set[i];
    clear(cache, slot);
    slot->text = strdup(token);
    if (!slot->text) return;
    cache->count++;
  }
  slot->hash = hash;
  slot->entry = *entry;
  slot->used = ++cache->turn;
}

void token_cache_drop(token_cache_t *cache, const char *token) {
  slot_t *slot = find(cache, token, hash_of(cache, token, strlen(token)));

  if (slot) clear(cache, slot);
}

size_t token_cache_count(const token_cache_t *cache) {
  return cache->count;
}
