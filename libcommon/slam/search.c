/* Branch and bound over boxes of shifts. At every heading the bounds of all boxes are summed at
   once, as an image (search_bounds.c). Boxes that may hold something better than what is known wait
   in a list; in order of their bounds they are split into quarters, and quarters into their 16
   shifts, all scored at once. */
#include <gantry/slam/search.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/match.h>

#include "search_run.h"

enum { QUARTER = SEARCH_BOX / 2, QUARTER_CELLS = QUARTER * QUARTER, CHUNK = 8 };

static const double PLACE_M = 1.0;     /* poses nearer than this .. */
static const double PLACE_RAD = 0.349; /* .. and this (20 degrees) are the same place */

static int compare_leaves(const void *a, const void *b) {
  const search_leaf_t *p = a, *q = b;
  if (p->sum != q->sum) return p->sum > q->sum ? -1 : 1;
  if (p->heading != q->heading) return p->heading < q->heading ? -1 : 1;
  if (p->y != q->y) return p->y < q->y ? -1 : 1;
  return (p->x > q->x) - (p->x < q->x);
}

static void raise_floor(search_run_t *run, uint32_t best) {
  run->best = best;
  uint32_t floor = (uint32_t)fmax(ceil(run->keep * best) - 1.0, 0.0);
  if (floor > run->floor) run->floor = floor;
}

static void note(search_run_t *run, const search_leaf_t *leaf) {
  if (leaf->sum > run->best) raise_floor(run, leaf->sum);
  if (run->leaf_count == SEARCH_LEAVES_MAX) {
    qsort(run->leaves, run->leaf_count, sizeof *run->leaves, compare_leaves);
    run->leaf_count = SEARCH_LEAVES_MAX / 2;
    if (run->leaves[run->leaf_count].sum > run->lost) run->lost = run->leaves[run->leaf_count].sum;
  }
  run->leaves[run->leaf_count++] = *leaf;
}

/* Every level refines the one above it point by point, so a bound shrinks as points are looked at:
   what the level above says of all points, less what it said of those seen, plus what they say
   here. Most boxes are done with after a quarter of the points. */

/* Bounds of the four quarters of a box; false when none passes the floor. */
static bool bound_quarters(const search_run_t *run, const search_node_t *node, uint32_t sums[4]) {
  const search_map_t *map = run->map;
  const search_cell_t *cells = run->cells + (size_t)node->heading * run->point_count;
  uint32_t limit_x = (uint32_t)(map->width - SEARCH_BOX);
  uint32_t limit_y = (uint32_t)(map->height - SEARCH_BOX);
  size_t width = (size_t)map->width / 2;
  uint32_t rest = node->bound;
  memset(sums, 0, 4 * sizeof *sums);
  for (uint32_t begin = 0; begin < run->point_count; begin += CHUNK) {
    uint32_t end = begin + CHUNK < run->point_count ? begin + CHUNK : run->point_count;
    union {
      uint32_t row[2];
      uint8_t cell[8]; /* quarters: 0, 2, 4 and 6 */
    } bytes = {{0}};
    for (uint32_t i = begin; i < end; i++) {
      /* Beyond the margin on either side all is zero; negative numbers wrap to large ones. */
      uint32_t x = (uint32_t)cells[i].x + SEARCH_BOX * node->column;
      uint32_t y = (uint32_t)cells[i].y + SEARCH_BOX * node->row;
      if (x > limit_x || y > limit_y) continue;
      const uint8_t *fine = map->fine + y / 2 * width + x / 2;
      uint32_t words[2];
      memcpy(&words[0], fine, sizeof words[0]);
      memcpy(&words[1], fine + 2 * width, sizeof words[1]);
      bytes.row[0] += words[0];
      bytes.row[1] += words[1];
      rest -= search_map_coarse(map, x, y);
    }
    uint32_t top = 0;
    for (size_t i = 0; i < 4; i++) {
      sums[i] += bytes.cell[2 * i];
      top = sums[i] > top ? sums[i] : top;
    }
    if (top + rest <= run->floor) return false;
  }
  return true;
}

/* Sums of the 16 shifts of a quarter of a box from shift (x0, y0) on, of which rest is the bound;
   false when none passes the floor. */
static bool sum_quarter(const search_run_t *run, uint32_t heading, uint32_t x0, uint32_t y0,
                        uint32_t rest, uint16_t sums[QUARTER_CELLS]) {
  const search_map_t *map = run->map;
  const search_cell_t *cells = run->cells + (size_t)heading * run->point_count;
  uint32_t limit_x = (uint32_t)(map->width - SEARCH_BOX);
  uint32_t limit_y = (uint32_t)(map->height - SEARCH_BOX);
  size_t width = (size_t)map->width;
  memset(sums, 0, QUARTER_CELLS * sizeof *sums);
  for (uint32_t begin = 0; begin < run->point_count; begin += CHUNK) {
    uint32_t end = begin + CHUNK < run->point_count ? begin + CHUNK : run->point_count;
    union {
      uint32_t row[QUARTER];
      uint8_t cell[QUARTER_CELLS];
    } bytes = {{0}};
    for (uint32_t i = begin; i < end; i++) {
      uint32_t x = (uint32_t)cells[i].x + x0;
      uint32_t y = (uint32_t)cells[i].y + y0;
      if (x > limit_x || y > limit_y) continue;
      const uint8_t *near = map->near + y * width + x;
      for (uint32_t r = 0; r < QUARTER; r++) {
        uint32_t word;
        memcpy(&word, near + r * width, sizeof word);
        bytes.row[r] += word;
      }
      rest -= map->fine[y / 2 * (width / 2) + x / 2];
    }
    uint32_t top = 0;
    for (size_t i = 0; i < QUARTER_CELLS; i++) {
      sums[i] = (uint16_t)(sums[i] + bytes.cell[i]);
      top = sums[i] > top ? sums[i] : top;
    }
    if (top + rest <= run->floor) return false;
  }
  return true;
}

static void score_quarter(search_run_t *run, uint32_t heading, uint32_t x0, uint32_t y0,
                          uint32_t bound) {
  uint16_t sums[QUARTER_CELLS];
  if (!sum_quarter(run, heading, x0, y0, bound, sums)) return;
  search_leaf_t leaf = {.heading = heading};
  for (uint32_t i = 0; i < QUARTER_CELLS; i++) {
    int32_t x = (int32_t)(x0 + i % QUARTER);
    int32_t y = (int32_t)(y0 + i / QUARTER);
    if (sums[i] <= leaf.sum || x >= run->shifts_x || y >= run->shifts_y) continue;
    leaf.sum = sums[i];
    leaf.x = x;
    leaf.y = y;
  }
  if (leaf.sum > run->floor) note(run, &leaf);
}

static void score_node(search_run_t *run, const search_node_t *node) {
  uint32_t bounds[4];
  run->visited++;
  if (!bound_quarters(run, node, bounds)) return;
  for (uint32_t i = 0; i < 4; i++) {
    if (bounds[i] <= run->floor) continue;
    run->visited++;
    score_quarter(run, node->heading, SEARCH_BOX * node->column + i % 2 * QUARTER,
                  SEARCH_BOX * node->row + i / 2 * QUARTER, bounds[i]);
  }
}

/* The list of boxes. */

/* Scores what waits and can still pass the floor; empties the list. In the order of the list, which
   goes through the map as the scan does: by bounds it would take fewer boxes and more time. */
static void drain(search_run_t *run) {
  for (uint32_t i = 0; i < run->waiting_count; i++)
    if (run->waiting[i].bound > run->floor) score_node(run, &run->waiting[i]);
  run->waiting_count = 0;
}

static void push(search_run_t *run, const search_node_t *node) {
  if (run->waiting_count == SEARCH_WAITING_MAX) drain(run);
  run->waiting[run->waiting_count++] = *node;
}

/* Puts the boxes of an image that may hold something into the list; the most promising one is
   scored at once: what it yields keeps most others out. */
static void collect(search_run_t *run, uint32_t heading) {
  search_node_t node = {.heading = (uint16_t)heading};
  for (uint32_t row = 0; row < run->rows; row++)
    if (run->row_best[row] > node.bound) {
      node.bound = run->row_best[row];
      node.row = (uint16_t)row;
    }
  if (node.bound <= run->floor) return;
  const uint16_t *bounds = run->image + (size_t)node.row * run->pitch;
  while (bounds[node.column] != node.bound)
    node.column++;
  if (node.bound > run->best) score_node(run, &node);
  for (uint32_t row = 0; row < run->rows; row++) {
    if (run->row_best[row] <= run->floor) continue;
    bounds = run->image + (size_t)row * run->pitch;
    node.row = (uint16_t)row;
    for (uint32_t column = 0; column < run->columns; column++) {
      if (bounds[column] <= run->floor) continue;
      node.bound = bounds[column];
      node.column = (uint16_t)column;
      push(run, &node);
    }
  }
}

static void search_all(search_run_t *run) {
  for (uint32_t heading = 0; heading < run->headings; heading++) {
    search_bounds(run, heading);
    run->visited += (uint64_t)run->rows * run->columns;
    collect(run, heading);
  }
  drain(run);
}

/* Places: the best leaves that are not near a better one. */
static size_t pick_places(search_run_t *run, search_place_t *out, size_t capacity) {
  size_t count = 0;
  double scale = 1.0 / (SEARCH_NEAR_MAX * run->point_count);
  qsort(run->leaves, run->leaf_count, sizeof *run->leaves, compare_leaves);
  for (uint32_t i = 0; i < run->leaf_count && count < capacity; i++) {
    if (run->leaves[i].sum <= run->floor) break;
    pose2_t pose = search_run_pose(run, &run->leaves[i]);
    bool apart = true;
    for (size_t k = 0; k < count && apart; k++)
      apart = pose2_distance(pose, out[k].pose) >= PLACE_M ||
              fabs(wrap_rad(pose.theta - out[k].pose.theta)) >= PLACE_RAD;
    if (apart) out[count++] = (search_place_t){.pose = pose, .score = run->leaves[i].sum * scale};
  }
  return count;
}

static bool is_window(const search_window_t *window) {
  return isfinite(window->centre.x) && isfinite(window->centre.y) &&
         isfinite(window->centre.theta) && window->reach_x_m >= 0.0 && window->reach_y_m >= 0.0 &&
         window->reach_rad >= 0.0 && isfinite(window->reach_x_m) && isfinite(window->reach_y_m) &&
         isfinite(window->reach_rad);
}

/* lost_score: no place that was forgotten for want of room scores more. */
static gantry_err_t find_places(const search_map_t *map, const points_t *points,
                                const search_window_t *window, double score_min, double keep,
                                search_place_t *out, size_t capacity, size_t *count,
                                uint64_t *visited, double *lost_score) {
  if (!is_window(window) || !(score_min >= 0.0) || !(keep > 0.0 && keep <= 1.0))
    return GANTRY_E_INVALID;
  if (points->count < MATCH_POINTS_MIN) return GANTRY_E_UNAVAILABLE;
  search_run_t run;
  gantry_err_t err = search_run_init(&run, map, points, window);
  if (err == GANTRY_OK) {
    double unit = 1.0 / (SEARCH_NEAR_MAX * run.point_count);
    run.keep = keep;
    run.floor = (uint32_t)fmax(ceil(fmin(score_min, 2.0) / unit) - 1.0, 0.0);
    search_all(&run);
    *count = pick_places(&run, out, capacity);
    *visited = run.visited;
    *lost_score = run.lost * unit;
    if (*count == 0) err = GANTRY_E_NOT_FOUND;
  }
  search_run_fini(&run);
  return err;
}

gantry_err_t search_places(const search_map_t *map, const points_t *points,
                           const search_window_t *window, double score_min, double keep,
                           search_place_t *out, size_t capacity, size_t *count, uint64_t *visited) {
  uint64_t unasked = 0;
  double lost_score = 0.0;
  if (!visited) visited = &unasked;
  *count = 0;
  *visited = 0;
  return find_places(map, points, window, score_min, keep, out, capacity, count, visited,
                     &lost_score);
}

gantry_err_t search_best(const search_map_t *map, const points_t *points,
                         const search_window_t *window, double score_min, search_result_t *out) {
  search_place_t places[2];
  size_t count = 0;
  double lost_score = 0.0;
  *out = (search_result_t){0};
  GANTRY_TRY(find_places(map, points, window, score_min, SEARCH_RIVAL, places, 2, &count,
                         &out->visited, &lost_score));
  out->pose = places[0].pose;
  out->score = places[0].score;
  out->second_score = count > 1 ? places[1].score : fmax(SEARCH_RIVAL * out->score, score_min);
  out->second_score = fmax(out->second_score, lost_score);
  return GANTRY_OK;
}
