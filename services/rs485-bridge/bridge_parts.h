/* The parts of the bridge's state, by theme: what each file of its glue keeps between two events.
 */
#ifndef BRIDGE_PARTS_H
#define BRIDGE_PARTS_H

#include <gantry/clock.h>
#include <gantry/service.h>
#include <messages.h>

#include "bridge_registry.h"
#include "commands.h"
#include "drive.h"
#include "modes.h"
#include "motors.h"
#include "robot_state.h"
#include "supervisor.h"
#include "zones.h"

#define STOP_CALLS_MAX   64 /* callers that wait for one stop */
#define READ_CALLS_MAX   16 /* register reads under way */
#define MODULE_CALLS_MAX 8
#define LINES_MAX        16 /* rows of robot.lines */
#define POWER_CELLS      6
#define ZONES_FRESH_NS   (300 * (uint64_t)GANTRY_NS_PER_MS) /* three readings of range or LiDAR */

/* Tags of jobs: below TAG_STOP the index of a poll. */
enum {
  TAG_STOP = 0x1000,   /* + STOP_JOBS * round + index of the frame, see motors_stop_job */
  TAG_DRIVE = 0x2000,  /* + motor; + DRIVE_SPEED + motor + MOTORS_MAX * frame */
  TAG_READ = 0x3000,   /* + slot of a register request + READ_CALLS_MAX * its round */
  TAG_MODULE = 0x4000, /* + slot of a ping or reset + MODULE_CALLS_MAX * its round */
  TAG_DOCK = 0x5000,   /* + DOCK_READ ...: orders to the dock module */
  TAG_CARGO = 0x6000   /* + CARGO_ENABLE ...: orders to the lifter */
};

enum { TAG_READ_END = TAG_READ + 0x1000, TAG_CARGO_END = TAG_CARGO + 0x1000 };
enum { TAG_WATCH = 0x7000, WATCH_AUTO_RESET = 0, WATCH_INPUTS, WATCH_JOBS }; /* the supervisor's */
enum { TAG_RELAY = 0x7100, RELAYS = 4 };

enum { STOP_JOBS = MOTORS_STOP_MAX, STOP_ROUNDS = 256 };

/* What storage keeps of the settings. */
typedef struct bridge_settings {
  robot_settings_t given;
  uint32_t version; /* 0: none */
  bool known, asked;
} bridge_settings_t;

/* The recorder of telemetry. */
typedef struct bridge_recorder {
  sensor_readings_t *batch; /* one row; owned, too large for the stack */
  buf_t text;
  uint32_t interval_ms;
  bool stopped;
  int timer;
  uint64_t samples, unkept, newest_wall_ns;
  uint64_t kept_until; /* unkept before the episode that is under way */
  bool losing;
  metric_t *unkept_metric;
} bridge_recorder_t;

/* A caller that waits for a stop. Only frames that were sent after it came count for it. */
typedef struct stop_call {
  rpc_context_t *call;
  uint64_t arrived_ns, deadline_ns;
  double stop_ms; /* to its first motor's frame; < 0: not yet */
} stop_call_t;

/* The answer to one whose motors are read back, until the latch has been handed to the kernel. */
typedef struct stop_answer {
  rpc_context_t *call;
  uint64_t until_ns; /* then it goes out in any case */
  robot_safety_t safety;
} stop_answer_t;

/* A stop on its way, in rounds: both motors written, both read back; repeated until a round has
 * shown them off to everybody who asked before it began. */
typedef struct stop_run {
  bool active;
  bool checks;       /* begun to see that the motors are off, not to stop them: nothing to record */
  bool again;        /* somebody came too late for the round under way */
  unsigned waiting;  /* bits of the round's jobs without a result */
  uint32_t round;    /* counts on; part of the tags, so that a result finds its own round */
  uint64_t round_ns; /* the round's first frame was sent then; 0: not acknowledged */
  unsigned good;     /* bits of the round's jobs that went well: acknowledged, read back at zero */
  unsigned failed;   /* rounds in vain */
  uint64_t arrived_ns;
  double stop_ms, confirm_ms; /* < 0: not yet */
  stop_call_t calls[STOP_CALLS_MAX];
  size_t call_count;
  stop_answer_t answers[STOP_CALLS_MAX];
  size_t answer_count;             /* with call_count no more than STOP_CALLS_MAX */
  int deadline_alarm, retry_alarm; /* made at the start: a stop needs nothing that could run out */
} stop_run_t;

typedef struct drive_run {
  unsigned waiting;      /* jobs without a result */
  drive_words_t written; /* what the motors were told last */
  bool known;            /* written holds for both */
  int hold_timer;
  uint64_t wrote_ns;
} drive_run_t;

enum { POWER_BATTERY = 1, POWER_TEMPERATURE = 2, POWER_CELL_VOLTAGES = 4, POWER_ALL = 7 };

typedef struct power_state {
  double voltage, current, charge, temperature;
  double cells[POWER_CELLS];
  uint32_t faults;
  int charging;
  unsigned known; /* POWER_ bits */
} power_state_t;

/* The newest acceleration, and since when it is that while the robot drives. */
typedef struct imu_still {
  double x, y, z;
  uint64_t since_ns;
  bool frozen;
} imu_still_t;

/* The supervisor, and what only it is told. */
typedef struct bridge_watch {
  supervisor_t supervisor;
  supervisor_input_t input; /* what is noted as it comes; the rest is filled for each judgement */
  supervisor_verdict_t verdict;
  zones_verdict_t zones;           /* that it rests on */
  uint64_t asked_ns[WATCH_JOBS];   /* 0: to be asked at once */
  unsigned said;                   /* warnings that were told */
  uint64_t changed_ns[WARN_COUNT]; /* since then otherwise than told; 0: as told */
  bool auto_reset_said;
  imu_still_t still;
  uint64_t held_ns; /* motors that turned after a stop were told again then */
} bridge_watch_t;

typedef struct bridge_place {
  double x_m, y_m, theta_rad;
  uint64_t known_ns; /* 0: never */
} bridge_place_t;

typedef struct relay_run {
  uint64_t asked_ns; /* last request, 0: never */
  bool asked;        /* for on */
  bool done, is;     /* acknowledged, and as what */
  unsigned failed;   /* in a row */
} relay_run_t;

/* The circumstances of the last stop, and what else a stop switches. */
typedef struct bridge_trip {
  bridge_place_t here; /* as localization says */
  bridge_place_t place;
  bool located; /* place is of the map; else of the odometry */
  double speed_mps;
  zone_t zone;
  unsigned relays_off, relays_on; /* bits */
  relay_run_t relays[RELAYS];
} bridge_trip_t;

/* What a register request on the line is waiting for. */
typedef enum register_step {
  CALL_WORDS, /* registers by number */
  CALL_ROW,   /* one by name */
  CALL_WRITE, /* its write */
  CALL_BACK   /* the read-back of its write */
} register_step_t;

typedef struct register_call {
  rpc_context_t *call; /* NULL: free */
  bridge_line_t *line;
  uint8_t unit;
  register_step_t step;
  const register_row_t *row; /* NULL for CALL_WORDS */
  int64_t raw;               /* what was written */
  uint32_t round;            /* counts the slot's uses; part of the tag */
} register_call_t;

typedef struct module_call {
  rpc_context_t *call; /* NULL: free */
  uint32_t round;      /* counts the slot's uses; part of the tag */
} module_call_t;

/* What the dock module said last, and how far an order to it has come. */
typedef struct dock_state {
  uint16_t status;
  double distance_m, approach_mps, final_mps;
  uint64_t heard_ns;    /* of these; 0: never */
  double back_m;        /* how far an undocking backs off */
  bool fast;            /* polled as often as docking needs */
  uint32_t round;       /* counts the orders; part of their tags */
  bool ordered;         /* to dock or to undock; it has not answered yet */
  uint64_t answered_ns; /* then it has: what it said before does not count */
  bool at_work;         /* it docks or undocks, by what it has taken or says */
  bool given_up;        /* its docking was; to be told until it has acknowledged or rests */
  bool told_estop;      /* what it was told last to end its work, */
  uint64_t told_ns;     /* and when; 0: nothing yet */
  unsigned failed;      /* in a row */
} dock_state_t;

/* What the lifter was told last. */
typedef struct cargo {
  rpc_context_t *call; /* waits for its answer */
  command_kind_t kind;
  double share;    /* of its way */
  uint16_t target; /* the same, as the lifter is told */
  bool enabled;    /* it may be on its way */
  uint64_t off_ns; /* last asked to let go, by a latched stop; 0: not yet */
} cargo_t;

/* What was published last of the robot's state, to see what has changed. */
typedef struct told {
  robot_state_t state;
  command_state_t command_state;
  uint32_t command_id;
  mode_id_t mode;
  bool moved; /* a drive is on record on the disk */
  bool overdue;
  bool kept; /* the stop from before the restart */
  uint64_t led_ns;
  char command_actor[51], command_what[96]; /* of the last command that was taken */
} told_t;

/* A register profile of the user's own. */
typedef struct bridge_profile {
  char path[256];
  struct profile_file *file;
} bridge_profile_t;

#endif
