/* Names of ours, and proxies. */
#include "hosts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(hosts, takes_addresses_and_localhost_always) {
  static const char *const OURS[] = {"localhost",  "LocalHost:8000", "127.0.0.1:80",
                                     "10.1.2.3",   "[::1]:8000",     "[fe80::1]",
                                     "localhost.", "192.168.7.9:443"};

  for (size_t i = 0; i < sizeof OURS / sizeof OURS[0]; i++)
    cr_expect(hosts_allow("", OURS[i]), "%s", OURS[i]);
}

Test(hosts, takes_no_name_that_is_not_listed) {
  static const char *const STRANGE[] = {"evil.example",
                                        "localhost.evil.example",
                                        "127.0.0.1.evil.example",
                                        "xlocalhost",
                                        "robot",
                                        "",
                                        "[::1",
                                        ":8000",
                                        "a.robots.lan"};

  for (size_t i = 0; i < sizeof STRANGE / sizeof STRANGE[0]; i++)
    cr_expect_not(hosts_allow("robot.lan, *.halls.lan", STRANGE[i]), "%s", STRANGE[i]);
}

Test(hosts, takes_listed_names_and_what_is_below_a_star) {
  const char *list = "robot.lan *.halls.lan";

  cr_expect(hosts_allow(list, "robot.lan"));
  cr_expect(hosts_allow(list, "ROBOT.lan.:8000"));
  cr_expect(hosts_allow(list, "a.b.halls.lan:1"));
  cr_expect_not(hosts_allow(list, "halls.lan"));
  cr_expect_not(hosts_allow(list, "evilhalls.lan"));
  cr_expect(hosts_allow("*", "whatever"));
}

Test(hosts, finds_addresses_in_networks) {
  const char *list = "10.0.0.0/8, 192.168.1.1 2001:db8::/33";

  cr_expect(hosts_contain(list, "10.255.0.1"));
  cr_expect(hosts_contain(list, "::ffff:10.255.0.1"));
  cr_expect(hosts_contain(list, "192.168.1.1"));
  cr_expect(hosts_contain(list, "2001:db8:7fff::1"));
  cr_expect_not(hosts_contain(list, "2001:db8:8000::1"));
  cr_expect_not(hosts_contain(list, "192.168.1.2"));
  cr_expect_not(hosts_contain(list, "11.0.0.1"));
  cr_expect_not(hosts_contain(list, "a"));
  cr_expect_not(hosts_contain("", "10.0.0.1"));
  cr_expect(hosts_contain("0.0.0.0/0", "1.2.3.4"));
}

Test(hosts, names_the_entry_that_cannot_be_read) {
  const char *bad = NULL;

  cr_expect(hosts_check("10.0.0.0/8 ::1", &bad));
  cr_expect_not(hosts_check("10.0.0.0/8 10.0.0.0/33", &bad));
  cr_expect_eq(strncmp(bad, "10.0.0.0/33", 11), 0);
  cr_expect_not(hosts_check("proxy.lan", &bad));
}

static const char *together(const char *address) {
  static char out[48];

  hosts_together(address, out, sizeof out);
  return out;
}

Test(hosts, counts_a_network_of_ipv6_as_one) {
  cr_expect_str_eq(together("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  cr_expect_str_eq(together("2001:db8:1:2::9"), "2001:db8:1:2::");
  cr_expect_str_eq(together("2001:db8:1:3::9"), "2001:db8:1:3::");
  cr_expect_str_eq(together("::ffff:10.1.2.3"), "10.1.2.3");
  cr_expect_str_eq(together("10.1.2.3"), "10.1.2.3");
  cr_expect_str_eq(together("fe80::1%eth0"), "fe80::1%eth0");
}

static const char *client_of(const char *header) {
  static char out[48];

  snprintf(out, sizeof out, "10.0.0.9");
  hosts_forwarded("10.0.0.0/8", header, out, sizeof out);
  return out;
}

Test(hosts, believes_proxies_and_nobody_in_front_of_them) {
  cr_expect_str_eq(client_of("1.2.3.4"), "1.2.3.4");
  cr_expect_str_eq(client_of("6.6.6.6, 1.2.3.4, 10.0.0.2"), "1.2.3.4");
  cr_expect_str_eq(client_of("10.0.0.3, 10.0.0.2"), "10.0.0.3");
  cr_expect_str_eq(client_of("2001:db8::1"), "2001:db8::1");
  cr_expect_str_eq(client_of(""), "10.0.0.9");
  cr_expect_str_eq(client_of("1.2.3.4, unknown"), "10.0.0.9");
  cr_expect_str_eq(client_of("1.2.3.4, unknown, 10.0.0.2"), "10.0.0.2");
}
