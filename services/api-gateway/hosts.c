/* Host headers (RFC 9110, 7.2) and X-Forwarded-For. */
#include "hosts.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_CHARS = 253 };

/* ---- names */

/* Without port, brackets and the dot of the root; false when it cannot be a host. */
static bool bare_name(const char *header, char *out, size_t size) {
  size_t len = strcspn(header, ":");

  if (header[0] == '[') {
    len = strcspn(++header, "]");
    if (!header[len]) return false;
  }
  if (len && header[len - 1] == '.') len--;
  if (!len || len >= size) return false;
  memcpy(out, header, len);
  out[len] = '\0';
  return true;
}

static bool is_address(const char *name) {
  struct in6_addr any;

  return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

static bool fits(const char *entry, size_t len, const char *name) {
  size_t name_len = strlen(name);

  if (len == 1 && *entry == '*') return true;
  if (len > 2 && !strncmp(entry, "*.", 2))
    return name_len > len - 1 && !strncasecmp(name + name_len - (len - 1), entry + 1, len - 1);
  return len == name_len && !strncasecmp(entry, name, len);
}

bool hosts_allow(const char *list, const char *header) {
  char name[NAME_MAX_CHARS + 1];

  if (!bare_name(header, name, sizeof name)) return false;
  if (is_address(name) || !strcasecmp(name, "localhost")) return true;
  for (const char *at = list; *at;) {
    at += strspn(at, ", ");
    size_t len = strcspn(at, ", ");
    if (len && fits(at, len, name)) return true;
    at += len;
  }
  return false;
}

/* ---- addresses */

typedef struct network {
  uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
  unsigned bits;
} network_t;

static bool read_address(const char *text, network_t *out) {
  static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

  out->bits = 128;
  memcpy(out->bytes, MAPPED, sizeof MAPPED);
  if (inet_pton(AF_INET, text, out->bytes + 12) == 1) return true;
  return inet_pton(AF_INET6, text, out->bytes) == 1;
}

static bool read_network(const char *text, size_t len, network_t *out) {
  char copy[64], *slash, *end = NULL;

  if (len >= sizeof copy) return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  if ((slash = strchr(copy, '/')) != NULL) *slash++ = '\0';
  if (!read_address(copy, out)) return false;
  if (!slash) return true;
  unsigned long bits = strtoul(slash, &end, 10), most = strchr(copy, ':') ? 128 : 32;
  if (end == slash || *end || bits > most) return false;
  out->bits = (unsigned)(bits + (128 - most));
  return true;
}

static bool is_within(const network_t *network, const network_t *address) {
  unsigned whole = network->bits / 8, rest = network->bits % 8;

  if (memcmp(network->bytes, address->bytes, whole) != 0) return false;
  return !rest || (network->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool hosts_contain(const char *list, const char *address) {
  network_t network, one;

  if (!*list || !read_address(address, &one)) return false;
  for (const char *at = list; *at;) {
    at += strspn(at, ", ");
    size_t len = strcspn(at, ", ");
    if (len && read_network(at, len, &network) && is_within(&network, &one)) return true;
    at += len;
  }
  return false;
}

bool hosts_check(const char *list, const char **bad) {
  network_t network;

  for (const char *at = list; *at;) {
    at += strspn(at, ", ");
    size_t len = strcspn(at, ", ");
    *bad = at;
    if (len && !read_network(at, len, &network)) return false;
    at += len;
  }
  return true;
}

void hosts_together(const char *address, char *out, size_t size) {
  struct in6_addr net;

  snprintf(out, size, "%s", address);
  if (inet_pton(AF_INET6, address, &net) != 1) return;
  bool v4 = IN6_IS_ADDR_V4MAPPED(&net);
  if (!v4) memset(net.s6_addr + 8, 0, 8);
  (void)inet_ntop(v4 ? AF_INET : AF_INET6, net.s6_addr + (v4 ? 12 : 0), out, (socklen_t)size);
}

void hosts_forwarded(const char *list, const char *header, char *out, size_t size) {
  size_t end = strlen(header);
  network_t any;

  while (end) {
    char entry[64];
    size_t begin = end;
    while (begin && header[begin - 1] != ',')
      begin--;
    const char *text = header + begin + strspn(header + begin, " \t");
    size_t len = strcspn(text, ", \t");
    if (len >= sizeof entry) return;
    memcpy(entry, text, len);
    entry[len] = '\0';
    if (!read_address(entry, &any)) return;
    snprintf(out, size, "%s", entry);
    if (!hosts_contain(list, entry) || !begin) return;
    end = begin - 1;
  }
}
