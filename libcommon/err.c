/* The error table: wire name, HTTP status, machine code. */
#include <gantry/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct err_row {
  const char *name;
  int http;
  const char *code;
} err_row_t;

static const err_row_t ERRORS[GANTRY_ERR_COUNT] = {
    [GANTRY_OK] = {"ok", 200, "OK"},
    [GANTRY_E_SCHEMA] = {"schema", 422, "VALIDATION_ERROR"},
    [GANTRY_E_INVALID] = {"invalid", 422, "VALIDATION_ERROR"},
    [GANTRY_E_REFUSED] = {"refused", 400, "INVALID_COMMAND"},
    [GANTRY_E_UNAUTHENTICATED] = {"unauthenticated", 401, "AUTH_FAILED"},
    [GANTRY_E_FORBIDDEN] = {"forbidden", 403, "INSUFFICIENT_PERMISSIONS"},
    [GANTRY_E_NOT_FOUND] = {"not_found", 404, "NOT_FOUND"},
    [GANTRY_E_CONFLICT] = {"conflict", 409, "CONFLICT"},
    [GANTRY_E_TOO_LARGE] = {"too_large", 413, "TOO_LARGE"},
    [GANTRY_E_RATE_LIMITED] = {"rate_limited", 429, "RATE_LIMITED"},
    [GANTRY_E_INTERNAL] = {"internal", 500, "SYSTEM_ERROR"},
    [GANTRY_E_NOT_IMPLEMENTED] = {"not_implemented", 501, "NOT_IMPLEMENTED"},
    [GANTRY_E_UNAVAILABLE] = {"unavailable", 503, "UNAVAILABLE"},
    [GANTRY_E_TIMEOUT] = {"timeout", 504, "TIMEOUT"},
    [GANTRY_E_EXPIRED] = {"expired", 504, "EXPIRED"},
    [GANTRY_E_DEVICE] = {"device", 503, "MODULE_OFFLINE"},
};

static const err_row_t *err_row(gantry_err_t err) {
  bool known = (unsigned)err < GANTRY_ERR_COUNT;
  return &ERRORS[known ? err : GANTRY_E_INTERNAL];
}

const char *gantry_err_name(gantry_err_t err) {
  return err_row(err)->name;
}

int gantry_err_http(gantry_err_t err) {
  return err_row(err)->http;
}

const char *gantry_err_code(gantry_err_t err) {
  return err_row(err)->code;
}

gantry_err_t gantry_err_parse(const char *name) {
  for (int i = 0; i < GANTRY_ERR_COUNT; i++) {
    if (strcmp(ERRORS[i].name, name) == 0) return (gantry_err_t)i;
  }
  return GANTRY_E_INTERNAL;
}

gantry_err_t fault_set(gantry_fault_t *fault, gantry_err_t err, const char *field,
                       const char *format, ...) {
  if (!fault) return err;
  fault->err = err;
  fault->code[0] = '\0';
  snprintf(fault->field, sizeof fault->field, "%s", field ? field : "");
  va_list args;
  va_start(args, format);
  vsnprintf(fault->detail, sizeof fault->detail, format, args);
  va_end(args);
  return err;
}
