/* The fields of a JSON object, one by one, without a tree. Pure. */
#ifndef STORAGE_OBJECT_H
#define STORAGE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct object_field {
  const char *name; /* between the quotes, escapes as they stand */
  size_t name_len;
  const char *value; /* the JSON of its value, without space around it */
  size_t value_len;
} object_field_t;

/* The next field; *at begins as the object's text and is moved on. False at the end, and where the
   text is no object: nothing is read behind its NUL. */
bool object_next(const char **at, object_field_t *out);

#endif
