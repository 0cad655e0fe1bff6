/* The bridge's lines and the modules on them: what the loop knows of them, and who tells it. */
#ifndef BRIDGE_REGISTRY_H
#define BRIDGE_REGISTRY_H

#include <gantry/service.h>
#include <messages.h>

#include "bridge.h"
#include "port.h"

/* A module as the loop knows it, and what has been said of it. */
typedef struct module_copy {
  module_row_t row;
  uint64_t seen_wall_ns;
  module_seed_t stored; /* as it is kept */
  bool is_stored;
  bool absent, zeros_said;
  uint8_t conflict; /* address it claimed; 0 none */
  module_band_t band;
} module_copy_t;

/* One RS485 line: its thread, and what the loop knows of it. */
typedef struct bridge_line {
  bridge_t *bridge;
  uint8_t number; /* 1: the robot's own */
  port_cfg_t cfg;
  port_t *port; /* NULL: none configured */
  bool open;
  rpc_context_t *restarting;          /* waits for the device to open again */
  char detail[96];                    /* why not */
  module_copy_t modules[MODULES_MAX]; /* by ascending address */
  size_t module_count;
  discovery_view_t search;       /* as told last */
  uint32_t search_run;           /* the one that was asked for last */
  uint32_t opened;               /* times */
  line_counts_t counts, counted; /* now, and a second ago */
  uint64_t counted_ns;
  metric_t *lost_metric;
  double utilisation, transactions_hz; /* over the last second */
  response_window_t responses;
} bridge_line_t;

/* bridge_keep.c: the registry on the disk. */
typedef struct bridge_keep bridge_keep_t;
/* Reads it, and starts the thread that writes it. */
gantry_err_t bridge_keep_start(bridge_t *bridge);
/* Hands what is kept of a line's modules to its port's settings; to be done before it is started.
 */
void bridge_keep_seed(bridge_line_t *line);
/* And to its rows. */
void bridge_keep_remember(bridge_line_t *line);
/* Each second: keeps what has changed. */
void bridge_keep_tick(bridge_t *bridge);
/* Keeps it for the last time; after this no line may change. */
void bridge_keep_stop(bridge_t *bridge);

/* bridge_lines.c: how busy the lines are. */
void bridge_count_line(bridge_line_t *line, const port_result_t *result);
void bridge_publish_lines(bridge_t *bridge);
void on_lines(rpc_context_t *call, const void *takes, void *arg);

/* bridge_search.c: the search for modules. */
gantry_err_t bridge_search_start(bridge_t *bridge);
/* Tells what has changed since it was called last. */
void bridge_follow_search(bridge_t *bridge);
void bridge_on_search_tick(void *arg);
void on_discover(rpc_context_t *call, const void *takes, void *arg);
void on_discovery(rpc_context_t *call, const void *takes, void *arg);

/* bridge_module_news.c: events of one module, which changed as told. */
void bridge_module_news(const bridge_line_t *line, module_copy_t *copy, module_change_t change);

/* bridge_module_do.c: what can be done to one module. */
void on_module_do(rpc_context_t *call, const void *takes, void *arg);
void bridge_on_module_done(bridge_line_t *line, const port_result_t *result);

/* bridge_modules.c: registry. */
/* The row of that address, a new one when there is none; NULL when there is no room. */
module_copy_t *bridge_module_add(bridge_line_t *line, uint8_t address);
module_copy_t *bridge_module_at(bridge_line_t *line, uint8_t address);
void bridge_module_name(const bridge_line_t *line, uint8_t address, char *out, size_t size);
/* The last part of the module's topic: its name, and on further lines line and address. */
void bridge_module_key(const bridge_line_t *line, uint8_t address, char *out, size_t size);
/* Whether a module is there and, as far as it says, of the kind that its address stands for. */
bool bridge_module_serves(const bridge_line_t *line, const module_row_t *row);
/* Which mandatory modules are missing and why, in words; false when none is. */
bool bridge_missing(const bridge_t *bridge, char *out, size_t size);
robot_module_status_t bridge_module_status(const module_row_t *row);
void bridge_fill_module(const bridge_line_t *line, const module_copy_t *copy, robot_module_t *out);
void bridge_on_module(bridge_line_t *line, const port_result_t *result);
void bridge_publish_modules(void *arg);
/* Arrival of a module's newest answer that was no exception, monotonic ns; 0: none. A module that
   refuses everything is there, but nothing is known of what it does. */
uint64_t bridge_told_ns(const bridge_t *bridge, const char *module);
void on_modules(rpc_context_t *call, const void *takes, void *arg);

#endif
