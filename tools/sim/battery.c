/* The battery pack. Open-circuit voltage is linear in charge between 3.30 V and 4.15 V a cell,
   which is what a lithium cell does over most of its range. */
#include "battery.h"

#include <math.h>

#include "noise.h"

#define CAPACITY_AH  20.0
#define CELL_EMPTY_V 3.30
#define CELL_SPAN_V  0.85
#define CELL_OHM     0.004
#define IDLE_W       25.0 /* controller, modules, LiDAR */
#define ROLLING_N    40.0 /* friction of the wheels on the rail */
#define MASS_KG      60.0
#define DRIVE_YIELD  0.75 /* share of electrical power that becomes motion */
#define AMBIENT_C    25.0
#define WARM_C_PER_W 0.06
#define WARM_TAU_S   600.0

void battery_init(battery_t *battery, uint64_t seed, double soc) {
  *battery = (battery_t){.seed = seed,
                         .charge_ah = CAPACITY_AH * fmin(fmax(soc, 0.0), 1.0),
                         .temperature_c = AMBIENT_C};
}

void battery_step(battery_t *battery, double dt_s, double speed_mps, double accel_mps2,
                  double charge_a) {
  double force_n = (speed_mps == 0.0 ? 0.0 : copysign(ROLLING_N, speed_mps)) + MASS_KG * accel_mps2;
  double motion_w = fmax(force_n * speed_mps, 0.0) / DRIVE_YIELD; /* braking gives nothing back */
  double power_w = IDLE_W + motion_w;
  battery->charge_a = charge_a;
  battery->current_a = charge_a - power_w / battery_pack_v(battery);
  battery->charge_ah += battery->current_a * dt_s / 3600.0;
  battery->charge_ah = fmin(fmax(battery->charge_ah, 0.0), CAPACITY_AH);
  double target_c = AMBIENT_C + WARM_C_PER_W * power_w;
  battery->temperature_c += (target_c - battery->temperature_c) * dt_s / WARM_TAU_S;
}

void battery_set_soc(battery_t *battery, double soc) {
  battery->charge_ah = CAPACITY_AH * fmin(fmax(soc, 0.0), 1.0);
}

double battery_soc(const battery_t *battery) {
  return battery->charge_ah / CAPACITY_AH;
}

double battery_cell_v(const battery_t *battery, int i) {
  double own_v = 0.004 * noise_normal(battery->seed, NOISE_CELL, (uint64_t)i);
  return CELL_EMPTY_V + CELL_SPAN_V * battery_soc(battery) + CELL_OHM * battery->current_a +
         fmin(fmax(own_v, -0.01), 0.01);
}

double battery_pack_v(const battery_t *battery) {
  double sum_v = 0.0;
  for (int i = 0; i < BATTERY_CELLS; i++)
    sum_v += battery_cell_v(battery, i);
  return sum_v;
}
