/* Inside of the bridge's glue: one struct, one thread (the loop's), and who does what with it. */
#ifndef BRIDGE_INTERNAL_H
#define BRIDGE_INTERNAL_H

#include <gantry/service.h>
#include <messages.h>

#include "bridge.h"
#include "bridge_parts.h"
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
#include "values.h"
#include "zones.h"

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
  int wake_fd; /* keeps the processors from sleeping deeply while open; -1: it does not */
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
  bridge_settings_t settings;
  bridge_recorder_t recorder;
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

/* bridge_settings.c: what storage keeps, obeyed. */
gantry_err_t bridge_settings_start(bridge_t *bridge);
/* Asks storage for what is not known yet. */
void bridge_settings_tick(bridge_t *bridge);

/* bridge_recorder.c: telemetry into storage. */
gantry_err_t bridge_recorder_start(bridge_t *bridge);
void bridge_recorder_stop(bridge_t *bridge);
/* From now on, each interval_ms; or not at all. */
void bridge_recorder_set(bridge_t *bridge, uint32_t interval_ms, bool stopped);

/* bridge_stop.c: latch, stop on the line. */
/* Latches and writes the stop. call NULL: not by request. arrived_ns: when the reason arrived. */
void bridge_stop(bridge_t *bridge, stop_cause_t cause, const char *detail, uint64_t arrived_ns,
                 rpc_context_t *call);
/* Writes and reads back the stop without latching: before the robot may become ready. */
void bridge_verify_off(bridge_t *bridge);
/* Takes the timers that a stop needs, once. */
gantry_err_t bridge_stop_prepare(bridge_t *bridge);
void bridge_on_stop_result(bridge_t *bridge, const port_result_t *result);
/* Whether a stop's frames to the motors have been on the line, acknowledged or in vain: what else a
   stop switches comes after them. */
bool bridge_stop_sent(const bridge_t *bridge);

/* bridge_stop_calls.c: who waits for a stop. */
gantry_err_t bridge_stop_calls_prepare(bridge_t *bridge);
void bridge_stop_calls_add(bridge_t *bridge, rpc_context_t *call, uint64_t arrived_ns);
/* The motors were read back: serves those whose own frames the round has sent. */
void bridge_stop_calls_confirm(bridge_t *bridge, uint64_t confirmed_ns);
/* Answers those who waited for the latch alone. */
void bridge_stop_calls_latched(bridge_t *bridge);

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
/* A command for one register, read or written with value. Said again once when it fails, unless
   each write of it acts. */
job_t bridge_register_job(uint32_t tag, uint8_t unit, const register_row_t *row,
                          line_function_t function, uint16_t value);

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
/* Tells a module that still docks to end that, after a stop by its own emergency stop; repeated
   until it has acknowledged. To be called every few ms. */
void bridge_dock_end(bridge_t *bridge);
void bridge_on_dock(bridge_t *bridge, const port_result_t *result, register_view_t view);
void bridge_on_dock_result(bridge_t *bridge, const port_result_t *result);

/* bridge_status.c: robot.status and robot.led. */
/* Says what has changed since it was called last: state, command, mode; keeps the drive on record.
 */
void bridge_tell(bridge_t *bridge);
void bridge_publish_status(void *arg);
/* What the robot may do at most; published each second and when a setting changes it. */
void bridge_fill_limits(const bridge_t *bridge, robot_limits_t *out);
void bridge_publish_limits(bridge_t *bridge);
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
