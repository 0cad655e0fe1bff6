/* Numbers: which of a producer's readings have come, by the count that it gives them. A batch that
   is sent again is told from a producer that began to count anew by its times. Pure; a value. */
#ifndef SENSOR_SIGNAL_NUMBERS_H
#define SENSOR_SIGNAL_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#define NUMBERS_WINDOW 4096 /* numbers remembered below the greatest */

typedef struct numbers {
  uint64_t greatest;  /* 0: none yet */
  uint64_t newest_ns; /* greatest time of a reading taken */
  uint64_t seen[NUMBERS_WINDOW / 64];
} numbers_t;

typedef enum numbers_verdict {
  NUMBERS_NEXT,     /* the one awaited, or the first */
  NUMBERS_SKIPPED,  /* some are absent before it */
  NUMBERS_BEHIND,   /* fills a gap */
  NUMBERS_REPEATED, /* came before, or lies NUMBERS_WINDOW or more below the greatest */
  NUMBERS_ANEW,     /* lower than the greatest but newer than all: the count has begun anew */
} numbers_verdict_t;

/* number > 0; changes nothing. */
numbers_verdict_t numbers_judge(const numbers_t *numbers, uint64_t number, uint64_t time_ns);
/* Notes a reading and its verdict; taken: false when it was refused for its value, so that it may
   come again. A repeated one is not noted. */
void numbers_note(numbers_t *numbers, numbers_verdict_t verdict, uint64_t number, uint64_t time_ns,
                  bool taken);

#endif
