/* A connection string without its password: arguments of a program can be read by anybody, its
   environment cannot. */
#include <gantry/buf.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "db.h"

/* libpq's quoting: in apostrophes, with a backslash before ' and \. */
static void put_quoted(buf_t *out, const char *text) {
  buf_put_byte(out, '\'');
  for (; *text; text++) {
    if (*text == '\'' || *text == '\\') buf_put_byte(out, '\\');
    buf_put_byte(out, (uint8_t)*text);
  }
  buf_put_byte(out, '\'');
}

gantry_err_t db_pg_split(const char *dsn, char *out, size_t size, char *password,
                         size_t password_size) {
  PQconninfoOption *options = PQconninfoParse(dsn, NULL);
  buf_t text = {.limit = size};
  bool fits = options != NULL;
  password[0] = '\0';
  for (const PQconninfoOption *option = options; option && option->keyword; option++) {
    if (!option->val || !option->val[0]) continue;
    if (strcmp(option->keyword, "password") == 0) {
      fits = fits && strlen(option->val) < password_size;
      (void)snprintf(password, password_size, "%s", option->val);
      continue;
    }
    buf_printf(&text, "%s%s=", text.len ? " " : "", option->keyword);
    put_quoted(&text, option->val);
  }
  (void)snprintf(out, size, "%s", buf_text(&text));
  fits = fits && buf_err(&text) == GANTRY_OK;
  buf_fini(&text);
  PQconninfoFree(options);
  return fits ? GANTRY_OK : GANTRY_E_INVALID;
}
