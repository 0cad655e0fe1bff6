/* The role table. */
#include "roles.h"

#include <criterion/criterion.h>
#include <string.h>

#include <gantry/catalogue.h>

Test(roles, viewer_reads_and_does_nothing_else) {
  cr_expect(roles_allow(STORE_ROLE_VIEWER, "map:read"));
  cr_expect(roles_allow(STORE_ROLE_VIEWER, "authenticated"));
  cr_expect_not(roles_allow(STORE_ROLE_VIEWER, "map:write"));
  cr_expect_not(roles_allow(STORE_ROLE_VIEWER, "robot:control"));
  cr_expect_not(roles_allow(STORE_ROLE_VIEWER, "users:read"));
  cr_expect_not(roles_allow(STORE_ROLE_VIEWER, "audit:read"));
}

Test(roles, operator_drives_and_maps_but_deletes_nothing) {
  cr_expect(roles_allow(STORE_ROLE_OPERATOR, "robot:control"));
  cr_expect(roles_allow(STORE_ROLE_OPERATOR, "map:write"));
  cr_expect_not(roles_allow(STORE_ROLE_OPERATOR, "map:delete"));
  cr_expect_not(roles_allow(STORE_ROLE_OPERATOR, "users:read"));
}

Test(roles, admin_may_use_every_route) {
  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    cr_expect(roles_allow(STORE_ROLE_ADMIN, CATALOGUE_ENDPOINTS[i].permission), "%s",
              CATALOGUE_ENDPOINTS[i].permission);
  }
}

Test(roles, everybody_logged_in_may_stop_the_robot) {
  for (int role = 0; role < STORE_ROLE_COUNT; role++) {
    cr_expect(roles_allow((store_role_t)role,
                          CATALOGUE_ENDPOINTS[ENDPOINT_ROBOT_EMERGENCY_STOP].permission));
    cr_expect(roles_allow((store_role_t)role,
                          CATALOGUE_ENDPOINTS[ENDPOINT_SAFETY_EMERGENCY_STOP].permission));
  }
}

Test(roles, refuses_unknown_roles_and_permissions) {
  cr_expect_not(roles_allow((store_role_t)99, "map:read"));
  cr_expect_not(roles_allow((store_role_t)-1, "authenticated"));
  cr_expect_not(roles_allow(STORE_ROLE_ADMIN, "nothing:read"));
  cr_expect_not(roles_allow(STORE_ROLE_ADMIN, "map:fly"));
  cr_expect_not(roles_allow(STORE_ROLE_ADMIN, "map"));
  cr_expect_not(roles_allow(STORE_ROLE_ADMIN, "map:rea"));
  cr_expect_not(roles_allow(STORE_ROLE_ADMIN, ""));
}

Test(roles, writes_resources_with_their_actions) {
  buf_t out = {0};

  roles_write(STORE_ROLE_OPERATOR, &out);

  cr_expect_not_null(strstr(buf_text(&out), "\"robot\":[\"read\",\"control\",\"emergency\"]"));
  cr_expect_null(strstr(buf_text(&out), "\"users\""));
  buf_fini(&out);
}
