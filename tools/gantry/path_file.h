/* Path file: poses at times, as gantry slam and localize write them and as references are given:
   lines time_s,x_m,y_m,theta_rad, plain or gzip; a header and lines that begin with # are passed
   over. */
#ifndef GANTRY_TOOL_PATH_FILE_H
#define GANTRY_TOOL_PATH_FILE_H

#include <stddef.h>
#include <stdio.h>

#include <gantry/err.h>
#include <gantry/geom.h>

typedef struct path_point {
  double time_s;
  pose2_t pose;
} path_point_t;

typedef struct path {
  path_point_t *points; /* owned */
  size_t count, capacity;
} path_t;

/* GANTRY_E_INTERNAL without memory. */
gantry_err_t path_add(path_t *path, double time_s, pose2_t pose);
/* Reads a file and sorts it by time. GANTRY_E_NOT_FOUND when it cannot be opened, GANTRY_E_SCHEMA
   with the line's number when a line is no pose or when there is none at all. */
gantry_err_t path_read(path_t *path, const char *file, gantry_fault_t *fault);
gantry_err_t path_write(const path_t *path, FILE *file);
/* The point nearest in time (of a path sorted by it); NULL when none lies within tolerance_s. */
const path_point_t *path_at(const path_t *path, double time_s, double tolerance_s);
/* Root of the mean squared distance of `path` from `reference` at the reference's times, in place:
   both in one frame. NaN when they share no time (within 0.1 s); count receives how many. */
double path_error_m(const path_t *path, const path_t *reference, size_t *count);
/* Harmless on zeroed memory; leaves zeroed memory. */
void path_fini(path_t *path);

#endif
