/* What the route files on maps share. */
#ifndef GATEWAY_ROUTES_MAP_H
#define GATEWAY_ROUTES_MAP_H

#include "exchange.h"

/* Answers with a map without its cells; message NULL: none. */
void map_answer(exchange_t *x, const map_info_t *info, const char *message);
#endif
