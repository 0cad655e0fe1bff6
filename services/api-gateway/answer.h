/* The headers of an answer, and the body of an error. Pure: knows nothing of sockets. */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <gantry/err.h>
#include <gantry/json.h>

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
  bool revalidated;   /* may be kept, and is asked for again each time (ETag) */
  bool varies;        /* could be compressed for another client */
  bool packed;        /* by gzip */
  bool secure;        /* came encrypted */
  bool head_only;     /* HEAD: the length of the body, without it */
  const char *extra;  /* further header lines, each ended by CRLF, or NULL */
  bool streamed;      /* the body goes on in pieces behind what is there */
  bool has_length;    /* streamed: `length` bytes in all; else by chunks, or until the end */
  uint64_t length;
} answer_head_t;

/* Tells put each header that head means: all but Content-Length, Transfer-Encoding and Date, which
   are the library's. Values are valid during the call. */
typedef void (*answer_header_fn)(void *arg, const char *name, const char *value);
void answer_headers(const answer_head_t *head, answer_header_fn put, void *arg);

/* Appends the http_error object for fault; code "" takes the error's own. all: every fault of what
   was sent, fault the first of them, or count 0. now_wall_ns is written as its time. */
void answer_error(const gantry_fault_t *fault, const json_fault_t *all, size_t count,
                  uint64_t now_wall_ns, uint64_t request_id, buf_t *out);

/* Whether origin stands in list (origins apart by spaces or commas; "*" is not understood). */
bool answer_origin_allowed(const char *list, const char *origin);

#endif
