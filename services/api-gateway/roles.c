/* The role table: a row a resource, a column a role, the actions as one word list. */
#include "roles.h"

#include <string.h>
#include <strings.h>

#include <gantry/json.h>

typedef struct role_row {
  const char *resource;
  const char *actions[STORE_ROLE_COUNT]; /* indexed by store_role_t; actions apart by one space */
} role_row_t;

static const role_row_t ROLE_TABLE[] = {
    /* resource: viewer, operator, admin, service, fleet_admin */
    {"dashboard", {"read", "read write", "read write", "", "read write"}},
    {"robot",
     {"read", "read control emergency", "read control emergency configure", "",
      "read control emergency"}},
    {"telemetry", {"read", "read write", "read write delete", "write", "read write"}},
    {"safety",
     {"read", "read emergency acknowledge", "read configure emergency acknowledge", "",
      "read emergency acknowledge"}},
    {"config", {"read", "read", "read write delete", "", "read"}},
    {"users", {"", "", "read write delete", "", ""}},
    {"audit", {"", "", "read", "", ""}},
    {"system",
     {"read", "read control", "read write delete admin control configure", "", "read control"}},
    {"map", {"read", "read write control", "read write delete control", "", "read write control"}},
    {"sensors",
     {"read", "read write capture", "read write delete control capture", "write",
      "read write capture"}},
    {"sessions", {"read", "read control", "read control delete", "", "read control"}},
    {"localization", {"read", "read write", "read write delete control", "", "read write"}},
    {"monitoring", {"read", "read", "read write", "", "read"}},
    {"vehicles", {"read", "read", "read write delete", "", "read write"}},
    {"fleets", {"read", "read", "read write delete", "", "read write"}},
    {"configs", {"read", "read", "read write delete", "", "read write"}},
};
enum { ROLE_ROWS = sizeof ROLE_TABLE / sizeof ROLE_TABLE[0] };

static bool has_word(const char *list, const char *word) {
  size_t len = strlen(word);

  for (const char *at = list; *at;) {
    size_t span = strcspn(at, " ");
    if (span == len && !memcmp(at, word, len)) return true;
    at += span;
    at += strspn(at, " ");
  }
  return false;
}

bool roles_allow(store_role_t role, const char *permission) {
  const char *colon = strchr(permission, ':');

  if (!strcmp(permission, "public")) return true;
  if ((int)role < 0 || role >= STORE_ROLE_COUNT) return false;
  if (!strcmp(permission, "authenticated")) return true;
  if (!colon) return false;
  for (int i = 0; i < ROLE_ROWS; i++) {
    const role_row_t *row = &ROLE_TABLE[i];
    size_t len = strlen(row->resource);
    if (len != (size_t)(colon - permission) || memcmp(row->resource, permission, len) != 0)
      continue;
    return has_word(row->actions[role], colon + 1);
  }
  return false;
}

static void write_words(const char *list, buf_t *out) {
  buf_put_byte(out, '[');
  for (const char *at = list; *at;) {
    size_t span = strcspn(at, " ");
    if (at != list) buf_put_byte(out, ',');
    json_write_text(out, at, span);
    at += span;
    at += strspn(at, " ");
  }
  buf_put_byte(out, ']');
}

void roles_write(store_role_t role, buf_t *out) {
  bool first = true;

  buf_put_byte(out, '{');
  for (int i = 0; i < ROLE_ROWS && (int)role >= 0 && role < STORE_ROLE_COUNT; i++) {
    if (!ROLE_TABLE[i].actions[role][0]) continue;
    if (!first) buf_put_byte(out, ',');
    first = false;
    json_write_text(out, ROLE_TABLE[i].resource, strlen(ROLE_TABLE[i].resource));
    buf_put_byte(out, ':');
    write_words(ROLE_TABLE[i].actions[role], out);
  }
  buf_put_byte(out, '}');
}

bool roles_parse(const char *text, store_role_t *out) {
  static const struct {
    const char *name;
    store_role_t role;
  } ALIASES[] = {{"administrator", STORE_ROLE_ADMIN},
                 {"vehicle_admin", STORE_ROLE_FLEET_ADMIN},
                 {"device", STORE_ROLE_SERVICE}};

  for (int role = 0; role < STORE_ROLE_COUNT; role++) {
    if (strcasecmp(text, desc_enum_text(&STORE_ROLE_ENUM, role)) != 0) continue;
    *out = (store_role_t)role;
    return true;
  }
  for (size_t i = 0; i < sizeof ALIASES / sizeof ALIASES[0]; i++) {
    if (strcasecmp(text, ALIASES[i].name) != 0) continue;
    *out = ALIASES[i].role;
    return true;
  }
  return false;
}
