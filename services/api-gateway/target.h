/* The target of a request line: its path and its query. Pure. */
#ifndef GATEWAY_TARGET_H
#define GATEWAY_TARGET_H

#include <gantry/buf.h>

/* Decodes "/path?name=value&..." or "http://host/path". path: a text; query: NUL separated
   "name=value" items, ended by an empty one, "+" read as a space. Both are emptied first. NULL, or
   what is wrong with it: an escape that is none, a NUL, a form that names no path. */
const char *target_read(const char *raw, buf_t *path, buf_t *query);

#endif
