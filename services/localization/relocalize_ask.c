/* loc.relocalize: answered once the pose is found and in force. */
#include <math.h>

#include <gantry/clock.h>

#include "localization_self.h"

#define SCAN_FRESH_NS (1ull * GANTRY_NS_PER_S)
#define REACH_M       5.0 /* around a middle that is given without a radius */
#define ANSWER_MS     300 /* before the asker gives up */

/* Why a search cannot begin; NULL when it can. */
static const char *hindrance(const localization_t *self, gantry_err_t *err) {
  uint64_t now_ns = clock_mono_ns();
  *err = GANTRY_E_CONFLICT;
  if (self->fusion.tracking.mode == TRACKING_MAPPING)
    return "a map is being built; its frame cannot be moved";
  if (self->asked) return "a search that was asked for is under way; wait for it";
  *err = GANTRY_E_UNAVAILABLE;
  if (self->recovery.phase == RECOVERY_IDLE || !self->map.searchable)
    return "there is no map to search in; load one first";
  if (self->sight.number == 0 || now_ns - self->sight.time_ns > SCAN_FRESH_NS)
    return self->recovery.blind ? "the LiDAR sees nothing; uncover it first"
                                : "there is no scan younger than a second to search with";
  return NULL;
}

static bool window_of(const localization_t *self, const loc_relocalize_t *takes,
                      search_window_t *out) {
  fusion_pose_t now;
  *out = (search_window_t){{0}, INFINITY, INFINITY, M_PI};
  if (takes->has_x != takes->has_y) return false;
  if (!takes->has_x && !takes->has_radius) return true;
  bool known = fusion_pose_at(&self->fusion, clock_mono_ns(), &now);
  out->centre = takes->has_x ? (pose2_t){takes->x, takes->y, 0} : now.pose;
  out->reach_x_m = out->reach_y_m = takes->has_radius ? takes->radius : REACH_M;
  return takes->has_x || known;
}

static void on_relocalize(rpc_context_t *call, const void *body, void *arg) {
  localization_t *self = arg;
  const loc_relocalize_t *takes = body;
  search_window_t window;
  gantry_err_t err;
  const char *why = hindrance(self, &err);
  if (why) {
    rpc_fail(call, err, "", "%s", why);
    return;
  }
  if (!window_of(self, takes, &window)) {
    rpc_fail(call, GANTRY_E_INVALID, takes->has_x ? "y" : "x", "give x and y, or neither");
    return;
  }
  self->asked = call;
  recovery_ask(&self->recovery, &window);
  relocalize_now(self);
}

void relocalize_answer(localization_t *self, const char *failure) {
  rpc_context_t *call = self->asked;
  fusion_pose_t now;
  loc_pose_t gives;
  if (!call) return;
  self->asked = NULL;
  if (failure || !fusion_pose_at(&self->fusion, clock_mono_ns(), &now)) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "", "%s", failure ? failure : "there is no pose");
    return;
  }
  cause_t cause = rpc_cause(call);
  localization_publish(self, &cause, &now, NULL);
  localization_fill(self, &now, &gives);
  rpc_reply(call, &gives);
}

void relocalize_tick(localization_t *self) {
  if (!self->asked || rpc_left_ms(self->asked) > ANSWER_MS) return;
  self->recovery.asked = false;
  relocalize_answer(self, self->recovery.candidates.count > 1
                              ? "several places look alike; drive on and ask again"
                              : "nothing was found in time; no further scan confirmed a place");
}

gantry_err_t relocalize_serve(localization_t *self) {
  return rpc_serve(self->service->server, REQUEST_LOC_RELOCALIZE, on_relocalize, self);
}
