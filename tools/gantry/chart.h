/* Chart: a finished map read from files, ready to find and to follow a robot on it. */
#ifndef GANTRY_TOOL_CHART_H
#define GANTRY_TOOL_CHART_H

#include <stdbool.h>

#include <gantry/err.h>
#include <gantry/slam/map_image_read.h>
#include <gantry/slam/search_match.h>
#include <gantry/slam/tracker.h>

typedef struct chart {
  map_cells_t cells;
  tracker_t *tracker; /* mapping off */
  search_map_t *search;
} chart_t;

/* Reads the YAML and its image. Errors as map_image_read, and GANTRY_E_INVALID for a map without
   a wall. */
gantry_err_t chart_open(chart_t *chart, const char *yaml, gantry_fault_t *fault);
void chart_close(chart_t *chart);
/* Where in the whole map a scan was taken. True when it fits somewhere, and nowhere else as well:
   then pose is set. */
bool chart_find(const chart_t *chart, const points_t *points, pose2_t *pose);

#endif
