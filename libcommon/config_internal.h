/* Inside of config: what the table, the file reader and the value checker share. */
#ifndef GANTRY_CONFIG_INTERNAL_H
#define GANTRY_CONFIG_INTERNAL_H

#include <gantry/config.h>

typedef struct value {
  const option_t *option;
  bool common;     /* one of the options every service has */
  char *text;      /* owned */
  int64_t integer; /* INT, and BOOL as 0 or 1 */
  double real;
  int rank; /* of the source it came from; a lower rank never overwrites a higher */
} value_t;

/* Sources by rank: what is said for one service wins over what is said for all, the environment
   over the file. */
enum { RANK_DEFAULT, RANK_FILE_COMMON, RANK_FILE, RANK_ENV_COMMON, RANK_ENV, RANK_SET };

struct config {
  char service[33];
  value_t *values; /* owned */
  size_t count;
};

/* The options of every service. */
const option_t *config_common(size_t *count);
/* The value of that key, NULL when there is none. */
value_t *config_find(const config_t *config, const char *key);
/* Checks text against the option and keeps it. where ("FILE:LINE", "environment") begins the
 * fault's detail. */
gantry_err_t config_keep(value_t *value, const char *text, int rank, const char *where,
                         gantry_fault_t *fault);
/* Reads every section that concerns this service. */
gantry_err_t config_read_file(config_t *config, const char *path, gantry_fault_t *fault);

#endif
