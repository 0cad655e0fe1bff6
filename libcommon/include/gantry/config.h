/* Settings of a service: one table of options; defaults, then a `gantry.conf`, then the
   environment. The only file that calls getenv. */
#ifndef GANTRY_CONFIG_H
#define GANTRY_CONFIG_H

#include <gantry/err.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_type {
  OPTION_TEXT,
  OPTION_INT,
  OPTION_REAL,
  OPTION_BOOL,
  OPTION_CHOICE
} option_type_t;

/* One row. In `gantry.conf` the key stands under the service's [section] or, for the common
   options, under [common]; in the environment it is GANTRY_<SERVICE>_<KEY> (upper case, '-' as
   '_'), e.g. GANTRY_RS485_BRIDGE_PORT, or GANTRY_<KEY> for the common options; a common option may
   also be set for one service alone ([mapper] log_level, GANTRY_MAPPER_LOG_LEVEL), which wins. '#'
   at the start of a line or after a space begins a comment. */
typedef struct option_row {
  const char *key; /* lower case with underscores */
  option_type_t type;
  const char *fallback; /* default, as text */
  double min, max;      /* INT and REAL, both 0: unbounded; TEXT: most bytes in max (0: 255) */
  const char *choices;  /* CHOICE: "a|b|c" */
  const char *doc;      /* one sentence for --help */
} option_t;

typedef struct config config_t;

/* Reads every source for `service`. path NULL: no file. An unknown key under the service's section
   (or unknown section), a value out of bounds or of the wrong type is GANTRY_E_INVALID, the fault
   naming file, line, key and bounds. Sections of other services are skipped. Environment variables
   GANTRY_<SERVICE>_* that match no option are errors too. */
gantry_err_t config_load(const char *service, const option_t *options, size_t count,
                         const char *path, config_t **out, gantry_fault_t *fault);
void config_destroy(config_t **self);

/* Values by key; asking for a key that is not in the table, or of another type, is a bug (assert).
 * Text is owned by the config. */
const char *config_text(const config_t *config, const char *key);
int64_t config_int(const config_t *config, const char *key);
double config_real(const config_t *config, const char *key);
bool config_bool(const config_t *config, const char *key);
/* Overrides one value, checked like a file's (command line, tests). */
gantry_err_t config_set(config_t *config, const char *key, const char *value,
                        gantry_fault_t *fault);

/* Writes the table as help text to stdout: key, default, bounds, doc. */
void config_help(const char *service, const option_t *options, size_t count);

/* Reads a secret from a file (trailing newline cut). Refuses a file that others may read: mode 600,
   or 640 where root owns it and we are somebody else. */
gantry_err_t config_secret(const char *path, char *out, size_t size, gantry_fault_t *fault);

#endif
