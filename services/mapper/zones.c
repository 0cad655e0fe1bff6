/* Zones are marks for people and planners: nothing here stops a robot. That it is in one is said as
   an alert, raised as it enters and cleared as it leaves. */
#include "mapper_internal.h"
#include "shapes.h"

#include <string.h>

#define FORBIDDEN "ROBOT-IN-FORBIDDEN-ZONE"
#define SLOW      "ROBOT-IN-SLOW-ZONE"
#define LEAVE_M   0.1 /* so far outside it has left: a pose on the border trembles */

static void say(mapper_t *mapper, const map_shape_t *zone, bool inside) {
  alerts_t *alerts = mapper->service->alerts;
  bool forbidden = zone->kind == MAP_SHAPE_KIND_FORBIDDEN;
  const char *id = forbidden ? FORBIDDEN : SLOW;
  if (!inside) {
    alerts_clear(alerts, id, zone->shape_id);
    return;
  }
  alerts_raise(alerts, id, zone->shape_id, forbidden ? SYS_SEVERITY_ERROR : SYS_SEVERITY_WARNING,
               "the robot is in the %s zone %s%s%s", forbidden ? "forbidden" : "slow",
               zone->shape_id, zone->text[0] ? ": " : "", zone->text);
}

void mapper_zones(mapper_t *mapper, const loc_pose_t *pose) {
  for (uint32_t i = 0; i < mapper->shapes.shapes_count; i++) {
    const map_shape_t *zone = &mapper->shapes.shapes[i];
    if (!shape_is_zone(zone)) continue;
    bool inside = shape_contains(zone, pose->x, pose->y);
    if (!inside && mapper->inside[i]) inside = shape_distance_m(zone, pose->x, pose->y) < LEAVE_M;
    if (inside == mapper->inside[i]) continue;
    mapper->inside[i] = inside;
    say(mapper, zone, inside);
  }
}

void mapper_leave_zones(mapper_t *mapper) {
  for (uint32_t i = 0; i < mapper->shapes.shapes_count; i++)
    if (mapper->inside[i]) say(mapper, &mapper->shapes.shapes[i], false);
  memset(mapper->inside, 0, sizeof mapper->inside);
}
