/* The simulated hall as a picture. */
#ifndef GANTRY_SIM_PICTURE_H
#define GANTRY_SIM_PICTURE_H

#include <stdbool.h>

/* Writes walls, rail, obstacles and robot as PNG, from the simulator's answer to `state`. False
   with a sentence on standard error. */
bool sim_picture_write(const char *path, const char *state);

#endif
