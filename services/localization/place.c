/* One line of text. */
#include "place.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 640
#define LINE_SIZE 512
#define FAR_M     1e6
/* A map's name stands between brackets, for it may be empty. */
#define WRITTEN                                                                                    \
  "gantry-place 1 [%s] %d %.17g %.17g %.17g %" PRIu64 " %d %.17g %.17g %.17g %.17g end\n"
#define READ " %d %lf %lf %lf %" SCNu64 " %d %lf %lf %lf %lf %3s"

gantry_err_t place_write(const char *path, const place_t *place) {
  char part[PATH_SIZE];
  const pose2_t *pose = &place->pose, *odometry = &place->odometry;
  snprintf(part, sizeof part, "%s.part", path);
  FILE *file = fopen(part, "we");
  if (!file) return GANTRY_E_INTERNAL;
  bool good = fprintf(file, WRITTEN, place->map_id, place->has_fix, pose->x, pose->y, pose->theta,
                      place->boot, place->module_odometry, place->clock_s, odometry->x, odometry->y,
                      odometry->theta) > 0;
  good = fclose(file) == 0 && good;
  if (good && rename(part, path) == 0) return GANTRY_OK;
  remove(part);
  return GANTRY_E_INTERNAL;
}

/* As loc.pose and robot.motion may say it: nothing else was ever written. */
static bool is_sane(pose2_t pose) {
  return fabs(pose.x) <= FAR_M && fabs(pose.y) <= FAR_M && isfinite(pose.theta);
}

static gantry_err_t parse(const char *line, place_t *place) {
  static const char HEAD[] = "gantry-place 1 [";
  int has_fix = 0, module_odometry = 0;
  char end[4] = "";
  pose2_t *pose = &place->pose, *odometry = &place->odometry;
  if (strncmp(line, HEAD, sizeof HEAD - 1) != 0) return GANTRY_E_SCHEMA;
  const char *name = line + sizeof HEAD - 1;
  const char *closed = strchr(name, ']');
  if (!closed || closed - name >= PLACE_MAP_SIZE) return GANTRY_E_SCHEMA;
  memcpy(place->map_id, name, (size_t)(closed - name));
  int read =
      sscanf(closed + 1, READ, &has_fix, &pose->x, &pose->y, &pose->theta, &place->boot,
             &module_odometry, &place->clock_s, &odometry->x, &odometry->y, &odometry->theta, end);
  place->has_fix = has_fix != 0;
  place->module_odometry = module_odometry != 0;
  bool good = read == 11 && strcmp(end, "end") == 0 && is_sane(*pose) && is_sane(*odometry) &&
              isfinite(place->clock_s);
  return good ? GANTRY_OK : GANTRY_E_SCHEMA;
}

gantry_err_t place_read(const char *path, place_t *place) {
  char line[LINE_SIZE];
  *place = (place_t){0};
  FILE *file = fopen(path, "re");
  if (!file) return errno == ENOENT ? GANTRY_E_NOT_FOUND : GANTRY_E_INTERNAL;
  bool read = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  return read ? parse(line, place) : GANTRY_E_SCHEMA;
}

bool place_now(const place_t *place, const place_t *now, pose2_t *pose) {
  *pose = place->pose;
  if (now->boot != place->boot || now->module_odometry != place->module_odometry ||
      now->clock_s < place->clock_s)
    return false;
  *pose = pose2_compose(place->pose, pose2_between(place->odometry, now->odometry));
  pose->theta = wrap_rad(pose->theta);
  return true;
}
