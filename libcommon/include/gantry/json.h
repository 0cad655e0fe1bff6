/* JSON both ways by descriptor table. Reading goes through jansson (duplicates refused, depth and
   size limited); writing is our own. */
#ifndef GANTRY_JSON_H
#define GANTRY_JSON_H

#include <gantry/buf.h>
#include <gantry/desc.h>
#include <gantry/err.h>

#define JSON_MAX_DEPTH 16
#define JSON_MAX_LEN   (16u << 20) /* bytes of text that are read */

/* Appends value as one JSON object, fields in table order; absent optionals are left out. Blobs
   become base64; DESC_JSON text goes out raw when it is well-formed JSON, as a string when not, as
   null when empty. Floats are written with the fewest digits that read back the same (f32: as
   float). */
gantry_err_t json_write(const desc_t *desc, const void *value, buf_t *out);

/* Reads one JSON object into value (zeroed first). Unknown fields are refused when strict, else
   skipped; null for an optional field is absence. Malformed text is GANTRY_E_SCHEMA with line and
   column in the detail; a missing, mistyped or out-of-bounds field GANTRY_E_SCHEMA with the field's
   path. A DESC_JSON TEXT field takes any JSON value, stored compactly; too long is GANTRY_E_SCHEMA.
   Integers reach INT64_MAX. Blobs are refused: a message only borrows them, and there is nobody
   here to lend decoded bytes. */
gantry_err_t json_read(const desc_t *desc, const char *text, size_t len, bool strict, void *value,
                       gantry_fault_t *fault);

/* One of several faults. */
typedef struct json_fault {
  gantry_fault_t fault;
  char value[80]; /* the scalar at fault as JSON; "" when it is long, nested or not there */
} json_fault_t;

/* The same, but goes on behind a fault: the first `most` (at least 1) in the order of the fields,
   unknown ones last. Returns their count; value holds a message only when that is 0. */
size_t json_read_all(const desc_t *desc, const char *text, size_t len, bool strict, void *value,
                     json_fault_t *faults, size_t most);

/* Appends text as a quoted, escaped JSON string; bytes that are not UTF-8 become U+FFFD. */
void json_write_text(buf_t *out, const char *text, size_t len);
/* Appends the shortest number that reads back the same; NaN and infinity become null. */
void json_write_number(buf_t *out, double value);
/* The same, always with a fraction or an exponent, as Python's repr: 10 as 10.0. */
void json_write_fraction(buf_t *out, double value);
/* The same with the fewest digits that read back as the same float. */
void json_write_float(buf_t *out, float value);
void json_write_unsigned(buf_t *out, uint64_t value);

/* Whether text is one well-formed JSON object, in UTF-8. */
bool json_is_object(const char *text, size_t len);

/* Free-form JSON (a sensor's `data`, a setting's value): the number at a top-level key.
   Returns GANTRY_E_NOT_FOUND when absent, GANTRY_E_SCHEMA when it is no number. */
gantry_err_t json_get_number(const char *text, const char *key, double *out);
/* The text at a top-level key, cut to size. */
gantry_err_t json_get_text(const char *text, const char *key, char *out, size_t size);
gantry_err_t json_get_bool(const char *text, const char *key, bool *out);

/* Names the top-level keys of an object, in their order, until the visitor's error is not
   GANTRY_OK, which is returned then. GANTRY_E_SCHEMA when text is no object. */
typedef gantry_err_t (*json_key_fn)(const char *key, void *arg);
gantry_err_t json_each_key(const char *text, json_key_fn visit, void *arg);

/* Walks an array of objects or numbers at a top-level key ("" for the document itself):
   each element's text is not copied; the visitor gets number (for number elements) or reads keys
   through get. Stops and returns the visitor's error when it is not GANTRY_OK. */
typedef struct json_item json_item_t; /* borrowed, valid inside the visitor */
typedef gantry_err_t (*json_visit_fn)(const json_item_t *item, size_t index, void *arg);
gantry_err_t json_each(const char *text, const char *key, json_visit_fn visit, void *arg);
/* The item's own number, or the number at its key (key not NULL). */
gantry_err_t json_item_number(const json_item_t *item, const char *key, double *out);
gantry_err_t json_item_text(const json_item_t *item, const char *key, char *out, size_t size);

#endif
