/* Whose connections are open. libwebsockets does not say when a socket closes while its address is
   still known, so a row is believed only after the kernel has been asked again. */
#include "peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

gantry_err_t peers_init(peers_t *peers, int capacity, uint32_t most) {
  *peers = (peers_t){.capacity = capacity, .most = most};
  peers->by_fd = calloc((size_t)capacity, sizeof *peers->by_fd);
  return peers->by_fd ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void peers_fini(peers_t *peers) {
  free(peers->by_fd);
  *peers = (peers_t){0};
}

static peer_address_t address_of(int fd) {
  struct sockaddr_storage name = {0};
  socklen_t len = sizeof name;
  peer_address_t address = {0};

  if (getpeername(fd, (struct sockaddr *)&name, &len) != 0) return address;
  if (name.ss_family == AF_INET) {
    const struct sockaddr_in *inet = (const struct sockaddr_in *)&name;
    address = (peer_address_t){.family = AF_INET, .port = inet->sin_port};
    memcpy(address.bytes, &inet->sin_addr, sizeof inet->sin_addr);
  } else if (name.ss_family == AF_INET6) {
    const struct sockaddr_in6 *inet = (const struct sockaddr_in6 *)&name;
    address = (peer_address_t){.family = AF_INET6, .port = inet->sin6_port};
    memcpy(address.bytes, &inet->sin6_addr, sizeof inet->sin6_addr);
  }
  return address;
}

static bool same_host(const peer_address_t *a, const peer_address_t *b) {
  return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool peers_admit(peers_t *peers, int fd) {
  peer_address_t address = address_of(fd);
  uint32_t held = 0;

  if (fd < 0 || fd >= peers->capacity) return false;
  if (!address.family) return true; /* gone already; the next read tells */
  for (int i = 0; i <= peers->last; i++) {
    peer_address_t now;
    if (i == fd || !same_host(&peers->by_fd[i], &address)) continue;
    now = address_of(i);
    if (same_host(&now, &address) && now.port == peers->by_fd[i].port)
      held++;
    else
      peers->by_fd[i] = (peer_address_t){0};
  }
  if (held >= peers->most) return false;
  peers->by_fd[fd] = address;
  if (fd > peers->last) peers->last = fd;
  return true;
}
