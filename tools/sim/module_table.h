/* The register tables of the modules: the profile "oht50", and what differs in "oht50-alt". */
#ifndef GANTRY_SIM_MODULE_TABLE_H
#define GANTRY_SIM_MODULE_TABLE_H

#include "bank.h"

#define MODULE_POWER       0x02
#define MODULE_SAFETY      0x03
#define MODULE_TRAVEL      0x04
#define MODULE_DOCK        0x05
#define MODULE_LIFTER      0x06
#define MODULE_DOOR        0x07
#define MODULE_ENVIRONMENT 0x0B

/* Which registers the modules have. */
typedef struct module_cfg {
  bool alt;              /* the alternate map of the travel motor, the alternate scales */
  bool without_optional; /* not those that some modules lack */
  bool without_odometry; /* no odometry block */
  bool old_system;       /* the system block of older firmware, at 0x00F0 */
} module_cfg_t;

/* Fills the bank of a module with the system block and its own registers at their power-on
   values. False for an address without a module. */
bool module_table_load(bank_t *bank, uint8_t unit, const module_cfg_t *cfg);

#endif
