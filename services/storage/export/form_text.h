/* Times, numbers and cells as the forms write them. Pure. */
#ifndef STORAGE_FORM_TEXT_H
#define STORAGE_FORM_TEXT_H

#include <gantry/buf.h>

#define FORM_TIME_SIZE 40 /* room that a time needs */

/* Microseconds as seconds, the way a float is written: "1767225600.25", "-3.0". Returns the end. */
char *form_seconds(char *at, int64_t us);

/* The second that was written last, so that each is broken down once. Zeroed: none. */
typedef struct form_clock {
  bool known;
  int64_t second;
  char text[FORM_TIME_SIZE]; /* "2026-01-31T09:05:07" */
  size_t len;
} form_clock_t;

/* "2026-01-31T09:05:07.250000", in local time or UTC. Returns the end. */
char *form_date(form_clock_t *clock, bool local, char *at, int64_t us);

/* A CSV cell: quoted where it has to be, as RFC 4180 says. */
void form_cell(buf_t *out, const char *text, size_t len);

#endif
