/* Sighting: a reader polled ten times a second repeats a tag as long as it is in the field. This
   lets through the first sighting and then at most one each period, per reader and tag, and counts
   how many tags a reader sees at once. Bounded; pure: time is an argument (monotonic ns). */
#ifndef SENSOR_SIGHTING_H
#define SENSOR_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#define SIGHTING_CAPACITY 64
#define SIGHTING_TEXT_MAX 50

typedef struct sighting {
  char sensor[SIGHTING_TEXT_MAX + 1];
  char tag[SIGHTING_TEXT_MAX + 1];
  uint64_t seen_ns;   /* newest */
  uint64_t passed_ns; /* newest let through; 0: none */
} sighting_t;

typedef struct sightings {
  uint64_t period_ns; /* 50 ms: each reading of a reader polled ten times a second */
  sighting_t rows[SIGHTING_CAPACITY];
  uint32_t count;
} sightings_t;

void sightings_init(sightings_t *sightings, uint64_t period_ns);
/* Notes a sighting; true when it is to be passed on. Texts are cut to SIGHTING_TEXT_MAX; when the
   table is full the row seen longest ago makes room. */
bool sightings_pass(sightings_t *sightings, const char *sensor, const char *tag, uint64_t now_ns);
/* Different tags that the reader saw within the last second. */
uint32_t sightings_at_once(const sightings_t *sightings, const char *sensor, uint64_t now_ns);

#endif
