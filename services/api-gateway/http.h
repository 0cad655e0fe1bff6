/* HTTP on libwebsockets: headers and bodies in, whole answers out. */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "gateway_internal.h"

#define HTTP_DESCRIPTORS 16384 /* most descriptors of this process */

/* Opens the listening socket on host and port (0: any free one); gateway->port says which. */
gantry_err_t http_open(gateway_t *gateway, const char *host, int port, gantry_fault_t *fault);
void http_close(gateway_t *gateway);
/* Handles what is ready; waits for something first when wait is true. Also steps the service's
 * loop. */
void http_step(gateway_t *gateway, bool wait);

#endif
