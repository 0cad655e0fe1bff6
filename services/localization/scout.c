/* One chore between two mailboxes. The map that is searched belongs to its thread alone: the
   tracker it hands out is another copy, for its cells go on changing. */
#include "scout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/chore.h>
#include <gantry/clock.h>
#include <gantry/mailbox.h>
#include <gantry/slam/map_codec.h>

#include "tracking.h"

#define WAITING_MAX 8
#define CELLS_MAX   36000000u /* 300 x 300 m at 50 mm */
#define RIVALS      0.8       /* places that score this share of the best are reported, too */

typedef enum work_kind { WORK_MAP, WORK_SEARCH, WORK_DISCARD } work_kind_t;

/* Memory in it belongs to the work until it is done. */
typedef struct work {
  work_kind_t kind;
  uint32_t ticket;
  scout_map_t map;
  uint8_t *bytes;
  points_t *points;
  search_window_t window;
  double score_min;
  tracker_t *tracker;
} work_t;

struct scout {
  mailbox_t *work, *reports;
  chore_t *chore;
  /* Of the thread: */
  search_map_t *map;
  distance_field_t *field;
  grid_box_t box;
  double resolution_m;
  match_config_t match;
};

static void work_fini(work_t *work) {
  free(work->bytes);
  free(work->points);
  tracker_destroy(&work->tracker);
}

/* ---- the thread */

static void keep_for_searches(scout_t *scout, tracker_t *tracker) {
  grid_t *grid = tracker_grid(tracker);
  search_map_destroy(&scout->map);
  distance_field_destroy(&scout->field);
  if (!grid_bounds(grid, &scout->box)) return;
  tracker_config_t config = tracker_config_default();
  scout->resolution_m = grid_resolution_m(grid);
  scout->match = config.match;
  scout->field =
      distance_field_new(scout->resolution_m, distance_field_truncation_m(tracker_field(tracker)),
                         config.grid.tile_limit * 2 + 16);
  if (scout->field && distance_field_update(scout->field, grid) == GANTRY_OK)
    scout->map = search_map_new(grid, scout->box);
}

static void prepare(scout_t *scout, const work_t *work, scout_report_t *report) {
  const scout_map_t *map = &work->map;
  size_t count = (size_t)map->box.width * map->box.height;
  int8_t *cells = count > 0 && count <= CELLS_MAX ? malloc(count) : NULL;
  report->is_map = true;
  report->err = cells ? map_codec_decode(work->bytes, map->len, cells, count) : GANTRY_E_TOO_LARGE;
  if (report->err == GANTRY_OK)
    report->err = tracking_prepare(map->resolution_m, map->box, cells, &report->tracker);
  free(cells);
  if (report->err == GANTRY_OK && map->searched) keep_for_searches(scout, report->tracker);
}

/* What is outside the map need not be searched. */
static search_window_t whole(const scout_t *scout) {
  double half_x_m = 0.5 * scout->box.width * scout->resolution_m;
  double half_y_m = 0.5 * scout->box.height * scout->resolution_m;
  pose2_t centre = {scout->box.min_x * scout->resolution_m + half_x_m,
                    scout->box.min_y * scout->resolution_m + half_y_m, 0};
  return (search_window_t){centre, half_x_m, half_y_m, M_PI};
}

static void look(scout_t *scout, const work_t *work, scout_report_t *report) {
  search_place_t places[SCOUT_PLACES];
  size_t count = 0;
  report->err = GANTRY_E_UNAVAILABLE;
  if (!scout->map) return;
  bool finite = isfinite(work->window.reach_x_m) && isfinite(work->window.reach_y_m);
  search_window_t window = finite ? work->window : whole(scout);
  report->err = search_places(scout->map, work->points, &window, work->score_min, RIVALS, places,
                              SCOUT_PLACES, &count, NULL);
  for (size_t i = 0; i < count; i++) {
    match_result_t match;
    if (match_scan(scout->field, work->points, places[i].pose, &scout->match, &match) != GANTRY_OK)
      continue;
    report->places[report->count++] =
        (scout_place_t){.pose = match.pose, .fit = match.inlier_fraction};
  }
}

static void run(void *arg) {
  scout_t *scout = arg;
  work_t work;
  while (mailbox_receive(scout->work, &work)) {
    uint64_t begun_ns = clock_mono_ns();
    scout_report_t report = {.ticket = work.ticket};
    if (work.kind == WORK_MAP) prepare(scout, &work, &report);
    if (work.kind == WORK_SEARCH) look(scout, &work, &report);
    report.took_s = (double)(clock_mono_ns() - begun_ns) * 1e-9;
    if (work.kind != WORK_DISCARD && !mailbox_send(scout->reports, &report))
      tracker_destroy(&report.tracker);
    work_fini(&work);
  }
}

/* ---- the caller's side */

gantry_err_t scout_new(scout_t **out) {
  scout_t *scout = calloc(1, sizeof *scout);
  *out = scout;
  if (!scout) return GANTRY_E_INTERNAL;
  gantry_err_t err = mailbox_new(sizeof(work_t), WAITING_MAX, &scout->work);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(scout_report_t), WAITING_MAX, &scout->reports);
  if (err == GANTRY_OK) err = chore_new(run, scout, &scout->chore);
  if (err != GANTRY_OK) scout_destroy(out);
  return err;
}

void scout_destroy(scout_t **self) {
  scout_t *scout = *self;
  work_t work;
  scout_report_t report;
  if (!scout) return;
  if (scout->chore) chore_destroy(&scout->chore);
  while (scout->work && mailbox_receive(scout->work, &work))
    work_fini(&work);
  while (scout->reports && mailbox_receive(scout->reports, &report))
    tracker_destroy(&report.tracker);
  mailbox_destroy(&scout->work);
  mailbox_destroy(&scout->reports);
  search_map_destroy(&scout->map);
  distance_field_destroy(&scout->field);
  free(scout);
  *self = NULL;
}

static bool ask(scout_t *scout, work_t *work) {
  bool taken = mailbox_send(scout->work, work);
  if (taken)
    chore_ask(scout->chore);
  else
    work_fini(work);
  return taken;
}

bool scout_prepare(scout_t *scout, const scout_map_t *map) {
  work_t work = {.kind = WORK_MAP, .ticket = map->ticket, .map = *map};
  work.bytes = malloc(map->len + 1);
  if (!work.bytes) return false;
  memcpy(work.bytes, map->bytes, map->len);
  work.map.bytes = NULL;
  return ask(scout, &work);
}

bool scout_search(scout_t *scout, uint32_t ticket, const points_t *points,
                  const search_window_t *window, double score_min) {
  work_t work = {.kind = WORK_SEARCH, .ticket = ticket, .window = *window, .score_min = score_min};
  work.points = malloc(sizeof *work.points);
  if (!work.points) return false;
  *work.points = *points;
  return ask(scout, &work);
}

void scout_discard(scout_t *scout, tracker_t *tracker) {
  work_t work = {.kind = WORK_DISCARD, .tracker = tracker};
  if (tracker) ask(scout, &work);
}

int scout_fd(const scout_t *scout) {
  return mailbox_fd(scout->reports);
}

bool scout_receive(scout_t *scout, scout_report_t *out) {
  return mailbox_receive(scout->reports, out);
}
