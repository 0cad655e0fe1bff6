/* Inside of the bridge's glue: one struct, one thread (the loop's). */
#ifndef BRIDGE_INTERNAL_H
#define BRIDGE_INTERNAL_H

#include <gantry/clock.h>
#include <gantry/service.h>
#include <messages.h>

#include "bridge.h"
#include "bridge_registry.h"
#include "drive.h"
#include "latch_keeper.h"
#include "lidar_port.h"
#include "motion.h"
#include "motors.h"
#include "pilot.h"
#include "port.h"
#include "readings.h"
#include "robot_state.h"
#include "supervisor.h"
#include "values.h"
#include "zones.h"

#define STOP_CALLS_MAX   8  /* callers that wait for one stop */
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

enum { TAG_READ_END = TAG_READ + 0x1000 };
enum { TAG_WATCH = 0x7000, WATCH_AUTO_RESET = 0, WATCH_INPUTS, WATCH_JOBS }; /* the supervisor's */
enum { TAG_RELAY = 0x7100, RELAYS = 4 };

enum { STOP_JOBS = MOTORS_STOP_MAX, STOP_ROUNDS = 256 };

/* A caller that waits for a stop. Only frames that were sent after it came count for it. */
typedef struct stop_call {
  rpc_context_t *call;
  uint64_t arrived_ns, deadline_ns;
  double stop_ms; /* to its first motor's frame; < 0: not yet */
} stop_call_t;

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
  uint64_t heard_ns; /* of these; 0: never */
  double back_m;     /* how far an undocking backs off */
  unsigned waiting;  /* jobs without a result */
  bool fast;         /* polled as often as docking needs */
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
} told_t;

/* A register profile of the user's own. */
typedef struct bridge_profile {
  char path[256];
  struct profile_file *file;
} bridge_profile_t;

struct bridge {
  service_t *service;
  bridge_profile_t profiles[LINES_MAX];
  size_t profile_count;
  const register_profile_t *profile;
  readings_t readings;
  motors_t wiring; /* what the motors are told and asked by */
  sys_source_t source;
  bool reporting; /* replay: zones report, they do not latch */
  latch_keeper_t *latch;
  bool latch_lost;      /* it could not be written to the disk */
  bridge_line_t *lines; /* LINES_MAX; the first is the robot's own, configured or not */
  size_t line_count;
  port_t *port;        /* that of the robot's own line, NULL: none configured */
  lidar_port_t *lidar; /* NULL: none configured */
  bool lidar_open;
  char lidar_detail[96];
  robot_t robot;
  drive_t drive;
  zones_t zones;
  zones_verdict_t verdict;
  motion_t motion;
  uint64_t motion_ns; /* of its newest reading; 0: never */
  bool odometry_absent;
  commands_t commands;
  pilot_cfg_t pilot_cfg;
  dock_state_t dock;
  cargo_t cargo;
  told_t told;
  uint32_t tags; /* that came into the field, counted */
  power_state_t power;
  stop_run_t stop;
  drive_run_t motors;
  register_call_t reads[READ_CALLS_MAX];
  values_t *values;                             /* newest words of all lines; owned */
  module_call_t module_calls[MODULE_CALLS_MAX]; /* pings and resets under way */
  bridge_keep_t *keep;
  bool registry_changed;                     /* since it was kept */
  rpc_context_t *discovering;                /* waits for a search to end */
  int search_state;                          /* of all lines together, as told last */
  uint64_t search_began_ns, search_ended_ns; /* wall; 0: not yet */
  bridge_watch_t watch;
  bridge_trip_t trip;
  bool estop_input;
  int module_zone; /* as the safety module says */
  uint16_t motor_error[2];
  bool was_ready;  /* IDLE once, since start */
  bool motors_off; /* read back since the last write that enabled them */
  uint64_t stopped_wall_ns;
  double last_stop_ms, last_confirm_ms; /* < 0: none */
  int phase;                            /* robot_stop_phase_t */
  char tag_id[9];                       /* in the field, "" none */
  int search_timer, tick_timer, safety_timer, module_timer, status_timer;
  lidar_message_t turn; /* too large for the stack */
  raw_scan_t scan;
  metric_t *stop_metric, *confirm_metric, *trips_metric, *turns_metric;
  metric_t *poll_metrics[JOBS_POLL_MAX];
};

/* bridge_profile.c: which profile a line has. */
/* A built-in one by its name, or one read from a file; the fault names key. Kept by the bridge. */
gantry_err_t bridge_find_profile(bridge_t *bridge, const char *key, const char *name,
                                 const register_profile_t **out, gantry_fault_t *fault);
/* That of the robot's own line: it has to say what the robot drives and stops with. */
gantry_err_t bridge_load_profile(bridge_t *bridge, gantry_fault_t *fault);
void bridge_drop_profiles(bridge_t *bridge);

/* bridge_readings.c: results of polls, published. */
void bridge_on_poll(bridge_t *bridge, const port_result_t *result);
register_view_t bridge_view(const port_result_t *result);
/* Polled registers that are sensors of their own, of any line. */
void bridge_publish_values(bridge_line_t *line, const port_result_t *result);
void bridge_on_turn(bridge_t *bridge, const lidar_turn_t *turn);

/* bridge_stop.c: latch, stop on the line. */
/* Latches and writes the stop. call NULL: not by request. arrived_ns: when the reason arrived. */
void bridge_stop(bridge_t *bridge, stop_cause_t cause, const char *detail, uint64_t arrived_ns,
                 rpc_context_t *call);
/* Writes and reads back the stop without latching: before the robot may become ready. */
void bridge_verify_off(bridge_t *bridge);
/* Takes the timers that a stop needs, once. */
gantry_err_t bridge_stop_prepare(bridge_t *bridge);
void bridge_on_stop_result(bridge_t *bridge, const port_result_t *result);

/* bridge_safety.c: what makes the bridge stop by itself; requests. */
void bridge_supervise(void *arg);
robot_guards_t bridge_guards(const bridge_t *bridge);
int bridge_motion_sign(const bridge_t *bridge);
/* Ends a latched stop, or refuses call with the reason. True when it has ended; nothing is replied.
 */
bool bridge_reset(bridge_t *bridge, rpc_context_t *call, const robot_estop_reset_t *reset);
void on_estop(rpc_context_t *call, const void *takes, void *arg);
void on_estop_reset(rpc_context_t *call, const void *takes, void *arg);

/* bridge_watch.c: what the supervisor is told, and what it warns of. */
gantry_err_t bridge_watch_start(bridge_t *bridge);
/* The safety module has come or gone. */
void bridge_watch_module(bridge_t *bridge);
void bridge_on_watch_result(bridge_t *bridge, const port_result_t *result);
supervisor_input_t bridge_watch_input(const bridge_t *bridge, uint64_t now_ns);
/* What limits the robot now, in words; empty when nothing. */
void bridge_describe(const bridge_t *bridge, char *out, size_t size);
supervisor_verdict_t bridge_watch(bridge_t *bridge, uint64_t now_ns);

/* bridge_trip.c: the circumstances of a stop, its relays. */
gantry_err_t bridge_trip_start(bridge_t *bridge, gantry_fault_t *fault);
/* To be called when a stop is latched, before anything changes. */
void bridge_trip_note(bridge_t *bridge, uint64_t now_ns);
/* Cause, times, speed, zone and place of the latched stop, one sentence. */
void bridge_trip_words(const bridge_t *bridge, double stop_ms, double confirm_ms, char *out,
                       size_t size);
void bridge_switch_relays(bridge_t *bridge, uint64_t now_ns);
void bridge_on_relay_result(bridge_t *bridge, const port_result_t *result);

/* bridge_drive.c: set-points on their way to the motors. */
void bridge_drive_tick(void *arg);
void bridge_on_drive_result(bridge_t *bridge, const port_result_t *result);
void on_drive(rpc_context_t *call, const void *takes, void *arg);
void on_halt(rpc_context_t *call, const void *takes, void *arg);

/* bridge_ports.c: the lines and their threads. */
gantry_err_t bridge_open_ports(bridge_t *bridge, gantry_fault_t *fault);
void bridge_close_ports(bridge_t *bridge);
/* Handles what the robot's own line has brought. */
void bridge_drain_ports(bridge_t *bridge);
/* GANTRY_E_DEVICE when the device that key names is missing and must not be; else a warning. */
gantry_err_t bridge_check_device(const bridge_t *bridge, const char *key, const char *path,
                                 gantry_fault_t *fault);
/* The line of that number (0: the robot's own); NULL when there is none. */
bridge_line_t *bridge_line(const bridge_t *bridge, unsigned number);
/* The module's row on the robot's own line, by its name in the profile; NULL when not known. */
const module_row_t *bridge_module(const bridge_t *bridge, const char *name);

/* Carries out what the pilot asks for. */
void bridge_act(bridge_t *bridge, unsigned acts, uint64_t now_ns);
/* Refuses call when the motors are being read back, or nothing sees the way, or something is nearer
   in it than the stop zone; waits: or nearer than where a move by command waits. */
bool bridge_refuse_way(bridge_t *bridge, rpc_context_t *call, int way, bool waits, uint64_t now_ns);

/* bridge_commands.c: commands and modes. */
gantry_err_t bridge_commands_serve(bridge_t *bridge);
void bridge_commands_init(bridge_t *bridge);
pilot_t bridge_pilot(bridge_t *bridge);
pilot_input_t bridge_pilot_input(const bridge_t *bridge);
void bridge_refuse(rpc_context_t *call, const pilot_answer_t *answer);
/* Nobody knows whether a module has taken a setting: while configuring, that is a fault. */
void bridge_config_failed(bridge_t *bridge, const char *setting);

/* Answers with the status; kind is told as done when another command is on record. */
void bridge_reply_status(bridge_t *bridge, rpc_context_t *call, command_kind_t kind);

/* bridge_cargo.c: the lifter. */
/* Answers call once the lifter has taken its target. position: share; negative: its end. */
void bridge_cargo(bridge_t *bridge, rpc_context_t *call, command_kind_t kind, double position);
/* While a stop is latched: takes the lifter's enable away, until that is acknowledged. To be called
 * every few ms. */
void bridge_cargo_off(bridge_t *bridge);
void bridge_on_cargo_result(bridge_t *bridge, const port_result_t *result);

/* bridge_dock.c: the dock module's part in a command. */
void bridge_dock_order(bridge_t *bridge, unsigned acts);
void bridge_on_dock(bridge_t *bridge, const port_result_t *result, register_view_t view);
void bridge_on_dock_result(bridge_t *bridge, const port_result_t *result);

/* bridge_status.c: robot.status and robot.led. */
/* Says what has changed since it was called last: state, command, mode; keeps the drive on record.
 */
void bridge_tell(bridge_t *bridge);
void bridge_publish_status(void *arg);
void bridge_fill_status(bridge_t *bridge, robot_status_t *out);

/* bridge_restart.c: a line's device closed and opened again by order. */
void on_line_restart(rpc_context_t *call, const void *takes, void *arg);
void bridge_follow_restart(bridge_line_t *line);

/* bridge_registers.c: registers by name and number; bridge_register_calls.c: what waits for the
 * line. */
void on_registers(rpc_context_t *call, const void *takes, void *arg);
void on_registers_read(rpc_context_t *call, const void *takes, void *arg);
void on_register_write(rpc_context_t *call, const void *takes, void *arg);
void bridge_on_read_result(bridge_t *bridge, const port_result_t *result);

/* bridge_say.c: what the bridge says of itself. */
void bridge_fill_safety(const bridge_t *bridge, robot_safety_t *out);
void bridge_publish_safety(bridge_t *bridge);
void bridge_event(bridge_t *bridge, const char *id, sys_category_t category,
                  sys_severity_t severity, const char *subject, const char *message);
void bridge_audit(bridge_t *bridge, const char *actor, const char *action, bool success,
                  const char *detail);

/* bridge_check.c: settings that contradict each other; before anything is opened. */
gantry_err_t bridge_check_settings(const config_t *config, gantry_fault_t *fault);

/* A module's address in the profile, by its name; 0: it knows none. */
uint8_t bridge_unit(const bridge_t *bridge, const char *module);

#endif
