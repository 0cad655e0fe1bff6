/* "v12" */
#include "version_tag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRECONDITION_FAILED = 412 };

void version_tag_put(exchange_t *x, uint32_t version) {
  snprintf(x->etag, sizeof x->etag, "ETag: \"v%u\"\r\n", version);
  x->head.extra = x->etag;
}

bool version_tag_asked(const exchange_t *x, uint32_t *version) {
  const char *tag = x->if_match;
  char *end = NULL;

  *version = UINT32_MAX;
  if (!tag[0] || !strcmp(tag, "*")) return false;
  if (strncmp(tag, "\"v", 2) != 0 || tag[2] < '0' || tag[2] > '9') return true;
  unsigned long long number = strtoull(tag + 2, &end, 10);
  if (!strcmp(end, "\"") && number < UINT32_MAX) *version = (uint32_t)number;
  return true;
}

void version_tag_failed(exchange_t *x, const gantry_fault_t *fault) {
  uint32_t version;
  gantry_fault_t told = *fault;
  bool changed = !strcmp(fault->code, "VERSION_CHANGED") && version_tag_asked(x, &version);

  if (!changed) {
    exchange_fail_fault(x, fault);
    return;
  }
  snprintf(told.field, sizeof told.field, "If-Match");
  exchange_fail_status(x, PRECONDITION_FAILED, &told);
}
