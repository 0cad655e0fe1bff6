/* Tags in the field. */
#include <stdio.h>

#include <criterion/criterion.h>

#include "sighting.h"

#define MS 1000000ull

static sightings_t sightings;

static void setup(void) {
  sightings_init(&sightings, 200 * MS);
}

TestSuite(sighting, .init = setup);

Test(sighting, passes_the_first_and_then_five_a_second) {
  uint32_t passed = 0;
  for (uint64_t t = 1; t <= 1000; t += 50)
    passed += sightings_pass(&sightings, "R1", "0000000A", t * MS);

  cr_assert_eq(passed, 5);
}

Test(sighting, keeps_tags_and_readers_apart) {
  cr_assert(sightings_pass(&sightings, "R1", "0000000A", MS));
  cr_assert(sightings_pass(&sightings, "R1", "0000000B", MS));
  cr_assert(sightings_pass(&sightings, "R2", "0000000A", MS));
  cr_assert_not(sightings_pass(&sightings, "R2", "0000000A", 2 * MS));
}

Test(sighting, counts_the_tags_of_the_last_second) {
  sightings_pass(&sightings, "R1", "0000000A", 1 * MS);
  sightings_pass(&sightings, "R1", "0000000B", 900 * MS);
  sightings_pass(&sightings, "R2", "0000000C", 900 * MS);

  cr_assert_eq(sightings_at_once(&sightings, "R1", 950 * MS), 2);
  cr_assert_eq(sightings_at_once(&sightings, "R1", 1500 * MS), 1);
}

Test(sighting, makes_room_by_forgetting_the_oldest) {
  char tag[9];
  for (unsigned i = 0; i <= SIGHTING_CAPACITY; i++) {
    snprintf(tag, sizeof tag, "%08X", i);
    cr_assert(sightings_pass(&sightings, "R1", tag, (1 + i) * MS));
  }

  cr_assert_eq(sightings.count, SIGHTING_CAPACITY);
  cr_assert_not(sightings_pass(&sightings, "R1", "00000001", 100 * MS),
                "a younger one was forgotten");
  cr_assert(sightings_pass(&sightings, "R1", "00000000", 100 * MS));
}
