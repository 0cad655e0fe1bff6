/* Message to msgpack. */
#ifndef GANTRY_PACK_H
#define GANTRY_PACK_H

#include <gantry/buf.h>
#include <gantry/desc.h>
#include <gantry/err.h>

/* Appends value, a struct described by desc, to out as a msgpack map with field names; absent
   optionals are left out. Checks bounds: NaN, infinity, a count over capacity, an enum out of range
   or a number out of bounds is GANTRY_E_SCHEMA with the field's path in fault (may be NULL) and out
   as it was before. */
gantry_err_t pack_message(const desc_t *desc, const void *value, buf_t *out, gantry_fault_t *fault);

#endif
