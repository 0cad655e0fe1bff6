/* First and last sighting of the tag at hand. */
#include "passing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GONE_NS     300000000u /* not seen for this long, or for two and a half readings */
#define WIDTH_MIN   0.6        /* of the circle's diameter: less was a turn back, or its edge */
#define WIDTH_MAX   1.3
#define SIGMA_MIN_M 0.005
#define RISE_MIN    0.1  /* a signal that rises by less says nothing of the middle */
#define EDGE_SHARE  0.1  /* of the width: the edges are never known better */
#define PEAK_SHARE  0.4  /* of what the edges leave open stays open where the signal is known */
#define BACK_M      0.02 /* a robot that went back and forth was not passing */

/* Where the middle is of what the signal is above its weakest; NaN when it hardly changed. */
static double centroid_m(const passing_t *passing) {
  double way_m = passing->last_m - passing->first_m;
  double middle_m = (passing->first_m + passing->last_m) / 2;
  double area = passing->signal_way - passing->weakest * way_m;
  double moment = passing->signal_moment - passing->weakest * way_m * middle_m;
  if (passing->strongest - passing->weakest < RISE_MIN || area == 0) return NAN;
  double found_m = moment / area;
  return fabs(found_m - middle_m) <= fabs(way_m) / 4 ? found_m : NAN;
}

static bool ended(passing_t *passing, double radius_m, pass_t *out) {
  double width_m = fabs(passing->last_m - passing->first_m), peak_m = centroid_m(passing);
  bool forth = passing->greatest_m - passing->least_m <= width_m + BACK_M;
  bool whole = width_m >= WIDTH_MIN * 2 * radius_m && width_m <= WIDTH_MAX * 2 * radius_m;
  /* Each edge is known to the way between two readings: uniform. */
  double edge_m = fmax(fabs(2 * radius_m - width_m), width_m * EDGE_SHARE) / sqrt(12);
  bool peaks = isfinite(peak_m);
  *out = (pass_t){.wheel_m = peaks ? peak_m : (passing->first_m + passing->last_m) / 2,
                  .sigma_m = fmax(peaks ? edge_m * PEAK_SHARE : edge_m, SIGMA_MIN_M)};
  memcpy(out->tag, passing->tag, sizeof out->tag);
  passing->tag[0] = '\0';
  return forth && whole;
}

static void begin(passing_t *passing, const char *tag, uint64_t time_ns, double wheel_m,
                  double signal) {
  *passing = (passing_t){.last_ns = time_ns,
                         .first_m = wheel_m,
                         .last_m = wheel_m,
                         .least_m = wheel_m,
                         .greatest_m = wheel_m,
                         .weakest = signal,
                         .strongest = signal,
                         .newest = signal};
  (void)snprintf(passing->tag, sizeof passing->tag, "%s", tag);
}

bool passing_seen(passing_t *passing, const char *tag, uint64_t time_ns, double wheel_m,
                  double signal, double radius_m, pass_t *out) {
  bool same = strcmp(passing->tag, tag) == 0, done = false;
  if (!same && passing->tag[0] != '\0') done = ended(passing, radius_m, out);
  if (!same) begin(passing, tag, time_ns, wheel_m, signal);
  double way_m = wheel_m - passing->last_m, mean = (signal + passing->newest) / 2;
  passing->signal_way += mean * way_m;
  passing->signal_moment += mean * way_m * (wheel_m + passing->last_m) / 2;
  passing->newest = signal;
  passing->weakest = fmin(passing->weakest, signal);
  passing->strongest = fmax(passing->strongest, signal);
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
