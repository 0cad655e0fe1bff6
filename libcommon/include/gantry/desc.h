/* Descriptor tables: what the generator says of each message, and what the codecs walk. Data only.
 */
#ifndef GANTRY_DESC_H
#define GANTRY_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum desc_type {
  DESC_BOOL,    /* bool */
  DESC_U8,      /* uint8_t */
  DESC_U16,     /* uint16_t */
  DESC_U32,     /* uint32_t */
  DESC_U64,     /* uint64_t */
  DESC_I32,     /* int32_t */
  DESC_I64,     /* int64_t */
  DESC_F32,     /* float */
  DESC_F64,     /* double */
  DESC_TEXT,    /* char[size], UTF-8, NUL terminated; capacity is size - 1 bytes */
  DESC_BLOB,    /* blob_t, borrowed; capacity is the most bytes */
  DESC_ENUM,    /* a C enum (int) counting from 0; text on the wire */
  DESC_MESSAGE, /* embedded struct of another descriptor */
} desc_type_t;

typedef enum desc_format {
  DESC_PLAIN,
  DESC_JSON,     /* TEXT or BLOB that holds one JSON value: raw in JSON, text on the bus */
  DESC_TIME,     /* U64, ns since 1970 UTC: ISO-8601 text in JSON, number on the bus */
  DESC_HEX,      /* U64: 16 lower-case hex digits in JSON, number on the bus */
  DESC_FRACTION, /* F64: in JSON always with a fraction, 10 as 10.0 */
} desc_format_t;

/* Bytes that belong to somebody else. On receiving: valid until the handler returns. */
typedef struct blob {
  const uint8_t *data;
  size_t len;
} blob_t;

typedef struct desc_enum {
  const char *name;
  const char *const *texts; /* wire texts, index = C value */
  uint32_t count;
} desc_enum_t;

struct desc;

typedef struct desc_field {
  const char *name;
  desc_type_t type;
  desc_format_t format;
  bool optional;   /* then a `bool has_<name>` stands at has_offset */
  bool nullable;   /* its absence is written as null in JSON */
  bool array;      /* then a `uint32_t <name>_count` stands at count_offset */
  bool ranged;     /* min and max hold; for arrays they hold for each element */
  uint32_t offset; /* of the value or of the first element */
  uint32_t has_offset;
  uint32_t count_offset;
  uint32_t size;     /* bytes of one element in the struct */
  uint32_t capacity; /* most elements of an array; 1 otherwise */
  uint32_t max_len;  /* TEXT and BLOB: most bytes; else 0 */
  uint32_t min_len;  /* TEXT: fewest bytes; else 0 */
  double min, max;   /* numbers, inclusive; SI */
  const char *unit;  /* "m", "rad", "" */
  const char *doc;
  const struct desc *message;     /* DESC_MESSAGE */
  const desc_enum_t *enumeration; /* DESC_ENUM */
} desc_field_t;

typedef struct desc {
  const char *name;
  const char *doc;
  const desc_field_t *fields;
  uint32_t field_count;
  size_t size; /* sizeof the struct */
} desc_t;

/* The wire text of an enum value, "?" when out of range. */
const char *desc_enum_text(const desc_enum_t *enumeration, int value);
/* The value of a wire text, -1 when unknown. */
int desc_enum_value(const desc_enum_t *enumeration, const char *text, size_t len);
/* The field of that name, NULL when there is none. */
const desc_field_t *desc_find(const desc_t *desc, const char *name, size_t len);
/* Makes value what an absent message is: zeros, of a text longer than 4 KiB its first byte. */
void desc_reset(const desc_t *desc, void *value);
/* The most bytes a packed value of this descriptor can have. */
size_t desc_packed_max(const desc_t *desc);

#endif
