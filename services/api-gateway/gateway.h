/* api-gateway: the only door to the street. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>

#include <gantry/service.h>

extern const service_def_t GATEWAY_SERVICE;

typedef struct gateway gateway_t;

/* The port it listens on. */
int gateway_port(const gateway_t *gateway);
/* Whether storage has said who may come in: before, tokens are answered 503. */
bool gateway_knows_users(const gateway_t *gateway);

#endif
