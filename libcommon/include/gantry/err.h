/* Errors: one enumeration for every layer, and the one table that gives each its wire name,
   HTTP status and machine code. */
#ifndef GANTRY_ERR_H
#define GANTRY_ERR_H

#include <stdbool.h>

typedef enum gantry_err {
  GANTRY_OK = 0,
  GANTRY_E_SCHEMA,          /* a message or body does not fit its schema */
  GANTRY_E_INVALID,         /* well formed, but a value is not acceptable */
  GANTRY_E_REFUSED,         /* a business rule says no: 400 with its own code */
  GANTRY_E_UNAUTHENTICATED, /* no token, or one that does not hold */
  GANTRY_E_FORBIDDEN,       /* the role lacks the permission */
  GANTRY_E_NOT_FOUND,       /* no such thing */
  GANTRY_E_CONFLICT,        /* the present state does not allow it */
  GANTRY_E_TOO_LARGE,       /* over a size limit */
  GANTRY_E_RATE_LIMITED,    /* too often */
  GANTRY_E_INTERNAL,        /* a bug, or memory ran out */
  GANTRY_E_NOT_IMPLEMENTED, /* stands in the API, not built yet */
  GANTRY_E_UNAVAILABLE,     /* the service, module or value is not there now */
  GANTRY_E_TIMEOUT,         /* asked, no answer in time */
  GANTRY_E_EXPIRED,         /* arrived after its ttl_ms; never executed */
  GANTRY_E_DEVICE,          /* a device answered with an error */
  GANTRY_ERR_COUNT
} gantry_err_t;

/* What went wrong, for a person: filled by whoever finds the fault, passed up unchanged. */
typedef struct gantry_fault {
  gantry_err_t err;
  char code[40];    /* machine code; empty means the error's own, e.g. "VALIDATION_ERROR" */
  char field[96];   /* dotted path of the field at fault, or "" */
  char detail[192]; /* one sentence that names the fault and the fix */
} gantry_fault_t;

/* Wire name, e.g. "not_found"; "internal" for a value outside the enumeration. Never NULL. */
const char *gantry_err_name(gantry_err_t err);
/* HTTP status, e.g. 404. */
int gantry_err_http(gantry_err_t err);
/* Default machine code, e.g. "NOT_FOUND". */
const char *gantry_err_code(gantry_err_t err);
/* The error of a wire name; GANTRY_E_INTERNAL when unknown. */
gantry_err_t gantry_err_parse(const char *name);

/* Fills fault (NULL allowed: nothing is written) and returns err, so that a check reads
   `return fault_set(fault, GANTRY_E_SCHEMA, "ranges", "at most %u elements", n);` */
gantry_err_t fault_set(gantry_fault_t *fault, gantry_err_t err, const char *field,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#define GANTRY_TRY(call)                                                                           \
  do {                                                                                             \
    gantry_err_t gantry_try_err = (call);                                                          \
    if (gantry_try_err != GANTRY_OK) return gantry_try_err;                                        \
  } while (0)

#endif
