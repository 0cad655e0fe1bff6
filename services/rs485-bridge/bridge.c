/* The glue of rs485-bridge: settings to cores, results of the port threads to handlers, timers,
 * health. */
#include "bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gantry/clock.h>

#include "bridge_internal.h"
#include "bridge_options.h"
#include "latch_file.h"
#include "latch_keeper.h"
#include "serial.h"
#include "wake_latency.h"

#define TICK_MS    10
#define STATUS_MS  200
#define SAFETY_MS  200
#define MODULES_MS 1000

static double real(const bridge_t *bridge, const char *key) {
  return config_real(bridge->service->config, key);
}

static void on_lidar(void *arg) {
  bridge_t *bridge = arg;
  lidar_message_t *message = &bridge->turn;
  while (lidar_port_receive(bridge->lidar, message)) {
    if (message->news == LIDAR_TURN) {
      bridge->lidar_open = true;
      bridge_on_turn(bridge, &message->turn);
      continue;
    }
    bridge->lidar_open = message->news == LIDAR_OPENED;
    (void)snprintf(bridge->lidar_detail, sizeof bridge->lidar_detail, "%s", message->detail);
    if (bridge->lidar_open)
      log_info("LIDAR-SCANS", "%s", message->detail);
    else
      log_warn("LIDAR-SILENT", "%s; retrying", message->detail);
  }
}

/* Said when it begins and when it ends; tried again each second. */
static void on_latch_kept(void *arg) {
  bridge_t *bridge = arg;
  stop_cause_t cause = STOP_NONE;
  gantry_err_t err = GANTRY_OK;
  bool concluded = latch_keeper_receive(bridge->latch, &cause, &err);
  bridge_stop_calls_latched(bridge);
  if (!concluded) return;
  bool lost = err != GANTRY_OK;
  if (lost == bridge->latch_lost) return;
  bridge->latch_lost = lost;
  if (lost)
    log_error(
        "LATCH-NOT-KEPT",
        "the latch (%s) cannot be written to %s/stop.latch: a restart would not find it; make "
        "the folder writable or free the disk",
        stop_cause_name(cause), config_text(bridge->service->config, "data"));
  else
    log_info("LATCH-KEPT", "the latch (%s) is on the disk", stop_cause_name(cause));
}

static void on_tick(void *arg) {
  bridge_t *bridge = arg;
  bridge_drain_ports(bridge); /* what has arrived counts before what is missing */
  bridge_supervise(bridge);
  bridge_drive_tick(bridge);
}

static void on_safety_tick(void *arg) {
  bridge_publish_safety(arg);
}

static void on_module_tick(void *arg) {
  bridge_t *bridge = arg;
  if (bridge->latch_lost) latch_keeper_repeat(bridge->latch);
  bridge_publish_modules(bridge);
  bridge_publish_lines(bridge);
  bridge_keep_tick(bridge);
  bridge_settings_tick(bridge);
}

static void init_cores(bridge_t *bridge) {
  config_t *config = bridge->service->config;
  drive_cfg_t drive = {.max_mps = real(bridge, "max_speed"),
                       .full_scale_mps = real(bridge, "full_scale_speed"),
                       .full_scale = bridge->wiring.motors[0].full_scale,
                       .accel_mps2 = real(bridge, "acceleration"),
                       .decel_mps2 = real(bridge, "deceleration")};
  zones_cfg_t zones = {.stop_m = real(bridge, "zone_stop"),
                       .slow_m = real(bridge, "zone_slow"),
                       .clear_m = real(bridge, "zone_clear"),
                       .range_m = {real(bridge, "range_zone_1"), real(bridge, "range_zone_2"),
                                   real(bridge, "range_zone_3"), real(bridge, "range_zone_4")},
                       .dock_stop_m = real(bridge, "dock_stop"),
                       .contact_m = real(bridge, "contact"),
                       .min_factor = real(bridge, "zone_min_factor"),
                       .max_factor = real(bridge, "zone_max_factor"),
                       .half_length_m = real(bridge, "half_length"),
                       .corridor_half_m = 0.5 * (real(bridge, "body_width") + 0.1),
                       .empty_ok = config_bool(bridge->service->config, "lidar_empty_ok")};
  const char *source = config_text(config, "source");
  drive_init(&bridge->drive, &drive);
  zones_init(&bridge->zones, &zones);
  motion_init(&bridge->motion, real(bridge, "track"));
  bridge->source = strcmp(source, "simulated") == 0 ? SYS_SOURCE_SIMULATED
                   : strcmp(source, "replay") == 0  ? SYS_SOURCE_REPLAY
                                                    : SYS_SOURCE_HARDWARE;
  bridge->reporting = bridge->source == SYS_SOURCE_REPLAY;
  bridge->verdict = (zones_verdict_t){.clearance_m = -1.0, .factor = 1.0};
  bridge->last_stop_ms = bridge->last_confirm_ms = -1.0;
}

/* The latch of the last life, and who keeps that of this one. */
static gantry_err_t init_latch(bridge_t *bridge) {
  char detail[128] = "", path[300];
  const char *folder = config_text(bridge->service->config, "data");
  (void)mkdir(folder, 0750);
  (void)snprintf(path, sizeof path, "%s/stop.latch", folder);
  stop_cause_t kept = latch_file_read(path, detail, sizeof detail);
  GANTRY_TRY(latch_keeper_new(path, &bridge->latch));
  GANTRY_TRY(
      loop_watch(bridge->service->loop, latch_keeper_fd(bridge->latch), on_latch_kept, bridge));
  robot_init(&bridge->robot, kept, detail, clock_mono_ns());
  latch_keeper_set(bridge->latch, kept, detail); /* now there is room for it on the disk */
  if (kept == STOP_NONE) return GANTRY_OK;
  bridge->stopped_wall_ns = clock_wall_ns();
  log_warn("STOP-KEPT", "started with a latched stop: %s: %s", stop_cause_name(kept), detail);
  return GANTRY_OK;
}

static void init_metrics(bridge_t *bridge) {
  metrics_t *metrics = bridge->service->metrics;
  bridge->stop_metric =
      metrics_summary(metrics, "gantry_stop_ms", "",
                      "From a stop's arrival to the last byte of the first motor's frame.");
  bridge->confirm_metric = metrics_summary(metrics, "gantry_stop_confirm_ms", "",
                                           "From a stop's arrival to both motors read back off.");
  bridge->trips_metric = metrics_counter(metrics, "gantry_stops_total", "", "Stops latched.");
  bridge->turns_metric =
      metrics_counter(metrics, "gantry_lidar_turns_total", "", "Turns of the LiDAR.");
}

static void init_poll_metrics(bridge_t *bridge) {
  for (size_t i = 0; bridge->port && i < port_plan(bridge->port)->count; i++) {
    char labels[64];
    (void)snprintf(labels, sizeof labels, "poll=\"%s\"", port_plan(bridge->port)->polls[i].name);
    bridge->poll_metrics[i] =
        metrics_counter(bridge->service->metrics, "gantry_polls_total", labels, "Polls answered.");
  }
}

static gantry_err_t open_lidar(bridge_t *bridge, gantry_fault_t *fault) {
  const char *path = config_text(bridge->service->config, "lidar_port");
  if (!path[0]) return GANTRY_OK;
  GANTRY_TRY(bridge_check_device(bridge, "lidar_port", path, fault));
  uint32_t baud = (uint32_t)config_int(bridge->service->config, "lidar_baud");
  if (!serial_has_rate(baud))
    return fault_set(fault, GANTRY_E_INVALID, "lidar_baud",
                     "%u is no rate of a serial line; a C1 runs at 460800", baud);
  gantry_err_t err = lidar_port_new(path, baud, &bridge->lidar);
  if (err != GANTRY_OK)
    return fault_set(fault, err, "lidar_port", "the LiDAR's thread could not be started");
  return loop_watch(bridge->service->loop, lidar_port_fd(bridge->lidar), on_lidar, bridge);
}

/* Without it a stop comes a little later now and then: worth a line, not a refusal. */
static void hold_wake_latency(bridge_t *bridge) {
  int32_t max_us = (int32_t)config_int(bridge->service->config, "wake_latency_us");
  bridge->wake_fd = max_us < 0 ? -1 : wake_latency_hold(WAKE_LATENCY_DEVICE, max_us);
  if (max_us >= 0 && bridge->wake_fd < 0)
    log_warn("WAKE-LATENCY",
             "processors may sleep deeply and wake late for a stop (%s: %s); give the bridge the "
             "right to write there, or set wake_latency_us=-1",
             WAKE_LATENCY_DEVICE, strerror(errno));
}

static gantry_err_t serve(bridge_t *bridge) {
  rpc_server_t *server = bridge->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_ESTOP, on_estop, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_ESTOP_RESET, on_estop_reset, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_DRIVE, on_drive, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_HALT, on_halt, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_MODULES, on_modules, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_LINE_RESTART, on_line_restart, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_MODULE_DO, on_module_do, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_LINES, on_lines, bridge));
  GANTRY_TRY(bridge_search_start(bridge));
  GANTRY_TRY(bridge_commands_serve(bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_REGISTERS, on_registers, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_REGISTER_WRITE, on_register_write, bridge));
  return rpc_serve(server, REQUEST_ROBOT_REGISTERS_READ, on_registers_read, bridge);
}

static void bridge_finish(void **self) {
  bridge_t *bridge = *self;
  if (!bridge) return;
  loop_t *loop = bridge->service->loop;
  const int timers[] = {bridge->tick_timer,       bridge->safety_timer,
                        bridge->status_timer,     bridge->module_timer,
                        bridge->search_timer,     bridge->stop.deadline_alarm,
                        bridge->stop.retry_alarm, bridge->motors.hold_timer};
  for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
    if (timers[i]) loop_cancel(loop, timers[i]);
  if (bridge->lidar) loop_unwatch(loop, lidar_port_fd(bridge->lidar));
  if (bridge->latch) loop_unwatch(loop, latch_keeper_fd(bridge->latch));
  bridge_close_ports(bridge);
  bridge_keep_stop(bridge);
  bridge_recorder_stop(bridge);
  latch_keeper_destroy(&bridge->latch);
  lidar_port_destroy(&bridge->lidar);
  if (bridge->wake_fd >= 0) (void)close(bridge->wake_fd);
  bridge_drop_profiles(bridge);
  free(bridge->values);
  free(bridge->lines);
  free(bridge);
  *self = NULL;
}

static gantry_err_t bridge_begin(service_t *service, void **self, gantry_fault_t *fault) {
  bridge_t *bridge = calloc(1, sizeof *bridge);
  if (!bridge) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  *self = bridge;
  bridge->service = service;
  bridge->wake_fd = -1;
  GANTRY_TRY(bridge_check_settings(service->config, fault));
  bridge->lines = calloc(LINES_MAX, sizeof *bridge->lines);
  bridge->values = calloc(1, sizeof *bridge->values);
  if (!bridge->lines || !bridge->values)
    return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  GANTRY_TRY(bridge_load_profile(bridge, fault));
  init_cores(bridge);
  init_metrics(bridge);
  GANTRY_TRY(init_latch(bridge));
  bridge_commands_init(bridge);
  GANTRY_TRY(bridge_stop_prepare(bridge));
  GANTRY_TRY(bridge_watch_start(bridge));
  GANTRY_TRY(bridge_trip_start(bridge, fault));
  GANTRY_TRY(serve(bridge));
  GANTRY_TRY(bridge_keep_start(bridge));
  GANTRY_TRY(bridge_recorder_start(bridge));
  GANTRY_TRY(bridge_settings_start(bridge));
  GANTRY_TRY(bridge_open_ports(bridge, fault));
  init_poll_metrics(bridge);
  GANTRY_TRY(open_lidar(bridge, fault));
  hold_wake_latency(bridge);
  bridge->tick_timer = loop_every(service->loop, TICK_MS, on_tick, bridge);
  bridge->status_timer = loop_every(service->loop, STATUS_MS, bridge_publish_status, bridge);
  bridge->safety_timer = loop_every(service->loop, SAFETY_MS, on_safety_tick, bridge);
  bridge->module_timer = loop_every(service->loop, MODULES_MS, on_module_tick, bridge);
  bridge_publish_safety(bridge);
  return GANTRY_OK;
}

static void bridge_health(void *self, sys_health_t *out) {
  bridge_t *bridge = self;
  const bridge_line_t *line = &bridge->lines[0];
  out->status = SYS_STATUS_DEGRADED;
  if (bridge->port && !line->open)
    (void)snprintf(out->detail, sizeof out->detail, "RS485: %s; retrying", line->detail);
  else if (bridge_missing(bridge, out->detail, sizeof out->detail))
    return;
  else if (bridge->latch_lost)
    (void)snprintf(out->detail, sizeof out->detail,
                   "the latch cannot be written to the data folder; make it writable or free the "
                   "disk");
  else if (bridge->lidar && !bridge->lidar_open)
    (void)snprintf(out->detail, sizeof out->detail, "LiDAR: %s; retrying", bridge->lidar_detail);
  else if (bridge->lidar && bridge->watch.said & 1u << WARN_LIDAR_BLIND)
    (void)snprintf(out->detail, sizeof out->detail, "%s", supervisor_words(WARN_LIDAR_BLIND));
  else
    out->status = SYS_STATUS_READY;
}

/* The table of options is complete only at run time of the linker; its count is taken from there.
 */
const service_def_t RS485_BRIDGE = {
    .name = "rs485-bridge",
    .doc = "Reads the modules and the LiDAR, owns the robot's state and its stop.",
    .options = BRIDGE_OPTIONS,
    .option_count = BRIDGE_OPTION_COUNT,
    .start = bridge_begin,
    .stop = bridge_finish,
    .health = bridge_health,
    .realtime = true, /* a stop waits for no map */
};
