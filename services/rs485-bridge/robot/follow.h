/* The way of a command, tick by tick: how fast it may go now, and whether it is there. Pure. */
#ifndef BRIDGE_FOLLOW_H
#define BRIDGE_FOLLOW_H

#include "commands.h"

/* Bits of the dock module's status. */
enum { DOCK_DOCKED = 0x08, DOCK_FAULT = 0x20, DOCK_ESTOP = 0x80 };

/* What is measured; filled before every step. */
typedef struct pilot_input {
  double path_m; /* driven since power-on, forward positive */
  double speed_mps;
  uint64_t path_ns;   /* of both; 0: never */
  bool at_home;       /* the home tag is in the field */
  uint32_t tags;      /* tags come by, a count */
  bool near;          /* something in the way of a command that it pauses for */
  double clearance_m; /* in the way of travel; negative: nothing known */
  uint16_t dock_status;
  double dock_distance_m;         /* always positive */
  double approach_mps, final_mps; /* limits that the dock module gives */
  uint64_t dock_ns;               /* of these four; 0: never */
} pilot_input_t;

typedef enum follow_end {
  FOLLOW_GOES,
  FOLLOW_THERE,   /* the end is reached */
  FOLLOW_FORWARD, /* under way, and it has just come forward: the state's time begins anew */
  FOLLOW_FAILED   /* detail of the command says why */
} follow_end_t;

typedef struct follow_step {
  follow_end_t end;
  double aim_mps; /* signed */
  bool cut;       /* so near and slow that zero needs no ramp */
} follow_step_t;

/* Highest speed from which decel_mps2 still brakes within left_m. */
double follow_brake_mps(double left_m, double decel_mps2);
/* Begins a way: what went before is forgotten. */
void follow_begin(commands_t *commands, int way, double speed_mps, double distance_m, double path_m,
                  uint32_t tags);
follow_step_t follow_way(commands_t *commands, const pilot_input_t *input, double setpoint_mps,
                         double decel_mps2, uint64_t now_ns);

#endif
