/* The surveyed plant as JSON, for whoever configures a robot for it. */
#ifndef GANTRY_SIM_PRINT_H
#define GANTRY_SIM_PRINT_H

#include <stdio.h>

/* [{"tag_id":"8 hex digits","x":m,"y":m,"theta":rad,"s":m}, ...] */
void print_tags(FILE *file);
/* {"rail":{"length_m","closed","points":[[x,y],...]},"walls":[[x0,y0,x1,y1],...],"dock":{...}}.
   Rail points every 0.1 m. */
void print_world(FILE *file);

#endif
