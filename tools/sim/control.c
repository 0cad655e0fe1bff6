/* The control socket. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool listen_at(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  if (len >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(address.sun_path, path, len + 1);
  (void)unlink(path);
  return bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4) == 0;
}

bool control_open(control_t *control, const char *path, int epoll, control_handler_t handler,
                  void *context) {
  control->path = path;
  control->epoll = epoll;
  control->handler = handler;
  control->context = context;
  for (size_t i = 0; i < CONTROL_CLIENTS; i++)
    control->clients[i].fd = -1;
  control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (control->fd >= 0 && listen_at(control->fd, path) && watch(epoll, control->fd)) return true;
  (void)fprintf(stderr, "gantry-sim: cannot listen at %s: %s\n", path, strerror(errno));
  return false;
}

static void drop(control_client_t *client) {
  (void)close(client->fd); /* leaves epoll by itself */
  client->fd = -1;
  client->len = 0;
}

static void greet(control_t *control) {
  int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    if (control->clients[i].fd >= 0) continue;
    if (!watch(control->epoll, fd)) break;
    control->clients[i].fd = fd;
    control->clients[i].len = 0;
    return;
  }
  (void)close(fd);
}

/* Executes the whole lines that have arrived; false when the client is to be dropped. */
static bool execute(control_t *control, control_client_t *client) {
  char answer[CONTROL_ANSWER_MAX];
  char *end = NULL;
  while ((end = memchr(client->line, '\n', client->len)) != NULL) {
    *end = '\0';
    size_t used = (size_t)(end - client->line) + 1;
    control->handler(control->context, client->line, answer, sizeof answer);
    client->len -= used;
    memmove(client->line, client->line + used, client->len);
    size_t len = strlen(answer);
    if (send(client->fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len) return false;
  }
  return client->len < sizeof client->line;
}

static void serve_client(control_t *control, control_client_t *client) {
  ssize_t count =
      recv(client->fd, client->line + client->len, sizeof client->line - client->len, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) client->len += (size_t)count;
  if (count <= 0 || !execute(control, client)) drop(client);
}

bool control_serve(control_t *control, int fd) {
  if (fd < 0) return false;
  if (fd == control->fd) {
    greet(control);
    return true;
  }
  for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
    if (control->clients[i].fd != fd) continue;
    serve_client(control, &control->clients[i]);
    return true;
  }
  return false;
}

void control_close(control_t *control) {
  if (!control->path) return;
  for (size_t i = 0; i < CONTROL_CLIENTS; i++)
    if (control->clients[i].fd >= 0) drop(&control->clients[i]);
  if (control->fd >= 0) (void)close(control->fd);
  control->fd = -1;
  (void)unlink(control->path);
}
