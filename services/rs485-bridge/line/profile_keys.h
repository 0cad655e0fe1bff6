/* Inside of the profile reader: tables of keys, and what is wrong with one. */
#ifndef BRIDGE_PROFILE_KEYS_H
#define BRIDGE_PROFILE_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "registers.h"

#define KEYS_MAX    16
#define PLACE_MAX   192
#define NAME_LONG   39 /* registers */
#define NAME_MEDIUM 31 /* modules, classes, profiles */

typedef enum key_kind {
  KEY_TEXT,
  KEY_WHOLE,
  KEY_NUMBER,
  KEY_FLAG,
  KEY_TABLE,
  KEY_TABLES,
  KEY_ADDRESS
} key_kind_t;

typedef struct key_row {
  const char *name;
  key_kind_t kind;
  bool required;
  size_t longest; /* of a text, bytes; 0: 39 */
} key_row_t;

/* Where the sentence about the first fault goes. */
typedef struct complaint {
  char *why;
  size_t size;
} complaint_t;

/* Writes "place: what"; false, so that a check can return it. */
bool complain(complaint_t *to, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Picks the keys of a table, in their order: values[i] is NULL where keys[i] is absent. Unknown,
   missing and mistyped keys are faults. */
bool keys_take(complaint_t *to, json_t *table, const key_row_t *keys, size_t count,
               const char *place, json_t *values[KEYS_MAX]);
bool keys_check_name(complaint_t *to, const char *name, size_t longest, const char *place);
bool keys_check_range(complaint_t *to, int64_t value, int64_t low, int64_t high, const char *key,
                      const char *place);
bool keys_check_table(complaint_t *to, const json_t *value, const char *place);

const char *key_text(const json_t *value, const char *fallback);
int64_t key_whole(const json_t *value, int64_t fallback);
double key_number(const json_t *value, double fallback);
/* Of a KEY_ADDRESS that keys_take let pass. */
int64_t key_address(const json_t *value, int64_t fallback);

#endif
