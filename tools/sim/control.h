/* The control socket: takes lines from a few clients, gives each line's answer back. */
#ifndef GANTRY_SIM_CONTROL_H
#define GANTRY_SIM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_CLIENTS    8
#define CONTROL_LINE_MAX   256
#define CONTROL_ANSWER_MAX 8192

/* Executes one line and writes its answer, one JSON object and a newline, NUL terminated. */
typedef void (*control_handler_t)(void *context, const char *line, char *answer, size_t size);

typedef struct control_client {
  int fd; /* -1: free */
  char line[CONTROL_LINE_MAX];
  size_t len;
} control_client_t;

typedef struct control {
  const char *path; /* borrowed */
  int fd;           /* -1: closed */
  int epoll;
  control_client_t clients[CONTROL_CLIENTS];
  control_handler_t handler;
  void *context;
} control_t;

/* Listens at path (a stale socket there is replaced) and watches its descriptors through epoll;
   their events carry the descriptor in data.fd. False with a message on stderr. */
bool control_open(control_t *control, const char *path, int epoll, control_handler_t handler,
                  void *context);
/* Serves an event on fd; false when fd is not one of ours. Does not block. */
bool control_serve(control_t *control, int fd);
/* Closes all and removes the socket. Harmless when closed. */
void control_close(control_t *control);

#endif
