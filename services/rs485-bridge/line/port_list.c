/* Reads the list of further ports. */
#include "port_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX 256

typedef struct number_key {
  const char *name;
  unsigned long min, max;
} number_key_t;

enum { KEY_BAUD, KEY_HOLD, KEY_FIRST, KEY_LAST, KEY_COUNT };

static const number_key_t number_keys[KEY_COUNT] = {
    [KEY_BAUD] = {"baud", 1200, 4000000},
    [KEY_HOLD] = {"max_hold_us", 1000, 1000000},
    [KEY_FIRST] = {"first", 1, 247},
    [KEY_LAST] = {"last", 1, 247},
};

/* Copies [begin, end) without the space around it. False when it is too long. */
static bool copy_part(const char *begin, const char *end, char out[PART_MAX]) {
  while (begin < end && isspace((unsigned char)*begin))
    begin++;
  while (end > begin && isspace((unsigned char)end[-1]))
    end--;
  size_t len = (size_t)(end - begin);
  if (len >= PART_MAX) return false;
  memcpy(out, begin, len);
  out[len] = '\0';
  return true;
}

static void set_number(port_entry_t *entry, int key, unsigned long number) {
  if (key == KEY_BAUD) entry->baud = (uint32_t)number;
  if (key == KEY_HOLD) entry->max_hold_us = (uint32_t)number;
  if (key == KEY_FIRST) entry->first = (uint8_t)number;
  if (key == KEY_LAST) entry->last = (uint8_t)number;
}

static bool take_key(port_entry_t *entry, const char *part, char *why, size_t size) {
  const char *equals = strchr(part, '=');
  size_t len = equals ? (size_t)(equals - part) : strlen(part);
  if (equals && len == 7 && strncmp(part, "profile", 7) == 0 && equals[1]) {
    (void)snprintf(entry->profile, sizeof entry->profile, "%s", equals + 1);
    return true;
  }
  for (int key = 0; equals && key < KEY_COUNT; key++) {
    const number_key_t *row = &number_keys[key];
    if (strlen(row->name) != len || strncmp(part, row->name, len) != 0) continue;
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(equals + 1, &end, 10);
    bool whole = isdigit((unsigned char)equals[1]) && *end == '\0' && errno == 0;
    if (whole && number >= row->min && number <= row->max) {
      set_number(entry, key, number);
      return true;
    }
    (void)snprintf(why, size, "%s: %s is a whole number from %lu to %lu, not '%.40s'", entry->path,
                   row->name, row->min, row->max, equals + 1);
    return false;
  }
  (void)snprintf(why, size,
                 "%s: '%.40s' is none of baud=N, profile=NAME, first=N, last=N, max_hold_us=N",
                 entry->path, part);
  return false;
}

/* One entry, [begin, end). */
static bool take_entry(const char *begin, const char *end, port_entry_t *entry, char *why,
                       size_t size) {
  for (const char *at = begin; at <= end;) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    const char *stop = comma ? comma : end;
    char part[PART_MAX];
    if (!copy_part(at, stop, part)) {
      (void)snprintf(why, size, "'%.40s...' is longer than %d bytes", at, PART_MAX - 1);
      return false;
    }
    if (at == begin)
      (void)snprintf(entry->path, sizeof entry->path, "%s", part);
    else if (!take_key(entry, part, why, size))
      return false;
    at = stop + 1;
  }
  if (!entry->path[0])
    (void)snprintf(why, size, "an entry begins with the path of its device");
  else if (entry->first > entry->last)
    (void)snprintf(why, size, "%s: first=%u lies behind last=%u", entry->path, entry->first,
                   entry->last);
  return entry->path[0] && entry->first <= entry->last;
}

static bool is_blank(const char *begin, const char *end) {
  while (begin < end && isspace((unsigned char)*begin))
    begin++;
  return begin == end;
}

bool port_list_parse(const char *text, const port_entry_t *defaults, port_entry_t *out, size_t max,
                     size_t *count, char *why, size_t size) {
  *count = 0;
  while (*text) {
    const char *end = strchr(text, ';');
    if (!end) end = text + strlen(text);
    if (!is_blank(text, end)) {
      if (*count == max) {
        (void)snprintf(why, size, "more than %zu further ports", max);
        return false;
      }
      port_entry_t entry = *defaults;
      entry.path[0] = '\0';
      if (!take_entry(text, end, &entry, why, size)) return false;
      for (size_t i = 0; i < *count; i++) {
        if (strcmp(out[i].path, entry.path) != 0) continue;
        (void)snprintf(why, size, "%s stands there twice", entry.path);
        return false;
      }
      out[(*count)++] = entry;
    }
    text = *end ? end + 1 : end;
  }
  return true;
}
