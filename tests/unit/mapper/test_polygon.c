/* Lines and areas. */
#include "polygon.h"

#include <criterion/criterion.h>

static const polygon_point_t L_SHAPE[] = {{0, 0}, {4, 0}, {4, 1}, {1, 1}, {1, 3}, {0, 3}};
#define L_COUNT (sizeof L_SHAPE / sizeof *L_SHAPE)

Test(polygon, contains_what_lies_within) {
  static const struct {
    double x, y;
    bool inside;
  } ROWS[] = {{0.5, 0.5, true}, {3.9, 0.9, true},  {0.5, 2.9, true},  {2, 2, false},
              {-0.1, 1, false}, {4.1, 0.5, false}, {0.5, 3.1, false}, {1.5, 1.5, false}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
    cr_assert_eq(polygon_contains(L_SHAPE, L_COUNT, (polygon_point_t){ROWS[i].x, ROWS[i].y}),
                 ROWS[i].inside, "row %zu", i);
}

Test(polygon, measures_the_way_to_its_border) {
  cr_assert_float_eq(polygon_distance_m(L_SHAPE, L_COUNT, true, (polygon_point_t){2, 2}), 1, 1e-12);
  cr_assert_float_eq(polygon_distance_m(L_SHAPE, L_COUNT, true, (polygon_point_t){-3, -4}), 5,
                     1e-12);
  cr_assert_float_eq(polygon_distance_m(L_SHAPE, L_COUNT, true, (polygon_point_t){-1, 2}), 1,
                     1e-12);
  /* Open: the side from the last corner to the first is not there. */
  cr_assert_float_eq(polygon_distance_m(L_SHAPE, L_COUNT, false, (polygon_point_t){-1, 1.5}),
                     1.8027756377319946, 1e-12);
}

Test(polygon, knows_when_it_crosses_itself) {
  const polygon_point_t bow[] = {{0, 0}, {2, 2}, {2, 0}, {0, 2}};
  const polygon_point_t touching[] = {{0, 0}, {4, 0}, {4, 2}, {2, 0}, {0, 2}};
  const polygon_point_t triangle[] = {{0, 0}, {1, 0}, {0, 1}};

  cr_assert(polygon_crosses_itself(bow, 4));
  cr_assert(polygon_crosses_itself(touching, 5));
  cr_assert_not(polygon_crosses_itself(L_SHAPE, L_COUNT));
  cr_assert_not(polygon_crosses_itself(triangle, 3));
}

Test(polygon, measures_its_area) {
  const polygon_point_t line[] = {{0, 0}, {1, 1}, {2, 2}};

  cr_assert_float_eq(polygon_area_m2(L_SHAPE, L_COUNT), 6, 1e-12);
  cr_assert_float_eq(polygon_area_m2(line, 3), 0, 1e-12);
}
