/* Calibration: values given by hand, or a guided run, and the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"

static sensor_sensor_key_t key_of(const exchange_t *x) {
  const http_sensor_params_t *params = x->params;
  sensor_sensor_key_t key = {0};

  snprintf(key.sensor, sizeof key.sensor, "%s", params->sensor_id);
  return key;
}

/* ---- values or a run */

static void on_given(exchange_t *x, const void *reply) {
  const sensor_calibrated_t *calibrated = reply;
  http_sensor_calibrated_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->success = true;
  snprintf(answer->message, sizeof answer->message, "%s is calibrated.", calibrated->sensor);
  snprintf(answer->calibration_data, sizeof answer->calibration_data, "%s",
           calibrated->calibration);
  exchange_answer(x, answer);
  free(answer);
}

static void on_begun(exchange_t *x, const void *reply) {
  const sensor_calibration_run_t *run = reply;
  http_sensor_calibrated_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->success = true;
  snprintf(answer->message, sizeof answer->message, "%s",
           run->advice[0] ? run->advice : "The guided calibration collects readings.");
  snprintf(answer->calibration_data, sizeof answer->calibration_data, "%s", run->calibration);
  answer->has_run = true;
  answer->run = *run;
  exchange_answer(x, answer);
  free(answer);
}

/* The body, with the sensor of the path, as sensor.calibration_begin. */
static void begin_run(exchange_t *x, const char *body) {
  sensor_sensor_key_t key = key_of(x);
  sensor_calibration_begin_t begin;
  gantry_fault_t fault = {0};
  buf_t json = {.limit = 16u << 10};

  buf_put_text(&json, "{\"sensor\":");
  json_write_text(&json, key.sensor, strlen(key.sensor));
  buf_printf(&json, ",%s", body + 1);
  gantry_err_t err =
      json_read(&SENSOR_CALIBRATION_BEGIN_DESC, buf_text(&json), json.len, true, &begin, &fault);
  buf_fini(&json);
  if (err != GANTRY_OK)
    exchange_fail_fault(x, &fault);
  else
    exchange_call(x, REQUEST_SENSOR_CALIBRATION_BEGIN, &begin, on_begun, NULL);
}

static void on_calibrate(exchange_t *x) {
  const http_json_body_t *body = x->body;
  sensor_sensor_key_t key = key_of(x);
  sensor_calibrate_t calibrate = {0};
  char method[2];

  if (json_get_text(body->body, "method", method, sizeof method) != GANTRY_E_NOT_FOUND) {
    begin_run(x, body->body);
    return;
  }
  snprintf(calibrate.sensor, sizeof calibrate.sensor, "%s", key.sensor);
  snprintf(calibrate.calibration, sizeof calibrate.calibration, "%s", body->body);
  exchange_call(x, REQUEST_SENSOR_CALIBRATE, &calibrate, on_given, NULL);
}

/* ---- what is known: the run, then the history */

static void on_versions(exchange_t *x, const void *reply) {
  const sensor_calibration_versions_t *stored = reply;
  http_calibration_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  snprintf(answer->sensor_id, sizeof answer->sensor_id, "%s", key_of(x).sensor);
  answer->has_run = x->scratch.len == sizeof answer->run;
  if (answer->has_run) memcpy(&answer->run, x->scratch.data, sizeof answer->run);
  answer->versions_count = stored->versions_count;
  memcpy(answer->versions, stored->versions, sizeof answer->versions);
  exchange_answer(x, answer);
  free(answer);
}

static void on_no_versions(exchange_t *x, const gantry_fault_t *fault) {
  static const sensor_calibration_versions_t NONE;

  if (fault->err == GANTRY_E_NOT_FOUND && x->scratch.len)
    on_versions(x, &NONE);
  else
    exchange_fail_fault(x, fault);
}

static void ask_versions(exchange_t *x) {
  store_sensor_key_t key = {0};

  snprintf(key.sensor, sizeof key.sensor, "%s", key_of(x).sensor);
  exchange_call(x, REQUEST_STORE_CALIBRATIONS, &key, on_versions, on_no_versions);
}

static void on_run(exchange_t *x, const void *reply) {
  buf_put(&x->scratch, reply, sizeof(sensor_calibration_run_t));
  ask_versions(x);
}

static void on_no_run(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err == GANTRY_E_NOT_FOUND)
    ask_versions(x);
  else
    exchange_fail_fault(x, fault);
}

static void on_calibration(exchange_t *x) {
  sensor_sensor_key_t key = key_of(x);

  buf_reset(&x->scratch);
  exchange_call(x, REQUEST_SENSOR_CALIBRATION_STATE, &key, on_run, on_no_run);
}

/* ---- its end */

static void on_active(exchange_t *x, const void *reply) {
  const sensor_calibrated_t *calibrated = reply;
  http_calibration_active_t answer = {.timestamp = calibrated->time};

  snprintf(answer.sensor_id, sizeof answer.sensor_id, "%s", calibrated->sensor);
  snprintf(answer.calibration_data, sizeof answer.calibration_data, "%s", calibrated->calibration);
  exchange_answer(x, &answer);
}

static void on_activate(exchange_t *x) {
  sensor_sensor_key_t key = key_of(x);

  exchange_call(x, REQUEST_SENSOR_CALIBRATION_ACTIVATE, &key, on_active, NULL);
}

static void on_cancelled(exchange_t *x, const void *reply) {
  const sensor_sensor_key_t *key = reply;
  http_sensor_done_t done = {.success = true, .timestamp = clock_wall_ns()};

  snprintf(done.sensor_id, sizeof done.sensor_id, "%s", key->sensor);
  snprintf(done.message, sizeof done.message, "The guided calibration is given up.");
  exchange_answer(x, &done);
}

static void on_cancel(exchange_t *x) {
  sensor_sensor_key_t key = key_of(x);

  exchange_call(x, REQUEST_SENSOR_CALIBRATION_CANCEL, &key, on_cancelled, NULL);
}

static void on_rollback(exchange_t *x) {
  const http_calibration_back_t *body = x->body;
  sensor_calibration_rollback_t back = {.has_version = body->has_version, .version = body->version};

  snprintf(back.sensor, sizeof back.sensor, "%s", key_of(x).sensor);
  exchange_call(x, REQUEST_SENSOR_CALIBRATION_ROLLBACK, &back, on_active, NULL);
}

const call_route_t ROUTES_CALIBRATION[] = {
    {ENDPOINT_SENSORS_CALIBRATE, on_calibrate},
    {ENDPOINT_SENSORS_CALIBRATION, on_calibration},
    {ENDPOINT_SENSORS_CALIBRATION_ACTIVATE, on_activate},
    {ENDPOINT_SENSORS_CALIBRATION_CANCEL, on_cancel},
    {ENDPOINT_SENSORS_CALIBRATION_ROLLBACK, on_rollback},
    {0, NULL},
};
