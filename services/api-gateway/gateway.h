/* api-gateway: the only door to the street. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <gantry/service.h>

extern const service_def_t GATEWAY_SERVICE;

typedef struct gateway gateway_t;

/* For tests, which step by themselves: handles what is ready in both loops without waiting. */
void gateway_step(gateway_t *gateway);
/* The port it listens on. */
int gateway_port(const gateway_t *gateway);

#endif
