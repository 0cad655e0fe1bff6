/* A driven axis: constant speed towards its target; stuck for a second it gives up. */
#include "axis.h"

#include <math.h>

#define NEAR    0.0005 /* half of its register's last digit */
#define STUCK_S 1.0

void axis_step(axis_t *axis, const axis_command_t *command, double dt_s) {
  double way = command->target - axis->position;
  bool wants = command->enabled && !command->estop && axis->fault == 0 && fabs(way) >= NEAR;
  bool moves = wants && !axis->jammed;
  if (moves) axis->position += copysign(fmin(fabs(way), command->speed * dt_s), way);
  axis->stuck_s = wants && !moves ? axis->stuck_s + dt_s : 0.0;
  if (axis->stuck_s >= STUCK_S) axis->fault = AXIS_FAULT_POSITION;
  bool there = fabs(command->target - axis->position) < NEAR;
  if (moves && there) axis->moves++;
  axis->status = (uint16_t)(AXIS_READY | (moves ? AXIS_MOVING : 0) | (there ? AXIS_AT_TARGET : 0) |
                            (axis->position < NEAR ? AXIS_LOW_END : 0) |
                            (axis->position > 1.0 - NEAR ? AXIS_HIGH_END : 0) |
                            (axis->fault ? AXIS_FAULT : 0) | (command->estop ? AXIS_ESTOP : 0));
}
