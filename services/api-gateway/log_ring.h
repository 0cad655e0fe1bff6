/* Log lines of all services, the newest of each kind: notices cannot push out warnings. Pure. */
#ifndef GATEWAY_LOG_RING_H
#define GATEWAY_LOG_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <messages.h>

/* What there was before this gateway started, info, warnings and above. */
typedef enum log_shelf { LOG_BEFORE, LOG_NOTICES, LOG_WARNINGS, LOG_SHELVES } log_shelf_t;

#define LOG_RING_ROWS 1000 /* a shelf */

typedef struct log_entry {
  uint64_t id; /* rises with every line, those from before first */
  char service[33];
  sys_log_line_t line;
} log_entry_t;

typedef struct log_ring log_ring_t;

log_ring_t *log_ring_new(void); /* NULL: out of memory */
void log_ring_destroy(log_ring_t **self);

/* Returns what was kept, valid until the next line is added. */
const log_entry_t *log_ring_add(log_ring_t *ring, const char *service, const sys_log_line_t *line);
/* A line from before the start; they come oldest first, at most LOG_RING_ROWS. */
void log_ring_add_before(log_ring_t *ring, const char *service, const sys_log_line_t *line);

typedef struct log_filter {
  sys_log_level_t level; /* lowest */
  const char *service;   /* NULL: all */
} log_filter_t;

/* Newest first: skips `skip` fitting lines, then points out to at most `room` (valid until the next
   line is added). Returns how many; *total: how many fit in all. */
uint32_t log_ring_find(const log_ring_t *ring, const log_filter_t *filter, uint64_t skip,
                       const log_entry_t **out, uint32_t room, uint64_t *total);

/* As the API shows it. */
void log_ring_view(const log_entry_t *entry, http_log_row_t *out);

#endif
