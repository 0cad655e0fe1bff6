/* The pilot: orders in, set-points out. It moves the state machine, the record of commands and the
   drive together and so decides everything about motion; the glue measures before, and writes what
   comes out. Pure: time is an argument. docs/robot.md holds its tables. */
#ifndef BRIDGE_PILOT_H
#define BRIDGE_PILOT_H

#include "drive.h"
#include "follow.h"

typedef struct pilot_cfg {
  bool has_home; /* a home tag is configured */
  bool home_backward;
  double stop_m;        /* where the stop zone begins: a command brakes ahead of it */
  uint32_t dead_man_ms; /* first hold of a command in mode semi */
} pilot_cfg_t;

/* Borrowed for a call. */
typedef struct pilot {
  const pilot_cfg_t *cfg;
  robot_t *robot;
  drive_t *drive;
  commands_t *commands;
} pilot_t;

typedef enum pilot_verdict { PILOT_TAKEN, PILOT_CONFLICT, PILOT_INVALID } pilot_verdict_t;

/* What an order or a step asks of the glue. */
enum {
  ACT_CHANGED = 1,   /* state or command: say so */
  ACT_DOCK = 2,      /* write the dock module's start */
  ACT_DOCK_STOP = 4, /* write its stop; an undocking waits for the answer */
  ACT_SOON = 8,      /* write the set-point now, not at the ramp's next step */
  ACT_CUT = 16       /* zero at once, before everything else */
};

typedef struct pilot_answer {
  pilot_verdict_t verdict;
  unsigned acts;
  const char *field; /* at fault; "" when none */
  char why[128];     /* when not taken: what to do */
} pilot_answer_t;

/* Hands in a command; reset and cargo are the glue's. Not taken: nothing has changed. */
pilot_answer_t pilot_take(pilot_t pilot, const command_t *command, const robot_guards_t *guards,
                          const pilot_input_t *input, uint64_t now_ns);
/* A jog, or the dead man of a command where the mode wants one. */
pilot_answer_t pilot_jog(pilot_t pilot, double share, bool backward, uint32_t hold_ms,
                         const robot_guards_t *guards, uint64_t now_ns);
/* Changes the mode; not while something is under way. */
pilot_answer_t pilot_set_mode(pilot_t pilot, mode_id_t mode);
/* The dock module has taken its order, or has not; back_m: how far an undocking backs off at
   which speed. Returns ACT bits: what is not known to be taken is taken back. */
unsigned pilot_dock_answer(pilot_t pilot, bool taken, double back_m, double back_mps,
                           const pilot_input_t *input, uint64_t now_ns);
/* One tick: time-outs, obstacles, the way of a command. Aims the drive. Returns ACT bits. */
unsigned pilot_step(pilot_t pilot, const pilot_input_t *input, uint64_t now_ns);
/* One step of the ramp, factor as left by the zones; and the end of what has come to zero. Returns
   ACT bits. */
unsigned pilot_ramp(pilot_t pilot, double factor, uint64_t now_ns);
/* What both motors are to be told: off wherever the state does not allow motion. */
drive_words_t pilot_words(pilot_t pilot);
/* Speed limit in force, m/s. */
double pilot_limit_mps(pilot_t pilot);

#endif
