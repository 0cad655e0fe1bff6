/* gantry sim picture: the hall from above as it is now. Black: walls and obstacles. Grey: the
   robot. The rail goes from blue, at the robot and in its direction, to red behind it. */
#include "sim_picture.h"

#include <gantry/slam/map_image.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define CELL_M      0.05
#define PEN_M       (CELL_M / 2.0)
#define WIDTH       600
#define HEIGHT      360
#define WEST        (-300) /* cell of the picture's lower left corner */
#define SOUTH       (-180)
#define RAIL_STEP_M 0.05
#define RAIL_POINTS 1200 /* once around */
#define HALF_LONG_M 0.30 /* of the robot */
#define HALF_WIDE_M 0.20

enum { CELL_FREE = 0, CELL_TAKEN = 100, CELL_GREY = -1 };

typedef struct picture {
  int8_t cells[WIDTH * HEIGHT];
  pose2_t rail[RAIL_POINTS];
} picture_t;

static void put(picture_t *picture, double x, double y, int8_t state) {
  int column = (int)floor(x / CELL_M) - WEST, row = (int)floor(y / CELL_M) - SOUTH;
  if (column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT)
    picture->cells[row * WIDTH + column] = state;
}

static void draw_walls(picture_t *picture) {
  size_t count = 0;
  const segment_t *walls = layout_walls(&count);
  for (size_t i = 0; i < count; i++) {
    const segment_t *wall = &walls[i];
    double len_m = hypot(wall->x1 - wall->x0, wall->y1 - wall->y0);
    int steps = (int)ceil(len_m / PEN_M);
    for (int k = 0; k <= steps; k++) {
      double share = steps > 0 ? (double)k / steps : 0.0;
      put(picture, wall->x0 + share * (wall->x1 - wall->x0),
          wall->y0 + share * (wall->y1 - wall->y0), CELL_TAKEN);
    }
  }
}

/* A box around a pose, or with radius > 0 a disc. */
static void draw_body(picture_t *picture, pose2_t pose, double radius_m, int8_t state) {
  double reach_m = radius_m > 0.0 ? radius_m : HALF_LONG_M;
  int reach = (int)(reach_m / PEN_M);
  for (int i = -reach; i <= reach; i++)
    for (int k = -reach; k <= reach; k++) {
      double x = i * PEN_M, y = k * PEN_M;
      bool inside = radius_m > 0.0 ? hypot(x, y) <= radius_m : fabs(y) <= HALF_WIDE_M;
      if (inside)
        put(picture, pose.x + x * cos(pose.theta) - y * sin(pose.theta),
            pose.y + x * sin(pose.theta) + y * cos(pose.theta), state);
    }
}

/* [[x,y,r],...] behind "obstacles_at":. */
static void draw_obstacles(picture_t *picture, const char *state) {
  const char *at = strstr(state, "\"obstacles_at\":[");
  double x = 0.0, y = 0.0, radius_m = 0.0;
  at = at ? strchr(at, '[') + 1 : "";
  while (sscanf(at, "[%lf,%lf,%lf]", &x, &y, &radius_m) == 3) {
    draw_body(picture, (pose2_t){.x = x, .y = y}, radius_m, CELL_TAKEN);
    at = strchr(at, ']') + 1;
    at += *at == ',';
  }
}

static bool draw(picture_t *picture, const char *state) {
  static const char key[] = "\"rail_m\":";
  const char *place = strstr(state, key);
  if (!place) return false;
  double rail_m = strtod(place + strlen(key), NULL);
  memset(picture->cells, CELL_FREE, sizeof picture->cells);
  draw_walls(picture);
  draw_obstacles(picture, state);
  draw_body(picture, layout_rail_pose(rail_m), 0.0, CELL_GREY);
  for (size_t i = 0; i < RAIL_POINTS; i++)
    picture->rail[i] = layout_rail_pose(rail_m + (double)i * RAIL_STEP_M);
  return true;
}

bool sim_picture_write(const char *path, const char *state) {
  picture_t *picture = malloc(sizeof *picture);
  bool written = picture && draw(picture, state);
  FILE *file = written ? fopen(path, "wbe") : NULL;
  if (file) {
    map_image_t image = {.cells = picture->cells,
                         .box = {.min_x = WEST, .min_y = SOUTH, .width = WIDTH, .height = HEIGHT},
                         .resolution_m = CELL_M};
    written = map_image_write_trajectory_png(&image, picture->rail, RAIL_POINTS, file) == GANTRY_OK;
    written = fclose(file) == 0 && written;
  }
  if (!file || !written)
    fprintf(stderr, "gantry sim: %s could not be written: %s\n", path, strerror(errno));
  free(picture);
  return file && written;
}
