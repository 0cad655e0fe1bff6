/* What makes the robot stop, go slowly or stay where it is: the rules of docs/safety.md. It is
   handed what has been heard and when, and says what follows; who latches, writes and tells is the
   caller. Pure: time is an argument. */
#ifndef BRIDGE_SUPERVISOR_H
#define BRIDGE_SUPERVISOR_H

#include "robot_state.h"
#include "zones.h"

/* What must be heard of again and again. */
typedef enum supervised {
  SUPERVISED_SAFETY, /* any valid answer of these four modules */
  SUPERVISED_TRAVEL,
  SUPERVISED_POWER,
  SUPERVISED_DOCK,
  SUPERVISED_CHAIN, /* values: the safety module's status with the emergency stop input */
  SUPERVISED_IMU,
  SUPERVISED_TAG,
  SUPERVISED_RANGES,
  SUPERVISED_LIDAR,  /* a turn of it, */
  SUPERVISED_SIGHT,  /* and one that saw something */
  SUPERVISED_INPUTS, /* door, gate, light curtain */
  SUPERVISED_POSE,   /* what localization says of itself */
  SUPERVISED_COUNT
} supervised_t;

/* Where a speed was measured. */
enum { SPEED_ODOMETRY, SPEED_MOTOR_1, SPEED_MOTOR_2, SPEED_COUNT };

typedef struct supervisor_cfg {
  double max_mps;         /* highest speed that is ever commanded */
  double slowest_mps2;    /* a robot that is told to slow down does so at least at this rate */
  double degraded_factor; /* of speed, while the IMU or the LiDAR is missing */
  double dock_mps;        /* near the dock */
  double battery_min;     /* state of charge, 0 to 1; 0: not asked for */
  double pose_min;        /* confidence, 0 to 1 */
  bool require_pose;      /* a move by command wants a pose */
  bool interlocks;        /* inputs are wired */
  bool reporting;         /* zones tell, they neither slow nor stop */
  uint64_t imu_stop_ns;   /* the IMU has been silent for so long of a motion: it is stopped; 0: the
                                robot has none */
} supervisor_cfg_t;

typedef struct supervisor_input {
  uint64_t seen_ns[SUPERVISED_COUNT]; /* monotonic, 0: never */
  bool armed;                         /* ready once, since start */
  bool latched;
  bool may_worsen;    /* latched, and for no fault: one that is found later leads to FAULT */
  bool moving;        /* in a state in which motors may turn, */
  uint64_t moving_ns; /* since then */
  bool docking;       /* in state DOCK */
  bool estop;         /* the chain is open */
  bool interlock_open;
  bool auto_reset; /* the safety module would reset itself, or is not known not to */
  bool contact;    /* the safety module says critical while the robot moves */
  zones_verdict_t zones;
  uint16_t motor_error[2];
  double setpoint_mps;           /* signed */
  double speed_mps[SPEED_COUNT]; /* signed */
  uint64_t speed_ns[SPEED_COUNT];
  bool battery_known;
  double battery; /* state of charge, 0 to 1 */
  double pose;    /* confidence, 0 to 1; 0 when localization has none */
} supervisor_input_t;

/* What limits the robot, or soon will; bits, each with its words. */
typedef enum supervisor_warning {
  WARN_ESTOP,
  WARN_INTERLOCK,
  WARN_AUTO_RESET,
  WARN_SAFETY_SILENT,
  WARN_TRAVEL_SILENT,
  WARN_POWER_SILENT,
  WARN_DOCK_SILENT,
  WARN_MOTOR_FAULT,
  WARN_RUNAWAY,
  WARN_IMU_STALE,
  WARN_LIDAR_STALE,
  WARN_LIDAR_BLIND,
  WARN_RANGES_STALE,
  WARN_TAG_STALE,
  WARN_BATTERY_LOW,
  WARN_POSE_LOST,
  WARN_COUNT
} supervisor_warning_t;

typedef struct supervisor_verdict {
  stop_cause_t stop; /* STOP_NONE: no reason to latch one */
  char detail[128];  /* of stop, a sentence */
  double factor;     /* of speed, 0 to 1 */
  double limit_mps;  /* of speed; infinite: none */
  bool pause;        /* an obstacle is near enough for a move by command to wait */
  unsigned warnings; /* 1 << supervisor_warning_t */
} supervisor_verdict_t;

typedef struct supervisor {
  supervisor_cfg_t cfg;
  double allowed_mps[2]; /* forward and backward: the set-point, and how fast it may still be */
  uint64_t judged_ns;
  uint64_t moved_ns;   /* newest moment without a doubt that a robot told to drive does */
  uint64_t runaway_ns; /* since then faster than allowed; 0: not */
} supervisor_t;

void supervisor_init(supervisor_t *supervisor, const supervisor_cfg_t *cfg);
/* To be called every few ms, standing or moving. Says one reason to stop, the gravest; nothing that
   is fresh again takes a latch back. */
supervisor_verdict_t supervisor_judge(supervisor_t *supervisor, const supervisor_input_t *input,
                                      uint64_t now_ns);
/* Fills what the supervisor knows of the guards: safety_fresh, estop_input, motor_fault, interlock,
   auto_reset, battery_low, pose_lost, lidar_lost. The others stay as they are. */
void supervisor_guard(const supervisor_t *supervisor, const supervisor_input_t *input,
                      uint64_t now_ns, robot_guards_t *guards);
/* One warning in a few words that say what it limits. */
const char *supervisor_words(supervisor_warning_t warning);
/* All of them, separated by "; ", cut at the end of a whole one. */
void supervisor_describe(unsigned warnings, char *out, size_t size);
/* The name of a motor's fault code. */
const char *supervisor_motor_fault(uint16_t code);

#endif
