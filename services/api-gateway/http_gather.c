/* Answers of one turn leave together. A client that is faster than the gateway sleeps again between
   two of them, and waking it costs about as much as the answer did. MHD sets the same options with
   a connection's first two answers, which leave at once, and lets them be from then on. */
#include "http_internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

enum { SMALL = 4096 }; /* bytes of a body: what fits into the socket at once */

static void cork(const http_conn_t *conn, int on) {
  (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void http_gather(http_conn_t *conn, size_t body_len) {
  http_door_t *door = conn->door;

  if (conn->in_lane || conn->gathered || body_len > SMALL) return;
  if (door->answers++ == 0) return; /* it may be the turn's only one */
  if (door->gathered_count == HTTP_GATHERED) http_send_gathered(door);
  cork(conn, 1);
  conn->gathered = true;
  door->gathered[door->gathered_count++] = conn;
}

void http_send_gathered(http_door_t *door) {
  for (uint32_t i = 0; i < door->gathered_count; i++) {
    cork(door->gathered[i], 0);
    door->gathered[i]->gathered = false;
  }
  door->gathered_count = 0;
  door->answers = 0;
}
