/* The robot's state machine and its safety latch. A table of transitions; what each needs is
   checked by guards that the caller fills. Pure: time is an argument. docs/robot.md shows it. */
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
  ROBOT_FAULT = 4, /* latched: a fault of the robot itself */
  ROBOT_ESTOP = 5, /* latched: a stop */
  ROBOT_SHUTDOWN = 6,
  ROBOT_BOOT = 7,
  ROBOT_PAUSED = 8,
  ROBOT_CONFIG = 9,
  ROBOT_SAFE = 10, /* latched: a stop kept over a restart */
  ROBOT_STATES
} robot_state_t;

typedef enum robot_event {
  ROBOT_BOOT_COMPLETE, /* the devices have been tried once */
  ROBOT_INIT_COMPLETE,
  ROBOT_DRIVE,      /* a jog or a command begins to move, or a jog is renewed */
  ROBOT_APPROACH,   /* docking begins */
  ROBOT_HALT,       /* an ordinary stop, an end reached, a dead man let go: down to zero */
  ROBOT_STOPPED,    /* the set-point is zero after a halt */
  ROBOT_PAUSE,      /* by command, or an obstacle in the way of a command */
  ROBOT_RESUME,     /* of what was paused */
  ROBOT_CONFIGURE,  /* settings of modules are about to change */
  ROBOT_CONFIGURED, /* they have */
  ROBOT_RESET,      /* confirmed by a person */
  ROBOT_LOST,       /* a mandatory module went away while standing */
  ROBOT_SHUT_DOWN,
  ROBOT_TIMEOUT, /* the state has lasted too long; by robot_expire */
  ROBOT_EVENTS
} robot_event_t;

/* Why a stop is latched. Codes of enum robot.cause. */
typedef enum stop_cause {
  STOP_NONE,
  STOP_HARDWARE,
  STOP_SOFTWARE,
  STOP_NETWORK,
  STOP_ZONE,
  STOP_MODULE_LOSS,
  STOP_MOTOR_FAULT, /* leads to FAULT */
  STOP_RESTART,
  STOP_STALE,     /* data that motion stands on are too old */
  STOP_INTERLOCK, /* a door, gate, light curtain or supply */
  STOP_DOCK,      /* the dock module's own emergency stop, or a contact that is not the dock */
  STOP_CONFIG,    /* a module did not take a setting: leads to FAULT */
  STOP_CAUSES
} stop_cause_t;

/* What holds now; filled by the caller before an event. What does not apply to the event (no pose
   is needed to jog, no charge to dock) the caller clears. */
typedef struct robot_guards {
  bool modules_online; /* all mandatory modules */
  bool estop_input;    /* the hardware chain is open */
  bool safety_fresh;   /* the safety module has answered in time */
  bool motors_off;     /* read back disabled and at zero */
  bool blind;          /* nothing says what is in the way */
  bool motor_fault;    /* a motor reports a fault code */
  bool auto_reset;     /* the safety module would reset itself, or has not denied it yet */
  bool interlock;      /* a door, gate, light curtain or supply is not in order */
  bool latch_lost;     /* a stop could not be kept over a restart: the disk does not take it */
  bool battery_low;    /* below the least state of charge for a move */
  bool pose_lost;      /* the pose is not known well enough for a move by command */
  bool lidar_lost;     /* no turn of the LiDAR that saw something in time: no docking */
  bool safe_confirm, location_ok; /* of a reset */
} robot_guards_t;

typedef struct robot {
  robot_state_t state;
  uint64_t since_ns;                 /* of the state */
  uint64_t deadline_ns;              /* of its time-out; 0: none */
  uint32_t timeout_ms[ROBOT_STATES]; /* 0: none */
  bool ending;                       /* on its way to zero, to leave the state */
  bool overdue;                      /* INIT has passed its time and goes on waiting */
  bool latched;                      /* in ESTOP, FAULT, SAFE; and in SHUTDOWN when it was before */
  stop_cause_t cause;                /* while latched */
  uint64_t latched_ns;
  char detail[128]; /* the cause in words */
  uint64_t trips;
} robot_t;

/* In BOOT; in SAFE, latched, when latched_cause is not STOP_NONE (kept over a restart). Time-outs
   are those of the documents. */
void robot_init(robot_t *robot, stop_cause_t latched_cause, const char *detail, uint64_t now_ns);
/* Another time-out for a state that has one, from its next entry on. */
void robot_set_timeout(robot_t *robot, robot_state_t state, uint32_t timeout_ms);
/* Applies an event. False, with a sentence in why (NULL allowed), when the state or a guard does
   not allow it; then nothing has changed. */
bool robot_apply(robot_t *robot, robot_event_t event, const robot_guards_t *guards, uint64_t now_ns,
                 char *why, size_t size);
/* Applies ROBOT_TIMEOUT when the state's time is over. True when it was. */
bool robot_expire(robot_t *robot, uint64_t now_ns);
/* The state's time begins anew: something has come forward. */
void robot_extend(robot_t *robot, uint64_t now_ns);
/* Latches a stop, from any state. True when it is new; while latched already the first cause
   stays, except that a fault found later leads from ESTOP and SAFE to FAULT, also true. */
bool robot_latch(robot_t *robot, stop_cause_t cause, const char *detail, uint64_t now_ns);
/* Whether motors may be enabled in this state: MOVE, DOCK, and PAUSED for the way down to zero. */
bool robot_may_move(const robot_t *robot);
/* Whether the set-point may be other than on its way to zero. */
bool robot_may_drive(const robot_t *robot);
const char *robot_state_name(robot_state_t state);
const char *stop_cause_name(stop_cause_t cause);
/* STOP_NONE for an unknown name. */
stop_cause_t stop_cause_parse(const char *name);

#endif
