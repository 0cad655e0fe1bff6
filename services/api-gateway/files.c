/* The dashboard and the documentation page: plain files under one folder. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"

enum { FILE_MAX = 8 << 20, LARGE = 64 << 10, LARGE_MOST = 64 };

/* Swagger UI styles elements and shows icons out of data: links; scripts only from here. */
static const char PAGE_POLICY[] =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'";

typedef struct file_type {
  const char *ending, *type;
} file_type_t;

static const file_type_t FILE_TYPES[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".txt", "text/plain; charset=utf-8"},
    {".woff2", "font/woff2"},
};

const char *files_type(const char *path) {
  const char *ending = strrchr(path, '.');

  for (size_t i = 0; ending && i < sizeof FILE_TYPES / sizeof FILE_TYPES[0]; i++) {
    if (!strcmp(FILE_TYPES[i].ending, ending)) return FILE_TYPES[i].type;
  }
  return NULL;
}

static bool is_plain(char c) {
  return isalnum((unsigned char)c) || c == '/' || c == '.' || c == '-' || c == '_';
}

bool files_resolve(const char *root, const char *path, char *out, size_t size) {
  if (!root[0] || path[0] != '/') return false;
  if (!strcmp(path, "/")) path = "/index.html";
  if (!strcmp(path, "/docs")) path = "/docs.html";
  for (const char *at = path; *at; at++) {
    if (!is_plain(*at)) return false;
    if (*at == '/' && (at[1] == '/' || at[1] == '.' || at[1] == '\0')) return false;
  }
  int len = snprintf(out, size, "%s%s", root, path);
  return len > 0 && (size_t)len < size;
}

static bool read_file(const char *path, buf_t *out) {
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  bool done = false;

  if (fd < 0) return false;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_MAX) {
    size_t len = (size_t)status.st_size;
    uint8_t *room = buf_reserve(out, len + 1);
    done = room && read(fd, room, len) == (ssize_t)len;
    if (done) out->len += len;
  }
  close(fd);
  return done;
}

/* Nobody logs in for a page, and each that a client is slow to take is held in memory. */
static bool has_room(const gateway_t *gateway) {
  uint32_t large = 0;

  for (const exchange_t *x = gateway->exchanges; x; x = x->next)
    large += !x->endpoint && x->answered && x->out.len > LARGE;
  return large < LARGE_MOST;
}

void files_answer(exchange_t *x, const char *path) {
  char name[1024];
  const char *type;

  if (!files_resolve(x->gateway->web_root, path, name, sizeof name) || !(type = files_type(name))) {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "", "No such page; /docs lists the routes.");
    return;
  }
  exchange_begin(x);
  if (!read_file(name, &x->out)) {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "", "No such page; /docs lists the routes.");
    return;
  }
  if (x->out.len > LARGE && !has_room(x->gateway)) {
    x->head.retry_s = 5;
    exchange_fail(x, GANTRY_E_RATE_LIMITED, NULL, "",
                  "%d large pages are under way; ask again when one has been taken.", LARGE_MOST);
    return;
  }
  if (exchange_is_known(x)) return;
  x->head.csp = PAGE_POLICY;
  x->head.cacheable = strncmp(path, "/vendor/", 8) == 0;
  exchange_finish(x, 200, type);
}
