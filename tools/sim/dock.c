/* The docking sequence: approaching, aligning, docking, docked; undocking; calibrating; faults. */
#include "dock.h"

#include <math.h>

#define STANDSTILL_MPS 0.003
#define LEFT_M         0.05 /* farther from the mark a docked robot has left */
#define LEFT_SHARE     0.95 /* of the approach distance: undocked, within a robot's precision */
#define ASKEW_S        1.0  /* at the mark and still askew: it will not get better */
#define CALIBRATE_S    2.0
#define STEER_PER_S    2.0 /* speed a metre of distance, near the mark */
#define STEER_MIN_MPS  0.002

static void fail(dock_t *dock, uint16_t status, uint16_t code) {
  if (dock->status & DOCK_BUSY) dock->failed++;
  dock->status = status;
  dock->fault_code = code;
  dock->fault_count++;
}

void dock_fail(dock_t *dock, uint16_t code) {
  fail(dock, DOCK_FAULT, code);
}

void dock_enable(dock_t *dock, bool on) {
  dock->disabled = !on;
  if (!on && (dock->status & DOCK_BUSY)) dock->status = 0;
}

dock_outcome_t dock_start(dock_t *dock, double now_s) {
  if (dock->disabled || (dock->status & DOCK_ESTOP)) return DOCK_REFUSED;
  if (dock->status & (DOCK_UNDOCKING | DOCK_CALIBRATING)) return DOCK_OCCUPIED;
  dock->status = DOCK_APPROACHING;
  dock->fault_code = 0;
  dock->started_s = now_s;
  dock->tries = 0;
  dock->rests = dock->beyond = false;
  return DOCK_TAKEN;
}

void dock_stop(dock_t *dock) {
  if (dock->status & DOCK_DOCKED)
    dock->status = DOCK_UNDOCKING;
  else if (!(dock->status & (DOCK_FAULT | DOCK_ESTOP)))
    dock->status = 0;
}

void dock_estop(dock_t *dock) {
  if (!(dock->status & DOCK_ESTOP)) fail(dock, DOCK_ESTOP, DOCK_FAULT_ESTOP);
}

void dock_clear(dock_t *dock) {
  if (dock->status & (DOCK_FAULT | DOCK_ESTOP)) dock->status = 0;
  dock->fault_code = 0;
}

dock_outcome_t dock_calibrate(dock_t *dock, double now_s) {
  if (dock->disabled || (dock->status & DOCK_ESTOP)) return DOCK_REFUSED;
  if (dock->status & (DOCK_BUSY | DOCK_UNDOCKING | DOCK_CALIBRATING)) return DOCK_OCCUPIED;
  dock->status = DOCK_CALIBRATING;
  dock->started_s = now_s;
  return DOCK_TAKEN;
}

/* A robot that came to rest beyond the mark has missed it; it may try again. */
static void count_misses(dock_t *dock, const dock_limits_t *limits, const dock_look_t *look) {
  bool beyond = dock->rests && look->distance_m < -limits->accuracy_m;
  if (beyond && !dock->beyond && ++dock->tries > limits->retries)
    fail(dock, DOCK_FAULT, DOCK_FAULT_POSITION);
  if (beyond || look->distance_m > 0.0) dock->beyond = beyond;
}

static void update_busy(dock_t *dock, const dock_limits_t *limits, const dock_look_t *look) {
  bool near = fabs(look->distance_m) <= limits->approach_m;
  bool straight = fabs(look->angle_rad) <= limits->tolerance_rad;
  bool at_mark = fabs(look->distance_m) <= limits->accuracy_m && dock->rests;
  double rested_s = look->now_s - dock->since_s;
  dock->status = !near ? DOCK_APPROACHING : straight ? DOCK_DOCKING : DOCK_ALIGNING;
  if (at_mark && straight && rested_s >= limits->debounce_s) {
    dock->status = DOCK_DOCKED;
    dock->done++;
    dock->last_ms = (uint16_t)fmin(65535.0, (look->now_s - dock->started_s) * 1000.0);
  } else if (at_mark && !straight && rested_s >= ASKEW_S) {
    fail(dock, DOCK_FAULT, DOCK_FAULT_ALIGNMENT);
  } else if (look->now_s - dock->started_s > limits->timeout_s) {
    fail(dock, DOCK_FAULT, DOCK_FAULT_TIMEOUT);
  } else {
    count_misses(dock, limits, look);
  }
}

static void update_calibration(dock_t *dock, const dock_look_t *look) {
  if (fabs(look->speed_mps) >= STANDSTILL_MPS)
    fail(dock, DOCK_FAULT, DOCK_FAULT_CALIBRATION);
  else if (look->now_s - dock->started_s >= CALIBRATE_S)
    dock->status = 0;
}

void dock_update(dock_t *dock, const dock_limits_t *limits, const dock_look_t *look) {
  bool rests = fabs(look->speed_mps) < STANDSTILL_MPS;
  if (rests && !dock->rests) dock->since_s = look->now_s;
  dock->rests = rests;
  if (look->estop) {
    if (dock->status & (DOCK_BUSY | DOCK_CALIBRATING)) dock_estop(dock);
    return;
  }
  if (dock->status & DOCK_BUSY) update_busy(dock, limits, look);
  if (dock->status & DOCK_CALIBRATING) update_calibration(dock, look);
  if ((dock->status & DOCK_DOCKED) && fabs(look->distance_m) > LEFT_M)
    dock->status = DOCK_UNDOCKING;
  if ((dock->status & DOCK_UNDOCKING) && fabs(look->distance_m) > LEFT_SHARE * limits->approach_m)
    dock->status = 0;
}

double dock_steer_mps(const dock_t *dock, double distance_m, double accuracy_m, double wanted_mps) {
  double ahead_m = wanted_mps < 0.0 ? -distance_m : distance_m;
  if (dock->status & DOCK_DOCKED)
    return wanted_mps > 0.0 && fabs(distance_m) <= LEFT_M ? 0.0 : wanted_mps;
  if (!(dock->status & DOCK_BUSY)) return wanted_mps;
  if (fabs(distance_m) <= 0.5 * accuracy_m) return 0.0;
  if (ahead_m < 0.0) return wanted_mps;
  double most_mps = STEER_PER_S * ahead_m + STEER_MIN_MPS;
  return copysign(fmin(fabs(wanted_mps), most_mps), wanted_mps);
}
