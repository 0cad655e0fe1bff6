/* Sensors by id: counting, ages, states. */
#include "registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000u

/* Words that stand in the place of a sensor id in the HTTP routes, and whose telemetry is kept as
   that of a sensor. */
static const char *const RESERVED[] = {"list",      "data",     "status",     "configure",
                                       "calibrate", "readings", "validation", "simulate",
                                       "types",     "explain",  "robot"};

void registry_init(registry_t *registry, const registry_rule_t *rule) {
  *registry = (registry_t){.rule = *rule};
}

void registry_fini(registry_t *registry) {
  for (uint32_t i = 0; i < registry->count; i++) {
    registry_entry_t *entry = &registry->entries[i];
    for (int k = 0; k < CALIBRATION_CHANNELS; k++)
      chain_destroy(&entry->chains[k]);
    rules_destroy(&entry->rules);
    history_fini(&entry->history);
  }
  registry->count = 0;
}

registry_entry_t *registry_find(registry_t *registry, const char *id) {
  for (uint32_t i = 0; i < registry->count; i++) {
    uint32_t at = (registry->newest + i) % registry->count;
    if (strcmp(registry->entries[at].id, id) != 0) continue;
    registry->newest = at;
    return &registry->entries[at];
  }
  return NULL;
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
  entry->resting = false;
  entry->readings++;
  if (entry->first_ns == 0) entry->first_ns = now_ns;
  entry->last_ns = now_ns;
  entry->last_wall_ns = wall_ns;
  entry->quality = quality;
}

void registry_refuse(registry_entry_t *entry, uint64_t now_ns, const char *error) {
  roll(entry, now_ns);
  ++*slot(entry->rate_refused, now_ns);
  entry->errors++;
  snprintf(entry->last_error, sizeof entry->last_error, "%s", error);
}

static uint32_t total(const uint32_t *counts) {
  uint32_t sum = 0;
  for (int i = 0; i <= REGISTRY_RATE_SECONDS; i++)
    sum += counts[i];
  return sum;
}

static bool comes_slowly(const registry_entry_t *entry) {
  return entry->type == REGISTRY_VALUE || entry->type == REGISTRY_OBJECT;
}

uint64_t registry_late_ns(const registry_t *registry, const registry_entry_t *entry) {
  if (entry->late_ns) return entry->late_ns;
  return comes_slowly(entry) ? registry->rule.sample_degraded_ns : registry->rule.degraded_ns;
}

uint64_t registry_silent_ns(const registry_t *registry, const registry_entry_t *entry) {
  if (entry->silent_ns) return entry->silent_ns;
  return comes_slowly(entry) ? registry->rule.sample_offline_ns : registry->rule.offline_ns;
}

static registry_state_t state_of(const registry_t *registry, const registry_entry_t *entry,
                                 uint64_t now_ns) {
  if (entry->last_ns == 0 || entry->resting) return REGISTRY_UNKNOWN;
  uint64_t age_ns = now_ns > entry->last_ns ? now_ns - entry->last_ns : 0;
  uint32_t accepted = total(entry->rate_accepted), refused = total(entry->rate_refused);
  bool failing = refused * 10 > accepted + refused;
  /* A tag reader says nothing while no tag is near: silence is no fault. */
  if (entry->type == REGISTRY_RFID) {
    if (age_ns > registry->rule.tag_silent_ns) return REGISTRY_UNKNOWN;
    return failing ? REGISTRY_DEGRADED : REGISTRY_ONLINE;
  }
  if (age_ns > registry_silent_ns(registry, entry)) return REGISTRY_OFFLINE;
  if (age_ns > registry_late_ns(registry, entry) || failing) return REGISTRY_DEGRADED;
  return REGISTRY_ONLINE;
}

bool registry_tick(const registry_t *registry, registry_entry_t *entry, uint64_t now_ns) {
  roll(entry, now_ns);
  registry_state_t state = state_of(registry, entry, now_ns);
  bool changed = state != entry->state;
  entry->state = state;
  registry_health_t terms = registry_health(registry, entry, now_ns);
  entry->health = REGISTRY_WEIGHT_DELIVERY * terms.delivery +
                  REGISTRY_WEIGHT_ACCEPTED * terms.accepted +
                  REGISTRY_WEIGHT_QUALITY * terms.quality;
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

void registry_rate_counts(registry_entry_t *entry, uint64_t now_ns, uint32_t *accepted,
                          uint32_t *refused) {
  roll(entry, now_ns);
  *accepted = total(entry->rate_accepted);
  *refused = total(entry->rate_refused);
}

/* A sensor that has only just begun is judged by the seconds since then; one without an expected
   rate by being there. */
static double delivery(const registry_t *registry, registry_entry_t *entry, uint64_t now_ns) {
  double age_s = registry_age_s(entry, now_ns);
  if (entry->rule.expected_hz <= 0)
    return age_s * NS_PER_S <= (double)registry_late_ns(registry, entry) ? 1 : 0.5;
  double heard_s = (double)(now_ns - entry->first_ns) / NS_PER_S;
  if (heard_s < REGISTRY_RATE_SECONDS + 1) return 1;
  return fmin(1, registry_rate_hz(entry, now_ns) / entry->rule.expected_hz);
}

registry_health_t registry_health(const registry_t *registry, registry_entry_t *entry,
                                  uint64_t now_ns) {
  registry_health_t terms = {0};
  uint32_t accepted, refused;
  if (entry->last_ns == 0) return terms;
  bool silent =
      now_ns > entry->last_ns && now_ns - entry->last_ns > registry_silent_ns(registry, entry);
  if (silent && entry->type != REGISTRY_RFID) return terms;
  registry_rate_counts(entry, now_ns, &accepted, &refused);
  terms.delivery = entry->type == REGISTRY_RFID ? 1 : delivery(registry, entry, now_ns);
  terms.accepted = accepted + refused > 0 ? (double)accepted / (accepted + refused) : 1;
  terms.quality = entry->quality;
  return terms;
}

gantry_err_t registry_check_id(const char *id) {
  for (size_t i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++)
    if (strcmp(id, RESERVED[i]) == 0) return GANTRY_E_INVALID;
  return GANTRY_OK;
}
