/* Tags in the field, by reader. */
#include "sighting.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000u

void sightings_init(sightings_t *sightings, uint64_t period_ns) {
  *sightings = (sightings_t){.period_ns = period_ns};
}

static bool is_row(const sighting_t *row, const char *sensor, const char *tag) {
  return strncmp(row->sensor, sensor, SIGHTING_TEXT_MAX) == 0 &&
         strncmp(row->tag, tag, SIGHTING_TEXT_MAX) == 0;
}

static sighting_t *find(sightings_t *sightings, const char *sensor, const char *tag) {
  sighting_t *oldest = &sightings->rows[0];
  for (uint32_t i = 0; i < sightings->count; i++) {
    sighting_t *row = &sightings->rows[i];
    if (is_row(row, sensor, tag)) return row;
    if (row->seen_ns < oldest->seen_ns) oldest = row;
  }
  if (sightings->count < SIGHTING_CAPACITY) oldest = &sightings->rows[sightings->count++];
  *oldest = (sighting_t){0};
  snprintf(oldest->sensor, sizeof oldest->sensor, "%s", sensor);
  snprintf(oldest->tag, sizeof oldest->tag, "%s", tag);
  return oldest;
}

bool sightings_pass(sightings_t *sightings, const char *sensor, const char *tag, uint64_t now_ns) {
  sighting_t *row = find(sightings, sensor, tag);
  row->seen_ns = now_ns;
  if (row->passed_ns != 0 && now_ns - row->passed_ns < sightings->period_ns) return false;
  row->passed_ns = now_ns;
  return true;
}

uint32_t sightings_at_once(const sightings_t *sightings, const char *sensor, uint64_t now_ns) {
  uint32_t tags = 0;
  for (uint32_t i = 0; i < sightings->count; i++) {
    const sighting_t *row = &sightings->rows[i];
    tags +=
        strncmp(row->sensor, sensor, SIGHTING_TEXT_MAX) == 0 && now_ns - row->seen_ns <= NS_PER_S;
  }
  return tags;
}
