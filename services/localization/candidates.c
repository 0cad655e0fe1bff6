/* A short table, each row weighed by the scans since. */
#include "candidates.h"

#include <math.h>

#define SAME_M      1.0
#define SAME_RAD    0.35
#define STRIKES_MAX 2
#define SCANS_MIN   2    /* the one that was searched with, and one that confirms */
#define LEAD_MIN    0.02 /* how much better than the next the best must fit: this, ... */
#define LEAD_MAX    0.10 /* ... and more the less it fits itself, up to this */

void candidates_clear(candidates_t *candidates) {
  candidates->count = 0;
}

static bool same(pose2_t a, pose2_t b) {
  return pose2_distance(a, b) < SAME_M && fabs(wrap_rad(a.theta - b.theta)) < SAME_RAD;
}

static candidate_t *poorest(candidates_t *candidates) {
  candidate_t *found = &candidates->rows[0];
  for (uint32_t i = 1; i < candidates->count; i++)
    if (candidates->rows[i].fit < found->fit) found = &candidates->rows[i];
  return found;
}

void candidates_propose(candidates_t *candidates, pose2_t pose, double fit) {
  for (uint32_t i = 0; i < candidates->count; i++)
    if (same(candidates->rows[i].pose, pose)) return;
  candidate_t row = {.pose = pose, .fit = fit, .scans = 1};
  if (candidates->count < CANDIDATES_MAX) {
    candidates->rows[candidates->count++] = row;
    return;
  }
  candidate_t *last = poorest(candidates);
  if (last->fit < fit) *last = row;
}

void candidates_carry(candidates_t *candidates, pose2_t way) {
  for (uint32_t i = 0; i < candidates->count; i++)
    candidates->rows[i].pose = pose2_compose(candidates->rows[i].pose, way);
}

void candidates_weigh(candidates_t *candidates, uint32_t i, pose2_t pose, double fit,
                      double fit_min) {
  candidate_t *row = &candidates->rows[i];
  row->strikes = fit < fit_min ? row->strikes + 1 : 0;
  row->scans++;
  row->fit += (fit - row->fit) / row->scans;
  if (fit >= fit_min) row->pose = pose;
}

/* Whether an earlier row is the same place by now. */
static bool repeated(const candidates_t *candidates, uint32_t i) {
  for (uint32_t k = 0; k < i; k++)
    if (same(candidates->rows[k].pose, candidates->rows[i].pose)) return true;
  return false;
}

candidates_verdict_t candidates_settle(candidates_t *candidates, candidate_t *out) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < candidates->count; i++) {
    candidates->rows[kept] = candidates->rows[i];
    if (candidates->rows[i].strikes < STRIKES_MAX && !repeated(candidates, kept)) kept++;
  }
  candidates->count = kept;
  if (kept == 0) return CANDIDATES_NONE;
  *out = candidates->rows[0];
  for (uint32_t i = 1; i < kept; i++)
    if (candidates->rows[i].fit > out->fit) *out = candidates->rows[i];
  double lead = fmin(LEAD_MIN + (1 - out->fit), LEAD_MAX);
  uint32_t rivals = 0;
  for (uint32_t i = 0; i < kept; i++)
    rivals += candidates->rows[i].fit > out->fit - lead;
  bool confirmed = out->scans >= SCANS_MIN && out->strikes == 0;
  return rivals == 1 && confirmed ? CANDIDATES_FOUND : CANDIDATES_OPEN;
}
