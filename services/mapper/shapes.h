/* Shapes: the zones, rails and marks of a map, checked before they are kept. */
#ifndef MAPPER_SHAPES_H
#define MAPPER_SHAPES_H

#include <messages.h>

/* Whether shapes_put would take it; errors as that. */
gantry_err_t shapes_check(const map_shapes_t *shapes, const map_shape_t *shape,
                          gantry_fault_t *fault);
/* Adds the shape, or puts it in place of the one of that id. GANTRY_E_INVALID with a fault that
   says what is wrong with it, or that there is no room. */
gantry_err_t shapes_put(map_shapes_t *shapes, const map_shape_t *shape, gantry_fault_t *fault);
bool shapes_has(const map_shapes_t *shapes, const char *shape_id);
/* False when there is none of that id. */
bool shapes_remove(map_shapes_t *shapes, const char *shape_id);
/* Whether it is an area that means something to a robot in it. */
bool shape_is_zone(const map_shape_t *shape);
/* Whether a point lies in a zone. */
bool shape_contains(const map_shape_t *zone, double x_m, double y_m);
/* Distance of the point from the border of a shape, m. */
double shape_distance_m(const map_shape_t *shape, double x_m, double y_m);

#endif
