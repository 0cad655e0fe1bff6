/* The token may come three ways: in Authorization, in ?token=, or among the subprotocols, which is
   all that a browser can set. */
#include "ws_upgrade.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char SPACE[] = " \t";

/* The next item of a comma list; its length, 0 behind the last. */
static size_t next_item(const char **at) {
  const char *item = *at + strspn(*at, ", \t");
  size_t len = strcspn(item, ",");

  *at = item;
  while (len && strchr(SPACE, item[len - 1]))
    len--;
  return len;
}

static bool is_item(const char *item, size_t len, const char *word) {
  return strlen(word) == len && !strncasecmp(item, word, len);
}

/* A subprotocol with two dots is a JWT. */
static bool is_token(const char *item, size_t len) {
  unsigned dots = 0;

  for (size_t i = 0; i < len; i++)
    dots += item[i] == '.';
  return dots == 2;
}

static bool put(char *out, size_t size, const char *text, size_t len) {
  if (len >= size) return false;
  memcpy(out, text, len);
  out[len] = '\0';
  return true;
}

/* The one that the client speaks beside its token, else the token: something of the list has to be
   answered, or browsers hang up. */
static void choose_protocol(ws_upgrade_t *upgrade) {
  const char *at = upgrade->protocols;
  const char *chosen = NULL;
  size_t chosen_len = 0, len;

  for (; (len = next_item(&at)); at += len) {
    bool secret = is_token(at, len);
    if (secret && !upgrade->token[0]) (void)put(upgrade->token, sizeof upgrade->token, at, len);
    if (chosen && (secret || !is_token(chosen, chosen_len))) continue;
    chosen = at;
    chosen_len = len;
  }
  if (!chosen || !put(upgrade->protocol, sizeof upgrade->protocol, chosen, chosen_len))
    upgrade->protocol[0] = '\0';
}

bool ws_upgrade_token(const exchange_t *x, ws_upgrade_t *upgrade) {
  const char *text = upgrade->authorization;

  upgrade->token[0] = '\0';
  choose_protocol(upgrade);
  if (!text[0]) text = route_query((const char *)x->query.data, "token");
  if (text && text[0]) return put(upgrade->token, sizeof upgrade->token, text, strlen(text));
  return upgrade->token[0] != '\0';
}

/* Without a window of its own each way, so that one compression serves all clients. */
bool ws_upgrade_deflate(ws_upgrade_t *upgrade) {
  const char *at = upgrade->extensions;
  size_t len;

  for (; (len = next_item(&at)); at += len) {
    size_t name = strcspn(at, "; \t,");
    if (!is_item(at, name < len ? name : len, "permessage-deflate")) continue;
    /* A smaller window than zlib's own would cost a compression of its own. */
    if (memmem(at, len, "server_max_window_bits", 22)) continue;
    snprintf(upgrade->extension, sizeof upgrade->extension, "%s",
             "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    return true;
  }
  return false;
}
