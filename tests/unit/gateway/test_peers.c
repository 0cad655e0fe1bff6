/* Connections by address. */
#include "peers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

static peers_t peers;

static void set_up(void) {
  cr_assert_eq(peers_init(&peers, 100), GANTRY_OK);
}

static void tear_down(void) {
  peers_fini(&peers);
}

TestSuite(peers, .init = set_up, .fini = tear_down);

static peer_address_t v4(uint32_t host) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(host)}};

  return peers_address((const void *)&name);
}

static peer_address_t v6(const char *text) {
  struct sockaddr_in6 name = {.sin6_family = AF_INET6};

  cr_assert_eq(inet_pton(AF_INET6, text, &name.sin6_addr), 1);
  return peers_address((const void *)&name);
}

Test(peers, counts_each_address_by_itself) {
  peer_address_t one = v4(0x7f000001), other = v4(0x7f000002);

  cr_expect(peers_enter(&peers, &one));
  cr_expect(peers_enter(&peers, &one));
  cr_expect(peers_enter(&peers, &other));
  cr_expect_eq(peers_held(&peers, &one), 2);
  cr_expect_eq(peers_held(&peers, &other), 1);
  cr_expect_eq(peers.total, 3);
  peers_leave(&peers, &one);
  peers_leave(&peers, &one);
  cr_expect_eq(peers_held(&peers, &one), 0);
  cr_expect_eq(peers.total, 1);
}

Test(peers, takes_a_network_of_ipv6_for_one) {
  peer_address_t one = v6("2001:db8:1:2::3"), other = v6("2001:db8:1:2:ffff::");

  cr_expect(peers_enter(&peers, &one));
  cr_expect_eq(peers_held(&peers, &other), 1);
  peer_address_t strange = v6("2001:db8:1:3::3");
  cr_expect_eq(peers_held(&peers, &strange), 0);
  peer_address_t mapped = v6("::ffff:127.0.0.1"), plain = v4(0x7f000001);
  cr_expect(peers_enter(&peers, &mapped));
  cr_expect_eq(peers_held(&peers, &plain), 1);
}

Test(peers, holds_as_many_addresses_as_connections_may_have) {
  for (uint32_t i = 0; i < 100; i++) {
    peer_address_t address = v4(0x0a000000 + i * 7919);
    cr_expect(peers_enter(&peers, &address), "%u", i);
  }
  for (uint32_t i = 0; i < 100; i++) {
    peer_address_t address = v4(0x0a000000 + i * 7919);
    peers_leave(&peers, &address);
    cr_expect_eq(peers_held(&peers, &address), 0);
  }
  cr_expect_eq(peers.total, 0);
}
