/* Inside of the profile reader: what a profile may say. */
#ifndef BRIDGE_PROFILE_CHECK_H
#define BRIDGE_PROFILE_CHECK_H

#include "profile_keys.h"

/* A register as it was written down. */
typedef struct draft_row {
  const char *type, *mode, *access;
  const char *poll_class; /* NULL: none */
  int64_t address;
  int64_t min, max, initial;
  bool has_min, has_max, has_initial;
} draft_row_t;

typedef struct draft_motor {
  const char *module, *enable, *setpoint, *direction;
  const char *speed, *error; /* NULL: none */
  int64_t full_scale, forward, reverse;
} draft_motor_t;

/* Completes out, whose texts, scale and flags SAFETY and OPTIONAL are set, from the draft. common:
   it is in the block that every module has. */
bool check_register(complaint_t *to, const register_profile_t *profile, bool common,
                    const draft_row_t *draft, const char *place, register_row_t *out);
bool check_motor(complaint_t *to, const register_profile_t *profile, const draft_motor_t *draft,
                 const char *place, register_motor_t *out);
/* What no module says by itself: addresses, sensors and registers that belong to two. */
bool check_modules(complaint_t *to, const register_profile_t *profile);

#endif
