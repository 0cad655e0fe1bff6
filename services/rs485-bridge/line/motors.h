/* How the motors of a profile are told and asked: which frames stop one, which start it, which read
   it back. Worked out once, so that a stop looks nothing up. Pure. */
#ifndef BRIDGE_MOTORS_H
#define BRIDGE_MOTORS_H

#include "jobs.h"
#include "registers.h"

#define MOTORS_MAX       REGISTERS_MOTORS_MAX
#define MOTOR_FRAMES_MAX 2                                   /* enable and set-point apart: two */
#define MOTORS_STOP_MAX  (2 * MOTORS_MAX * MOTOR_FRAMES_MAX) /* frames of a stop and read-back */

/* Neighbouring registers that go in one frame. */
typedef struct motor_frame {
  uint16_t first, count;
  uint16_t most;              /* reads: may be this long, to differ from a late answer */
  int enable_at, setpoint_at; /* place of each in the frame, -1: not in it */
} motor_frame_t;

typedef struct motor_wiring {
  uint8_t unit;
  motor_frame_t writes[MOTOR_FRAMES_MAX]; /* the enable is in the first */
  size_t write_count;
  motor_frame_t reads[MOTOR_FRAMES_MAX];
  size_t read_count;
  uint16_t direction, forward, reverse;
  uint16_t full_scale;
  const register_row_t *enable, *setpoint, *turn;
} motor_wiring_t;

/* One frame of a stop. */
typedef struct motor_stop {
  uint8_t motor, frame;
  bool read;
} motor_stop_t;

typedef struct motors {
  motor_wiring_t motors[MOTORS_MAX];
  size_t count;
  motor_stop_t stops[MOTORS_STOP_MAX];
  size_t stop_count;
} motors_t;

void motors_init(motors_t *motors, const register_profile_t *profile);
/* Fills unit, function, first, count and values of the write that is frame `frame` of a motor. */
void motors_speed_job(const motors_t *motors, size_t motor, size_t frame, uint16_t enable,
                      uint16_t setpoint, job_t *out);
void motors_direction_job(const motors_t *motors, size_t motor, bool reverse, job_t *out);
/* Frame `index` of the stop_count that stop all motors and read them back: all motors' first
   frames, then their second ones, then the reads. Lane, times and tag are the caller's. */
void motors_stop_job(const motors_t *motors, size_t index, job_t *out);
/* Whether the read `index` of a stop shows its registers at zero. values: what it brought. */
bool motors_stop_shows_off(const motors_t *motors, size_t index, const uint16_t *values);
/* Whether row at unit is one that only the bridge itself writes. */
bool motors_owns(const motors_t *motors, uint8_t unit, const register_row_t *row);

#endif
