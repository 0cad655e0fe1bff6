/* The parser, for the files of JSON alone. */
#ifndef GANTRY_JSON_PARSE_H
#define GANTRY_JSON_PARSE_H

#include <gantry/json.h>
#include <jansson.h>

/* Any document within the limits of size and depth; *out is to be released when GANTRY_OK. The
   fault of a text that is none names line and column. */
gantry_err_t json_parse(const char *text, size_t len, json_t **out, gantry_fault_t *fault);

#endif
