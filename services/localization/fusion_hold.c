/* What a rail says of the estimate: it is on the line and heads along it; and where on the line,
   when the middle of a tag was passed. */
#include <math.h>

#include "fusion.h"

#define HOLD_GATE                                                                                  \
  25.0 /* farther beside the line: the robot does not hang on it, or it is wrong                   \
        */

bool fusion_hold(fusion_t *fusion, pose2_t on, double sigma_m, double sigma_rad) {
  gantry_err_t err = eskf_update_line(&fusion->eskf, on.x, on.y, on.theta, sigma_m,
                                      HOLD_GATE * fusion->rule.gate, NULL);
  if (err != GANTRY_OK) return false;
  eskf_update_heading(&fusion->eskf, on.theta, sigma_rad, 0, NULL);
  return true;
}

bool fusion_hold_along(fusion_t *fusion, uint64_t time_ns, pose2_t on, double sigma_m) {
  double factor = confidence_covariance_factor(fusion->rule.confidence.weights[CONFIDENCE_RFID]);
  double nis = 0;
  gantry_err_t err =
      eskf_update_line(&fusion->eskf, on.x, on.y, wrap_rad(on.theta + M_PI_2),
                       sigma_m * sqrt(fmax(factor, 1)), ESKF_GATE_1 * fusion->rule.gate, &nis);
  fusion->nis = nis;
  if (err != GANTRY_OK) return false;
  fusion->method_ns[FUSION_RFID] = time_ns;
  return true;
}
