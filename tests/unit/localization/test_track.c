/* History and statistics. */
#include <criterion/criterion.h>

#include "track.h"

static track_t track;

Test(track, keeps_the_newest_hundred_newest_first) {
  for (uint64_t i = 1; i <= 150; i++)
    track_push(&track, &(fusion_pose_t){.confidence = 0.5}, i);

  cr_assert_eq(track.count, 100);
  cr_assert_eq(track.poses, 150);
  cr_assert_eq(track_at(&track, 0)->wall_ns, 150);
  cr_assert_eq(track_at(&track, 99)->wall_ns, 51);
  cr_assert_null(track_at(&track, 100));
}

Test(track, averages_confidence_and_counts_what_was_used) {
  fusion_pose_t pose = {.confidence = 0.4, .used = {[FUSION_LIDAR] = true}};
  track_push(&track, &pose, 1);
  pose = (fusion_pose_t){.confidence = 0.8, .used = {[FUSION_LIDAR] = true, [FUSION_RFID] = true}};
  track_push(&track, &pose, 2);

  cr_assert_float_eq(track_confidence(&track), 0.6, 1e-12);
  cr_assert_eq(track.usage[FUSION_LIDAR], 2);
  cr_assert_eq(track.usage[FUSION_RFID], 1);
  track_reset(&track);
  cr_assert_eq(track_confidence(&track), 0);
  cr_assert_null(track_at(&track, 0));
}
