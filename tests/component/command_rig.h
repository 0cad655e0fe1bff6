/* A bridge on a simulator that is told what to do: what the tests of commands share. One rig a
   test; criterion runs each test in a process of its own. */
#ifndef GANTRY_TEST_COMMAND_RIG_H
#define GANTRY_TEST_COMMAND_RIG_H

#include "bridge_rig.h"

extern bridge_rig_t rig;
extern gantry_fault_t fault;  /* of the last request */
extern robot_status_t status; /* as the last command or mode was answered */

/* Starts at that place on the rail, m, with an odometer without error, and waits for IDLE. No pose
   is wanted. setting: one more of the bridge, NULL for none. */
void command_rig_open(const char *setting, const char *start);
/* Where the plant really is on its rail. */
double place_m(void);
gantry_err_t ask(robot_command_t command);
gantry_err_t ask_kind(robot_command_kind_t kind);
/* Forward; distance_m 0: open. speed: share. */
robot_command_t move(double distance_m, double speed);
gantry_err_t set_mode(robot_mode_t mode);
/* Changes the mode and waits until a move would be taken: the charge is known a second late. */
void get_ready(robot_mode_t mode);
/* Waits for the end of the command that was answered last. */
const robot_status_t *await_end(uint32_t ms);
void await_standing(void);
/* Frames in the simulator's transcript, written each 100 ms, that hold hex. */
unsigned frames_with(const char *hex);
/* The highest set-point that motor 1 was ever told, in counts. */
unsigned fastest_frame(void);
/* When the first frame that holds hex began on the line after since_ns, by the simulator's clock;
   0: never. */
uint64_t first_frame_ns(const char *hex, uint64_t since_ns);

#endif
