/* The job queue of one serial port: what goes onto the line next. A stop (safety lane) before due
   polls of rank 0 (the safety module's) before commands before all other due polls, of which the
   earlier deadline goes first. Pure: time is
   an argument, nothing allocates, every lane is bounded and counts what it refuses. */
#ifndef BRIDGE_JOBS_H
#define BRIDGE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line_time.h"

#define JOB_WRITE_MAX  8  /* registers in one write */
#define JOBS_LANE_MAX  32 /* waiting jobs a lane */
#define JOBS_POLL_MAX  48
#define JOBS_LATER_MAX 16
#define JOB_NO_POLL    (-1)

typedef enum job_lane { JOB_SAFETY, JOB_COMMAND, JOB_POLL } job_lane_t;

/* One Modbus transaction to be made. A value. */
typedef struct job {
  uint32_t tag; /* the caller's; comes back with the result */
  job_lane_t lane;
  uint8_t unit; /* slave address */
  line_function_t function;
  uint16_t first, count;
  uint16_t least, most;           /* reads: lengths that will do as well; 0: only count */
  uint16_t values[JOB_WRITE_MAX]; /* writes */
  uint32_t answer_us;             /* to the first byte of the answer, after the request's last */
  uint32_t grace_us;              /* a stop waits this long for that first byte, and no longer */
  uint8_t retries;                /* repetitions at once after a failure */
  bool patient;                   /* a unit that is busy or rests: again later, behind others */
  uint64_t patience_ns;           /* until then; set when it is first put off */
  int poll;                       /* index of the poll it stands for, JOB_NO_POLL otherwise */
} job_t;

typedef struct job_poll {
  job_t job;
  uint64_t period_ns;
  uint64_t due_ns;
  uint32_t rank;
  bool enabled;
  unsigned refusals; /* in a row: the module says that it has no such registers */
  uint64_t picked;
  uint64_t skipped; /* periods that passed without a turn */
} job_poll_t;

typedef struct job_lane_queue {
  job_t slots[JOBS_LANE_MAX];
  size_t head, count;
  uint64_t refused;
} job_lane_queue_t;

typedef struct job_later {
  job_t job;
  uint64_t due_ns;
} job_later_t;

typedef struct jobs {
  line_cfg_t line;
  uint32_t max_hold_us;
  job_lane_queue_t lanes[2]; /* JOB_SAFETY and JOB_COMMAND */
  job_poll_t polls[JOBS_POLL_MAX];
  size_t poll_count;
  bool first_again;                  /* the last poll picked had rank 0 */
  bool polled;                       /* the last job picked was a poll */
  job_later_t later[JOBS_LATER_MAX]; /* commands put off */
  size_t later_count;
} jobs_t;

/* max_hold_us: longest time a poll may hold the line. */
void jobs_init(jobs_t *jobs, const line_cfg_t *line, uint32_t max_hold_us);
/* Queues a safety or command job. False, counted, when its lane is full. */
bool jobs_push(jobs_t *jobs, const job_t *job);
/* Puts a picked command off until due_ns. False when too many are. */
bool jobs_defer(jobs_t *jobs, const job_t *job, uint64_t due_ns);
/* Takes one waiting write out of the commands: when a stop comes, nothing that was to be
   written before it may be written after it. False when there is none. */
bool jobs_take_write(jobs_t *jobs, job_t *out);
/* Puts a picked job back as the next of its lane: it was given up for a more urgent one. False,
   counted, when the lane has filled up meanwhile. */
bool jobs_return(jobs_t *jobs, const job_t *job, uint64_t now_ns);
/* Adds a poll, disabled. Its index, or -1 when the table is full or it would hold the line too
 * long. */
int jobs_add_poll(jobs_t *jobs, const job_t *job, uint64_t period_ns, uint32_t rank);
/* Switches all polls of a unit; enabling makes them due at once, spread over their periods. */
void jobs_enable_unit(jobs_t *jobs, uint8_t unit, bool enabled, uint64_t now_ns);
void jobs_enable_poll(jobs_t *jobs, int poll, bool enabled, uint64_t now_ns);
/* What came of a poll: whether the module said that it has no such registers. Said three times in a
   row it is believed, and asked again every 5 s; rank 0 keeps its rate. */
void jobs_note_poll(jobs_t *jobs, int poll, bool refused, uint64_t now_ns);
void jobs_set_period(jobs_t *jobs, int poll, uint64_t period_ns);
/* Takes the next job, copied out: safety, then commands, then polls. A poll of rank 0, or one past
   its deadline, goes before a command, but not twice in a row: no flood of requests starves the
   polls that motion stands on. A poll's next turn is one period after this one was due; periods
   that have passed altogether are skipped and counted. Rank 0 goes before all other polls, but
   where more is due than the line takes it leaves every second turn to those past their deadline.
   False when nothing is due. */
bool jobs_pick(jobs_t *jobs, uint64_t now_ns, job_t *out);
bool jobs_has_urgent(const jobs_t *jobs);
/* Takes any waiting safety or command job, due or not. False when there is none. */
bool jobs_flush(jobs_t *jobs, job_t *out);
/* When jobs_pick will next have something; now_ns when it has, UINT64_MAX for never. */
uint64_t jobs_next_ns(const jobs_t *jobs, uint64_t now_ns);
/* Whether any poll is enabled. */
bool jobs_is_polling(const jobs_t *jobs);
/* Share of the line that the enabled polls need, 1 is all of it. */
double jobs_load(const jobs_t *jobs);

#endif
