/* A fixed table: a row lives within a few places of its hash, as in limit.c. */
#include "peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { PEERS_REACH = 64 };

gantry_err_t peers_init(peers_t *peers, uint32_t most) {
  size_t size = PEERS_REACH;

  while (size < (size_t)most * 2)
    size *= 2;
  *peers = (peers_t){.capacity = size, .rows = calloc(size, sizeof *peers->rows)};
  return peers->rows ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void peers_fini(peers_t *peers) {
  free(peers->rows);
  *peers = (peers_t){0};
}

static const uint8_t V4_IN_V6[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

peer_address_t peers_address(const struct sockaddr *address) {
  peer_address_t out = {0};

  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *inet = (const void *)address;
    out.family = AF_INET;
    memcpy(out.bytes, &inet->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *inet = (const void *)address;
    bool v4 = memcmp(&inet->sin6_addr, V4_IN_V6, sizeof V4_IN_V6) == 0;
    out.family = v4 ? AF_INET : AF_INET6;
    memcpy(out.bytes, inet->sin6_addr.s6_addr + (v4 ? 12 : 0), v4 ? 4 : 8);
  }
  return out;
}

bool peers_same(const peer_address_t *a, const peer_address_t *b) {
  return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* FNV-1a, 64 bit, as in limit.c; the high half, where the last byte has gone everywhere. */
static size_t place_of(const peers_t *peers, const peer_address_t *address) {
  uint64_t hash = 14695981039346656037u ^ address->family;

  for (size_t i = 0; i < sizeof address->bytes; i++)
    hash = (hash ^ address->bytes[i]) * 1099511628211u;
  return (size_t)(hash >> 24) & (peers->capacity - 1);
}

/* The address's row, else (vacant) a free one, else NULL. */
static peer_row_t *find(const peers_t *peers, const peer_address_t *address, bool vacant) {
  size_t start = place_of(peers, address);
  peer_row_t *unused = NULL;

  for (size_t i = 0; i < PEERS_REACH; i++) {
    peer_row_t *row = &peers->rows[(start + i) & (peers->capacity - 1)];
    if (row->count && peers_same(&row->address, address)) return row;
    if (!row->count && !unused) unused = row;
  }
  return vacant ? unused : NULL;
}

uint32_t peers_held(const peers_t *peers, const peer_address_t *address) {
  const peer_row_t *row = find(peers, address, false);

  return row ? row->count : 0;
}

bool peers_enter(peers_t *peers, const peer_address_t *address) {
  peer_row_t *row = find(peers, address, true);

  if (!row) return false;
  row->address = *address;
  row->count++;
  peers->total++;
  return true;
}

void peers_leave(peers_t *peers, const peer_address_t *address) {
  peer_row_t *row = find(peers, address, false);

  if (!row) return;
  row->count--;
  peers->total--;
}
