/* The audit log's way out of the gateway; rows come by exchange_audit. */
#ifndef GATEWAY_AUDIT_TRAIL_H
#define GATEWAY_AUDIT_TRAIL_H

#include "gateway_internal.h"

gantry_err_t audit_trail_start(gateway_t *gateway);
/* Tells what was counted until now. */
void audit_trail_stop(gateway_t *gateway);

#endif
