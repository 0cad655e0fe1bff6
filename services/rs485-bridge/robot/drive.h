/* The speed set-point: a target that expires (dead man), ramped within limits, as the words that
 * both motors are written. Pure. */
#ifndef BRIDGE_DRIVE_H
#define BRIDGE_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct drive_cfg {
  double max_mps;        /* highest speed that may be asked for */
  double full_scale_mps; /* speed of the greatest set-point */
  double full_scale;     /* the greatest set-point, as a register; 0: 255 */
  double accel_mps2, decel_mps2;
} drive_cfg_t;

typedef struct drive {
  drive_cfg_t cfg;
  double limit_mps; /* never faster; from settings, mode and preset */
  double accel_mps2, decel_mps2;
  double target_mps;      /* signed, forward positive */
  double setpoint_mps;    /* commanded now */
  uint64_t hold_until_ns; /* the target holds until then; 0: none */
  uint64_t stepped_ns;
} drive_t;

/* What a motor is written. */
typedef struct drive_words {
  uint16_t enable, speed, direction; /* direction 0 idle, 1 forward, 2 reverse */
} drive_words_t;

typedef enum drive_end {
  DRIVE_GOES,  /* under way */
  DRIVE_RESTS, /* target and set-point are zero */
  DRIVE_LET_GO /* the dead man let go in this step: zero at once, without ramp */
} drive_end_t;

void drive_init(drive_t *drive, const drive_cfg_t *cfg);
/* share: of the highest speed, 0 to 1; holds for hold_ms. */
void drive_command(drive_t *drive, double share, bool backward, uint32_t hold_ms, uint64_t now_ns);
/* Aims at a speed, signed, until told otherwise: for commands, which end by themselves. */
void drive_aim(drive_t *drive, double speed_mps);
/* What the ramps and the speed are held to from now on: shares of cfg's, and a speed. */
void drive_set_limits(drive_t *drive, double accel_share, double decel_share, double limit_mps);
/* Ordinary stop: the ramp leads to zero. */
void drive_halt(drive_t *drive);
/* Zero at once: for a latched stop. */
void drive_cut(drive_t *drive);
/* Whether target and set-point are zero. */
bool drive_rests(const drive_t *drive);
/* Moves the set-point towards target, held to the limit, times factor (0 to 1). */
drive_end_t drive_step(drive_t *drive, double factor, uint64_t now_ns);
/* Milliseconds until the dead man lets go. */
uint32_t drive_hold_ms(const drive_t *drive, uint64_t now_ns);
/* Words for both motors. Below one count the motors are off. */
drive_words_t drive_get_words(const drive_t *drive);

#endif
