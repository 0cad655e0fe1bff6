/* The surveyed plant as JSON. */
#include "print.h"

#include "layout.h"

#define RAIL_STEP_M 0.1

void print_tags(FILE *file) {
  (void)fputs("[\n", file);
  for (size_t i = 0; i < LAYOUT_TAGS; i++) {
    tag_t tag = layout_tag(i);
    (void)fprintf(file,
                  "  {\"tag_id\":\"%08X\",\"x\":%.4f,\"y\":%.4f,\"theta\":%.6f,\"s\":%.3f}%s\n",
                  (unsigned)tag.id, tag.pose.x, tag.pose.y, tag.pose.theta, tag.s_m,
                  i + 1 < LAYOUT_TAGS ? "," : "");
  }
  (void)fputs("]\n", file);
}

static void print_rail(FILE *file) {
  const int points = (int)(LAYOUT_RAIL_M / RAIL_STEP_M + 0.5);
  (void)fprintf(file, "\"rail\":{\"length_m\":%g,\"closed\":true,\"points\":[", LAYOUT_RAIL_M);
  for (int i = 0; i < points; i++) {
    pose2_t pose = layout_rail_pose(i * RAIL_STEP_M);
    (void)fprintf(file, "%s[%.4f,%.4f]", i ? "," : "", pose.x, pose.y);
  }
  (void)fputs("]}", file);
}

void print_world(FILE *file) {
  size_t count = 0;
  const segment_t *walls = layout_walls(&count);
  pose2_t dock = layout_rail_pose(LAYOUT_DOCK_S_M);
  (void)fputs("{", file);
  print_rail(file);
  (void)fputs(",\n\"walls\":[", file);
  for (size_t i = 0; i < count; i++)
    (void)fprintf(file, "%s[%g,%g,%g,%g]", i ? "," : "", walls[i].x0, walls[i].y0, walls[i].x1,
                  walls[i].y1);
  (void)fprintf(file, "],\n\"dock\":{\"x\":%.4f,\"y\":%.4f,\"theta\":%.6f,\"s\":%g}}\n", dock.x,
                dock.y, dock.theta, LAYOUT_DOCK_S_M);
}
