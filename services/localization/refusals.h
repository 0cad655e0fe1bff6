/* When to say that a tag was refused. A robot that was carried away refuses the tags of its new
   place ten times a second for as long as it believes its old one. Pure: time is an argument. */
#ifndef LOCALIZATION_REFUSALS_H
#define LOCALIZATION_REFUSALS_H

#include <stdint.h>

#define REFUSALS_TAGS 16 /* remembered at once; the one said longest ago gives way */

typedef struct refusal {
  char tag[51];
  uint64_t said_ns; /* 0: free */
  uint32_t unsaid;  /* since then */
} refusal_t;

typedef struct refusals {
  refusal_t rows[REFUSALS_TAGS];
} refusals_t;

/* Counts a refusal of that tag at now_ns, which is not 0. How many there were since it was said
   last, this one included, when it is to be said again: at once, then once a minute; else 0. */
uint32_t refusals_note(refusals_t *refusals, const char *tag, uint64_t now_ns);

#endif
