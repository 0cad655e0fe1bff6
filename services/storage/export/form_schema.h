/* Which JSON schema the readings of a type fit, as an mcap carries it. Pure. */
#ifndef STORAGE_FORM_SCHEMA_H
#define STORAGE_FORM_SCHEMA_H

#include "form.h"

/* The schema of series[which] and all others of its type. */
void form_schema_write(const form_head_t *head, uint32_t which, buf_t *out);

#endif
