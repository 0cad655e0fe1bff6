/* First and last sighting of the tag at hand. */
#include "passing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GONE_NS     300000000u /* not seen for this long, or for two and a half readings */
#define WIDTH_MIN   0.6        /* of the circle's diameter: less was a turn back, or its edge */
#define WIDTH_MAX   1.3
#define SIGMA_MIN_M 0.005
#define BACK_M      0.02 /* a robot that went back and forth was not passing */

static bool ended(passing_t *passing, double radius_m, pass_t *out) {
  double width_m = fabs(passing->last_m - passing->first_m);
  bool forth = passing->greatest_m - passing->least_m <= width_m + BACK_M;
  bool whole = width_m >= WIDTH_MIN * 2 * radius_m && width_m <= WIDTH_MAX * 2 * radius_m;
  *out = (pass_t){.wheel_m = (passing->first_m + passing->last_m) / 2};
  memcpy(out->tag, passing->tag, sizeof out->tag);
  /* Both ends are known to what was left of the circle: uniform, so 1 / sqrt(24) of it. */
  out->sigma_m = fmax(fabs(2 * radius_m - width_m) / sqrt(24), SIGMA_MIN_M);
  passing->tag[0] = '\0';
  return forth && whole;
}

bool passing_seen(passing_t *passing, const char *tag, uint64_t time_ns, double wheel_m,
                  double radius_m, pass_t *out) {
  bool same = strcmp(passing->tag, tag) == 0, done = false;
  if (!same && passing->tag[0] != '\0') done = ended(passing, radius_m, out);
  if (!same) {
    *passing = (passing_t){
        .last_ns = time_ns, .first_m = wheel_m, .least_m = wheel_m, .greatest_m = wheel_m};
    (void)snprintf(passing->tag, sizeof passing->tag, "%s", tag);
  }
  uint64_t since_ns = time_ns > passing->last_ns ? time_ns - passing->last_ns : 0;
  if (since_ns > passing->longest_ns) passing->longest_ns = since_ns;
  passing->last_ns = time_ns;
  passing->last_m = wheel_m;
  passing->least_m = fmin(passing->least_m, wheel_m);
  passing->greatest_m = fmax(passing->greatest_m, wheel_m);
  return done;
}

bool passing_tick(passing_t *passing, uint64_t now_ns, double radius_m, pass_t *out) {
  if (passing->tag[0] == '\0' || now_ns <= passing->last_ns) return false;
  uint64_t gone_ns = passing->longest_ns * 5 / 2;
  if (gone_ns < GONE_NS) gone_ns = GONE_NS;
  return now_ns - passing->last_ns > gone_ns && ended(passing, radius_m, out);
}
