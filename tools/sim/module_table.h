/* The register tables of the four modules in the "oht50" profile. */
#ifndef GANTRY_SIM_MODULE_TABLE_H
#define GANTRY_SIM_MODULE_TABLE_H

#include "bank.h"

#define MODULE_POWER  0x02
#define MODULE_SAFETY 0x03
#define MODULE_TRAVEL 0x04
#define MODULE_DOCK   0x05

/* Fills the bank of a module with the system block and its own registers at their power-on
   values. False for an address without a module. */
bool module_table_load(bank_t *bank, uint8_t unit);

#endif
