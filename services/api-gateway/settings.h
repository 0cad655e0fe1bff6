/* What an owner sets for the whole robot (robot.settings of storage): our copy of it, and how it is
   changed. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "exchange.h"

/* Subscribes to changes, and asks storage until it has answered. */
gantry_err_t settings_start(gateway_t *gateway, gantry_fault_t *fault);
void settings_stop(gateway_t *gateway);

/* In force: as set, or by default. */
uint32_t settings_estop_ms(const gateway_t *gateway);
double settings_hot_c(const gateway_t *gateway);

/* Puts what is present in patch over what storage keeps, as a new version, and then calls on_kept
   with it; answers by itself when it cannot. A speed above what the bridge can be told is refused.
 */
typedef void (*settings_kept_fn)(exchange_t *x, const robot_in_force_t *before);
void settings_change(exchange_t *x, const robot_settings_t *patch, const char *why,
                     settings_kept_fn on_kept);

#endif
