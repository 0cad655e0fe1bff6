/* One field of a described struct: reading it, storing into it with every check, and the path of
   the field at fault. Shared by the codecs; not part of the library's face. */
#ifndef GANTRY_FIELD_H
#define GANTRY_FIELD_H

#include <gantry/desc.h>
#include <gantry/err.h>

/* at points to one element. */
uint64_t field_get_unsigned(const desc_field_t *field, const void *at); /* BOOL, U8 … U64 */
int64_t field_get_signed(const desc_field_t *field, const void *at);    /* I32, I64, ENUM */
double field_get_real(const desc_field_t *field, const void *at);       /* F32, F64 */

/* Stores without a check. U8 … U64 */
void field_set_unsigned(const desc_field_t *field, void *at, uint64_t value);
/* What an unsigned integer may be: by its type, and by its range where it has one. */
void field_get_bounds(const desc_field_t *field, uint64_t *min, uint64_t *max);

/* Presence and count of a field in a struct. */
bool field_is_present(const desc_field_t *field, const void *value);
uint32_t field_count(const desc_field_t *field, const void *value);
void field_set_present(const desc_field_t *field, void *value);
void field_set_count(const desc_field_t *field, void *value, uint32_t count);

/* Check and store; GANTRY_E_SCHEMA with the field's name when the value does not fit. Integers fit
   floats, floats do not fit integers. */
gantry_err_t field_put_unsigned(const desc_field_t *field, void *at, uint64_t value,
                                gantry_fault_t *fault);
gantry_err_t field_put_signed(const desc_field_t *field, void *at, int64_t value,
                              gantry_fault_t *fault);
gantry_err_t field_put_real(const desc_field_t *field, void *at, double value,
                            gantry_fault_t *fault);
gantry_err_t field_put_text(const desc_field_t *field, void *at, const char *text, size_t len,
                            gantry_fault_t *fault);
gantry_err_t field_put_enum(const desc_field_t *field, void *at, const char *text, size_t len,
                            gantry_fault_t *fault);

/* Checks only. */
gantry_err_t field_check_real(const desc_field_t *field, double value, gantry_fault_t *fault);
gantry_err_t field_check_text(const desc_field_t *field, const char *text, size_t len,
                              gantry_fault_t *fault);
gantry_err_t field_check_count(const desc_field_t *field, uint64_t count, gantry_fault_t *fault);

/* "must be text" and the like. */
gantry_err_t field_wrong_type(const desc_field_t *field, gantry_fault_t *fault);
gantry_err_t field_missing(const desc_field_t *field, gantry_fault_t *fault);
/* Puts the outer field, with the index when it is an array, before the path in fault: "x" becomes
 * "poses[3].x". */
gantry_err_t field_within(const desc_field_t *outer, uint32_t index, gantry_err_t err,
                          gantry_fault_t *fault);
/* The path of an element: "ranges" becomes "ranges[3]". */
gantry_err_t field_element(const desc_field_t *field, uint32_t index, gantry_err_t err,
                           gantry_fault_t *fault);

#endif
