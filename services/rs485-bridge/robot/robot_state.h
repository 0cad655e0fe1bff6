/* The robot's state machine and its safety latch. A table of transitions; what each needs is
   checked by guards that the caller fills. Pure: time is an argument. */
#ifndef BRIDGE_ROBOT_STATE_H
#define BRIDGE_ROBOT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Codes of the robot's own documents. */
typedef enum robot_state {
  ROBOT_INIT = 0,
  ROBOT_IDLE = 1,
  ROBOT_MOVE = 2,
  ROBOT_DOCK = 3,
  ROBOT_FAULT = 4,
  ROBOT_ESTOP = 5,
  ROBOT_SHUTDOWN = 6,
  ROBOT_BOOT = 7,
  ROBOT_PAUSED = 8,
  ROBOT_CONFIG = 9,
  ROBOT_SAFE = 10,
  ROBOT_STATES
} robot_state_t;

typedef enum robot_event {
  ROBOT_BOOT_COMPLETE,
  ROBOT_INIT_COMPLETE,
  ROBOT_DRIVE,   /* a drive command */
  ROBOT_STOPPED, /* standing after a halt, or the dead man let go */
  ROBOT_TRIP,    /* a stop was latched */
  ROBOT_FAIL,    /* a motor fault was latched */
  ROBOT_RESET,   /* confirmed by a person */
  ROBOT_LOST,    /* a mandatory module went away while standing */
  ROBOT_SHUT_DOWN,
  ROBOT_EVENTS
} robot_event_t;

/* Why a stop is latched. */
typedef enum stop_cause {
  STOP_NONE,
  STOP_HARDWARE,
  STOP_SOFTWARE,
  STOP_NETWORK,
  STOP_ZONE,
  STOP_MODULE_LOSS,
  STOP_MOTOR_FAULT,
  STOP_RESTART,
  STOP_CAUSES
} stop_cause_t;

/* What holds now; filled by the caller before an event. */
typedef struct robot_guards {
  bool modules_online;            /* all mandatory modules */
  bool estop_input;               /* the hardware chain is open */
  bool safety_fresh;              /* the safety module has answered in time */
  bool motors_off;                /* read back disabled and at zero */
  bool blind;                     /* nothing says what is in the way */
  bool motor_fault;               /* a motor reports a fault code */
  bool safe_confirm, location_ok; /* of a reset */
} robot_guards_t;

typedef struct robot {
  robot_state_t state;
  uint64_t since_ns; /* of the state */
  bool latched;
  stop_cause_t cause; /* while latched */
  uint64_t latched_ns;
  char detail[128]; /* the cause in words */
  uint64_t trips;
} robot_t;

/* In BOOT; latched from the start when latched_cause is not STOP_NONE (kept over a restart). */
void robot_init(robot_t *robot, stop_cause_t latched_cause, const char *detail, uint64_t now_ns);
/* Applies an event. False, with a sentence in why (NULL allowed), when the state or a guard does
   not allow it; then nothing has changed. ROBOT_TRIP and ROBOT_FAIL come from robot_latch alone. */
bool robot_apply(robot_t *robot, robot_event_t event, const robot_guards_t *guards, uint64_t now_ns,
                 char *why, size_t size);
/* Latches a stop. True when it is new; while latched already the first cause stays. */
bool robot_latch(robot_t *robot, stop_cause_t cause, const char *detail, uint64_t now_ns);
/* Whether motors may be enabled in this state. */
bool robot_may_move(const robot_t *robot);
const char *robot_state_name(robot_state_t state);
const char *stop_cause_name(stop_cause_t cause);
/* STOP_NONE for an unknown name. */
stop_cause_t stop_cause_parse(const char *name);

#endif
