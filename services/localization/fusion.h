/* Fusion: one estimate of the pose from odometry, acceleration, tags, distances, scans and poses
   given by hand. Odometry moves the estimate, as far as the acceleration agrees; everything else
   corrects it at the time it was measured. Trust in a family of sensors scales its covariance (see
   confidence.h). Nothing moves unless something arrives. Map frame, metres and radians; times are
   monotonic ns. Pure.

     fusion.c        the estimate in time, scans, poses by hand
     fusion_motion.c odometry, acceleration, standing still, slip
     fusion_tag.c    tags
     fusion_range.c  distances to the walls of the map
     fusion_frame.c  the map's frame moves
     fusion_hold.c   a rail
     fusion_frame.c  a map that moves
     fusion_pose.c   what the estimate says */
#ifndef LOC_FUSION_H
#define LOC_FUSION_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/slam/eskf.h>

#include "confidence.h"
#include "landmark.h"
#include "odometer.h"
#include "tracking.h"

#define FUSION_MOUNTS 4 /* distance sensors whose place on the robot is known */

/* Values of the wire enumeration loc.method, which the glue asserts. */
typedef enum fusion_method {
  FUSION_NONE,
  FUSION_ODOMETRY,
  FUSION_RFID,
  FUSION_ACCELEROMETER,
  FUSION_PROXIMITY,
  FUSION_LIDAR,
  FUSION_MANUAL,
  FUSION_METHOD_COUNT
} fusion_method_t;

/* Values of the wire enumeration loc.state. */
typedef enum fusion_state {
  FUSION_UNAVAILABLE,    /* nothing to go by: never anything heard, or all of it stale */
  FUSION_DEAD_RECKONING, /* odometry and tags */
  FUSION_TRACKING,       /* scans fit the map */
  FUSION_LOST,           /* scans come and do not fit */
} fusion_state_t;

/* What the pose rests on. */
typedef enum fusion_fix {
  FUSION_FIX_NONE,  /* nothing absolute */
  FUSION_FIX_MAP,   /* scans in the map that is loaded: it tells nothing of another map */
  FUSION_FIX_FRAME, /* a tag, or a person */
} fusion_fix_t;

/* Where a distance sensor sits (robot frame) and looks: along its theta. */
typedef struct fusion_mount {
  char sensor[51]; /* "" unused */
  pose2_t pose;
} fusion_mount_t;

typedef struct fusion_rule {
  eskf_noise_t noise;
  confidence_rule_t confidence;
  tracking_rule_t tracking;
  pose2_t antenna;        /* of the tag reader, robot frame */
  pose2_t lidar;          /* of the LiDAR, robot frame */
  double imu_rad;         /* direction of the accelerometer's x, robot frame */
  double speed_sigma_mps; /* how well odometry tells the speed: 0.02 ... */
  double speed_share;     /* ... and 0.05 of the speed */
  double slip_nis;        /* a speed this far from what the acceleration says: a slip; 9 */
  double still_mps2;      /* accelerations that vary less than this may stand still: 0.12 */
  double range_sigma_m;   /* of a distance sensor and the map's walls together: 0.03 */
  double range_max_m;     /* it is not compared with walls farther off: 4 */
  fusion_mount_t mounts[FUSION_MOUNTS];
  double read_radius_m;     /* a tag is read within this: 0.2 */
  double signal_min;        /* weaker sightings are ignored: 0.5 */
  double signal_shrink;     /* a full signal is read within this share less of the radius: 0 */
  double heading_sigma_rad; /* how well a tag's orientation tells the heading: 0.1 */
  double gate;              /* factor on the 99 % gates; 0 opens them: 1 */
  double stale_s;           /* older data do not count for the state: 1 */
  uint32_t lost_after;      /* failed matches in a row: 3 */
} fusion_rule_t;

/* A pose and what it rests on. */
typedef struct fusion_pose {
  uint64_t time_ns; /* when it held */
  pose2_t pose;
  double covariance[9];
  double speed_mps, turn_radps;
  double confidence;
  double nis; /* of the newest correction */
  confidence_term_t usage[CONFIDENCE_FAMILY_COUNT];
  fusion_method_t primary;
  uint32_t sensors;               /* families that contributed within 5 s */
  bool used[FUSION_METHOD_COUNT]; /* which, within one second */
  bool strange;                   /* of a scan that the map being drawn does not take, see below */
  bool has_match;                 /* the rest holds: this is the pose of a scan */
  double residual_m;
  double inlier_fraction;
} fusion_pose_t;

typedef enum fusion_tag_result {
  FUSION_TAG_UNKNOWN,   /* not in the table */
  FUSION_TAG_WEAK,      /* signal too weak */
  FUSION_TAG_REFUSED,   /* failed the gate */
  FUSION_TAG_ELSEWHERE, /* a map is drawn in a frame of its own: how tags lie in it is not known */
  FUSION_TAG_USED,      /* corrected the estimate, or says what it said before */
  FUSION_TAG_RESTARTED, /* the estimate begins anew at the tag */
} fusion_tag_result_t;

typedef enum fusion_range_result {
  FUSION_RANGE_UNMAPPED, /* no map is loaded, the sensor has no mount, or no wall is in reach */
  FUSION_RANGE_SHORT,    /* something stands there that the map does not show */
  FUSION_RANGE_REFUSED,  /* the wall of the map is not there */
  FUSION_RANGE_USED
} fusion_range_result_t;

/* The accelerometer's newest second, in short. */
typedef struct fusion_imu {
  uint64_t time_ns; /* newest reading; 0: none */
  double settled_s; /* how long mean and variance have been kept */
  double calm_s;    /* how long it has been calm, the wheels standing */
  double mean_x, mean_y, variance;
} fusion_imu_t;

typedef struct fusion {
  fusion_rule_t rule;
  eskf_t eskf; /* at reference_ns */
  odometer_t odometer;
  pose2_t raw, path; /* odometry as it came last, and as it is kept: without slips */
  double way_m;      /* length of the path */
  double fitted_m;   /* the same at the newest scan that was not strange to its map */
  uint64_t reference_ns;
  bool has_pose;
  fusion_fix_t fix;
  bool lost; /* the robot is looked for: scans are compared and correct nothing */
  double speed_mps, turn_radps;
  double motion_quality; /* see confidence_motion_quality */
  fusion_imu_t imu;
  bool still;
  uint64_t slip_since_ns; /* begin of the slip under way; 0: none is */
  uint64_t slip_ns;       /* newest slip; 0: none */
  double slipped_m;       /* way that odometry and acceleration disagree about, in this slip */
  double nis;             /* of the newest correction */
  landmarks_t landmarks;
  tracking_t tracking;
  confidence_t confidence;
  uint64_t method_ns[FUSION_METHOD_COUNT]; /* newest contribution; 0: none */
  uint64_t scan_ns;                        /* newest scan, fitting or not */
  uint64_t tag_fixes, tags_refused;
} fusion_t;

fusion_rule_t fusion_rule_default(void);
/* GANTRY_E_INTERNAL without memory. The pose begins at (0, 0, 0), known. */
gantry_err_t fusion_init(fusion_t *fusion, const fusion_rule_t *rule);
void fusion_fini(fusion_t *fusion);
/* Takes a changed rule; the estimate stays. */
void fusion_set_rule(fusion_t *fusion, const fusion_rule_t *rule);
/* Forgets pose, filter and own map; tags and a loaded map stay. */
void fusion_reset(fusion_t *fusion);

/* Odometry (any fixed frame). restarted: the frame has changed (module or bridge began anew), so
   the way since the last reading is unknown. False when the reading was not used (not newer, or a
   leap). A speed that the acceleration contradicts is a slip: then the acceleration leads, and the
   doubt covers both. */
bool fusion_motion(fusion_t *fusion, uint64_t time_ns, pose2_t odometry, double speed_mps,
                   double turn_radps, bool restarted);
/* An acceleration (sensor frame, m/s2; gravity is on z and does not count), of a quality as
   confidence_motion_quality says. Drives the speed; while the robot stands it teaches the bias. */
void fusion_accelerate(fusion_t *fusion, uint64_t time_ns, double x_mps2, double y_mps2,
                       double quality);
/* A distance as one of the rule's sensors measured it, of quality 0 .. 1. Corrects the estimate
   against the loaded map. */
fusion_range_result_t fusion_range(fusion_t *fusion, uint64_t time_ns, const char *sensor,
                                   double range_m, double quality);
/* A scan whose rays were taken around time_ns, in the LiDAR's frame. Fills out with the pose at
   that time; true when the scan fitted. It goes into the map that grows, unless it is strange: one
   that fits nothing of a map being drawn half a metre after one that did is of no new place. */
bool fusion_scan(fusion_t *fusion, uint64_t time_ns, const float *angle_rad, const float *range_m,
                 uint32_t rays, fusion_pose_t *out);
/* A tag sighting of the given confidence. */
fusion_tag_result_t fusion_tag(fusion_t *fusion, uint64_t time_ns, const char *tag, double signal,
                               double confidence);
/* A pose from outside. By hand (FUSION_MANUAL) it always holds; another method is gated like a
   measurement once there was an absolute fix. GANTRY_E_CONFLICT while a map is being built,
   GANTRY_E_REFUSED when it fails the gate. */
gantry_err_t fusion_set_pose(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double confidence,
                             fusion_method_t method);

/* The pose of a life before this one, in whatever map comes to be active: taken as it is. */
void fusion_recall(fusion_t *fusion, uint64_t time_ns, pose2_t pose, double sigma_m,
                   double sigma_rad, fusion_fix_t fix);

/* Begins the rolling map anew, if that is what scans are matched against: after the estimate was
   moved the old one is in the wrong place. */
void fusion_leave_map(fusion_t *fusion);
/* The robot hangs on a line through `on` and heads along it. False, and nothing changes, when the
   estimate is too far beside it. */
bool fusion_hold(fusion_t *fusion, pose2_t on, double sigma_m, double sigma_rad);
/* Where along that line it is: at `on`, by a tag whose middle was passed. False when that does not
   fit the estimate. */
bool fusion_hold_along(fusion_t *fusion, uint64_t time_ns, pose2_t on, double sigma_m);
/* The map has moved under the robot, by a step that is put before the pose. */
void fusion_shift(fusion_t *fusion, pose2_t step);
/* The odometry's way from the estimate to a time; it may lie before it. */
pose2_t fusion_way(const fusion_t *fusion, uint64_t time_ns);
/* Moves the estimate on to a time, unless it is already there. Where the odometry has not come yet
   its speed stands in, and the estimate grows doubtful; what it says later counts from here on. */
void fusion_advance(fusion_t *fusion, uint64_t time_ns);
/* The pose at a time (see odometer_at how far ahead). False while there is none. */
bool fusion_pose_at(const fusion_t *fusion, uint64_t time_ns, fusion_pose_t *out);
double fusion_confidence(const fusion_t *fusion, uint64_t now_ns);
/* Odometry and acceleration disagreed a moment ago. */
bool fusion_slips(const fusion_t *fusion, uint64_t now_ns);
fusion_state_t fusion_state(const fusion_t *fusion, uint64_t now_ns);
/* Seconds since the newest contribution of a method; negative when there was none. */
double fusion_age_s(const fusion_t *fusion, fusion_method_t method, uint64_t now_ns);
/* Seconds since the last absolute fix (tag, loaded map, pose by hand); negative: none. */
double fusion_fix_age_s(const fusion_t *fusion, uint64_t now_ns);
double fusion_scan_age_s(const fusion_t *fusion, uint64_t now_ns);

#endif
