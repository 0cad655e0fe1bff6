/* What the commands that speak with a service share: options, one question and its answer, numbers
   as people write them, and patience. */
#ifndef GANTRY_ASK_H
#define GANTRY_ASK_H

#include "session.h"

enum { ASK_USAGE = 64, ASK_SETTINGS = 78, ASK_INTERRUPTED = 130, ASK_WORDS = 8 };

typedef struct ask {
  const char *name; /* of the command, for complaints */
  const char *help; /* its whole help text */
  const char *base; /* --bus, or NULL */
  bool json, watch, wait, raw, safety, safe, located;
  bool resume, loop, yes;
  const char *reason, *speed, *acceleration, *deceleration, *timeout, *port, *first, *last;
  const char *format, *sensor, *session_id, *rate, *from, *to, *description, *state;
  const char *method, *reference, *bearing, *axis, *samples;
  const char *words[ASK_WORDS]; /* what is no option */
  int count;
  session_t session;
} ask_t;

/* Reads the arguments; letters are the options that the command knows ("jw..."), --bus and --help
   always among them. Returns -1 to go on, else the exit code. */
int ask_parse(ask_t *ask, int argc, char **argv, const char *letters);
/* "gantry NAME: " and the sentence on standard error; returns ASK_USAGE. */
int ask_wrong(const ask_t *ask, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number between min and max; otherwise says which of `what` is wrong and returns false. text
   NULL: *out stays as it is. */
bool ask_number(const ask_t *ask, const char *what, const char *text, double min, double max,
                double *out);
/* The same for whole numbers, also as 0x... */
bool ask_whole(const ask_t *ask, const char *what, const char *text, long min, long max, long *out);

/* Sends takes and waits; says what went wrong and what to do about it. */
bool ask(ask_t *ask, const request_t *request, const void *takes, void *gives);
/* The same, asking again for up to a minute while the server is away or silent: for requests that
   may be sent twice. False also when Ctrl-C has come. */
bool ask_patiently(ask_t *ask, const request_t *request, const void *takes, void *gives);
/* The value as one line of JSON on standard output. */
void ask_print(const desc_t *desc, const void *value);
/* Wall time for people, UTC; "-" when there is none. Gives out. */
const char *ask_time_text(bool given, uint64_t wall_ns, char *out, size_t size);
/* Lets time pass; false when Ctrl-C has come. */
bool ask_pause(ask_t *ask, uint32_t ms);
/* Rewrites the line of progress on a terminal; "" ends it. Silent elsewhere. */
void ask_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Finds a module by address ("0x03", "3") or name ("safety") and the line it hangs on. */
bool ask_module(ask_t *ask, const char *text, uint8_t *address, uint8_t *port);

#endif
