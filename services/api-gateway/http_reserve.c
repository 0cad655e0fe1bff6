/* Places for a stop in a full house. Whoever fills them, too, only makes the one in them that has
   said nothing for longest go: a stop comes with its connection, and has its place by then. */
#include "http_internal.h"

#include <sys/socket.h>

/* It has not said what it wants; whoever has is answered at once, or is a stop. */
static bool is_waiting(const http_conn_t *conn) {
  return conn->phase == HTTP_FRESH || conn->phase == HTTP_HEAD || conn->phase == HTTP_IDLE;
}

/* peer NULL: of any address. */
static bool evict(http_t *http, const peer_address_t *peer) {
  for (http_conn_t *conn = http->oldest; conn; conn = conn->younger) {
    if (conn->evicted || !is_waiting(conn) || (peer && !peers_same(peer, &conn->peer))) continue;
    conn->evicted = true;
    shutdown(conn->fd, SHUT_RDWR);
    return true;
  }
  return false;
}

bool http_reserve_admit(http_t *http, const peer_address_t *peer, bool trusted) {
  if (http->peers.total >= http->most + HTTP_HOUSE_RESERVE) return false; /* none has gone yet */
  if (!trusted && peers_held(&http->peers, peer) >= http->per_address + HTTP_RESERVE)
    return evict(http, peer);
  return http->peers.total < http->most || evict(http, NULL);
}

void http_reserve_enter(http_t *http, http_conn_t *conn) {
  if (http->peers.total >= http->house)
    conn->reserve = HTTP_OF_HOUSE;
  else if (!conn->trusted && peers_held(&http->peers, &conn->peer) >= http->per_address)
    conn->reserve = HTTP_OF_ADDRESS;
  if (!conn->reserve) return;
  conn->older = http->youngest;
  *(conn->older ? &conn->older->younger : &http->oldest) = conn;
  http->youngest = conn;
}

void http_reserve_leave(http_t *http, http_conn_t *conn) {
  if (!conn->reserve) return;
  *(conn->older ? &conn->older->younger : &http->oldest) = conn->younger;
  *(conn->younger ? &conn->younger->older : &http->youngest) = conn->older;
  conn->older = conn->younger = NULL;
}
