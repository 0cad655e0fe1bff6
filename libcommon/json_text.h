/* Small parts of JSON that stand alone: numbers, base64, checking raw text. Not part of the
 * library's face. */
#ifndef GANTRY_JSON_TEXT_H
#define GANTRY_JSON_TEXT_H

#include <gantry/json.h>
#include <stdbool.h>
#include <stdint.h>

void json_write_signed(buf_t *out, int64_t value);
/* Quoted base64 (RFC 4648, padded). */
void json_write_base64(buf_t *out, const uint8_t *bytes, size_t len);

/* Whether text is one well-formed JSON value nested at most depth deep. */
bool json_is_valid(const char *text, size_t len, unsigned depth);
/* The deepest nesting of brackets outside strings, whether or not the text is well formed. */
unsigned json_depth(const char *text, size_t len);

#endif
