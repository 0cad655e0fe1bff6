/* Recovery: when the robot no longer knows where it is, where it is looked for, and when what was
   found is believed. It begins where the robot should be and reaches farther each time nothing is
   found; while it looks, odometry and tags carry the pose on. A covered LiDAR is no reason: who
   sees nothing is not lost. Pure: the searches themselves are the caller's; times are monotonic ns.

     recovery_scan      what each scan said
     recovery_next      whether a search should begin, and where
     recovery_found     what the search proposed
     recovery_decide    after each scan that weighed the candidates: whether the pose jumps */
#ifndef LOC_RECOVERY_H
#define LOC_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/slam/search.h>

#include "candidates.h"

typedef struct recovery_rule {
  bool automatic;      /* false: searches only when asked */
  uint32_t lost_after; /* scans in a row that do not fit: 3 */
  double near_m;       /* first reach: 3 m */
  double wide_m;       /* second: 10 m; the third is the whole map */
  double score_min;    /* a place must fit this share of the points: 0.5 */
  double retry_s;      /* after nothing was found anywhere: 1 s */
} recovery_rule_t;

typedef enum recovery_phase {
  RECOVERY_IDLE,    /* there is no map to be lost in */
  RECOVERY_DRAWING, /* the map began around the robot, which is lost when scans fit nothing of it */
  RECOVERY_SURE,
  RECOVERY_CHECK, /* a pose from elsewhere; the next scan says whether it holds */
  RECOVERY_LOST
} recovery_phase_t;

typedef enum recovery_why {
  RECOVERY_START,    /* a map, and no pose in it */
  RECOVERY_RECALLED, /* the last place, or a tag, says where in the map */
  RECOVERY_HAND,     /* a person does */
  RECOVERY_MISFITS,  /* scans stopped fitting */
  RECOVERY_TAGS,     /* tags contradict: the position is known, the heading is not */
  RECOVERY_WHY_COUNT
} recovery_why_t;

/* What a scan said of the present pose. */
typedef enum recovery_sight {
  RECOVERY_CLEAR,  /* fits well */
  RECOVERY_FITS,   /* well enough to be used */
  RECOVERY_MISFIT, /* does not fit */
  RECOVERY_BLIND   /* sees nothing to go by */
} recovery_sight_t;

typedef struct recovery {
  recovery_rule_t rule;
  recovery_phase_t phase;
  recovery_why_t why;
  bool carried;   /* lost after it was sure: finding it is a recovery */
  uint32_t step;  /* how far the reach has grown */
  bool searching; /* a search is under way ... */
  bool forgotten; /* ... whose answer nobody wants any more */
  bool asked;     /* somebody waits for the answer */
  search_window_t asked_window;
  bool blind;               /* the newest scan saw nothing */
  bool doubt;               /* scans fit markedly worse than they used to */
  uint32_t misfits, clears; /* in a row */
  uint32_t poor;            /* scans in a row that give cause to doubt */
  uint32_t seen;            /* scans that usual_fit is the mean of, as far as it counts */
  double usual_fit;         /* share of points that fit, over some ten seconds */
  candidates_t candidates;
  uint64_t retry_ns; /* no search before */
  uint64_t searches, recoveries;
} recovery_t;

recovery_rule_t recovery_rule_default(void);
void recovery_init(recovery_t *recovery, const recovery_rule_t *rule);
void recovery_set_rule(recovery_t *recovery, const recovery_rule_t *rule);

/* Another map, or none: what is known of the pose in it. What was searched for is forgotten; a
   search under way ends unheard (recovery_found is still to be called, with nothing). */
void recovery_no_map(recovery_t *recovery);
void recovery_new_map(recovery_t *recovery, recovery_phase_t phase, recovery_why_t why);
/* The pose now comes from a person or a tag. */
void recovery_placed(recovery_t *recovery, recovery_why_t why);
/* Whether the place is known, so that scans may be drawn there. */
bool recovery_is_sure(const recovery_t *recovery);
/* Somebody asks for a search. */
void recovery_ask(recovery_t *recovery, const search_window_t *window);

/* A scan; fit: the share of its points that fit at the present pose. */
void recovery_scan(recovery_t *recovery, recovery_sight_t sight, double fit);
/* Whether a search should begin now with the newest scan, taken at `pose` by the present estimate.
   Then it counts as under way until recovery_found. */
bool recovery_next(recovery_t *recovery, uint64_t now_ns, pose2_t pose, search_window_t *out);
/* The search has ended; candidates were proposed before, or not. pose and fit are those of the
   present estimate: in doubt it stands beside them. */
void recovery_found(recovery_t *recovery, uint64_t now_ns, pose2_t pose, double fit);
/* The candidates have been weighed with a further scan, at which the present estimate is `pose`.
   True: the robot is at out->pose, and what was asked is answered. */
bool recovery_decide(recovery_t *recovery, uint64_t now_ns, pose2_t pose, candidate_t *out);

/* One sentence: what is wrong and what happens next. Empty when nothing is. */
void recovery_say(const recovery_t *recovery, char *text, size_t size);

#endif
