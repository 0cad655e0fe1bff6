/* Versions of a setting as entity tags: who changes one says which he has read (If-Match), so that
   of two at once none overwrites the other unseen. */
#ifndef GATEWAY_VERSION_TAG_H
#define GATEWAY_VERSION_TAG_H

#include "exchange.h"

/* The answer of x is of this version. */
void version_tag_put(exchange_t *x, uint32_t version);
/* Whether the client names a version ("*" names none). One that was never there is UINT32_MAX. */
bool version_tag_asked(const exchange_t *x, uint32_t *version);
/* For exchange_call: 412 when a version was named and another one is in force. */
void version_tag_failed(exchange_t *x, const gantry_fault_t *fault);

#endif
