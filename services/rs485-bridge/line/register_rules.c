/* Judges writes by the columns of the profile. */
#include "register_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An interlock that ends by itself would let the robot start off with somebody in its way. */
static bool ends_a_stop_by_itself(const register_module_t *module, const register_row_t *row,
                                  int64_t raw) {
  return strcmp(module->name, "safety") == 0 && strcmp(row->name, "auto_reset") == 0 && raw != 0;
}

static bool to_raw(const register_row_t *row, const register_wish_t *wish, int64_t *raw) {
  if (!wish->scaled) {
    *raw = wish->raw;
    return true;
  }
  double counts = round(wish->value / row->scale);
  if (!(fabs(counts) <= 1e12)) return false; /* also what is no number */
  *raw = (int64_t)counts;
  return true;
}

static register_verdict_t out_of_range(const register_row_t *row, const register_wish_t *wish,
                                       char *why, size_t size) {
  if (!wish->scaled)
    (void)snprintf(why, size, "%s takes %lld to %lld", row->name, (long long)row->min,
                   (long long)row->max);
  else
    (void)snprintf(why, size, "%s takes %g to %g%s%s", row->name,
                   fmin((double)row->min * row->scale, (double)row->max * row->scale),
                   fmax((double)row->min * row->scale, (double)row->max * row->scale),
                   row->unit[0] ? " " : "", row->unit);
  return REGISTER_RANGE;
}

register_verdict_t register_judge(const register_module_t *module, const register_row_t *row,
                                  const register_wish_t *wish, int64_t *raw, char *why,
                                  size_t size) {
  why[0] = '\0';
  if (!(row->flags & REGISTER_WRITE)) {
    (void)snprintf(why, size, "%s is only read", row->name);
    return REGISTER_READ_ONLY;
  }
  if (row->access > wish->access) {
    (void)snprintf(why, size, "%s is written by the role %s or above", row->name,
                   registers_access_name(row->access));
    return REGISTER_ROLE;
  }
  if ((row->flags & REGISTER_SAFETY) && !wish->safety) {
    (void)snprintf(why, size, "%s bears on safety; only the safety role writes it", row->name);
    return REGISTER_ROLE;
  }
  if (!to_raw(row, wish, raw)) return out_of_range(row, wish, why, size);
  if (ends_a_stop_by_itself(module, row, *raw)) {
    (void)snprintf(why, size, "auto_reset stays 0: a stop ends by a confirmed reset alone");
    return REGISTER_RESERVED;
  }
  if (*raw < row->min || *raw > row->max) return out_of_range(row, wish, why, size);
  return REGISTER_FINE;
}
