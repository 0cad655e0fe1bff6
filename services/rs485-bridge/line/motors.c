/* Frames to and from the motors, from the profile's register names. */
#include "motors.h"

#include <string.h>

#define SPARE_LENGTHS 10 /* of a read-back: one that no late answer has is left */

static motor_frame_t enable_alone(const motor_wiring_t *motor) {
  return (motor_frame_t){
      .first = motor->enable->address, .count = 1, .most = 1, .enable_at = 0, .setpoint_at = -1};
}

static motor_frame_t setpoint_alone(const motor_wiring_t *motor) {
  return (motor_frame_t){
      .first = motor->setpoint->address, .count = 1, .most = 1, .enable_at = -1, .setpoint_at = 0};
}

/* Both, and what lies between them. */
static motor_frame_t both_of(const motor_wiring_t *motor) {
  uint16_t enable = motor->enable->address, setpoint = motor->setpoint->address;
  uint16_t first = enable < setpoint ? enable : setpoint;
  uint16_t count = (uint16_t)((enable < setpoint ? setpoint : enable) - first + 1);
  return (motor_frame_t){.first = first,
                         .count = count,
                         .most = count,
                         .enable_at = enable - first,
                         .setpoint_at = setpoint - first};
}

static bool may_read(const register_module_t *module, uint16_t first, uint32_t count) {
  return registers_readable(module, first, first + count, false);
}

static void plan_reads(motor_wiring_t *motor, const register_module_t *module) {
  motor_frame_t both = both_of(motor);
  bool one = both.count <= JOB_WRITE_MAX && may_read(module, both.first, both.count);
  motor->read_count = one ? 1 : 2;
  motor->reads[0] = one ? both : enable_alone(motor);
  motor->reads[1] = setpoint_alone(motor);
  for (size_t i = 0; i < motor->read_count; i++) {
    motor_frame_t *read = &motor->reads[i];
    while (read->most < read->count + SPARE_LENGTHS &&
           may_read(module, read->first, read->most + 1u))
      read->most++;
  }
}

static void wire(motor_wiring_t *motor, const register_profile_t *profile,
                 const register_motor_t *row) {
  const register_module_t *module = &profile->modules[row->module];
  *motor = (motor_wiring_t){.unit = module->address,
                            .enable = row->enable,
                            .setpoint = row->setpoint,
                            .turn = row->direction,
                            .forward = row->forward,
                            .reverse = row->reverse,
                            .full_scale = row->full_scale};
  motor_frame_t both = both_of(motor);
  motor->write_count = both.count == 2 ? 1 : 2;
  motor->writes[0] = both.count == 2 ? both : enable_alone(motor);
  motor->writes[1] = setpoint_alone(motor);
  plan_reads(motor, module);
}

static void add_stops(motors_t *motors, size_t frame, bool read) {
  for (size_t i = 0; i < motors->count; i++) {
    const motor_wiring_t *motor = &motors->motors[i];
    if (frame >= (read ? motor->read_count : motor->write_count)) continue;
    motors->stops[motors->stop_count++] =
        (motor_stop_t){.motor = (uint8_t)i, .frame = (uint8_t)frame, .read = read};
  }
}

void motors_init(motors_t *motors, const register_profile_t *profile) {
  memset(motors, 0, sizeof *motors);
  for (size_t i = 0; i < profile->motor_count && i < MOTORS_MAX; i++)
    wire(&motors->motors[motors->count++], profile, &profile->motors[i]);
  for (int read = 0; read < 2; read++)
    for (size_t frame = 0; frame < MOTOR_FRAMES_MAX; frame++)
      add_stops(motors, frame, read == 1);
}

static void fill_write(job_t *job, uint8_t unit, const motor_frame_t *frame) {
  job->unit = unit;
  job->function = frame->count == 1 ? LINE_WRITE_ONE : LINE_WRITE_MANY;
  job->first = frame->first;
  job->count = frame->count;
  job->least = job->most = 0;
  memset(job->values, 0, sizeof job->values);
}

void motors_speed_job(const motors_t *motors, size_t motor, size_t frame, uint16_t enable,
                      uint16_t setpoint, job_t *out) {
  const motor_frame_t *write = &motors->motors[motor].writes[frame];
  fill_write(out, motors->motors[motor].unit, write);
  if (write->enable_at >= 0) out->values[write->enable_at] = enable;
  if (write->setpoint_at >= 0) out->values[write->setpoint_at] = setpoint;
}

void motors_direction_job(const motors_t *motors, size_t motor, bool reverse, job_t *out) {
  const motor_wiring_t *wiring = &motors->motors[motor];
  const motor_frame_t frame = {.first = wiring->turn->address, .count = 1};
  fill_write(out, wiring->unit, &frame);
  out->values[0] = reverse ? wiring->reverse : wiring->forward;
}

void motors_stop_job(const motors_t *motors, size_t index, job_t *out) {
  const motor_stop_t *stop = &motors->stops[index];
  const motor_wiring_t *motor = &motors->motors[stop->motor];
  if (!stop->read) {
    motors_speed_job(motors, stop->motor, stop->frame, 0, 0, out);
    return;
  }
  out->unit = motor->unit;
  out->function = LINE_READ_HOLDING;
  out->first = motor->reads[stop->frame].first;
  out->count = out->least = motor->reads[stop->frame].count;
  out->most = motor->reads[stop->frame].most;
}

bool motors_stop_shows_off(const motors_t *motors, size_t index, const uint16_t *values) {
  const motor_stop_t *stop = &motors->stops[index];
  const motor_frame_t *read = &motors->motors[stop->motor].reads[stop->frame];
  if (!stop->read) return false;
  return (read->enable_at < 0 || values[read->enable_at] == 0) &&
         (read->setpoint_at < 0 || values[read->setpoint_at] == 0);
}

bool motors_owns(const motors_t *motors, uint8_t unit, const register_row_t *row) {
  for (size_t i = 0; i < motors->count; i++) {
    const motor_wiring_t *motor = &motors->motors[i];
    if (motor->unit != unit) continue;
    if (row == motor->enable || row == motor->setpoint || row == motor->turn) return true;
  }
  return false;
}
