/* msgpack to message: the only door by which foreign bytes become structs. */
#ifndef GANTRY_UNPACK_H
#define GANTRY_UNPACK_H

#include <gantry/desc.h>
#include <gantry/err.h>

#define UNPACK_MAX_DEPTH 8

/* The sanity walk: one well-formed msgpack value that fills exactly len bytes, each count fitting
   in the bytes that remain, depth <= UNPACK_MAX_DEPTH. Allocates nothing. */
gantry_err_t unpack_check(const uint8_t *bytes, size_t len, gantry_fault_t *fault);

/* Reads one msgpack map into value (desc->size bytes, zeroed first). Unknown fields are skipped; an
   absent required field, a wrong type, a bound broken, a duplicate key, NaN, or text that is not
   UTF-8 is GANTRY_E_SCHEMA with the field's path in fault (may be NULL). Integers are accepted for
   floats; a float is not accepted for an integer. Blobs borrow from bytes. */
gantry_err_t unpack_message(const desc_t *desc, const uint8_t *bytes, size_t len, void *value,
                            gantry_fault_t *fault);

/* Writes any well-formed msgpack value as JSON, for taps without a schema. */
struct buf;
gantry_err_t unpack_to_json(const uint8_t *bytes, size_t len, struct buf *out);

#endif
