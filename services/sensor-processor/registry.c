/* Sensors by id: counting, ages, states. */
#include "registry.h"

#include <stdio.h>
#include <string.h>

#include "quality.h"

#define NS_PER_S 1000000000u

/* Words that stand in the place of a sensor id in the HTTP routes. */
static const char *const RESERVED[] = {"list",      "data",     "status",     "configure",
                                       "calibrate", "readings", "validation", "simulate"};

void registry_init(registry_t *registry, const registry_rule_t *rule) {
  *registry = (registry_t){.rule = *rule};
}

registry_entry_t *registry_find(registry_t *registry, const char *id) {
  for (uint32_t i = 0; i < registry->count; i++)
    if (strcmp(registry->entries[i].id, id) == 0) return &registry->entries[i];
  return NULL;
}

void registry_reset_filters(const registry_t *registry, registry_entry_t *entry) {
  uint32_t window = entry->filter_window ? entry->filter_window : registry->rule.filter_window;
  for (int i = 0; i < CALIBRATION_CHANNELS; i++)
    average_init(&entry->filters[i], window);
}

registry_entry_t *registry_add(registry_t *registry, const char *id, registry_type_t type) {
  registry_entry_t *entry = registry_find(registry, id);
  if (entry) {
    if (entry->last_ns == 0) entry->type = type;
    return entry;
  }
  size_t len = strlen(id);
  if (len == 0 || len > REGISTRY_ID_MAX || registry->count == REGISTRY_CAPACITY) {
    registry->refused++;
    return NULL;
  }
  entry = &registry->entries[registry->count++];
  *entry = (registry_entry_t){.type = type, .calibration = calibration_identity()};
  memcpy(entry->id, id, len + 1);
  registry_reset_filters(registry, entry);
  return entry;
}

/* Moves the rate window to now: seconds that passed unheard count nothing. */
static void roll(registry_entry_t *entry, uint64_t now_ns) {
  uint64_t second = now_ns / NS_PER_S, slots = REGISTRY_RATE_SECONDS + 1;
  if (second <= entry->rate_second) return;
  uint64_t steps = second - entry->rate_second;
  if (steps > slots) steps = slots;
  for (uint64_t i = 0; i < steps; i++) {
    entry->rate_accepted[(second - i) % slots] = 0;
    entry->rate_refused[(second - i) % slots] = 0;
  }
  entry->rate_second = second;
}

static uint32_t *slot(uint32_t *counts, uint64_t now_ns) {
  return &counts[now_ns / NS_PER_S % (REGISTRY_RATE_SECONDS + 1)];
}

void registry_accept(registry_entry_t *entry, uint64_t now_ns, uint64_t wall_ns, double quality) {
  roll(entry, now_ns);
  ++*slot(entry->rate_accepted, now_ns);
  entry->readings++;
  entry->last_ns = now_ns;
  entry->last_wall_ns = wall_ns;
  entry->quality = quality;
  entry->health = quality_health_accept(entry->health);
}

void registry_refuse(registry_entry_t *entry, uint64_t now_ns, const char *error) {
  roll(entry, now_ns);
  ++*slot(entry->rate_refused, now_ns);
  entry->errors++;
  entry->health = quality_health_refuse(entry->health);
  snprintf(entry->last_error, sizeof entry->last_error, "%s", error);
}

static uint32_t total(const uint32_t *counts) {
  uint32_t sum = 0;
  for (int i = 0; i <= REGISTRY_RATE_SECONDS; i++)
    sum += counts[i];
  return sum;
}

static registry_state_t state_of(const registry_t *registry, const registry_entry_t *entry,
                                 uint64_t now_ns) {
  if (entry->last_ns == 0) return REGISTRY_UNKNOWN;
  uint64_t age_ns = now_ns > entry->last_ns ? now_ns - entry->last_ns : 0;
  uint32_t accepted = total(entry->rate_accepted), refused = total(entry->rate_refused);
  bool failing = refused * 10 > accepted + refused;
  /* A tag reader says nothing while no tag is near: silence is no fault. */
  if (entry->type == REGISTRY_RFID) {
    if (age_ns > registry->rule.tag_silent_ns) return REGISTRY_UNKNOWN;
    return failing ? REGISTRY_DEGRADED : REGISTRY_ONLINE;
  }
  if (age_ns > registry->rule.offline_ns) return REGISTRY_OFFLINE;
  if (age_ns > registry->rule.degraded_ns || failing) return REGISTRY_DEGRADED;
  return REGISTRY_ONLINE;
}

bool registry_tick(const registry_t *registry, registry_entry_t *entry, uint64_t now_ns) {
  roll(entry, now_ns);
  registry_state_t state = state_of(registry, entry, now_ns);
  bool changed = state != entry->state;
  entry->state = state;
  if (state == REGISTRY_OFFLINE) entry->health = 0;
  return changed;
}

double registry_age_s(const registry_entry_t *entry, uint64_t now_ns) {
  if (entry->last_ns == 0) return -1;
  return now_ns > entry->last_ns ? (double)(now_ns - entry->last_ns) / NS_PER_S : 0;
}

double registry_rate_hz(registry_entry_t *entry, uint64_t now_ns) {
  roll(entry, now_ns);
  uint32_t full = total(entry->rate_accepted) - *slot(entry->rate_accepted, now_ns);
  return (double)full / REGISTRY_RATE_SECONDS;
}

gantry_err_t registry_check_id(const char *id) {
  for (size_t i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++)
    if (strcmp(id, RESERVED[i]) == 0) return GANTRY_E_INVALID;
  return GANTRY_OK;
}
