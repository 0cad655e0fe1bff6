/* One JSON object a line on standard error:
   {"ts":"...","level":"info","service":"mapper","id":"MAP-SAVED","msg":"...","trace":"16 hex
   digits"}. The level may change at run time (sys.log_level). Thread safe: a line is one write.
   Does not block: a line that nobody takes at once, as from a full pipe, is lost, and the next one
   that is taken comes behind LOG-LOST with their number. */
#ifndef GANTRY_LOG_H
#define GANTRY_LOG_H

#include <gantry/err.h>
#include <stdint.h>

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level_t;

/* Names the process; level is the lowest that is written. fd is where lines go (2 is usual). */
void log_open(const char *service, log_level_t level, int fd);
void log_set_level(log_level_t level);
log_level_t log_get_level(void);
/* "debug" ... "error"; GANTRY_E_INVALID for another word. */
gantry_err_t log_level_parse(const char *text, log_level_t *out);
const char *log_level_name(log_level_t level);

/* The trace that lines of this thread carry from now on; 0 is none. The bus and the rpc server set
 * it around handlers. */
void log_set_trace(uint64_t trace);
uint64_t log_get_trace(void);

void log_write(log_level_t level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A second reader of lines that are written, debug lines excepted: fn is called in the thread that
   logs, under a lock, and must not log itself. One a process; NULL: none. After log_tap has
   returned the former one is not called any more. */
typedef void (*log_tap_fn)(log_level_t level, const char *id, const char *text, uint64_t trace,
                           void *arg);
void log_tap(log_tap_fn fn, void *arg);
/* Ends the tap of arg; that of another stays. */
void log_untap(const void *arg);

#define log_debug(...)                                                                             \
  do {                                                                                             \
    if (log_get_level() <= LOG_DEBUG) log_write(LOG_DEBUG, __VA_ARGS__);                           \
  } while (0)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
