/* How many connections an address holds open: one client must not take every descriptor. */
#ifndef GATEWAY_PEERS_H
#define GATEWAY_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>

/* The far end of a connection, IPv4 or IPv6; all zero: none. */
typedef struct peer_address {
  uint8_t bytes[16];
  uint16_t family, port;
} peer_address_t;

typedef struct peers {
  peer_address_t *by_fd; /* owned; whose connection each descriptor was when it was admitted */
  int capacity;
  int last; /* highest descriptor admitted so far */
  uint32_t most;
} peers_t;

/* At most `most` connections an address; descriptors from 0 to capacity - 1. */
gantry_err_t peers_init(peers_t *peers, int capacity, uint32_t most);
void peers_fini(peers_t *peers);
/* Whether the freshly accepted fd may stay. Connections that have ended are noticed here: their
   descriptors have another peer by now, or none. */
bool peers_admit(peers_t *peers, int fd);

#endif
