/* How many connections an address holds open: one client must not take every descriptor. Pure. */
#ifndef GATEWAY_PEERS_H
#define GATEWAY_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>

struct sockaddr;

/* Whose connections count together: an IPv4 address, or the /64 network of an IPv6 one. */
typedef struct peer_address {
  uint8_t bytes[8];
  uint16_t family;
} peer_address_t;

typedef struct peer_row {
  peer_address_t address;
  uint32_t count; /* 0: free */
} peer_row_t;

typedef struct peers {
  peer_row_t *rows; /* owned */
  size_t capacity;  /* a power of two */
  uint32_t total;
} peers_t;

/* For up to `most` connections at once. */
gantry_err_t peers_init(peers_t *peers, uint32_t most);
void peers_fini(peers_t *peers);
/* All zero for what is neither IPv4 nor IPv6. */
peer_address_t peers_address(const struct sockaddr *address);
bool peers_same(const peer_address_t *a, const peer_address_t *b);
/* Connections that address holds. */
uint32_t peers_held(const peers_t *peers, const peer_address_t *address);
/* One more; false when the table has no room for it. */
bool peers_enter(peers_t *peers, const peer_address_t *address);
/* One less; each peers_enter that was true has one. */
void peers_leave(peers_t *peers, const peer_address_t *address);

#endif
