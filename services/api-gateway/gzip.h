/* Answers compressed for clients that take it (RFC 9110, 12.5.3). Pure. */
#ifndef GATEWAY_GZIP_H
#define GATEWAY_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include <gantry/buf.h>

#define GZIP_FROM (1u << 10)   /* bytes; less is not worth a header */
#define GZIP_MOST (128u << 10) /* more would hold the loop up for milliseconds */

/* Whether an Accept-Encoding header takes gzip. */
bool gzip_is_accepted(const char *header);
/* Whether a body of that type and length gains by it. */
bool gzip_is_worth(const char *type, size_t len);
/* Appends the compressed bytes; false, and out as it was, when they would not be fewer. */
bool gzip_pack(const void *bytes, size_t len, buf_t *out);

#endif
