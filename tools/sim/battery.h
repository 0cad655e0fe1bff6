/* The battery pack: six lithium cells in series, drained by electronics and motion, filled at the
   dock. Pure. */
#ifndef GANTRY_SIM_BATTERY_H
#define GANTRY_SIM_BATTERY_H

#include <stdint.h>

#define BATTERY_CELLS 6

typedef struct battery {
  uint64_t seed; /* fixes the small differences between cells */
  double charge_ah;
  double current_a; /* positive charging, negative discharging */
  double charge_a;  /* what the charger gives of it, >= 0 */
  double temperature_c;
} battery_t;

/* soc is the share of charge at the start, 0 to 1. */
void battery_init(battery_t *battery, uint64_t seed, double soc);
/* Advances by dt_s with the robot at speed and acceleration; charge_a >= 0 flows in. */
void battery_step(battery_t *battery, double dt_s, double speed_mps, double accel_mps2,
                  double charge_a);
/* Puts the share of charge. */
void battery_set_soc(battery_t *battery, double soc);
/* Share of charge, 0 to 1. */
double battery_soc(const battery_t *battery);
/* Voltage of one cell under the present current, V; i < BATTERY_CELLS. */
double battery_cell_v(const battery_t *battery, int i);
/* Sum of the cells, V. */
double battery_pack_v(const battery_t *battery);

#endif
