/* Clocks: thin over clock_gettime, so that every file names which clock it means. */
#include <gantry/clock.h>

#include <stdio.h>
#include <time.h>

static uint64_t clock_read_ns(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (uint64_t)now.tv_sec * GANTRY_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_mono_ns(void) {
  return clock_read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void) {
  return clock_read_ns(CLOCK_REALTIME);
}

char *clock_iso(uint64_t wall_ns, char *text, size_t size) {
  time_t seconds = (time_t)(wall_ns / GANTRY_NS_PER_S);
  struct tm date;
  gmtime_r(&seconds, &date);
  snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", date.tm_year + 1900, date.tm_mon + 1,
           date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
           (unsigned)(wall_ns % GANTRY_NS_PER_S / 1000));
  return text;
}

double clock_age_ms(uint64_t now_ns, uint64_t then_ns) {
  return now_ns > then_ns ? (double)(now_ns - then_ns) / GANTRY_NS_PER_MS : 0;
}
