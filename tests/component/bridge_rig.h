/* The bridge on a simulator process of its own: what the component tests of the bridge stand on. */
#ifndef GANTRY_TEST_BRIDGE_RIG_H
#define GANTRY_TEST_BRIDGE_RIG_H

#include "harness.h"
#include "sim_process.h"

typedef struct bridge_rig {
  harness_t *harness;
  sim_process_t sim;
  service_run_t *run;
  inbox_t *robot; /* everything under robot. */
  char data[96];
} bridge_rig_t;

/* Starts simulator and bridge. extra: one more setting, NULL for none. */
void bridge_rig_open(bridge_rig_t *rig, const char *extra);
/* The same with more settings and arguments of the simulator, each ended by NULL, or NULL. */
void bridge_rig_open_with(bridge_rig_t *rig, const char *const *settings,
                          const char *const *arguments);
void bridge_rig_close(bridge_rig_t *rig);
/* The bridge alone: closes it and starts it again on the same data. */
void bridge_rig_restart(bridge_rig_t *rig);
/* Waits for robot.safety to say state; newest is returned, NULL when it did not come to that. */
const robot_safety_t *bridge_rig_await(bridge_rig_t *rig, robot_fsm_state_t state, uint32_t ms);
const robot_safety_t *bridge_rig_safety(bridge_rig_t *rig);
/* Waits for a module's topic, as robot.module.0x03, to say status. */
bool bridge_rig_await_module(bridge_rig_t *rig, const char *topic, robot_module_status_t status,
                             uint32_t ms);
/* Waits for robot.safety to say phase. The bridge says it 10 ms before a caller gives up, which
   on a busy machine may be behind the caller's own time-out. */
bool bridge_rig_await_phase(bridge_rig_t *rig, robot_stop_phase_t phase, uint32_t ms);
/* Latched for 150 ms without the safety module: on a machine that stood still for so long that is
   the bridge's duty, and the test begins again. */
bool bridge_rig_stopped_itself(bridge_rig_t *rig);
/* Resets what is latched and drives, held for 500 ms, until the set-point is in the simulator;
   three times when the robot has stopped itself. False when it does not drive: robot.safety and
   fault say why. */
bool bridge_rig_get_driving(bridge_rig_t *rig, double speed, gantry_fault_t *fault);
/* Sends a command to the simulator. */
const char *bridge_rig_ask(bridge_rig_t *rig, const char *command);
/* A register as the simulator holds it, not as the bridge says. */
unsigned bridge_rig_register(bridge_rig_t *rig, unsigned unit, unsigned address);
/* Both motors disabled and at zero in the simulator. */
bool bridge_rig_is_off(bridge_rig_t *rig);
/* Waits until the set-point of motor 1 is (true) or is not (false) zero in the simulator. */
bool bridge_rig_await_setpoint(bridge_rig_t *rig, bool zero, uint32_t ms);
/* Frames in the simulator's transcript with these bytes in them. */
unsigned bridge_rig_frames(bridge_rig_t *rig, const char *hex);
gantry_err_t bridge_rig_drive(bridge_rig_t *rig, double speed, uint32_t hold_ms,
                              gantry_fault_t *fault);
gantry_err_t bridge_rig_stop(bridge_rig_t *rig, robot_safety_t *out, gantry_fault_t *fault);
gantry_err_t bridge_rig_reset(bridge_rig_t *rig, bool safe, bool location, gantry_fault_t *fault);
/* Resets as soon as that is allowed; fault says why it was not in time. */
bool bridge_rig_await_reset(bridge_rig_t *rig, uint32_t ms, gantry_fault_t *fault);

#endif
