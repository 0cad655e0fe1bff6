/* Names by which the gateway is asked for, and machines that it believes. Pure. */
#ifndef GATEWAY_HOSTS_H
#define GATEWAY_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a Host header names us: an address, localhost, or a name of the list (apart by blanks or
   commas; "*.example.org" takes everything below, "*" all). A page of elsewhere whose own name has
   been pointed at us says its own name (DNS rebinding). */
bool hosts_allow(const char *list, const char *header);

/* Whether an address stands in the list: addresses and networks (10.0.0.0/8), apart by blanks or
   commas. */
bool hosts_contain(const char *list, const char *address);
/* Whether each entry of such a list can be read; *bad is the first that cannot. */
bool hosts_check(const char *list, const char **bad);
/* Whose requests count together with address's: an IPv4 address, or the /64 network of an IPv6 one,
   as peers.h counts connections. Another text stays as it is. */
void hosts_together(const char *address, char *out, size_t size);
/* The client in front of trusted proxies: the last address of X-Forwarded-For that is none of them.
   out is left alone when there is none that can be read. */
void hosts_forwarded(const char *list, const char *header, char *out, size_t size);

#endif
