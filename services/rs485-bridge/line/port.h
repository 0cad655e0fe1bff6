/* One RS485 port: a thread that runs the job queue over libmodbus. The loop talks to it by values
   only: commands in, results out. A device that is missing or disappears is reopened. */
#ifndef BRIDGE_PORT_H
#define BRIDGE_PORT_H

#include <gantry/err.h>

#include "modules.h"
#include "plan.h"

typedef struct port port_t;

#define PORT_GREETING_MAX 4
#define PORT_TAG_PROBE    0xFFFF0000u /* results with this tag come from discovery */

typedef struct port_cfg {
  char path[256];
  line_cfg_t line;
  const register_profile_t *profile;
  uint8_t first_address, last_address; /* discovery */
  uint32_t max_hold_us;
  job_t greeting[PORT_GREETING_MAX]; /* sent first whenever the port opens, and last when it
                                        closes: the motors' stop */
  size_t greeting_count;
} port_cfg_t;

typedef enum port_news {
  PORT_RESULT, /* a job has ended */
  PORT_OPENED,
  PORT_CLOSED /* or could not be opened: detail says why */
} port_news_t;

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
  char detail[96];
} port_result_t;

/* Starts the thread. cfg is copied, its profile borrowed. GANTRY_E_INVALID when the profile's polls
   do not fit the line; plan_make says why. */
gantry_err_t port_new(const port_cfg_t *cfg, port_t **out);
/* Ends the thread after the greeting has been sent once more; waits a few transactions at most. */
void port_destroy(port_t **self);
/* Hands over a safety or command job. False when the port's inbox is full. Any thread. */
bool port_submit(port_t *port, const job_t *job);
/* Switches one poll on or off, or gives it another period (0: as it is). */
bool port_set_poll(port_t *port, int poll, bool enabled, uint64_t period_ns);
/* Discovers anew. */
bool port_discover(port_t *port);
/* What it polls: poll i has the tag i. Constant. */
const plan_t *port_plan(const port_t *port);
/* Readable while results wait. */
int port_fd(const port_t *port);
/* The oldest result; false when there is none. */
bool port_receive(port_t *port, port_result_t *out);
/* Results lost because the loop did not fetch them. */
uint64_t port_dropped(const port_t *port);

#endif
