/* UTF-8, as the codecs need it. */
#ifndef GANTRY_UTF8_H
#define GANTRY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that begins at bytes (RFC 3629: no overlong forms, no surrogates); 0 when
 * there is none. */
size_t utf8_char_len(const uint8_t *bytes, size_t len);
bool utf8_is_valid(const uint8_t *bytes, size_t len);
/* The greatest length up to limit that does not end within a character. */
size_t utf8_cut(const char *text, size_t limit);
/* Puts '?' in place of every byte that belongs to no character. */
void utf8_mend(char *text);

#endif
