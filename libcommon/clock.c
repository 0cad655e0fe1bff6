/* Clocks: thin over clock_gettime, so that every file names which clock it means. */
#include <gantry/clock.h>

#include <stdio.h>
#include <string.h>
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

enum { ISO_SECOND = 20, ISO_CHARS = 27 }; /* "2026-01-31T09:05:07." and with ".123456Z" */

/* Every answer and frame says its time, thousands within a second: that much is kept. */
static const char *clock_iso_second(time_t seconds) {
  static _Thread_local time_t kept = -1;
  static _Thread_local char text[64];
  if (seconds != kept) {
    struct tm date;
    gmtime_r(&seconds, &date);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.", date.tm_year + 1900,
             date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec);
    kept = seconds;
  }
  return text;
}

char *clock_iso(uint64_t wall_ns, char *text, size_t size) {
  uint64_t micros = wall_ns % GANTRY_NS_PER_S / 1000;
  if (size <= ISO_CHARS) return text;
  memcpy(text, clock_iso_second((time_t)(wall_ns / GANTRY_NS_PER_S)), ISO_SECOND);
  for (int i = ISO_CHARS - 2; i >= ISO_SECOND; i--, micros /= 10)
    text[i] = (char)('0' + micros % 10);
  text[ISO_CHARS - 1] = 'Z';
  text[ISO_CHARS] = '\0';
  return text;
}

/* size digits as a number; -1 when one of them is none. */
static int clock_digits(const char **text, int size) {
  int value = 0;
  for (int i = 0; i < size; i++, (*text)++) {
    if (**text < '0' || **text > '9') return -1;
    value = value * 10 + (**text - '0');
  }
  return value;
}

static bool clock_pass(const char **text, const char *allowed) {
  if (**text == '\0' || !strchr(allowed, **text)) return false;
  (*text)++;
  return true;
}

static bool clock_within(int value, int min, int max) {
  return value >= min && value <= max;
}

static bool clock_parse_date(const char **text, struct tm *date) {
  static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year = clock_digits(text, 4);
  if (!clock_within(year, 1970, 2553) || !clock_pass(text, "-")) return false;
  int month = clock_digits(text, 2);
  if (!clock_within(month, 1, 12) || !clock_pass(text, "-")) return false;
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  int day = clock_digits(text, 2);
  date->tm_year = year - 1900;
  date->tm_mon = month - 1;
  date->tm_mday = day;
  return clock_within(day, 1, DAYS[month - 1] + (leap && month == 2));
}

static bool clock_parse_time(const char **text, struct tm *date, uint64_t *part_ns) {
  date->tm_hour = clock_digits(text, 2);
  if (!clock_within(date->tm_hour, 0, 23) || !clock_pass(text, ":")) return false;
  date->tm_min = clock_digits(text, 2);
  if (!clock_within(date->tm_min, 0, 59) || !clock_pass(text, ":")) return false;
  date->tm_sec = clock_digits(text, 2);
  if (!clock_within(date->tm_sec, 0, 59)) return false;
  *part_ns = 0;
  if (!clock_pass(text, ".")) return true;
  if (**text < '0' || **text > '9') return false;
  for (uint64_t unit = GANTRY_NS_PER_S / 10; **text >= '0' && **text <= '9';
       unit /= 10, (*text)++) {
    *part_ns += unit * (uint64_t)(**text - '0');
  }
  return true;
}

/* "Z" or "+hh:mm": seconds to subtract. */
static bool clock_parse_zone(const char **text, int64_t *offset_s) {
  *offset_s = 0;
  if (clock_pass(text, "Zz")) return **text == '\0';
  int sign = **text == '-' ? -1 : 1;
  if (!clock_pass(text, "+-")) return false;
  int hours = clock_digits(text, 2);
  if (!clock_within(hours, 0, 23) || !clock_pass(text, ":")) return false;
  int minutes = clock_digits(text, 2);
  *offset_s = (int64_t)sign * (hours * 3600 + minutes * 60);
  return clock_within(minutes, 0, 59) && **text == '\0';
}

bool clock_parse_iso(const char *text, uint64_t *wall_ns) {
  struct tm date = {0};
  uint64_t part_ns;
  int64_t offset_s;
  if (!clock_parse_date(&text, &date) || !clock_pass(&text, "Tt ")) return false;
  if (!clock_parse_time(&text, &date, &part_ns) || !clock_parse_zone(&text, &offset_s))
    return false;
  int64_t seconds = timegm(&date) - offset_s;
  if (seconds < 0) return false;
  *wall_ns = (uint64_t)seconds * GANTRY_NS_PER_S + part_ns;
  return true;
}

double clock_age_ms(uint64_t now_ns, uint64_t then_ns) {
  return now_ns > then_ns ? (double)(now_ns - then_ns) / GANTRY_NS_PER_MS : 0;
}
