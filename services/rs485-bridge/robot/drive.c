/* Ramp and dead man. */
#include "drive.h"

#include <math.h>
#include <string.h>

#define NS_PER_MS    UINT64_C(1000000)
#define FULL_SCALE   255.0
#define STEP_MAX_S   0.2 /* a longer pause does not become a jump */
#define FIRST_STEP_S 0.02

void drive_init(drive_t *drive, const drive_cfg_t *cfg) {
  memset(drive, 0, sizeof *drive);
  drive->cfg = *cfg;
  if (drive->cfg.full_scale <= 0.0) drive->cfg.full_scale = FULL_SCALE;
  drive_set_limits(drive, 1.0, 1.0, cfg->max_mps);
}

void drive_set_limits(drive_t *drive, double accel_share, double decel_share, double limit_mps) {
  drive->accel_mps2 = accel_share * drive->cfg.accel_mps2;
  drive->decel_mps2 = decel_share * drive->cfg.decel_mps2;
  drive->limit_mps = fmin(limit_mps, drive->cfg.max_mps);
}

void drive_aim(drive_t *drive, double speed_mps) {
  drive->target_mps = speed_mps;
  drive->hold_until_ns = 0;
}

void drive_command(drive_t *drive, double share, bool backward, uint32_t hold_ms, uint64_t now_ns) {
  double speed_mps = fmin(fmax(share, 0.0), 1.0) * drive->cfg.max_mps;
  drive->target_mps = backward ? -speed_mps : speed_mps;
  drive->hold_until_ns = now_ns + hold_ms * NS_PER_MS;
}

void drive_halt(drive_t *drive) {
  drive->target_mps = 0.0;
  drive->hold_until_ns = 0;
}

void drive_cut(drive_t *drive) {
  drive_halt(drive);
  drive->setpoint_mps = 0.0;
}

static double approach(double from, double to, double accel, double decel, double dt_s) {
  if (from * to < 0.0) to = 0.0; /* through standstill before the other way */
  double limit = (fabs(to) > fabs(from) ? accel : decel) * dt_s;
  return fabs(to - from) <= limit ? to : from + copysign(limit, to - from);
}

drive_end_t drive_step(drive_t *drive, double factor, uint64_t now_ns) {
  double dt_s = drive->stepped_ns ? (double)(now_ns - drive->stepped_ns) * 1e-9 : FIRST_STEP_S;
  drive->stepped_ns = now_ns;
  if (drive->hold_until_ns != 0 && now_ns >= drive->hold_until_ns) {
    drive_cut(drive);
    return DRIVE_LET_GO;
  }
  double limited_mps = fmin(fmax(drive->target_mps, -drive->limit_mps), drive->limit_mps);
  double target_mps = limited_mps * fmin(fmax(factor, 0.0), 1.0);
  drive->setpoint_mps = approach(drive->setpoint_mps, target_mps, drive->accel_mps2,
                                 drive->decel_mps2, fmin(dt_s, STEP_MAX_S));
  return drive_rests(drive) ? DRIVE_RESTS : DRIVE_GOES;
}

bool drive_rests(const drive_t *drive) {
  return drive->target_mps == 0.0 && drive->setpoint_mps == 0.0;
}

uint32_t drive_hold_ms(const drive_t *drive, uint64_t now_ns) {
  if (drive->hold_until_ns <= now_ns) return 0;
  return (uint32_t)((drive->hold_until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

drive_words_t drive_get_words(const drive_t *drive) {
  double counts =
      round(fabs(drive->setpoint_mps) / drive->cfg.full_scale_mps * drive->cfg.full_scale);
  if (counts < 1.0) return (drive_words_t){0, 0, 0};
  return (drive_words_t){.enable = 1,
                         .speed = (uint16_t)fmin(counts, drive->cfg.full_scale),
                         .direction = drive->setpoint_mps < 0.0 ? 2 : 1};
}
