/* The forms of an export: readings in the order of (time, number) go in, bytes come out. Pure, and
   deterministic: the same readings give the same bytes, wherever the walk was taken up again.

     csv       timestamp,sensor_type,value,datetime,session_time: the test bench's layout
     csv_wide  time and a column a sensor or object field, a row a time
     jsonl     an object a reading
     mcap      a channel a sensor, a JSON schema a type; chunks with index, see mcap.dev/spec */
#ifndef STORAGE_FORM_H
#define STORAGE_FORM_H

#include <gantry/buf.h>

#include "db_reading.h"

typedef enum form_kind { FORM_CSV, FORM_CSV_WIDE, FORM_JSONL, FORM_MCAP } form_kind_t;

/* What values a field was seen with. */
enum {
  FORM_NUMBER = 1,
  FORM_TEXT = 2,
  FORM_BOOL = 4,
  FORM_NULL = 8,
  FORM_OBJECT = 16,
  FORM_ARRAY = 32
};

#define FORM_NAME_SIZE 64

/* A field of a series' objects. */
typedef struct form_field {
  char name[FORM_NAME_SIZE]; /* as JSON has it between the quotes */
  uint32_t kinds;
} form_field_t;

#define FORM_FIELDS_MAX 64 /* of one series; what is beyond them has no column of its own */

typedef struct form_series {
  char robot[51], sensor[51], type[32], unit[16];
  form_field_t *fields; /* owned */
  uint32_t field_count;
  uint32_t schema; /* of its type, from 0 */
} form_series_t;

/* What the whole export has in common; constant for the life of its forms. */
typedef struct form_head {
  char session[51];
  int64_t start_us;      /* session_time counts from here */
  form_series_t *series; /* owned */
  uint32_t count;
  uint32_t schema_count;
} form_head_t;

/* Notes the fields of an object as those of its series: called with the first ones of each, before
   a form is made. False: out of memory. */
bool form_learn(form_series_t *series, const char *object);
/* Numbers the types of all series, when there is nothing more to learn. */
void form_head_finish(form_head_t *head);
void form_head_fini(form_head_t *head);

typedef struct form form_t;

/* Where a walk may be taken up again. Zeroed: at the first byte. */
typedef struct form_mark {
  uint64_t offset;  /* bytes before it */
  uint64_t rows;    /* readings before it */
  int64_t last_us;  /* time of the last of them */
  size_t indexed;   /* mcap: bytes of the chunk index that belong to them */
  uint32_t chunks;  /* mcap: how many those are */
  uint64_t *counts; /* mcap: readings of each series; owned */
} form_mark_t;
void form_mark_fini(form_mark_t *mark);

/* index: of an mcap's chunks, shared by all forms of one head, each of which writes what is not
   there yet. NULL: out of memory. */
form_t *form_new(form_kind_t kind, const form_head_t *head, buf_t *index);
/* NULL-safe. */
void form_destroy(form_t **self);
/* Goes on at the mark, where the next reading is the one behind mark->rows. False: out of memory.
 */
bool form_resume(form_t *form, const form_mark_t *mark);
/* The bytes before the first reading. */
void form_begin(form_t *form, buf_t *out);
/* Writes what can be written once a reading of this time follows. */
void form_turn(form_t *form, int64_t ts_us, buf_t *out);
/* Whether all readings so far have been written: a mark may be set. False: out of memory. */
bool form_is_clean(const form_t *form);
bool form_set_mark(const form_t *form, form_mark_t *mark);
/* A reading of series[which], after form_turn with its time. Its texts are copied where kept. */
void form_put(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out);
/* What is left, and the bytes behind the last reading. */
void form_end(form_t *form, buf_t *out);
uint64_t form_rows(const form_t *form);
/* GANTRY_E_INTERNAL when something inside had no memory: the bytes are not to be used. */
gantry_err_t form_err(const form_t *form);

#endif
