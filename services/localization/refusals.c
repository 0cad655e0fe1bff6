/* A short table, as the tags come by: the one said longest ago makes room. */
#include "refusals.h"

#include <stdio.h>
#include <string.h>

#define SAID_EACH_NS UINT64_C(60000000000)

static refusal_t *find(refusals_t *refusals, const char *tag) {
  refusal_t *oldest = &refusals->rows[0];
  for (int i = 0; i < REFUSALS_TAGS; i++) {
    refusal_t *row = &refusals->rows[i];
    if (row->said_ns != 0 && strcmp(row->tag, tag) == 0) return row;
    if (row->said_ns < oldest->said_ns) oldest = row;
  }
  *oldest = (refusal_t){0};
  (void)snprintf(oldest->tag, sizeof oldest->tag, "%s", tag);
  return oldest;
}

uint32_t refusals_note(refusals_t *refusals, const char *tag, uint64_t now_ns) {
  refusal_t *row = find(refusals, tag);
  row->unsaid++;
  if (row->said_ns != 0 && now_ns - row->said_ns < SAID_EACH_NS) return 0;
  uint32_t count = row->unsaid;
  row->said_ns = now_ns;
  row->unsaid = 0;
  return count;
}
