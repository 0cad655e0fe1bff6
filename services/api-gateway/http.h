/* HTTP on libwebsockets: headers and bodies in, whole answers out. */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "gateway_internal.h"

#define HTTP_DESCRIPTORS 16384 /* most descriptors of this process */

struct profile;

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
void http_close(gateway_t *gateway);
/* Handles what is ready; waits for something first when wait is true. Also steps the service's
 * loop. */
void http_step(gateway_t *gateway, bool wait);

#endif
