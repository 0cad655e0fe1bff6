/* How far to look, how often, and what to make of it. */
#include "recovery.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S     1e9
#define BESIDE_M     1.0 /* a pose that was given is refined within this */
#define BESIDE_RAD   (M_PI / 6)
#define NEAR_RAD     (M_PI / 3)
#define CLEARS_MIN   3    /* scans that fit well in a row: it was a passing trouble */
#define USUAL_SCANS  100  /* about ten seconds */
#define DOUBT_AFTER  30   /* scans until what is usual is known */
#define DOUBT_SHARE  0.75 /* of what is usual */
#define DOUBT_IN_ROW 5
#define OPEN_S       2.0 /* candidates that stay alike: look again */
#define CALM_S       5.0 /* after a doubt that was none */
#define SAME_M       0.3

/* How far each step reaches, by what is known of the pose. */
typedef enum reach { REACH_BESIDE, REACH_ROUND, REACH_NEAR, REACH_WIDE, REACH_ALL } reach_t;

#define STEPS_MAX 4
static const struct {
  uint32_t count;
  reach_t steps[STEPS_MAX];
} PLANS[RECOVERY_WHY_COUNT] = {
    [RECOVERY_START] = {1, {REACH_ALL}},
    [RECOVERY_RECALLED] = {4, {REACH_BESIDE, REACH_NEAR, REACH_WIDE, REACH_ALL}},
    [RECOVERY_HAND] = {4, {REACH_BESIDE, REACH_NEAR, REACH_WIDE, REACH_ALL}},
    [RECOVERY_MISFITS] = {3, {REACH_NEAR, REACH_WIDE, REACH_ALL}},
    [RECOVERY_TAGS] = {3, {REACH_ROUND, REACH_WIDE, REACH_ALL}},
};

recovery_rule_t recovery_rule_default(void) {
  return (recovery_rule_t){.automatic = true,
                           .lost_after = 3,
                           .near_m = 3,
                           .wide_m = 10,
                           .score_min = 0.5,
                           .retry_s = 1};
}

void recovery_init(recovery_t *recovery, const recovery_rule_t *rule) {
  memset(recovery, 0, sizeof *recovery);
  recovery->rule = *rule;
}

void recovery_set_rule(recovery_t *recovery, const recovery_rule_t *rule) {
  recovery->rule = *rule;
}

/* A new beginning in a phase; a search under way is no longer listened to. */
static void enter(recovery_t *recovery, recovery_phase_t phase, recovery_why_t why) {
  recovery->phase = phase;
  recovery->why = why;
  recovery->step = 0;
  recovery->retry_ns = 0;
  recovery->misfits = recovery->clears = recovery->poor = 0;
  recovery->doubt = false;
  recovery->forgotten = recovery->searching;
  candidates_clear(&recovery->candidates);
}

static void settle(recovery_t *recovery) {
  enter(recovery, RECOVERY_SURE, recovery->why);
  if (recovery->carried) recovery->recoveries++;
  recovery->carried = recovery->asked = false;
}

static void lose(recovery_t *recovery, recovery_why_t why) {
  enter(recovery, RECOVERY_LOST, why);
  recovery->carried |= why == RECOVERY_MISFITS || why == RECOVERY_TAGS;
}

void recovery_no_map(recovery_t *recovery) {
  enter(recovery, RECOVERY_IDLE, RECOVERY_START);
  recovery->carried = recovery->asked = false;
  recovery->seen = 0;
}

void recovery_new_map(recovery_t *recovery, recovery_phase_t phase, recovery_why_t why) {
  recovery_no_map(recovery);
  enter(recovery, phase, why);
}

bool recovery_is_sure(const recovery_t *recovery) {
  return recovery->phase == RECOVERY_SURE || recovery->phase == RECOVERY_DRAWING;
}

void recovery_placed(recovery_t *recovery, recovery_why_t why) {
  if (recovery->phase == RECOVERY_IDLE) return;
  if (why == RECOVERY_TAGS)
    lose(recovery, why);
  else
    enter(recovery, RECOVERY_CHECK, why);
}

void recovery_ask(recovery_t *recovery, const search_window_t *window) {
  recovery->asked = true;
  recovery->asked_window = *window;
  recovery->forgotten = recovery->searching;
  candidates_clear(&recovery->candidates);
}

/* Sure, but is it? A robot that was pushed along a corridor still fits its walls, though not its
   doors. */
static void compare(recovery_t *recovery, double fit) {
  bool poor = recovery->seen >= DOUBT_AFTER && fit < DOUBT_SHARE * recovery->usual_fit;
  recovery->poor = poor ? recovery->poor + 1 : 0;
  if (recovery->poor >= DOUBT_IN_ROW) recovery->doubt = true;
  if (recovery->seen < USUAL_SCANS) recovery->seen++;
  recovery->usual_fit += (fit - recovery->usual_fit) / recovery->seen;
}

void recovery_scan(recovery_t *recovery, recovery_sight_t sight, double fit) {
  recovery->blind = sight == RECOVERY_BLIND;
  if (recovery->blind || recovery->phase == RECOVERY_IDLE) return;
  recovery->clears = sight == RECOVERY_CLEAR ? recovery->clears + 1 : 0;
  recovery->misfits = sight == RECOVERY_MISFIT ? recovery->misfits + 1 : 0;
  switch (recovery->phase) {
  case RECOVERY_DRAWING:
    if (recovery->misfits >= recovery->rule.lost_after) lose(recovery, RECOVERY_MISFITS);
    break;
  case RECOVERY_SURE:
    compare(recovery, fit);
    if (recovery->misfits >= recovery->rule.lost_after) lose(recovery, RECOVERY_MISFITS);
    break;
  case RECOVERY_CHECK:
    if (sight == RECOVERY_CLEAR)
      settle(recovery);
    else
      lose(recovery, recovery->why);
    break;
  case RECOVERY_LOST:
    if (recovery->why != RECOVERY_START && recovery->clears >= CLEARS_MIN) settle(recovery);
    break;
  case RECOVERY_IDLE:
    break;
  }
}

static reach_t reach_now(const recovery_t *recovery) {
  if (recovery->phase != RECOVERY_LOST) return REACH_NEAR;
  return PLANS[recovery->why].steps[recovery->step];
}

static search_window_t window_of(const recovery_t *recovery, pose2_t pose) {
  const recovery_rule_t *rule = &recovery->rule;
  switch (reach_now(recovery)) {
  case REACH_BESIDE:
    return (search_window_t){pose, BESIDE_M, BESIDE_M, BESIDE_RAD};
  case REACH_ROUND:
    return (search_window_t){pose, BESIDE_M, BESIDE_M, M_PI};
  case REACH_NEAR:
    return (search_window_t){pose, rule->near_m, rule->near_m, NEAR_RAD};
  case REACH_WIDE:
    return (search_window_t){pose, rule->wide_m, rule->wide_m, M_PI};
  case REACH_ALL:
    break;
  }
  return (search_window_t){{0}, INFINITY, INFINITY, M_PI};
}

bool recovery_next(recovery_t *recovery, uint64_t now_ns, pose2_t pose, search_window_t *out) {
  if (recovery->searching || recovery->blind || recovery->phase == RECOVERY_IDLE) return false;
  bool wanted = recovery->phase == RECOVERY_LOST || recovery->doubt;
  bool due = recovery->rule.automatic && wanted && now_ns >= recovery->retry_ns;
  bool asked = recovery->asked && recovery->candidates.count == 0;
  if (!due && !asked) return false;
  *out = asked ? recovery->asked_window : window_of(recovery, pose);
  recovery->searching = true;
  recovery->forgotten = false;
  recovery->searches++;
  return true;
}

static void wait(recovery_t *recovery, uint64_t now_ns, double seconds) {
  recovery->retry_ns = now_ns + (uint64_t)(seconds * NS_PER_S);
}

/* Nothing, or nothing that lasted: farther, or once more after a while. */
static void give_up(recovery_t *recovery, uint64_t now_ns) {
  if (recovery->asked) {
    recovery->asked = false;
    return;
  }
  if (recovery->phase != RECOVERY_LOST) {
    recovery->doubt = false;
    wait(recovery, now_ns, CALM_S);
    return;
  }
  if (recovery->step + 1 < PLANS[recovery->why].count)
    recovery->step++;
  else
    wait(recovery, now_ns, recovery->rule.retry_s);
}

void recovery_found(recovery_t *recovery, uint64_t now_ns, pose2_t pose, double fit) {
  recovery->searching = false;
  if (recovery->forgotten) {
    recovery->forgotten = false;
    candidates_clear(&recovery->candidates);
    return;
  }
  if (recovery->candidates.count == 0) {
    give_up(recovery, now_ns);
    return;
  }
  if (recovery->phase == RECOVERY_SURE) candidates_propose(&recovery->candidates, pose, fit);
  wait(recovery, now_ns, OPEN_S);
}

bool recovery_decide(recovery_t *recovery, uint64_t now_ns, pose2_t pose, candidate_t *out) {
  if (recovery->candidates.count == 0 || recovery->searching) return false;
  candidates_verdict_t verdict = candidates_settle(&recovery->candidates, out);
  if (verdict == CANDIDATES_OPEN) return false;
  if (verdict == CANDIDATES_NONE) {
    give_up(recovery, now_ns);
    return false;
  }
  bool there = pose2_distance(pose, out->pose) < SAME_M;
  if (recovery->doubt && !recovery->asked && there) {
    candidates_clear(&recovery->candidates);
    give_up(recovery, now_ns);
    return false;
  }
  recovery->carried |= recovery->phase == RECOVERY_SURE && !there;
  settle(recovery);
  recovery->seen = 0;
  return true;
}

static void say_next(const recovery_t *recovery, char *text, size_t size) {
  static const char *const REACHES[] = {"within 1 m", "around the tag", "nearby", "farther away",
                                        "in the whole map"};
  const char *reach = REACHES[reach_now(recovery)];
  if (recovery->candidates.count > 1)
    snprintf(text, size, "%u places look alike, driving on tells them apart",
             recovery->candidates.count);
  else if (recovery->candidates.count == 1)
    snprintf(text, size, "a place was found, the next scan confirms it");
  else if (recovery->blind)
    snprintf(text, size, "the LiDAR sees nothing, uncover it or give a pose");
  else if (!recovery->rule.automatic)
    snprintf(text, size, "give a pose or ask for a search");
  else
    snprintf(text, size, "%s %s", recovery->searching ? "searching" : "the next scan is searched",
             reach);
}

void recovery_say(const recovery_t *recovery, char *text, size_t size) {
  static const char *const WHY[RECOVERY_WHY_COUNT] = {
      [RECOVERY_START] = "no pose in this map yet",
      [RECOVERY_RECALLED] = "scans do not fit where the robot was last",
      [RECOVERY_HAND] = "scans do not fit at the pose given",
      [RECOVERY_MISFITS] = "scans no longer fit the map",
      [RECOVERY_TAGS] = "tags contradicted the pose, which now is that of the tag",
  };
  char next[64] = "";
  text[0] = '\0';
  if (recovery->phase == RECOVERY_IDLE || recovery_is_sure(recovery)) {
    if (recovery->doubt) snprintf(text, size, "scans fit worse than usual, looking nearby");
    return;
  }
  if (recovery->phase == RECOVERY_CHECK) {
    snprintf(text, size, "a pose was given, the next scan says whether it fits");
    return;
  }
  say_next(recovery, next, sizeof next);
  snprintf(text, size, "%s; %s", WHY[recovery->why], next);
}
