/* What the simulator's glue shares: sim.c runs the loop, sim_command.c executes the control
   socket's commands, sim_tell.c words its answers, sim_lidar.c feeds the scanner's port,
   sim_replay.c plays a log. */
#ifndef GANTRY_SIM_SIM_STATE_H
#define GANTRY_SIM_SIM_STATE_H

#include <stdio.h>

#include "command.h"
#include "control.h"
#include "lidar.h"
#include "line.h"
#include "options.h"
#include "pty.h"
#include "replay.h"

typedef enum world_mode { WORLD_RUNS, WORLD_STOPPED, WORLD_FROZEN } world_mode_t;

typedef struct sim_replay {
  replay_t core;
  carmen_t *log;
  carmen_record_t record; /* the one being read */
  bool running;           /* the log's clock runs */
  bool told_end;
  int64_t start_ns; /* simulated time of log time 0 */
  int64_t report_ns;
  uint64_t scans, scans_unheard;
  uint8_t turn[REPLAY_TURN_MAX];
} sim_replay_t;

typedef struct sim {
  options_t options;
  plant_t plant;
  line_t line;
  lidar_t lidar;
  pty_t rs485, lidar_port;
  control_t control;
  sim_replay_t replay;
  FILE *transcript;
  world_mode_t mode;
  bool lidar_stopped; /* by command */
  bool lidar_blind;   /* likewise: no sample has a return */
  lidar_fault_t lidar_fault;
  bool noise;       /* somebody talks on the line unasked */
  int64_t noise_ns; /* when next */
  uint64_t noises;
  int epoll, timer, signals;
  int64_t offset_ns;  /* wall minus simulated time */
  int64_t halted_ns;  /* since when time stands still; valid unless the world runs */
  int64_t cleared_ns; /* since when the line's statistics count */
  int64_t tick_ns;    /* next housekeeping */
  int64_t armed_ns;   /* when the timer fires; 0: it has */
} sim_t;

/* CLOCK_MONOTONIC. */
int64_t sim_now_ns(void);
/* Simulated time at a wall moment; stands still while the world does. */
int64_t sim_time_ns(const sim_t *sim, int64_t wall_ns);
/* Brings the world up to a wall moment. */
void sim_advance(sim_t *sim, int64_t wall_ns);
/* Opens or closes a port and watches it. */
bool sim_plug(sim_t *sim, pty_t *pty, const char *link);

/* The scanner's port: host bytes, and samples due by now_ns. */
void sim_lidar_receive(sim_t *sim, int64_t now_ns);
void sim_lidar_run(sim_t *sim, int64_t now_ns);
int64_t sim_lidar_next_ns(const sim_t *sim, int64_t now_ns);

/* Opens the log of --replay, if there is one. False with a message on stderr. */
bool sim_replay_open(sim_t *sim);
void sim_replay_close(sim_t *sim);
/* The log's time at a wall moment, s; 0 until a host has asked for scans. */
double sim_replay_log_s(const sim_t *sim, int64_t now_ns);
/* Puts the log's odometry of a wall moment into the plant. */
void sim_replay_update(sim_t *sim, int64_t now_ns);
/* Takes what is due from the log; heard: a host scans now, so scans go out. */
void sim_replay_run(sim_t *sim, int64_t now_ns, bool heard);
int64_t sim_replay_next_ns(const sim_t *sim, int64_t now_ns);
/* Progress on stderr, every 5 s. */
void sim_replay_report(sim_t *sim, int64_t now_ns);

/* A text that grows within a buffer and never beyond. */
typedef struct text {
  char *buf;
  size_t size, len;
} text_t;

void sim_tell_error(text_t *text, const char *reason);
void sim_tell_done(text_t *text);
void sim_tell_seed(const sim_t *sim, text_t *text);
void sim_tell_help(text_t *text);
void sim_tell_state(sim_t *sim, text_t *text);
void sim_tell_register(sim_t *sim, uint8_t unit, uint16_t address, text_t *text);

/* A control_handler_t; context is the sim_t. */
void sim_command(void *context, const char *line, char *answer, size_t size);

#endif
