/* A drive whose truth is known, with every sensor made from it, through the estimate of
   localization; beside it the mean of positions that the estimate is there to beat. */
#ifndef FUSION_COURSE_H
#define FUSION_COURSE_H

#include <gantry/slam/grid.h>

#include "fusion.h"

#define COURSE_TAGS 512

/* Where the robot was, and what its wheels said, at some times; smooth between them. */
typedef struct course {
  uint32_t count;
  double *time_s; /* growing */
  pose2_t *truth, *odometry;
  const grid_t *grid; /* what its sensors see, and the map it is given */
} course_t;

typedef struct course_case {
  const char *name;
  uint64_t seed;
  double lidar_hz; /* 0: off */
  double lidar_noise_m;
  double tag_every_m;                  /* 0: no tags */
  double wrong_tags;                   /* share of tags that are not where the table says */
  bool slips;                          /* every 40 s the wheels turn 0.4 m/s too fast for 1.5 s */
  double blocked_from_s, blocked_to_s; /* the LiDAR sees nothing; 0, 0: never */
  bool proximity, accelerometer;
  double map_error_m; /* how far the map's places are off, smoothly; heading by a fifth of it a m */
} course_case_t;

/* Ten a second. */
typedef struct course_sample {
  double time_s, error_m, sigma_m, nees, confidence;
  double naive_m;   /* error of the mean of positions, as the source document has it */
  double carried_m; /* and when older readings are carried on by the odometry */
  bool slipping;
} course_sample_t;

typedef struct course_result {
  uint32_t count;
  course_sample_t *samples; /* owned by who asked: free() */
  uint64_t tag_fixes, tags_refused, restarts, scans_failed;
} course_result_t;

/* Length of the drive, s. */
double course_end_s(const course_t *course);
pose2_t course_truth(const course_t *course, double time_s);
/* Drives from the beginning to until_s. GANTRY_E_INTERNAL without memory. */
gantry_err_t course_run(const course_t *course, const course_case_t *how, double until_s,
                        course_result_t *out);

/* Weighted mean of positions (spec "Naive fusion"): each source's newest position of at most 5 s
   ago, weighed by trust and confidence; angles by their circular mean. */
typedef struct naive {
  bool carries; /* readings go on with the odometry while they age */
  pose2_t pose;
  double tag_s, scan_s; /* when they came; negative: never */
  pose2_t tag, scan;
  double scan_quality;
} naive_t;

void naive_begin(naive_t *naive, pose2_t pose, bool carries);
void naive_tag(naive_t *naive, double time_s, double x_m, double y_m, pose2_t antenna);
void naive_scan(naive_t *naive, double time_s, pose2_t pose, double quality);
void naive_step(naive_t *naive, double time_s, pose2_t way, bool proximity);

/* Root of the mean square. */
double score_rms(const course_result_t *result, double (*of)(const course_sample_t *));
double score_error(const course_sample_t *sample);
double score_naive(const course_sample_t *sample);
double score_carried(const course_sample_t *sample);
double score_nees(const course_result_t *result);
/* Share of samples whose NEES a chi squared of three would exceed in 5 % of cases, or more. */
double score_beyond(const course_result_t *result);
/* Spearman's rank correlation of confidence and error over means of window_s; what is asked for is
   near -1. Several results are pooled. NaN when all confidences are alike. */
double score_rank(const course_result_t *results, uint32_t count, double window_s);

#endif
