/* What may be written to a register, by whom: judged before the line is touched. Pure. */
#ifndef BRIDGE_REGISTER_RULES_H
#define BRIDGE_REGISTER_RULES_H

#include "registers.h"

typedef enum register_verdict {
  REGISTER_FINE,
  REGISTER_READ_ONLY,
  REGISTER_ROLE,    /* who asks may not */
  REGISTER_RANGE,   /* the value does not fit */
  REGISTER_RESERVED /* nobody may, or nobody but the bridge */
} register_verdict_t;

/* What somebody wants written. */
typedef struct register_wish {
  register_access_t access; /* of who asks */
  bool safety;              /* who asks has the safety role */
  bool scaled;              /* value counts, else raw */
  double value;             /* in the register's unit */
  int64_t raw;
} register_wish_t;

/* Judges a wish; *raw is what is to be written when it is fine, why a sentence when it is not. A
   value is rounded to the nearest raw number. */
register_verdict_t register_judge(const register_module_t *module, const register_row_t *row,
                                  const register_wish_t *wish, int64_t *raw, char *why,
                                  size_t size);

#endif
