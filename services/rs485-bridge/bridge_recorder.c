/* Telemetry for the history: each interval one record of what is known of the robot, as a reading
   of sensor `robot`. It goes the way of all readings: outbox, storage, thirty days. */
#include "bridge_internal.h"

#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#define FRESH_NS       (3 * (uint64_t)GANTRY_NS_PER_S)
#define MOTION_NS      (500 * (uint64_t)GANTRY_NS_PER_MS)
#define RECORDER_WHOSE "robot"

static bool is_fresh(uint64_t heard_ns, uint64_t now_ns, uint64_t age_ns) {
  return heard_ns != 0 && now_ns - heard_ns <= age_ns;
}

static void fill(bridge_t *bridge, uint64_t now_ns, robot_telemetry_t *out) {
  const power_state_t *power = &bridge->power;
  *out = (robot_telemetry_t){
      .state = (robot_fsm_state_t)bridge->robot.state,
      .word = (robot_word_t)word_of(bridge->robot.state, power->charging == ROBOT_CHARGE_CHARGING),
      .mode = (robot_mode_t)bridge->commands.mode,
      .latched = bridge->robot.latched,
      .zone = (robot_zone_t)bridge->verdict.zone,
      .setpoint = bridge->drive.setpoint_mps,
      .has_speed = is_fresh(bridge->motion_ns, now_ns, MOTION_NS)};
  if (out->has_speed) out->speed = bridge->motion.speed_mps;
  out->has_docked = is_fresh(bridge->dock.heard_ns, now_ns, FRESH_NS);
  out->docked = out->has_docked && (bridge->dock.status & DOCK_DOCKED) != 0;
  if (!is_fresh(bridge_told_ns(bridge, "power"), now_ns, FRESH_NS)) return;
  out->has_voltage = out->has_current = out->has_charge = (power->known & POWER_BATTERY) != 0;
  out->has_temperature = (power->known & POWER_TEMPERATURE) != 0;
  out->voltage = power->voltage;
  out->current = power->current;
  out->charge = power->charge;
  out->temperature = power->temperature;
}

/* Said when records begin to be lost and when that is over, counted each time. */
static void count(bridge_recorder_t *recorder, bool kept) {
  if (kept && recorder->losing)
    log_info("TELEMETRY-KEPT", "telemetry is kept again; %llu records were lost",
             (unsigned long long)(recorder->unkept - recorder->kept_until));
  if (!kept && !recorder->losing) {
    recorder->kept_until = recorder->unkept;
    log_warn("TELEMETRY-LOST", "telemetry is not kept: the outbox has no room; look after the disk "
                               "and after storage");
  }
  recorder->losing = !kept;
  if (kept) return;
  recorder->unkept++;
  metric_add(recorder->unkept_metric, 1);
}

static void record(void *arg) {
  bridge_t *bridge = arg;
  bridge_recorder_t *recorder = &bridge->recorder;
  sensor_readings_t *batch = recorder->batch;
  uint64_t wall_ns = clock_wall_ns();
  robot_telemetry_t telemetry;
  fill(bridge, clock_mono_ns(), &telemetry);
  buf_reset(&recorder->text);
  bool written = json_write(&ROBOT_TELEMETRY_DESC, &telemetry, &recorder->text) == GANTRY_OK;
  buf_put_byte(&recorder->text, 0);
  if (!written || buf_err(&recorder->text) != GANTRY_OK) {
    count(recorder, false);
    return;
  }
  batch->time[0] = wall_ns;
  batch->number[0] = ++recorder->samples;
  batch->objects = (blob_t){.data = recorder->text.data, .len = recorder->text.len};
  recorder->newest_wall_ns = wall_ns;
  count(recorder,
        bus_publish(bridge->service->bus, TOPIC_SENSOR_READINGS, NULL, batch) == GANTRY_OK);
}

gantry_err_t bridge_recorder_start(bridge_t *bridge) {
  sensor_readings_t *batch = calloc(1, sizeof *batch);
  bridge->recorder.batch = batch;
  bridge->recorder.text.limit = 4096;
  bridge->recorder.stopped = true;
  bridge->recorder.unkept_metric =
      metrics_counter(bridge->service->metrics, "gantry_telemetry_unkept_total", "",
                      "Telemetry records that the outbox had no room for.");
  if (!batch) return GANTRY_E_INTERNAL;
  batch->series_count = 1;
  memcpy(batch->series[0].sensor, RECORDER_WHOSE, sizeof RECORDER_WHOSE);
  memcpy(batch->series[0].type, "telemetry", sizeof "telemetry");
  batch->series[0].source = bridge->source;
  batch->which_count = batch->time_count = batch->number_count = batch->value_count = 1;
  batch->quality_count = batch->validity_count = batch->which_objects_count = 1;
  batch->quality[0] = 1.0f;
  return GANTRY_OK;
}

void bridge_recorder_set(bridge_t *bridge, uint32_t interval_ms, bool stopped) {
  bridge_recorder_t *recorder = &bridge->recorder;
  loop_t *loop = bridge->service->loop;
  if (recorder->interval_ms == interval_ms && recorder->stopped == stopped) return;
  if (recorder->timer) loop_cancel(loop, recorder->timer);
  recorder->timer = stopped ? 0 : loop_every(loop, interval_ms, record, bridge);
  recorder->interval_ms = interval_ms;
  recorder->stopped = stopped || recorder->timer == 0;
}

void bridge_recorder_stop(bridge_t *bridge) {
  bridge_recorder_t *recorder = &bridge->recorder;
  if (recorder->timer) loop_cancel(bridge->service->loop, recorder->timer);
  buf_fini(&recorder->text);
  free(recorder->batch);
}
