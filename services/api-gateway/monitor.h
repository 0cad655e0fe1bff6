/* What the gateway measures of itself and of the machine each second: figures for the routes,
   alerts when they cross a limit for good, a row a minute for the history. */
#ifndef GATEWAY_MONITOR_H
#define GATEWAY_MONITOR_H

#include <gantry/config.h>

#include "history.h"
#include "load.h"
#include "recent.h"
#include "threshold.h"

struct gateway;
typedef struct monitor monitor_t;

/* What is watched. */
typedef enum monitor_limit {
  MONITOR_API,       /* 95th percentile of answers, ms */
  MONITOR_WEBSOCKET, /* 95th percentile of the age of frames, ms */
  MONITOR_DATABASE,  /* one small query, ms */
  MONITOR_CPU,
  MONITOR_MEMORY,
  MONITOR_DISK,
  MONITOR_LIMITS
} monitor_limit_t;

/* The newest figures. NaN: not known, nothing has happened in the last ten seconds. */
typedef struct monitor_figures {
  load_t load;
  double disk;                                     /* percent */
  double requests, errors;                         /* a second; errors are answers 5xx */
  double response_p50, response_p95, response_p99; /* ms */
  double websocket_p95, database;                  /* ms */
} monitor_figures_t;

/* Reads its settings, opens the history and samples for the first time. */
gantry_err_t monitor_start(struct gateway *gateway, const config_t *config, gantry_fault_t *fault);
void monitor_stop(struct gateway *gateway);

/* Each second. */
void monitor_tick(struct gateway *gateway);
/* A frame with a datum of that age has gone out to the WebSockets. */
void monitor_note_age(struct gateway *gateway, uint64_t now_ns, double age_ms);

const monitor_figures_t *monitor_figures(const struct gateway *gateway);
double monitor_value(const struct gateway *gateway, monitor_limit_t limit);
const threshold_t *monitor_threshold(const struct gateway *gateway, monitor_limit_t limit);
/* "api_response_ms" and the like. */
const char *monitor_name(monitor_limit_t limit);
const history_t *monitor_history(const struct gateway *gateway);
/* Seconds between two rows of it. */
uint32_t monitor_period_s(const struct gateway *gateway);

#endif
