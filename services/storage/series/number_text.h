/* Numbers as JSON writes them, and back, so that every byte is the same. Pure. */
#ifndef STORAGE_NUMBER_TEXT_H
#define STORAGE_NUMBER_TEXT_H

#include <gantry/buf.h>

#define NUMBER_DIGITS_MAX 18 /* of a decimal that fits into an int64_t whatever they are */

/* Bytes at the begin of text that look like a number; 0 for none. */
size_t number_len(const char *text);
/* -12.50 as -1250 and 2; false for what would be printed otherwise (exponents, -0, 01). */
bool number_parse(const char *text, size_t len, int64_t *value, int *decimals);
void number_print(buf_t *out, int64_t value, int decimals);
/* Without zeros at the end of its decimals. */
void number_print_short(buf_t *out, int64_t value, int decimals);
/* The double that a text is the shortest of; false when it is not. */
bool number_parse_real(const char *text, size_t len, double *value);
void number_print_real(buf_t *out, double value);

#endif
