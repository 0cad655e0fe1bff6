/* What gantry slam leaves behind: trajectory, closures and pictures of the map. */
#ifndef GANTRY_TOOL_SLAM_OUTPUT_H
#define GANTRY_TOOL_SLAM_OUTPUT_H

#include <gantry/err.h>
#include <gantry/slam/slam.h>

/* Writes all files into a folder that exists. Errors name the file. */
gantry_err_t slam_output_write(slam_t *slam, const char *folder, gantry_fault_t *fault);

#endif
