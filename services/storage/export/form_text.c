/* Digits are laid down by hand: an export of ten million readings writes thirty million times. */
#include "form_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S 1000000

static char *put_digits(char *at, uint64_t value) {
  char text[24], *begin = text + sizeof text;
  do
    *--begin = (char)('0' + value % 10);
  while (value /= 10);
  size_t len = (size_t)(text + sizeof text - begin);
  memcpy(at, begin, len);
  return at + len;
}

/* Six digits. */
static char *put_fraction(char *at, uint32_t value) {
  for (int i = 5; i >= 0; i--, value /= 10)
    at[i] = (char)('0' + value % 10);
  return at + 6;
}

char *form_seconds(char *at, int64_t us) {
  uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
  if (us < 0) *at++ = '-';
  at = put_digits(at, size / US_PER_S);
  *at++ = '.';
  at = put_fraction(at, (uint32_t)(size % US_PER_S));
  for (int i = 0; i < 5 && at[-1] == '0'; i++)
    at--;
  return at;
}

static void break_down(form_clock_t *clock, bool local, int64_t second) {
  struct tm tm = {0};
  time_t time = (time_t)second;
  *clock = (form_clock_t){.known = true, .second = second};
  if (local ? localtime_r(&time, &tm) : gmtime_r(&time, &tm))
    clock->len = strftime(clock->text, sizeof clock->text, "%Y-%m-%dT%H:%M:%S", &tm);
}

char *form_date(form_clock_t *clock, bool local, char *at, int64_t us) {
  int64_t second = us / US_PER_S - (us % US_PER_S < 0);
  if (!clock->known || clock->second != second) break_down(clock, local, second);
  memcpy(at, clock->text, clock->len);
  at += clock->len;
  *at++ = '.';
  return put_fraction(at, (uint32_t)(us - second * US_PER_S));
}

void form_cell(buf_t *out, const char *text, size_t len) {
  bool plain = true;
  for (size_t i = 0; i < len && plain; i++)
    plain = text[i] != '"' && text[i] != ',' && text[i] != '\r' && text[i] != '\n';
  if (plain) {
    buf_put(out, text, len);
    return;
  }
  buf_put_byte(out, '"');
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '"') buf_put_byte(out, '"');
    buf_put_byte(out, (uint8_t)text[i]);
  }
  buf_put_byte(out, '"');
}
