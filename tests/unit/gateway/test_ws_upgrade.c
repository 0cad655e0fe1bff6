/* What an upgrade brings: the token, wherever it stands; the protocol to be answered. */
#include "ws_upgrade.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static ws_upgrade_t upgrade;
static exchange_t *x;

static void set_up(void) {
  upgrade = (ws_upgrade_t){.path = "/ws", .authorization = "", .protocols = "", .extensions = ""};
  x = calloc(1, sizeof *x);
  buf_put(&x->query, "a=1\0", 5);
}

static void tear_down(void) {
  buf_fini(&x->query);
  free(x);
}

TestSuite(ws_upgrade, .init = set_up, .fini = tear_down);

Test(ws_upgrade, finds_the_token_in_each_of_its_places) {
  cr_expect_not(ws_upgrade_token(x, &upgrade));

  upgrade.protocols = "aa.bb.cc";
  cr_expect(ws_upgrade_token(x, &upgrade));
  cr_expect_str_eq(upgrade.token, "aa.bb.cc");
  cr_expect_str_eq(upgrade.protocol, "aa.bb.cc", "browsers want one of theirs");

  buf_reset(&x->query);
  buf_put(&x->query, "token=q.q.q\0", 13);
  cr_expect(ws_upgrade_token(x, &upgrade));
  cr_expect_str_eq(upgrade.token, "q.q.q");

  upgrade.authorization = "Bearer h.h.h";
  cr_expect(ws_upgrade_token(x, &upgrade));
  cr_expect_str_eq(upgrade.token, "Bearer h.h.h");
}

Test(ws_upgrade, answers_the_protocol_that_stands_beside_the_token) {
  static const char *const LISTS[] = {"gantry, a.b.c", "a.b.c,gantry", "a.b.c ,\tgantry , other"};

  for (int i = 0; i < 3; i++) {
    upgrade.protocols = LISTS[i];
    cr_assert(ws_upgrade_token(x, &upgrade), "%s", LISTS[i]);
    cr_expect_str_eq(upgrade.protocol, "gantry", "%s", LISTS[i]);
    cr_expect_str_eq(upgrade.token, "a.b.c", "%s", LISTS[i]);
  }
}

Test(ws_upgrade, refuses_a_token_longer_than_any_of_ours) {
  static char text[AUTH_TOKEN_MAX + 100];
  memset(text, 'a', sizeof text - 1);
  upgrade.authorization = text;

  cr_expect_not(ws_upgrade_token(x, &upgrade));
  upgrade.authorization = "";
  text[10] = text[20] = '.';
  upgrade.protocols = text;
  cr_expect_not(ws_upgrade_token(x, &upgrade));
  cr_expect_str_eq(upgrade.protocol, "");
}

Test(ws_upgrade, agrees_upon_compression_only_when_it_is_offered) {
  static const char *const YES[] = {
      "permessage-deflate", "x-other, permessage-deflate; client_max_window_bits",
      "permessage-deflate; server_max_window_bits=10, permessage-deflate"};
  static const char *const NO[] = {"", "x-webkit-deflate-frame", "permessage-deflate-2",
                                   "permessage-deflate; server_max_window_bits=10"};

  for (size_t i = 0; i < sizeof YES / sizeof YES[0]; i++) {
    upgrade.extensions = YES[i];
    cr_expect(ws_upgrade_deflate(&upgrade), "%s", YES[i]);
    cr_expect_not_null(strstr(upgrade.extension, "server_no_context_takeover"));
  }
  upgrade.extension[0] = '\0';
  for (size_t i = 0; i < sizeof NO / sizeof NO[0]; i++) {
    upgrade.extensions = NO[i];
    cr_expect_not(ws_upgrade_deflate(&upgrade), "%s", NO[i]);
    cr_expect_str_eq(upgrade.extension, "");
  }
}
