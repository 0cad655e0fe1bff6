/* Ages, and the size of a bite. */
#include <criterion/criterion.h>

#include "retention.h"

Test(retention, cuts_off_by_age_at_a_full_minute) {
  cr_assert_eq(retention_cutoff_us(1, 100 * 86400000000u + 59999999), 99 * 86400000000);
  cr_assert_eq(retention_cutoff_us(1, 100 * 86400000000u + 60000000), 99 * 86400000000 + 60000000);
}

Test(retention, has_nothing_to_cut_where_nothing_is_that_old) {
  cr_assert_eq(retention_cutoff_us(30, 86400000000u), 0);
}

Test(retention, makes_a_bite_as_large_as_fits) {
  cr_assert_eq(bite_next(1000, 4000, 2000), 500);
  cr_assert_eq(bite_next(1000, 1500, 2000), 1333);
}

Test(retention, grows_a_bite_slowly_and_within_bounds) {
  cr_assert_eq(bite_next(32, 1, 2000), 64);
  cr_assert_eq(bite_next(BITE_ROWS_MAX, 0, 2000), BITE_ROWS_MAX);
  cr_assert_eq(bite_next(1, 500000, 2000), 1);
}
