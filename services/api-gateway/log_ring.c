/* Three rings, walked together from their newest ends. */
#include "log_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shelf {
  uint64_t count; /* so far */
  log_entry_t rows[LOG_RING_ROWS];
} shelf_t;

struct log_ring {
  uint64_t last_id;
  shelf_t shelves[LOG_SHELVES];
};

log_ring_t *log_ring_new(void) {
  log_ring_t *self = calloc(1, sizeof *self);

  if (self) self->last_id = LOG_RING_ROWS; /* ids up to there are for lines from before */
  return self;
}

void log_ring_destroy(log_ring_t **self) {
  free(*self);
  *self = NULL;
}

static const log_entry_t *put(shelf_t *shelf, uint64_t id, const char *service,
                              const sys_log_line_t *line) {
  log_entry_t *row = &shelf->rows[shelf->count++ % LOG_RING_ROWS];

  row->id = id;
  snprintf(row->service, sizeof row->service, "%s", service);
  row->line = *line;
  return row;
}

const log_entry_t *log_ring_add(log_ring_t *ring, const char *service, const sys_log_line_t *line) {
  bool notice = line->level < SYS_LOG_LEVEL_WARN;

  return put(&ring->shelves[notice ? LOG_NOTICES : LOG_WARNINGS], ++ring->last_id, service, line);
}

void log_ring_add_before(log_ring_t *ring, const char *service, const sys_log_line_t *line) {
  shelf_t *shelf = &ring->shelves[LOG_BEFORE];

  if (shelf->count < LOG_RING_ROWS) (void)put(shelf, shelf->count + 1, service, line);
}

/* The newest row of a shelf that was not walked past yet; NULL: none. */
static const log_entry_t *head(const shelf_t *shelf, uint64_t walked) {
  uint64_t kept = shelf->count < LOG_RING_ROWS ? shelf->count : LOG_RING_ROWS;

  return walked < kept ? &shelf->rows[(shelf->count - 1 - walked) % LOG_RING_ROWS] : NULL;
}

static const log_entry_t *next(const log_ring_t *ring, uint64_t walked[LOG_SHELVES]) {
  const log_entry_t *newest = NULL;
  int from = 0;

  for (int s = 0; s < LOG_SHELVES; s++) {
    const log_entry_t *row = head(&ring->shelves[s], walked[s]);
    if (!row || (newest && newest->id > row->id)) continue;
    newest = row;
    from = s;
  }
  if (newest) walked[from]++;
  return newest;
}

uint32_t log_ring_find(const log_ring_t *ring, const log_filter_t *filter, uint64_t skip,
                       const log_entry_t **out, uint32_t room, uint64_t *total) {
  uint64_t walked[LOG_SHELVES] = {0}, fit = 0;
  uint32_t count = 0;
  const log_entry_t *row;

  while ((row = next(ring, walked))) {
    if (row->line.level < filter->level) continue;
    if (filter->service && strcmp(filter->service, row->service) != 0) continue;
    if (fit++ >= skip && count < room) out[count++] = row;
  }
  *total = fit;
  return count;
}

void log_ring_view(const log_entry_t *entry, http_log_row_t *out) {
  const sys_log_line_t *line = &entry->line;
  char trace[40] = "", lost[24] = "";

  if (line->has_trace)
    snprintf(trace, sizeof trace, ",\"trace\":\"%016llx\"", (unsigned long long)line->trace);
  if (line->lost) snprintf(lost, sizeof lost, ",\"lost\":%u", line->lost);
  *out = (http_log_row_t){.id = entry->id, .level = line->level, .timestamp = line->time};
  snprintf(out->message, sizeof out->message, "%s", line->message);
  snprintf(out->source, sizeof out->source, "%s", entry->service);
  snprintf(out->metadata, sizeof out->metadata, "{\"code\":\"%s\"%s%s}", line->id, trace, lost);
}
