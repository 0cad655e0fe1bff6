/* The Range header of a request. Pure. */
#ifndef GATEWAY_RANGE_H
#define GATEWAY_RANGE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum range_verdict {
  RANGE_WHOLE,  /* no range, several of them, or none that we understand: all is sent */
  RANGE_PART,   /* bytes from..last, both within the size */
  RANGE_BEHIND, /* begins behind the end: 416 */
} range_verdict_t;

typedef struct range {
  uint64_t from, last; /* inclusive; of RANGE_PART */
} range_t;

/* Reads "bytes=a-b", "bytes=a-" or "bytes=-n" against size bytes. */
range_verdict_t range_read(const char *text, uint64_t size, range_t *out);
/* Whether text names bytes at all: what is worth knowing the size for. */
bool range_is_asked(const char *text);

/* Whether an entity tag stands in the list of an If-None-Match or If-Range header: "tag", W/"tag"
   (weak ones never match a range: pass weak false), or *. */
bool range_tag_matches(const char *header, const char *tag, bool weak);

#endif
