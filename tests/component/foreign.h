/* A raw socket that says what no peer of the house would say: parts, whole messages, mutated ones.
 */
#ifndef GANTRY_FOREIGN_H
#define GANTRY_FOREIGN_H

#include "harness.h"

typedef struct foreign {
  void *socket;
} foreign_t;

/* Opens a ZeroMQ socket of that type at a service's address: in its place (binds) or towards it. */
void foreign_open(foreign_t *foreign, harness_t *harness, int type, const char *kind, bool binds,
                  const char *service);
void foreign_close(foreign_t *foreign);
/* A header as a proper peer would make it now. */
sys_header_t foreign_header(int kind, const char *from, uint64_t seq);
void foreign_send_part(foreign_t *foreign, const void *bytes, size_t len, bool more);
/* Three proper frames. */
void foreign_send(foreign_t *foreign, const char *name, const sys_header_t *header,
                  const desc_t *desc, const void *body);
/* The same with some bytes changed, cut off, or frames missing or too many; state is the seed. */
void foreign_send_mutated(foreign_t *foreign, const char *name, const sys_header_t *header,
                          const desc_t *desc, const void *body, uint64_t *state);

#endif
