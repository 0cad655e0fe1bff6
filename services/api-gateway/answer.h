/* Whole HTTP/1.1 answers in one buffer: status line, headers and body together, because one write
   serves half as many more requests as two. Pure: knows nothing of sockets. */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <gantry/err.h>

#define ANSWER_ROOM 1536 /* bytes kept free before the body for the headers */

/* What the headers say beside the body. */
typedef struct answer_head {
  int status;
  const char *type;   /* "application/json"; NULL: no body */
  const char *origin; /* allowed Origin to echo, or NULL */
  const char *allow;  /* Allow header of a 405, or NULL */
  const char *csp;    /* Content-Security-Policy, or NULL */
  uint64_t request_id;
  uint32_t retry_s;   /* Retry-After; 0: none */
  uint32_t limit;     /* X-RateLimit-Limit; 0: none */
  uint32_t remaining; /* X-RateLimit-Remaining, with limit */
  bool close;         /* Connection: close */
  bool preflight;     /* the CORS answer to OPTIONS */
  bool cacheable;     /* a file: may be kept an hour */
  bool head_only;     /* HEAD: the length of the body, without it */
  const char *extra;  /* further header lines, each ended by CRLF, or NULL */
  bool streamed;      /* the body goes on in pieces behind what is there */
  bool chunked;       /* streamed: by chunks; else has_length, or until the connection ends */
  bool has_length;    /* streamed: `length` bytes in all */
  uint64_t length;
} answer_head_t;

/* Empties out and leaves ANSWER_ROOM bytes; append the body behind. */
void answer_begin(buf_t *out);
/* Puts the headers right before the body. *start is where the answer begins in out->data: at least
   32 bytes lie free before it. GANTRY_E_TOO_LARGE when the body did not fit. */
gantry_err_t answer_finish(buf_t *out, const answer_head_t *head, size_t *start);

/* Reason phrase of a status, e.g. "Not Found". */
const char *answer_reason(int status);

/* Appends the http_error object for fault; code "" takes the error's own. now_wall_ns is written as
   its time. */
void answer_error(const gantry_fault_t *fault, uint64_t now_wall_ns, uint64_t request_id,
                  buf_t *out);

/* Whether origin stands in list (origins apart by spaces or commas; "*" is not understood). */
bool answer_origin_allowed(const char *list, const char *origin);

#endif
