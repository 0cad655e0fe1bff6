/* What the plant's files share. */
#ifndef GANTRY_SIM_PLANT_INTERNAL_H
#define GANTRY_SIM_PLANT_INTERNAL_H

#include "plant.h"

/* Rounded and clipped into a register; signed_word into an int16. */
uint16_t plant_word(double value);
uint16_t plant_signed_word(double value);
/* Whether count registers from address on touch any from first to last. */
bool plant_touches(uint16_t address, uint16_t count, uint16_t first, uint16_t last);
/* The power module's registers that follow from battery, dock and charger. */
void plant_refresh_power(plant_t *plant, bank_t *bank);
/* The dock module's second block. */
void plant_refresh_orientation(const plant_t *plant, bank_t *bank);
/* The travel motor's in the alternate map: registers, what they ask for, what a write does. */
void plant_alt_refresh(plant_t *plant, bank_t *bank);
void plant_alt_command(const bank_t *bank, double target_mps[PLANT_MOTORS]);
void plant_alt_written(plant_t *plant, bank_t *bank, uint16_t address, uint16_t value);

#endif
