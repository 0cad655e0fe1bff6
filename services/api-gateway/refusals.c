/* A handful of kinds, looked through one by one: who fills it is limited in rate. */
#include "refusals.h"

#include <stdio.h>
#include <string.h>

bool refusals_is_crowded(const refusals_t *refusals) {
  return refusals->count >= REFUSALS_MAX / 2;
}

bool refusals_is_first(refusals_t *refusals, const char *key, const sys_audit_t *row) {
  char kept[sizeof refusals->kinds[0].key];

  snprintf(kept, sizeof kept, "%s", key);
  for (uint32_t i = 0; i < refusals->count; i++) {
    if (strcmp(refusals->kinds[i].key, kept) != 0) continue;
    refusals->kinds[i].more++;
    return false;
  }
  if (refusals->count == REFUSALS_MAX) {
    refusals->others++;
    return false;
  }
  refusal_t *kind = &refusals->kinds[refusals->count++];
  *kind = (refusal_t){.first = *row};
  memcpy(kind->key, kept, sizeof kept);
  return true;
}

static void tell_others(uint32_t count, sys_audit_t *out) {
  *out = (sys_audit_t){.actor = "unknown", .action = "refused", .resource = "auth"};
  snprintf(out->detail, sizeof out->detail,
           "%u more were refused within %d s, from too many places to tell them apart", count,
           REFUSALS_WINDOW_S);
}

bool refusals_next(refusals_t *refusals, sys_audit_t *out) {
  while (refusals->told < refusals->count) {
    const refusal_t *kind = &refusals->kinds[refusals->told++];
    if (kind->more == 0) continue;
    *out = kind->first;
    snprintf(out->detail, sizeof out->detail, "%.120s; and %u more like it within %d s",
             kind->first.detail, kind->more, REFUSALS_WINDOW_S);
    return true;
  }
  uint32_t others = refusals->others;
  refusals->count = refusals->told = refusals->others = 0;
  if (others) tell_others(others, out);
  return others > 0;
}
