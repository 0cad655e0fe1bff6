/* What ws_load.c needs beside its loop: options, frames as bytes, figures of a process. */
#ifndef WS_LOAD_H
#define WS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct ws_load_options {
  int port;
  const char *path, *token; /* token "": none */
  const char *type;         /* subscribed and counted; "": nothing is subscribed, all is counted */
  uint32_t clients, stalled;
  double seconds, rate_max; /* frames a second and client, at most: for the room of the ages */
  uint64_t churn;
  pid_t pid; /* whose processor time and memory are told; 0: nobody's */
} ws_load_options_t;

typedef enum ws_load_state { WS_LOAD_CONNECTING, WS_LOAD_ASKED, WS_LOAD_OPEN } ws_load_state_t;

typedef struct ws_load_client {
  int fd; /* -1: closed */
  ws_load_state_t state;
  bool stalled;
  uint64_t seq, frames;
  size_t kept;
  uint8_t rest[8192]; /* the begin of a frame whose end has not come */
} ws_load_client_t;

/* Says what is wrong on stderr. */
bool ws_load_options(int argc, char **argv, ws_load_options_t *out);
/* The request; its length, -1 when it does not fit. */
int ws_load_handshake(const ws_load_options_t *options, char *out, size_t size);
/* A masked frame of at most 125 bytes; its size. */
size_t ws_load_frame(uint8_t *out, uint8_t opcode, const void *bytes, size_t len);
/* Lengths of the frame that bytes begin with; false: not all of it is there. */
bool ws_load_measure(const uint8_t *bytes, size_t len, size_t *head, size_t *body);
/* "seq" and, where it stands there, "born_ns" of a frame of that type ("": any). */
bool ws_load_numbers(const char *text, size_t len, const char *type, uint64_t *seq,
                     uint64_t *born_ns);

double ws_load_cpu_s(pid_t pid);
uint64_t ws_load_rss_kib(pid_t pid);
void ws_load_sort(float *values, uint64_t count);
/* The value below which that share lies; 0 without values. */
double ws_load_at(const float *sorted, uint64_t count, double share);

#endif
