/* Writes the results of gantry slam, file by file. */
#include "slam_output.h"

#include <stdio.h>
#include <stdlib.h>

#include <gantry/slam/map_image.h>

#include "out_file.h"

enum { MARGIN_CELLS = 10 };

typedef enum output {
  OUTPUT_TRAJECTORY,
  OUTPUT_CLOSURES,
  OUTPUT_MAP,
  OUTPUT_YAML,
  OUTPUT_MAP_TRAJECTORY,
  OUTPUT_COUNT
} output_t;

static const char *const NAMES[] = {"trajectory.csv", "closures.csv", "map.png", "map.yaml",
                                    "map_trajectory.png"};

/* As the wire enumeration map.verdict names them. */
static const char *const VERDICTS[SLAM_VERDICT_COUNT] = {
    "accepted", "low_score", "high_residual", "inconsistent", "rejected_by_graph", "waiting"};

static gantry_err_t write_trajectory(const slam_t *slam, FILE *file) {
  fputs("time_s,x_m,y_m,theta_rad\n", file);
  for (size_t i = 0; i < slam_scan_count(slam); i++) {
    double time_s;
    pose2_t pose = slam_scan_pose(slam, i, &time_s);
    fprintf(file, "%.6f,%.6f,%.6f,%.6f\n", time_s, pose.x, pose.y, pose.theta);
  }
  return ferror(file) ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
}

static double keyframe_time_s(const slam_t *slam, uint32_t keyframe) {
  double time_s;
  slam_scan_pose(slam, slam_keyframe_scan(slam, keyframe), &time_s);
  return time_s;
}

static gantry_err_t write_closures(const slam_t *slam, FILE *file) {
  const slam_closure_t *closures;
  uint32_t count = slam_closures(slam, &closures);
  fputs("from,to,from_time_s,to_time_s,verdict,score,residual_m,x_m,y_m,theta_rad\n", file);
  for (uint32_t i = 0; i < count; i++)
    fprintf(file, "%u,%u,%.6f,%.6f,%s,%.4f,%.4f,%.4f,%.4f,%.5f\n", closures[i].from, closures[i].to,
            keyframe_time_s(slam, closures[i].from), keyframe_time_s(slam, closures[i].to),
            VERDICTS[closures[i].verdict], closures[i].score, closures[i].residual_m,
            closures[i].measured.x, closures[i].measured.y, closures[i].measured.theta);
  return ferror(file) ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
}

static map_line_t closure_line(const slam_t *slam, const slam_closure_t *closure) {
  map_line_t line = {.from = slam_keyframe_pose(slam, closure->from),
                     .to = slam_keyframe_pose(slam, closure->to)};
  if (closure->verdict == SLAM_ACCEPTED)
    line.green = 170;
  else
    line.red = 220;
  return line;
}

static map_line_t path_line(const slam_t *slam, size_t scan) {
  uint8_t age = (uint8_t)(255 * scan / slam_scan_count(slam));
  return (map_line_t){.from = slam_scan_pose(slam, scan - 1, NULL),
                      .to = slam_scan_pose(slam, scan, NULL),
                      .red = age,
                      .green = 40,
                      .blue = (uint8_t)(255 - age)};
}

/* The path last, so that it lies on top. */
static gantry_err_t write_drawing(const slam_t *slam, const map_image_t *image, FILE *file) {
  const slam_closure_t *closures;
  uint32_t closure_count = slam_closures(slam, &closures);
  size_t scan_count = slam_scan_count(slam);
  map_line_t *lines = malloc((closure_count + scan_count + 1) * sizeof *lines);
  if (!lines) return GANTRY_E_INTERNAL;
  size_t count = 0;
  for (uint32_t i = 0; i < closure_count; i++)
    lines[count++] = closure_line(slam, &closures[i]);
  for (size_t i = 1; i < scan_count; i++)
    lines[count++] = path_line(slam, i);
  gantry_err_t err = map_image_write_lines_png(image, lines, count, file);
  free(lines);
  return err;
}

/* One file to be written. */
typedef struct job {
  const slam_t *slam;
  const map_image_t *image;
  output_t output;
} job_t;

static gantry_err_t write_output(FILE *file, const void *arg) {
  const job_t *job = arg;
  switch (job->output) {
  case OUTPUT_TRAJECTORY:
    return write_trajectory(job->slam, file);
  case OUTPUT_CLOSURES:
    return write_closures(job->slam, file);
  case OUTPUT_MAP:
    return map_image_write_png(job->image, file);
  case OUTPUT_YAML:
    return map_image_write_yaml(job->image, NAMES[OUTPUT_MAP], file);
  case OUTPUT_MAP_TRAJECTORY:
    return write_drawing(job->slam, job->image, file);
  case OUTPUT_COUNT:
    break;
  }
  return GANTRY_E_INTERNAL;
}

gantry_err_t slam_output_write(slam_t *slam, const char *folder, gantry_fault_t *fault) {
  const grid_t *grid = slam_grid(slam);
  grid_box_t box;
  if (!grid_bounds(grid, &box))
    return fault_set(fault, GANTRY_E_INVALID, "log",
                     slam_scan_count(slam) ? "no ray of its scans came back, so there is no map"
                                           : "no scan in it, so there is no map to write");
  box.min_x -= MARGIN_CELLS;
  box.min_y -= MARGIN_CELLS;
  box.width += 2 * MARGIN_CELLS;
  box.height += 2 * MARGIN_CELLS;
  gantry_err_t err = GANTRY_OK;
  map_image_t image = {.grid = grid, .box = box, .resolution_m = grid_resolution_m(grid)};
  for (output_t i = 0; i < OUTPUT_COUNT && err == GANTRY_OK; i++)
    err = out_file_write(folder, NAMES[i], write_output, &(job_t){slam, &image, i}, fault);
  return err;
}
