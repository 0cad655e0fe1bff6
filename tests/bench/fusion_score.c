/* The baseline and the scores of a drive. */
#include <math.h>
#include <stdlib.h>

#include "fusion_course.h"

#define WINDOW_S    5.0
#define CHI2_95     7.815 /* of three degrees of freedom */
#define W_TAG       0.4
#define W_MOTION    0.3
#define W_LIDAR     0.1
#define TAG_SURE    0.95
#define MOTION_SURE 0.6
#define AGREED_SURE 0.8

void naive_begin(naive_t *naive, pose2_t pose, bool carries) {
  *naive = (naive_t){.carries = carries, .pose = pose, .tag_s = -1e9, .scan_s = -1e9};
}

void naive_tag(naive_t *naive, double time_s, double x_m, double y_m, pose2_t antenna) {
  double c = cos(naive->pose.theta), s = sin(naive->pose.theta);
  naive->tag = (pose2_t){x_m - c * antenna.x + s * antenna.y, y_m - s * antenna.x - c * antenna.y,
                         naive->pose.theta};
  naive->tag_s = time_s;
}

void naive_scan(naive_t *naive, double time_s, pose2_t pose, double quality) {
  naive->scan = pose;
  naive->scan_s = time_s;
  naive->scan_quality = quality;
}

typedef struct mean {
  double weight, x, y, turn_weight, c, s;
} mean_t;

static void add(mean_t *mean, pose2_t pose, double weight, bool tells_heading) {
  mean->weight += weight;
  mean->x += weight * pose.x;
  mean->y += weight * pose.y;
  if (!tells_heading) return;
  mean->c += weight * cos(pose.theta);
  mean->s += weight * sin(pose.theta);
}

void naive_step(naive_t *naive, double time_s, pose2_t way, bool proximity) {
  mean_t mean = {0};
  bool tag = time_s - naive->tag_s <= WINDOW_S, scan = time_s - naive->scan_s <= WINDOW_S;
  if (naive->carries && tag && naive->tag_s < time_s) naive->tag = pose2_compose(naive->tag, way);
  if (naive->carries && scan && naive->scan_s < time_s)
    naive->scan = pose2_compose(naive->scan, way);
  add(&mean, pose2_compose(naive->pose, way), W_MOTION * (proximity ? AGREED_SURE : MOTION_SURE),
      true);
  if (tag) add(&mean, naive->tag, W_TAG * TAG_SURE, false);
  if (scan) add(&mean, naive->scan, W_LIDAR * naive->scan_quality, true);
  naive->pose = (pose2_t){mean.x / mean.weight, mean.y / mean.weight, atan2(mean.s, mean.c)};
}

double score_error(const course_sample_t *sample) {
  return sample->error_m;
}
double score_naive(const course_sample_t *sample) {
  return sample->naive_m;
}
double score_carried(const course_sample_t *sample) {
  return sample->carried_m;
}

double score_rms(const course_result_t *result, double (*of)(const course_sample_t *)) {
  double sum = 0;
  for (uint32_t i = 0; i < result->count; i++)
    sum += of(&result->samples[i]) * of(&result->samples[i]);
  return result->count > 0 ? sqrt(sum / result->count) : NAN;
}

double score_nees(const course_result_t *result) {
  double sum = 0;
  for (uint32_t i = 0; i < result->count; i++)
    sum += result->samples[i].nees;
  return result->count > 0 ? sum / result->count : NAN;
}

double score_beyond(const course_result_t *result) {
  uint32_t beyond = 0;
  for (uint32_t i = 0; i < result->count; i++)
    beyond += result->samples[i].nees > CHI2_95;
  return result->count > 0 ? (double)beyond / result->count : NAN;
}

typedef struct pair {
  double x, y, rank_x;
} pair_t;

static int by_x(const void *a, const void *b) {
  double x = ((const pair_t *)a)->x, y = ((const pair_t *)b)->x;
  return (x > y) - (x < y);
}
static int by_y(const void *a, const void *b) {
  double x = ((const pair_t *)a)->y, y = ((const pair_t *)b)->y;
  return (x > y) - (x < y);
}

/* Means of both over windows of the drive. */
static uint32_t windows(const course_result_t *result, double window_s, pair_t *out) {
  uint32_t count = 0, each = (uint32_t)(window_s * 10);
  for (uint32_t i = 0; i + each <= result->count; i += each) {
    pair_t *pair = &out[count++];
    *pair = (pair_t){0};
    for (uint32_t k = i; k < i + each; k++) {
      pair->x += result->samples[k].confidence / each;
      pair->y += result->samples[k].error_m / each;
    }
  }
  return count;
}

double score_rank(const course_result_t *results, uint32_t count, double window_s) {
  uint32_t n = 0, most = 0;
  double sum = 0;
  for (uint32_t i = 0; i < count; i++)
    most += results[i].count;
  pair_t *pairs = malloc((most + 1) * sizeof *pairs);
  if (!pairs) return NAN;
  for (uint32_t i = 0; i < count; i++)
    n += windows(&results[i], window_s, pairs + n);
  qsort(pairs, n, sizeof *pairs, by_x);
  bool alike = n == 0 || pairs[0].x == pairs[n - 1].x;
  for (uint32_t i = 0; i < n; i++)
    pairs[i].rank_x = i;
  qsort(pairs, n, sizeof *pairs, by_y);
  for (uint32_t i = 0; i < n; i++)
    sum += (pairs[i].rank_x - i) * (pairs[i].rank_x - i);
  free(pairs);
  return n < 3 || alike ? NAN : 1 - 6 * sum / ((double)n * ((double)n * n - 1));
}
