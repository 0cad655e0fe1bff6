/* One slot a key; when all are taken, the one taken first is reused. */
#include <gantry/thin.h>

#include <stdio.h>
#include <string.h>

/* Its place; thin->count when it has none. */
static uint32_t find(const thin_t *thin, const char *key) {
  uint32_t i = 0;
  while (i < thin->count && strncmp(thin->slots[i].key, key, sizeof thin->slots[i].key - 1) != 0)
    i++;
  return i;
}

static thin_slot_t *take(thin_t *thin, const char *key) {
  uint32_t at = find(thin, key);
  thin_slot_t *slot;
  if (at < thin->count) return &thin->slots[at];
  if (thin->count < THIN_KEYS_MAX) {
    slot = &thin->slots[thin->count++];
  } else {
    slot = &thin->slots[thin->oldest];
    thin->oldest = (thin->oldest + 1) % THIN_KEYS_MAX;
  }
  *slot = (thin_slot_t){0};
  snprintf(slot->key, sizeof slot->key, "%s", key);
  return slot;
}

bool thin_pass(thin_t *thin, const char *key, double rate_hz, uint64_t now_ns) {
  if (rate_hz <= 0) return false;
  uint64_t period_ns = (uint64_t)(1e9 / rate_hz);
  thin_slot_t *slot = take(thin, key);
  if (now_ns < slot->next_ns) return false;
  bool late = now_ns - slot->next_ns >= period_ns;
  slot->next_ns = (late ? now_ns : slot->next_ns) + period_ns;
  return true;
}

bool thin_would_pass(const thin_t *thin, const char *key, double rate_hz, uint64_t now_ns) {
  uint32_t at = find(thin, key);
  return rate_hz > 0 && (at == thin->count || now_ns >= thin->slots[at].next_ns);
}
