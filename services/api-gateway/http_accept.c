/* Takes connections in. One that asks for a stop with its first bytes is given to a daemon of its
   own, the lane: its turn comes between the requests of all others, of which a hundred may wait for
   theirs in the other daemon, which cannot be told an order. */
#include "http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gantry/log.h>

#include "route.h"

/* Its request line is read without being taken; what has not come yet, or is unusual in any way,
   goes the way of all others. */
static bool asks_for_stop(int fd) {
  char line[256];
  http_method_t method;
  route_t route;
  ssize_t len = recv(fd, line, sizeof line - 1, MSG_PEEK | MSG_DONTWAIT);

  if (len <= 0) return false;
  line[len] = '\0';
  char *target = strchr(line, ' ');
  if (!target) return false;
  *target++ = '\0';
  size_t path_len = strcspn(target, " ?\r\n");
  if (target[path_len] != ' ' && target[path_len] != '?') return false;
  target[path_len] = '\0';
  if (!route_method_parse(line, &method)) return false;
  route_match(method, target, &route);
  if (!route.found) return false;
  const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[route.endpoint];
  return endpoint->ends_movement || endpoint->rate_exempt;
}

static void add(struct MHD_Daemon *daemon, const http_guest_t *guest) {
  /* What MHD does not take it closes. */
  (void)MHD_add_connection(daemon, guest->fd, (const struct sockaddr *)&guest->address, guest->len);
}

/* Read at once: nobody who comes next makes it go. False: it is no stop. */
static bool serve_stop(http_door_t *door, const http_guest_t *guest) {
  if (!door->lane || !asks_for_stop(guest->fd)) return false;
  add(door->lane, guest);
  MHD_run(door->lane);
  return true;
}

/* Descriptors and memory come back: it is tried again in a second. */
static bool give_up(http_door_t *door, int err) {
  if (err != EMFILE && err != ENFILE && err != ENOBUFS && err != ENOMEM) return false;
  if (!door->full) log_warn("HTTP-ACCEPT", "no connection can be taken in: %s", strerror(err));
  loop_unwatch(door->gateway->http->loop, door->listen_fd);
  return door->full = true;
}

/* False: nobody waits, or nobody can be let in. */
static bool take(http_door_t *door) {
  http_guest_t guest = {.len = sizeof guest.address};

  guest.fd = accept4(door->listen_fd, (struct sockaddr *)&guest.address, &guest.len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (guest.fd < 0) return !give_up(door, errno) && (errno == ECONNABORTED || errno == EINTR);
  if (!serve_stop(door, &guest)) door->guests[door->guest_count++] = guest;
  return true;
}

/* Those whose request has come since. */
static void serve_guests(http_door_t *door) {
  for (uint32_t i = 0; i < door->guest_count;) {
    if (serve_stop(door, &door->guests[i]))
      door->guests[i] = door->guests[--door->guest_count];
    else
      i++;
  }
}

void http_look(http_door_t *door) {
  serve_guests(door);
  for (int i = 0; i < HTTP_GUESTS && door->guest_count < HTTP_GUESTS; i++)
    if (!take(door)) break;
  if (http_lane_turn(door)) loop_wake(door->gateway->http->loop);
}

void http_let_in(http_door_t *door) {
  serve_guests(door);
  for (uint32_t i = 0; i < door->guest_count; i++)
    add(door->daemon, &door->guests[i]);
  door->guest_count = 0;
}

static void on_guests(void *arg) {
  http_look(arg);
  http_let_in(arg);
}

gantry_err_t http_accept(http_door_t *door) {
  gantry_err_t err = loop_watch(door->gateway->http->loop, door->listen_fd, on_guests, door);

  door->full = err != GANTRY_OK;
  return err;
}

void http_accept_end(http_door_t *door) {
  loop_unwatch(door->gateway->http->loop, door->listen_fd);
  for (uint32_t i = 0; i < door->guest_count; i++)
    close(door->guests[i].fd);
  door->guest_count = 0;
  close(door->listen_fd);
}
