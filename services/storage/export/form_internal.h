/* Inside of the forms: what each of them fills in. */
#ifndef STORAGE_FORM_INTERNAL_H
#define STORAGE_FORM_INTERNAL_H

#include "form.h"

typedef struct form_ops {
  size_t size;                /* of the form's own struct, whose first member is form_t */
  bool (*init)(form_t *form); /* NULL where zeroed memory will do; false: out of memory */
  void (*fini)(form_t *form);
  void (*begin)(form_t *form, buf_t *out);
  void (*turn)(form_t *form, int64_t ts_us, buf_t *out);
  void (*put)(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out);
  void (*end)(form_t *form, buf_t *out);
  bool (*is_clean)(const form_t *form);
} form_ops_t;

struct form {
  const form_ops_t *ops;
  const form_head_t *head; /* borrowed */
  buf_t *index;            /* borrowed */
  form_mark_t at;          /* where it stands; its counts are owned */
  size_t from;             /* out->len when the call under way began */
  bool failed;
};

extern const form_ops_t FORM_CSV_OPS, FORM_WIDE_OPS, FORM_JSONL_OPS, FORM_MCAP_OPS;

/* Offset in the file of what is written next. */
uint64_t form_place(const form_t *form, const buf_t *out);
/* A reading as JSON: its fields from `source` on, the same in jsonl and mcap, without the brace
   that opens and with the one that closes. */
void form_put_fields(const db_reading_t *row, buf_t *out);

#endif
