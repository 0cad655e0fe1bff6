/* The mapper's threads (search, finishing, opening, the memory's pen), in plain TAP, for the thread
   sanitizer: criterion aborts under it. */
#include "finisher.h"
#include "opening.h"
#include "scribe.h"

#include <gantry/pack.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patch.h"

enum { RAYS = 60, LAPS = 2, LAP = 120, WAIT_MS = 30000 };

/* A room of 8 x 6 m with a notch in a corner, seen from a pose in it. */
static void look(pose2_t pose, points_t *points) {
  *points = (points_t){0};
  for (int i = 0; i < RAYS; i++) {
    double angle = pose.theta + 2 * M_PI * i / RAYS, dx = cos(angle), dy = sin(angle);
    double x = dx > 0 ? (4 - pose.x) / dx : dx < 0 ? (-4 - pose.x) / dx : 1e9;
    double y = dy > 0 ? (3 - pose.y) / dy : dy < 0 ? (-3 - pose.y) / dy : 1e9;
    double range = fmin(x, y), notch = dx > 0 ? (3 - pose.x) / dx : 1e9;
    if (notch > 0 && pose.y + notch * dy > 2) range = fmin(range, notch);
    points->x_m[points->count] = (float)(range * cos(angle - pose.theta));
    points->y_m[points->count++] = (float)(range * sin(angle - pose.theta));
  }
}

static pose2_t place(int scan) {
  double angle = 2 * M_PI * scan / LAP;
  return (pose2_t){2 * cos(angle), 1.5 * sin(angle), wrap_rad(angle + M_PI_2)};
}

/* Corrections are taken over in between, as the loop does; odometry bends the way a little. */
static slam_t *draw(void) {
  slam_config_t config = slam_config_default();
  slam_t *slam = slam_new(&config);
  points_t points;
  for (int i = 0; slam && i < LAPS * LAP; i++) {
    slam_result_t result;
    slam_correction_t correction;
    pose2_t pose = place(i);
    look(pose, &points);
    pose.x += 0.002 * i;
    if (slam_insert(slam, 0.1 * i, pose, 0, &points, &result) != GANTRY_OK) slam_destroy(&slam);
    if (slam) (void)slam_poll(slam, &correction);
  }
  return slam;
}

static bool readable(int fd) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
  return poll(&poll_fd, 1, WAIT_MS) == 1;
}

/* Progress is read from here until it is done; hurry ends it early. */
static bool finish(slam_t **slam, const overlay_t *overlay, bool hurry) {
  finisher_t *finisher = NULL;
  grid_box_t bounds = {-100, -100, 200, 200};
  if (finisher_start(*slam, overlay, bounds, &finisher) != GANTRY_OK) return false;
  double progress = 0;
  for (int i = 0; i < 1000 && progress < 1 && !hurry; i++)
    progress = finisher_progress(finisher);
  if (hurry) finisher_hurry(finisher);
  bool done = readable(finisher_fd(finisher));
  finished_t finished = finisher_end(&finisher);
  *slam = finished.slam;
  return done && finished.err == GANTRY_OK && finished.quality.keyframes > 0;
}

/* The map as it would come from storage. */
static parcel_t *parcel_with(slam_t *slam) {
  parcel_t *parcel = parcel_new();
  map_graph_t *graph = calloc(1, sizeof *graph);
  buf_t saved = {0};
  grid_box_t box;
  bool fine = parcel && graph && grid_bounds(slam_grid(slam), &box) &&
              patch_encode(slam_grid(slam), box, &parcel->cells) == GANTRY_OK &&
              slam_save(slam, &saved) == GANTRY_OK;
  if (fine) {
    graph->has_slam = true;
    graph->slam = (blob_t){.data = saved.data, .len = saved.len};
    fine = pack_message(&MAP_GRAPH_DESC, graph, &parcel->graph, NULL) == GANTRY_OK;
    parcel->put.grid.info = (map_info_t){.map_id = "map_00000001",
                                         .resolution = 0.05,
                                         .width = box.width,
                                         .height = box.height,
                                         .origin_x = 0.05 * box.min_x,
                                         .origin_y = 0.05 * box.min_y};
    parcel_close(parcel);
  }
  buf_fini(&saved);
  free(graph);
  if (!fine) parcel_drop(&parcel);
  return parcel;
}

/* Opens the map on one thread while another writes it. */
static bool open_and_write(parcel_t *parcel, const char *path) {
  slam_config_t config = slam_config_default();
  opening_t *opening = NULL;
  scribe_t *scribe = NULL;
  memory_state_t state = {0};
  opened_t opened = {0};
  if (scribe_new(path, &scribe) != GANTRY_OK) return false;
  bool fine = opening_start(parcel, &config, &opening) == GANTRY_OK;
  for (int i = 0; i < 3; i++)
    scribe_write(scribe, &state, parcel);
  fine = fine && readable(opening_fd(opening)) && opening_end(&opening, &opened) == GANTRY_OK;
  fine = fine && opened.quality.keyframes == slam_keyframe_count(opened.ready.slam);
  session_ready_fini(&opened.ready);
  scribe_destroy(&scribe);
  return fine && access(path, R_OK) == 0;
}

int main(void) {
  char path[] = "/tmp/gantry_threads_XXXXXX";
  int fd = mkstemp(path);
  if (fd >= 0) close(fd);
  static const overlay_t overlay;
  slam_t *slam = draw();
  if (!slam || fd < 0) return 1;
  printf("1..3\n");
  printf("%sok 1 - a map is finished while its progress is asked for\n",
         finish(&slam, &overlay, false) ? "" : "not ");
  printf("%sok 2 - finishing ends early when asked to\n",
         finish(&slam, &overlay, true) ? "" : "not ");
  parcel_t *parcel = parcel_with(slam);
  printf("%sok 3 - a map is opened while it is written\n",
         parcel && open_and_write(parcel, path) ? "" : "not ");
  parcel_drop(&parcel);
  slam_destroy(&slam);
  unlink(path);
  return 0;
}
