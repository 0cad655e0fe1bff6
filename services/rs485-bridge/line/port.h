/* One RS485 port: a thread that runs the job queue over libmodbus. The loop talks to it by values
   only: commands in, results out. A device that is missing or disappears is reopened. Of a loop
   that does not come to take them, results of polls are thrown away and counted; all others wait.
 */
#ifndef BRIDGE_PORT_H
#define BRIDGE_PORT_H

#include <gantry/err.h>

#include "discovery.h"
#include "line_counts.h"
#include "plan.h"

typedef struct port port_t;

#define PORT_GREETING_MAX 4
#define PORT_RESTARTED    "closed by order"
#define PORT_TAG_PROBE    0xFFFF0000u /* results with this tag come from the probing of a module */
#define PORT_TAG_SEARCH   0xFFFF0001u /* and with this one from the search for new ones */

typedef struct port_cfg {
  char path[256];
  line_cfg_t line;
  const register_profile_t *profile;
  uint8_t first_address, last_address; /* discovery */
  bool nothing_expected; /* no module has a row before it has answered, none is mandatory */
  module_seed_t seeds[MODULES_MAX]; /* what is remembered */
  size_t seed_count;
  uint32_t max_hold_us;
  double poll_scale;                 /* of all the profile's poll rates; 0: 1 */
  job_t greeting[PORT_GREETING_MAX]; /* sent first whenever the port opens, and last when it
                                        closes: the motors' stop */
  size_t greeting_count;
} port_cfg_t;

typedef enum port_news {
  PORT_RESULT, /* a job has ended */
  PORT_MODULE, /* an order about a module or the search has been carried out */
  PORT_OPENED,
  PORT_CLOSED /* or could not be opened: detail says why */
} port_news_t;

typedef enum port_search { SEARCH_START, SEARCH_STOP, SEARCH_PAUSE, SEARCH_RESUME } port_search_t;

typedef struct port_result {
  port_news_t news;
  job_t job; /* count as sent: may differ within least and most */
  rtu_outcome_t outcome;
  uint8_t exception;
  bool owed; /* given up: the answer may still come */
  uint16_t values[LINE_READ_MAX];
  uint64_t sent_ns;      /* begin of the request; monotonic, all of them */
  uint64_t sent_end_ns;  /* its last byte on the wire, by baud rate */
  uint64_t last_byte_ns; /* of the answer */
  module_change_t change;
  module_row_t module; /* after this result; address 0: unit not in the registry */
  discovery_view_t search;
  line_counts_t counts;
  char detail[96];
} port_result_t;

typedef enum port_order_kind {
  PORT_JOB,
  PORT_PERIOD,
  PORT_SEARCH,
  PORT_QUARANTINE,
  PORT_RESTART,
  PORT_QUIT
} port_order_kind_t;

typedef struct port_order {
  port_order_kind_t kind;
  job_t job;
  int poll;
  uint64_t period_ns;
  port_search_t search;
  uint8_t first, last; /* addresses; first: the module's */
  bool quarantined;
} port_order_t;

/* Starts the thread. cfg is copied, its profile borrowed. GANTRY_E_INVALID when the profile's polls
   do not fit the line; plan_make says why. */
gantry_err_t port_new(const port_cfg_t *cfg, port_t **out);
/* Ends the thread after the greeting has been sent once more; waits a few transactions at most. */
void port_destroy(port_t **self);
/* Hands over an order; the calls below make one. False when the port's inbox is full. Any thread.
 */
bool port_send(port_t *port, const port_order_t *order);
/* Hands over a safety or command job. */
bool port_submit(port_t *port, const job_t *job);
/* Gives one poll another period. Whether it is polled at all is its module's presence. */
bool port_set_period(port_t *port, int poll, uint64_t period_ns);
/* What it polls: poll i has the tag i. Constant. */
const plan_t *port_plan(const port_t *port);
/* Steers the search; first, last: its range, 0 as configured. */
bool port_search(port_t *port, port_search_t order, uint8_t first, uint8_t last);
/* Leaves a module alone, or takes it back. */
bool port_quarantine(port_t *port, uint8_t address, bool on);
/* Closes the device and opens it again: PORT_CLOSED with the detail PORT_RESTARTED, then what comes
   of it. Does nothing while it is closed. */
bool port_restart(port_t *port);
/* Readable while results wait. */
int port_fd(const port_t *port);
/* The oldest result; false when there is none. */
bool port_receive(port_t *port, port_result_t *out);

#endif
