/* HTTP on libmicrohttpd, which hangs in the service's loop: requests in, answers out, and the
   sockets of WebSockets handed over. */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "gateway_internal.h"

#define HTTP_DESCRIPTORS 16384 /* most descriptors of this process */
#define HTTP_CONNECTIONS                                                                           \
  16000 /* most connections: the rest is the service's own; fewer where the                        \
           system allows fewer descriptors */
/* Connections beyond what an address may hold, and beyond them all, that wait for one thing only: a
   stop. Who comes when they are taken, too, has the place of the one that has waited longest. */
#define HTTP_RESERVE       8
#define HTTP_HOUSE_RESERVE 64

struct profile;
typedef struct http http_t;

/* A further door: what it speaks, and the option that is at fault when it does not open. */
typedef struct http_listener {
  const struct profile *profile;
  const char *option, *host;
  int port; /* 0: any free one */
} http_listener_t;

/* Opens the native listener on host and port (0: any free one); gateway->port says which. */
gantry_err_t http_open(gateway_t *gateway, const char *host, int port, gantry_fault_t *fault);
/* Opens another one; *port is the port in use. */
gantry_err_t http_listen(gateway_t *gateway, const http_listener_t *listener, int *port,
                         gantry_fault_t *fault);
/* WebSockets must be closed. */
void http_close(gateway_t *gateway);

#endif
