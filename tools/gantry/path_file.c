/* Reads, keeps and compares paths. */
#include "path_file.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { LINE_SIZE = 512, NUMBERS = 4 };

static const double SAME_TIME_S = 0.1;

gantry_err_t path_add(path_t *path, double time_s, pose2_t pose) {
  if (path->count == path->capacity) {
    size_t capacity = path->capacity ? path->capacity * 2 : 1024;
    path_point_t *points = realloc(path->points, capacity * sizeof *points);
    if (!points) return GANTRY_E_INTERNAL;
    path->points = points;
    path->capacity = capacity;
  }
  path->points[path->count++] = (path_point_t){.time_s = time_s, .pose = pose};
  return GANTRY_OK;
}

void path_fini(path_t *path) {
  free(path->points);
  *path = (path_t){0};
}

/* The first four numbers of a line, separated by commas or blanks. */
static bool parse_line(const char *line, double numbers[NUMBERS]) {
  for (int i = 0; i < NUMBERS; i++) {
    char *end = NULL;
    numbers[i] = strtod(line, &end);
    if (end == line || !isfinite(numbers[i])) return false;
    line = end + strspn(end, ", \t");
  }
  return true;
}

static gantry_err_t read_lines(path_t *path, gzFile file, const char *name, gantry_fault_t *fault) {
  char line[LINE_SIZE];
  for (size_t number = 1; gzgets(file, line, sizeof line); number++) {
    double numbers[NUMBERS];
    const char *text = line + strspn(line, " \t\r\n");
    if (*text == '\0' || *text == '#') continue;
    if (!parse_line(text, numbers)) {
      if (number == 1) continue; /* the header */
      return fault_set(fault, GANTRY_E_SCHEMA, "line",
                       "line %zu is not time_s,x_m,y_m,theta_rad in %.120s", number, name);
    }
    if (path_add(path, numbers[0], (pose2_t){numbers[1], numbers[2], numbers[3]}) != GANTRY_OK)
      return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  }
  if (path->count > 0) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, "line", "there is no pose in %.140s", name);
}

static int by_time(const void *a, const void *b) {
  const path_point_t *left = a;
  const path_point_t *right = b;
  return (left->time_s > right->time_s) - (left->time_s < right->time_s);
}

gantry_err_t path_read(path_t *path, const char *file, gantry_fault_t *fault) {
  *path = (path_t){0};
  gzFile opened = gzopen(file, "rb");
  if (!opened)
    return fault_set(fault, GANTRY_E_NOT_FOUND, "path", "cannot open %.140s: %s", file,
                     strerror(errno));
  gantry_err_t err = read_lines(path, opened, file, fault);
  gzclose(opened);
  if (err != GANTRY_OK)
    path_fini(path);
  else
    qsort(path->points, path->count, sizeof *path->points, by_time);
  return err;
}

gantry_err_t path_write(const path_t *path, FILE *file) {
  fputs("time_s,x_m,y_m,theta_rad\n", file);
  for (size_t i = 0; i < path->count; i++)
    fprintf(file, "%.6f,%.6f,%.6f,%.6f\n", path->points[i].time_s, path->points[i].pose.x,
            path->points[i].pose.y, path->points[i].pose.theta);
  return ferror(file) ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
}

const path_point_t *path_at(const path_t *path, double time_s, double tolerance_s) {
  size_t low = 0;
  size_t high = path->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (path->points[middle].time_s < time_s)
      low = middle + 1;
    else
      high = middle;
  }
  const path_point_t *nearest = low < path->count ? &path->points[low] : NULL;
  const path_point_t *before = low > 0 ? &path->points[low - 1] : NULL;
  if (!nearest || (before && time_s - before->time_s <= nearest->time_s - time_s)) nearest = before;
  return nearest && fabs(nearest->time_s - time_s) <= tolerance_s ? nearest : NULL;
}

double path_error_m(const path_t *path, const path_t *reference, size_t *count) {
  double sum = 0.0;
  *count = 0;
  for (size_t i = 0; i < reference->count; i++) {
    const path_point_t *point = path_at(path, reference->points[i].time_s, SAME_TIME_S);
    if (!point) continue;
    double distance_m = pose2_distance(point->pose, reference->points[i].pose);
    sum += distance_m * distance_m;
    ++*count;
  }
  return *count ? sqrt(sum / (double)*count) : NAN;
}
