/* The RS485 lines: settings to port threads, what the threads bring to its handlers. The first line
   is the robot's own: stop, drive and readings live there. Lines share nothing but the loop. */
#include "bridge_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plan.h"
#include "port_list.h"
#include "serial.h"

#define GREETING_TAG 0xFFFE0000u
#define DRAIN_MAX    64 /* results of one line before the others have their turn */

bridge_line_t *bridge_line(const bridge_t *bridge, unsigned number) {
  size_t index = number ? number - 1 : 0;
  return index < bridge->line_count ? &bridge->lines[index] : NULL;
}

const module_row_t *bridge_module(const bridge_t *bridge, const char *name) {
  const bridge_line_t *line = &bridge->lines[0];
  uint8_t address = bridge_unit(bridge, name);
  for (size_t i = 0; i < line->module_count; i++)
    if (line->modules[i].row.address == address) return &line->modules[i].row;
  return NULL;
}

job_t bridge_register_job(uint32_t tag, uint8_t unit, const register_row_t *row,
                          line_function_t function, uint16_t value) {
  return (job_t){.tag = tag,
                 .lane = JOB_COMMAND,
                 .unit = unit,
                 .function = function,
                 .first = row->address,
                 .count = 1,
                 .values = {value},
                 .answer_us = PLAN_ANSWER_US,
                 .retries = row->flags & REGISTER_ONCE ? 0 : 1,
                 .poll = JOB_NO_POLL};
}

/* Whoever asked: what was read is known now. */
static void keep(bridge_line_t *line, const port_result_t *result) {
  if (result->outcome != RTU_OK || result->job.function != LINE_READ_HOLDING) return;
  const register_profile_t *profile = line->cfg.profile;
  const register_module_t *blocks[] = {registers_module_at(profile, result->job.unit),
                                       registers_common(profile)};
  for (size_t i = 0; i < 2; i++)
    values_put(line->bridge->values, line->number, result->job.unit, blocks[i], bridge_view(result),
               result->last_byte_ns);
  if (result->job.tag < TAG_STOP) bridge_publish_values(line, result);
}

static void on_result(bridge_line_t *line, const port_result_t *result) {
  bridge_t *bridge = line->bridge;
  uint32_t tag = result->job.tag;
  bridge_on_module(line, result);
  keep(line, result);
  if (tag >= TAG_READ && tag < TAG_READ_END)
    bridge_on_read_result(bridge, result);
  else if (tag >= TAG_MODULE && tag < TAG_DOCK)
    bridge_on_module_done(line, result);
  else if (line->number != 1)
    return;
  else if (tag >= TAG_WATCH && tag < TAG_WATCH + WATCH_JOBS)
    bridge_on_watch_result(bridge, result);
  else if (tag >= TAG_RELAY && tag < TAG_RELAY + RELAYS)
    bridge_on_relay_result(bridge, result);
  else if (tag < TAG_STOP)
    bridge_on_poll(bridge, result);
  else if (tag < TAG_DRIVE)
    bridge_on_stop_result(bridge, result);
  else if (tag < TAG_READ)
    bridge_on_drive_result(bridge, result);
  else if (tag < TAG_CARGO)
    bridge_on_dock_result(bridge, result);
  else if (tag < TAG_CARGO_END)
    bridge_on_cargo_result(bridge, result);
}

static void on_news(bridge_line_t *line, const port_result_t *news) {
  bridge_t *bridge = line->bridge;
  line->open = news->news == PORT_OPENED;
  (void)snprintf(line->detail, sizeof line->detail, "%s", news->detail);
  bridge_follow_restart(line);
  if (line->open) {
    line->opened++;
    log_info("PORT-OPENED", "line %u: %s is open", line->number, line->cfg.path);
    return;
  }
  log_warn("PORT-CLOSED", "line %u: %s; retrying", line->number, news->detail);
  for (size_t i = 0; i < line->module_count; i++)
    line->modules[i].row.state = MODULE_UNKNOWN;
  if (line->number != 1) return;
  bridge->motors_off = false;
  bridge->motors.known = false; /* the greeting of the next opening switches them off */
  bridge->motors.waiting = 0;
  if (robot_may_move(&bridge->robot)) /* reopened at once, it would go on from a stop by a jump */
    bridge_stop(bridge, STOP_MODULE_LOSS, "the RS485 line has closed while the robot was moving",
                clock_mono_ns(), NULL);
}

static void on_port(void *arg) {
  bridge_line_t *line = arg;
  port_result_t result;
  for (int i = 0; i < DRAIN_MAX && port_receive(line->port, &result); i++) {
    bridge_count_line(line, &result);
    if (result.search.run >= line->search_run) line->search = result.search;
    if (result.news == PORT_RESULT)
      on_result(line, &result);
    else if (result.news == PORT_MODULE)
      bridge_on_module(line, &result);
    else
      on_news(line, &result);
  }
  bridge_follow_search(line->bridge);
}

void bridge_drain_ports(bridge_t *bridge) {
  for (size_t i = 0; i < bridge->line_count; i++)
    if (bridge->lines[i].port) on_port(&bridge->lines[i]);
}

static void init_metric(bridge_line_t *line) {
  char labels[24];
  (void)snprintf(labels, sizeof labels, "line=\"%u\"", line->number);
  line->lost_metric =
      metrics_counter(line->bridge->service->metrics, "gantry_line_results_lost_total", labels,
                      "Results of polls that came faster than the bridge took them.");
}

/* Every module that is expected or remembered has a row from the start, unknown. */
static void init_modules(bridge_line_t *line) {
  modules_t modules;
  modules_init(&modules, line->cfg.profile, line->cfg.first_address, line->cfg.last_address,
               !line->cfg.nothing_expected);
  for (size_t i = 0; i < line->cfg.seed_count; i++)
    modules_seed(&modules, &line->cfg.seeds[i]);
  for (size_t i = 0; i < modules.count; i++) {
    module_copy_t *copy = bridge_module_add(line, modules.rows[i].address);
    if (copy) copy->row = modules.rows[i];
  }
  bridge_keep_remember(line);
}

static void fill_greeting(const bridge_t *bridge, port_cfg_t *cfg) {
  const motors_t *wiring = &bridge->wiring;
  for (size_t i = 0; i < wiring->stop_count && cfg->greeting_count < PORT_GREETING_MAX; i++) {
    if (wiring->stops[i].read) continue;
    job_t *job = &cfg->greeting[cfg->greeting_count++];
    *job = (job_t){.tag = GREETING_TAG,
                   .lane = JOB_SAFETY,
                   .answer_us = PLAN_ANSWER_US,
                   .retries = 1,
                   .poll = JOB_NO_POLL};
    motors_stop_job(wiring, i, job);
  }
}

/* NULL when a terminal can be opened there; else what is wrong, in words. */
static const char *device_flaw(const char *path) {
  if (access(path, F_OK) != 0) return "there is no such device";
  int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return "it may not be opened";
  bool terminal = isatty(fd);
  (void)close(fd);
  return terminal ? NULL : "it is not a terminal";
}

gantry_err_t bridge_check_device(const bridge_t *bridge, const char *key, const char *path,
                                 gantry_fault_t *fault) {
  const char *flaw = device_flaw(path);
  if (!flaw) return GANTRY_OK;
  if (config_bool(bridge->service->config, "require_devices"))
    return fault_set(fault, GANTRY_E_DEVICE, key, "%s: %s; plug it in or correct the path", path,
                     flaw);
  log_warn("DEVICE-MISSING", "%s: %s; waiting for it", path, flaw);
  return GANTRY_OK;
}

static gantry_err_t start_line(bridge_line_t *line, const char *key, gantry_fault_t *fault) {
  bridge_t *bridge = line->bridge;
  port_cfg_t *cfg = &line->cfg;
  if (!cfg->path[0]) return GANTRY_OK;
  GANTRY_TRY(bridge_check_device(bridge, key, cfg->path, fault));
  plan_t plan;
  char why[PLAN_WHY];
  if (!plan_make(&plan, cfg->profile, &cfg->line, cfg->max_hold_us, why, sizeof why))
    return fault_set(fault, GANTRY_E_INVALID, line->number == 1 ? "max_hold_us" : key, "%s: %s",
                     cfg->profile->name, why);
  plan_scale(&plan, cfg->poll_scale);
  gantry_err_t err = port_new(cfg, &line->port);
  if (err != GANTRY_OK) return fault_set(fault, err, key, "the port's thread could not be started");
  log_info("POLL-PLAN",
           "line %u: %zu polls, those of mandatory modules need %.0f %% of it at %u baud",
           line->number, plan.count, 100.0 * plan_share(&plan, NULL), cfg->line.baud);
  return loop_watch(bridge->service->loop, port_fd(line->port), on_port, line);
}

static gantry_err_t add_line(bridge_t *bridge, const port_entry_t *entry, const char *key,
                             gantry_fault_t *fault) {
  config_t *config = bridge->service->config;
  bridge_line_t *line = &bridge->lines[bridge->line_count++];
  int64_t gap_us = config_int(config, "gap_us");
  *line = (bridge_line_t){.bridge = bridge, .number = (uint8_t)bridge->line_count};
  port_cfg_t *cfg = &line->cfg;
  (void)snprintf(cfg->path, sizeof cfg->path, "%s", entry->path);
  GANTRY_TRY(bridge_find_profile(bridge, key, entry->profile, &cfg->profile, fault));
  cfg->line.baud = entry->baud;
  cfg->line.gap_us = gap_us < 0 ? line_gap_us(entry->baud) : (uint32_t)gap_us;
  cfg->line.turnaround_us = (uint32_t)config_int(config, "turnaround_us");
  cfg->max_hold_us = entry->max_hold_us;
  cfg->poll_scale = config_real(config, "poll_scale");
  cfg->first_address = entry->first;
  cfg->last_address = entry->last;
  if (!serial_has_rate(cfg->line.baud))
    return fault_set(fault, GANTRY_E_INVALID, line->number == 1 ? "baud" : key,
                     "%u is no rate of a serial line; take 9600, 19200, 38400, 57600, 115200 or "
                     "another that termios knows",
                     cfg->line.baud);
  if (cfg->first_address > cfg->last_address)
    return fault_set(fault, GANTRY_E_INVALID, line->number == 1 ? "last_address" : key,
                     "discovery asks from first to last; these are the wrong way round");
  cfg->nothing_expected = line->number != 1;
  if (line->number == 1) fill_greeting(bridge, cfg);
  bridge_keep_seed(line);
  init_modules(line);
  init_metric(line);
  return start_line(line, key, fault);
}

gantry_err_t bridge_open_ports(bridge_t *bridge, gantry_fault_t *fault) {
  config_t *config = bridge->service->config;
  port_entry_t more[LINES_MAX - 1], own = {.baud = (uint32_t)config_int(config, "baud")};
  char why[160];
  size_t count = 0;
  (void)snprintf(own.path, sizeof own.path, "%s", config_text(config, "rs485_port"));
  (void)snprintf(own.profile, sizeof own.profile, "%s", config_text(config, "profile"));
  own.first = (uint8_t)config_int(config, "first_address");
  own.last = (uint8_t)config_int(config, "last_address");
  own.max_hold_us = (uint32_t)config_int(config, "max_hold_us");
  port_entry_t defaults = own;
  defaults.max_hold_us = 1000000; /* no stop waits there */
  if (!port_list_parse(config_text(config, "more_ports"), &defaults, more, LINES_MAX - 1, &count,
                       why, sizeof why))
    return fault_set(fault, GANTRY_E_INVALID, "more_ports", "%s", why);
  for (size_t i = 0; i < count; i++)
    if (strcmp(more[i].path, own.path) == 0)
      return fault_set(fault, GANTRY_E_INVALID, "more_ports",
                       "%s is the device of rs485_port already", own.path);
  GANTRY_TRY(add_line(bridge, &own, "rs485_port", fault));
  bridge->port = bridge->lines[0].port;
  for (size_t i = 0; i < count; i++)
    GANTRY_TRY(add_line(bridge, &more[i], "more_ports", fault));
  return GANTRY_OK;
}

void bridge_close_ports(bridge_t *bridge) {
  bridge->port = NULL;
  for (size_t i = 0; i < bridge->line_count; i++) {
    bridge_line_t *line = &bridge->lines[i];
    if (line->port) loop_unwatch(bridge->service->loop, port_fd(line->port));
    port_destroy(&line->port);
  }
}
