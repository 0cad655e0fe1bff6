/* The publisher's book: appended, read again at the next start. */
#include "store_ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_BYTES (1u << 16)
#define LINE_BYTES  64u
#define BOOK_AHEAD  100000u /* numbers booked at once */

static bool write_all(store_ledger_t *ledger) {
  uint32_t at = 0;
  while (at < ledger->len) {
    ssize_t n = write(ledger->fd, ledger->lines + at, ledger->len - at);
    if (n < 0) return false;
    at += (uint32_t)n;
  }
  ledger->len = 0;
  return true;
}

static void note(store_ledger_t *ledger, char kind, uint64_t first, uint64_t second) {
  if (ledger->len + LINE_BYTES > LINES_BYTES && !write_all(ledger)) return;
  int n = snprintf(ledger->lines + ledger->len, LINE_BYTES, "%c %llu %llu\n", kind,
                   (unsigned long long)first, (unsigned long long)second);
  ledger->len += (uint32_t)n;
}

/* What an earlier process may have used. A line that was torn has no end and is passed over. */
static void read_booked(store_ledger_t *ledger, FILE *file) {
  char line[LINE_BYTES];
  while (fgets(line, sizeof line, file)) {
    unsigned long long readings, events;
    if (!strchr(line, '\n') || sscanf(line, "N %llu %llu", &readings, &events) != 2) continue;
    ledger->readings = readings;
    ledger->events = events;
  }
  ledger->readings_end = ledger->readings;
  ledger->events_end = ledger->events;
}

bool store_ledger_open(store_ledger_t *ledger, const char *path) {
  *ledger = (store_ledger_t){.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  ledger->lines = malloc(LINES_BYTES);
  FILE *file = ledger->fd >= 0 && ledger->lines ? fopen(path, "r") : NULL;
  if (!file) return false;
  read_booked(ledger, file);
  long at = ftell(file);
  bool torn = at > 0 && (fseek(file, -1, SEEK_END) != 0 || fgetc(file) != '\n');
  (void)fclose(file);
  /* What was torn ends here and is no entry any more. */
  return !torn || write(ledger->fd, " torn\n", 6) == 6;
}

void store_ledger_close(store_ledger_t *ledger) {
  free(ledger->lines);
  if (ledger->fd >= 0) (void)close(ledger->fd);
  *ledger = (store_ledger_t){.fd = -1};
}

static bool book(store_ledger_t *ledger, uint32_t readings, uint32_t events) {
  ledger->readings_end += readings;
  ledger->events_end += events;
  note(ledger, 'N', ledger->readings_end, ledger->events_end);
  return store_ledger_write(ledger);
}

bool store_ledger_readings(store_ledger_t *ledger, uint32_t count, uint64_t *first) {
  if (ledger->readings + count > ledger->readings_end && !book(ledger, BOOK_AHEAD, 0)) return false;
  *first = ledger->readings;
  ledger->readings += count;
  return true;
}

bool store_ledger_event(store_ledger_t *ledger, uint64_t *number) {
  if (ledger->events == ledger->events_end && !book(ledger, 0, BOOK_AHEAD)) return false;
  *number = ledger->events++;
  return true;
}

void store_ledger_note_readings(store_ledger_t *ledger, uint64_t first, uint32_t count) {
  note(ledger, 'R', first, count);
}

void store_ledger_note_event(store_ledger_t *ledger, uint64_t number) {
  note(ledger, 'E', number, 1);
}

bool store_ledger_write(store_ledger_t *ledger) {
  return ledger->len == 0 || write_all(ledger);
}
