/* Percent-encoding (RFC 3986, 2.1), undone once. */
#include "target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = (char)tolower((unsigned char)c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Puts the byte at *at and steps over it. */
static const char *put_decoded(const char **at, buf_t *out) {
  const char *text = *at;

  if (*text != '%') {
    buf_put_byte(out, (uint8_t)*text);
    *at = text + 1;
    return NULL;
  }
  int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
  if (low < 0) return "The address holds a % that begins no escape; write %25 for it.";
  if (!high && !low) return "The address holds %00; no name contains it.";
  buf_put_byte(out, (uint8_t)(high << 4 | low));
  *at = text + 3;
  return NULL;
}

static const char *read_query(const char *at, buf_t *out) {
  const char *wrong = NULL;
  size_t begin = out->len;

  while (*at && !wrong) {
    if (*at == '&') {
      if (out->len > begin) buf_put_byte(out, '\0');
      begin = out->len;
      at++;
    } else if (*at == '+') {
      buf_put_byte(out, ' ');
      at++;
    } else {
      wrong = put_decoded(&at, out);
    }
  }
  if (out->len > begin) buf_put_byte(out, '\0');
  buf_put_byte(out, '\0');
  return wrong;
}

/* Behind "http://host" of the form that proxies are asked with. */
static const char *skip_host(const char *raw) {
  size_t scheme = strncasecmp(raw, "http://", 7) ? strncasecmp(raw, "https://", 8) ? 0 : 8 : 7;

  return scheme ? raw + scheme + strcspn(raw + scheme, "/?") : raw;
}

const char *target_read(const char *raw, buf_t *path, buf_t *query) {
  const char *at = skip_host(raw), *wrong = NULL;

  buf_reset(path);
  buf_reset(query);
  if (at != raw && *at != '/') buf_put_byte(path, '/');
  while (*at && *at != '?' && !wrong) {
    wrong = put_decoded(&at, path);
    if (!wrong && path->len && iscntrl(path->data[path->len - 1]))
      wrong = "The address holds a control character, such as %0A; no name contains it.";
  }
  buf_put_byte(path, '\0');
  if (wrong) return wrong;
  if (path->data && path->data[0] != '/' && strcmp((const char *)path->data, "*") != 0)
    return "The address has to begin with a slash.";
  wrong = read_query(*at == '?' ? at + 1 : at, query);
  if (wrong) return wrong;
  return buf_err(path) == GANTRY_OK && buf_err(query) == GANTRY_OK ? NULL
                                                                   : "The address is too long.";
}
