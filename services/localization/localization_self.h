/* The state of localization, shared by its glue files. */
#ifndef LOCALIZATION_SELF_H
#define LOCALIZATION_SELF_H

#include <gantry/service.h>

#include <gantry/slam/rail.h>

#include "corrections.h"
#include "fusion.h"
#include "guide.h"
#include "passing.h"
#include "place.h"
#include "recovery.h"
#include "refusals.h"
#include "scout.h"
#include "settings.h"
#include "track.h"
#include "trail.h"

#define LOCALIZATION_CALLS     8 /* requests that may wait for storage at once */
#define LOCALIZATION_PROXIMITY 4 /* proximity sensors compared with one another */

struct localization;

/* A request on a setting that waits for storage. */
typedef struct config_call {
  struct localization *localization;
  rpc_context_t *call; /* NULL: free */
  loc_config_set_t set;
  loc_config_key_t key; /* of a deletion */
} config_call_t;

/* The newest reading of a proximity sensor. */
typedef struct proximity_seen {
  char sensor[51];
  bool obstacle;
  uint64_t time_ns;
} proximity_seen_t;

/* A replayed scan that waits for the odometry after it. A replay runs many times faster than a
   robot moves, so that what the odometry will say cannot be foretold over even one of its periods.
 */
typedef struct waiting_scan {
  bool full;
  uint64_t time_ns; /* when it was taken */
  cause_t cause;
  sensor_scan_t scan;
} waiting_scan_t;

/* Which map the mapper has active, and how far we are with it. */
typedef struct map_sync {
  char map_id[51];   /* in use, or being fetched; "" none */
  bool fetching;     /* asked for, or being prepared */
  bool corrected;    /* what is fetched is the same map, moved: the pose goes with it */
  bool growing;      /* a session goes on in it */
  bool relocate;     /* take the pose from the end of its trajectory */
  bool busy;         /* the mapper finishes it: patches are not applied one by one */
  bool missed;       /* it is to be fetched again */
  bool searched;     /* what is fetched is for the scout to search in, too */
  bool searchable;   /* the scout has it */
  uint32_t ticket;   /* of what is fetched or was fetched last */
  uint32_t number;   /* newest correction in that */
  uint64_t revision; /* of its cells */
  uint32_t drawn;    /* state of the shapes, as map.status says */
  tracker_t *ready;  /* prepared, and waits for its correction since ready_ns */
  uint64_t ready_ns; /* */
  corrections_t corrections;
} map_sync_t;

/* The newest scan, and the one that is searched. */
typedef struct sight {
  points_t points;
  uint64_t time_ns, number;
  pose2_t odometry; /* then; the candidates have been carried so far */
  uint64_t searched_number;
  pose2_t searched; /* odometry of the scan that is searched */
} sight_t;

/* The place of the life before, and of this one as written last. */
typedef struct recall {
  place_t place, written;
  uint64_t since_ns; /* monotonic, start of the service */
  bool waits;        /* place is to be taken up with the first odometry */
  bool done;         /* it was */
  bool failed;       /* the file could not be written, which was said */
} recall_t;

typedef struct localization {
  service_t *service;
  fusion_t fusion;
  track_t track;
  settings_t settings;

  uint64_t started_wall_ns;
  uint64_t motion_boot;  /* the bridge's, of the last odometry */
  robot_motion_t motion; /* the last odometry */
  cause_t motion_cause;  /* */
  uint64_t motion_ns;    /* when it was taken; 0: none */
  sys_source_t source;   /* of the newest odometry or scan */
  uint64_t published_ns; /* newest pose */
  fusion_state_t state;  /* as last told */
  loc_status_t status;
  uint32_t ticks;
  proximity_seen_t proximity[LOCALIZATION_PROXIMITY];
  refusals_t refusals;
  waiting_scan_t waiting;
  float angles[POINTS_CAPACITY], ranges[POINTS_CAPACITY]; /* of the scan at hand, straightened */

  map_sync_t map;
  scout_t *scout;
  recovery_t recovery;
  sight_t sight;
  rpc_context_t *asked; /* a call of loc.relocalize that waits */
  rail_t rail;          /* of the map; count 0: none */
  guide_rule_t rail_rule;
  guide_t guide;
  passing_t passing;
  trail_t trail;
  double along_m2_per_m; /* of the odometry off the rail, as the rule says */
  recall_t recall;
  bool tags_known, tags_asked;
  bool settings_known, settings_asked;
  config_call_t calls[LOCALIZATION_CALLS];

  metric_t *scans, *failed, *poses, *tags, *match_ms, *age_ms;
} localization_t;

/* Publishes a pose with the trace and age of its cause; scan may be NULL. */
void localization_publish(localization_t *self, const cause_t *cause, const fusion_pose_t *pose,
                          const sensor_scan_t *scan);
/* The wire form of a pose. */
void localization_fill(const localization_t *self, const fusion_pose_t *pose, loc_pose_t *out);
/* Brings self->status up to date. */
void localization_fill_status(localization_t *self, uint64_t now_ns);

/* Reads the place of the life before; writes the present one, once a second. */
void recall_start(localization_t *self);
void recall_write(localization_t *self);
/* Takes the place up, with the odometry just heard. */
void recall_motion(localization_t *self, uint64_t time_ns);
/* Whether scans must still wait for that. */
bool recall_waits(const localization_t *self, uint64_t now_ns);
/* Whether the pose in that map was taken up. */
bool recall_knows(const localization_t *self, const char *map_id);

/* Odometry, scans, tags, accelerations, distances. */
gantry_err_t intake_start(localization_t *self);
/* Matches a waiting scan now, if there is one. */
void intake_match_waiting(localization_t *self);
/* loc.set_pose, reset, stats, history. */
gantry_err_t requests_start(localization_t *self);
/* loc.config_set and config_delete; tags and settings from storage, and again when they change. */
gantry_err_t memory_start(localization_t *self);
void memory_tick(localization_t *self);
/* Follows the mapper's active map. */
gantry_err_t map_sync_start(localization_t *self);
/* Fetches another map, or the one in use once more; what was under way is forgotten. */
void map_load_fetch(localization_t *self, const char *map_id, bool relocate);
void map_load_again(localization_t *self);
void map_load_forget(localization_t *self);
/* Another correction was heard. */
void map_load_corrected(localization_t *self);
void map_load_ask_shapes(localization_t *self, uint32_t drawn);
/* The scout has prepared a map; takes its tracker. */
void map_load_prepared(localization_t *self, scout_report_t *report);
void map_load_tick(localization_t *self, uint64_t now_ns);

/* The odometry to go by: on a rail, laid along it. */
pose2_t rail_hold_odometry(localization_t *self, pose2_t odometry, bool begun);
/* Holds the estimate on the rail, if the robot hangs there. */
void rail_hold_pose(localization_t *self);
/* A sighting that the estimate took, or that tells where a map that is drawn belongs; and time goes
   on. */
void rail_hold_tag(localization_t *self, uint64_t time_ns, const char *tag, double signal);
void rail_hold_tick(localization_t *self, uint64_t now_ns);

/* Starts the scout. */
gantry_err_t relocalize_start(localization_t *self);
/* Whether a scan sees nothing to go by: few returns, or all from right before the lens. */
bool relocalize_is_blind(const float *range_m, uint32_t rays);
void relocalize_blind(localization_t *self);
/* The robot is lost: its pose is said with a covariance that covers where it may be. */
void relocalize_doubt(localization_t *self);
/* Lost, and no tag has said since where. */
bool relocalize_is_nowhere(const localization_t *self);
/* There is no map any more: who was lost in it has a frame of its own from here on. */
void relocalize_leave(localization_t *self);
/* A scan (self->angles, self->ranges) was matched, and gave pose, which changes when the robot is
   found elsewhere. */
void relocalize_scan(localization_t *self, uint64_t time_ns, uint32_t rays, bool fits,
                     fusion_pose_t *pose);
/* Searches with the newest scan, if that is wanted. */
void relocalize_now(localization_t *self);
/* loc.relocalize: serves it; answers who waits, with the pose or why there is none; once a tick. */
gantry_err_t relocalize_serve(localization_t *self);
void relocalize_answer(localization_t *self, const char *failure);
void relocalize_tick(localization_t *self);

#endif
