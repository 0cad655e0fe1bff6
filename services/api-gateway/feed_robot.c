/* What the bridge tells of the robot and its lines, into the newest values. */
#include <math.h>
#include <string.h>

#include <gantry/clock.h>

#include "feed.h"

static const double PROGRESS_STEP = 0.02; /* worth a frame of its own */

static void on_motion(const frame_t *frame, const void *body, void *arg) {
  latest_t *latest = ((gateway_t *)arg)->latest;

  latest->motion = *(const robot_motion_t *)body;
  latest->motion_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_MOTION, latest->motion_at.heard_ns);
}

static void on_power(const frame_t *frame, const void *body, void *arg) {
  latest_t *latest = ((gateway_t *)arg)->latest;

  latest->power = *(const robot_power_t *)body;
  latest->power_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_POWER, latest->power_at.heard_ns);
}

static void on_safety(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  const robot_safety_t *safety = body;
  latest_t *latest = gateway->latest;

  if (safety->state != latest->safety.state || safety->latched != latest->safety.latched ||
      safety->zone != latest->safety.zone || safety->phase != latest->safety.phase) {
    gateway->feed->status_changed = true;
  }
  latest->safety = *safety;
  latest->safety_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_SAFETY, latest->safety_at.heard_ns);
}

static bool status_differs(const robot_status_t *now, const robot_status_t *before) {
  return now->state != before->state || now->mode != before->mode || now->word != before->word ||
         now->command_id != before->command_id || now->command_state != before->command_state ||
         now->preset != before->preset || now->ready != before->ready ||
         strcmp(now->waits_for, before->waits_for) != 0 ||
         strcmp(now->degraded, before->degraded) != 0 ||
         fabs(now->progress - before->progress) >= PROGRESS_STEP;
}

static void on_status(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  latest_t *latest = gateway->latest;

  if (status_differs(body, &latest->status)) gateway->feed->status_changed = true;
  latest->status = *(const robot_status_t *)body;
  latest->status_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_STATUS, latest->status_at.heard_ns);
}

static void on_limits(const frame_t *frame, const void *body, void *arg) {
  latest_t *latest = ((gateway_t *)arg)->latest;

  latest->limits = *(const robot_limits_t *)body;
  latest->limits_at = latest_stamp(frame, clock_mono_ns());
}

static void on_led(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  latest_t *latest = gateway->latest;

  if (memcmp(body, &latest->led, sizeof latest->led) != 0) gateway->feed->status_changed = true;
  latest->led = *(const robot_led_t *)body;
  latest->led_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_LED, latest->led_at.heard_ns);
}

void feed_discovery(gateway_t *gateway, const robot_discovery_t *discovery, const stamp_t *at) {
  latest_t *latest = gateway->latest;
  bool state = discovery->state != latest->discovery.state;
  bool progress = fabs(discovery->progress - latest->discovery.progress) >= PROGRESS_STEP;

  if (state || progress) {
    gateway->feed->status_changed = true;
    feed_scan_changed(gateway, discovery, state);
  }
  latest->discovery = *discovery;
  latest->discovery_at = *at;
}

static void on_discovery(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  stamp_t at = latest_stamp(frame, clock_mono_ns());

  feed_discovery(gateway, body, &at);
  latest_note(gateway->latest, LATEST_RATE_DISCOVERY, at.heard_ns);
}

static void on_module(const frame_t *frame, const void *body, void *arg) {
  const robot_module_t *module = body;
  gateway_t *gateway = arg;
  latest_t *latest = gateway->latest;
  latest_module_t *row = latest_module(latest, latest_port(module), module->address);

  if (!row) return;
  bool known = row->at.known;
  robot_module_status_t before = row->module.status;
  row->module = *module;
  row->at = latest_stamp(frame, clock_mono_ns());
  if (!known || before != module->status) feed_module_changed(gateway, row, known, before);
  latest_drop_modules(latest, row->at.heard_ns);
}

static void on_line(const frame_t *frame, const void *body, void *arg) {
  const robot_line_t *line = body;
  latest_line_t *row = latest_line(((gateway_t *)arg)->latest, line->port);

  if (!row) return;
  row->line = *line;
  row->at = latest_stamp(frame, clock_mono_ns());
}

gantry_err_t feed_robot_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {
      {TOPIC_ROBOT_MOTION, on_motion}, {TOPIC_ROBOT_SAFETY, on_safety},
      {TOPIC_ROBOT_POWER, on_power},   {TOPIC_ROBOT_STATUS, on_status},
      {TOPIC_ROBOT_LED, on_led},       {TOPIC_ROBOT_DISCOVERY, on_discovery},
      {TOPIC_ROBOT_LINE, on_line},     {TOPIC_ROBOT_MODULE, on_module},
      {TOPIC_ROBOT_LIMITS, on_limits},
  };

  return feed_subscribe(gateway, ROWS, sizeof ROWS / sizeof ROWS[0], fault);
}
