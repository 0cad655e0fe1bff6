/* Envelopes, and the links between pages. */
#include "envelope.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

static const char *query_of(exchange_t *x) {
  return x->query.len ? (const char *)x->query.data : NULL;
}

static bool is_bare(exchange_t *x) {
  const char *asked = route_query(query_of(x), "envelope");

  bool enveloped =
      x->endpoint->envelope == ENVELOPE_OBJECT || x->endpoint->envelope == ENVELOPE_LIST;

  return !enveloped || (asked && !strcmp(asked, "none"));
}

void envelope_open(exchange_t *x) {
  if (!is_bare(x)) buf_put_text(&x->out, "{\"success\":true,\"data\":");
}

void envelope_close(exchange_t *x) {
  char iso[40];

  if (is_bare(x)) return;
  buf_printf(&x->out, ",\"timestamp\":\"%s\",\"request_id\":\"%016llx\"}",
             clock_iso(clock_wall_ns(), iso, sizeof iso), (unsigned long long)x->cause.trace);
}

/* ---- links */

static void put_encoded(buf_t *out, const char *text) {
  for (; *text; text++) {
    if (isalnum((unsigned char)*text) || strchr("-._~:", *text))
      buf_put_byte(out, (uint8_t)*text);
    else
      buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
  }
}

/* The route's path with the values in place of its {parameters}. */
static void put_path(exchange_t *x, buf_t *out) {
  const char *at = x->endpoint->path;

  for (uint32_t i = 0; *at; at++) {
    if (*at != '{' || i == x->route.parameter_count) {
      buf_put_byte(out, (uint8_t)*at);
      continue;
    }
    put_encoded(out, x->route.parameters[i++].value);
    at = strchr(at, '}');
  }
}

/* The items of the query as they came, but for those of that name. */
static char put_query(exchange_t *x, const char *const *without, buf_t *out) {
  char separator = '?';

  for (const char *item = query_of(x); item && *item; item += strlen(item) + 1) {
    size_t name = strcspn(item, "=");
    bool left_out = false;
    for (const char *const *skip = without; *skip; skip++)
      left_out = left_out || (strlen(*skip) == name && !strncmp(item, *skip, name));
    if (left_out) continue;
    buf_printf(out, "%c%.*s", separator, (int)name, item);
    if (item[name] == '=') {
      buf_put_byte(out, '=');
      put_encoded(out, item + name + 1);
    }
    separator = '&';
  }
  return separator;
}

static void put_links(exchange_t *x, uint32_t page, const char *cursor) {
  static const char *const NOTHING[] = {NULL}, *const TURNED[] = {"cursor", "page", NULL};
  buf_t link = {.limit = 64u << 10};

  put_path(x, &link);
  put_query(x, NOTHING, &link);
  buf_put_text(&x->out, ",\"links\":{\"self\":");
  json_write_text(&x->out, buf_text(&link), link.len);
  if (cursor && cursor[0]) {
    buf_reset(&link);
    put_path(x, &link);
    char separator = put_query(x, TURNED, &link);
    buf_printf(&link, "%cpage=%u&cursor=", separator, page + 1);
    put_encoded(&link, cursor);
    buf_put_text(&x->out, ",\"next\":");
    json_write_text(&x->out, buf_text(&link), link.len);
  }
  buf_put_byte(&x->out, '}');
  buf_fini(&link);
}

/* ---- lists */

void envelope_list_begin(exchange_t *x) {
  exchange_begin(x);
  envelope_open(x);
  buf_put_byte(&x->out, '[');
}

void envelope_list_add(exchange_t *x, const void *row) {
  if (x->out.len && x->out.data[x->out.len - 1] != '[') buf_put_byte(&x->out, ',');
  if (json_write(x->endpoint->answer, row, &x->out) != GANTRY_OK) x->out.failed = true;
}

static uint32_t page_of(exchange_t *x) {
  const char *text = route_query(query_of(x), "page");
  unsigned long page = text ? strtoul(text, NULL, 10) : 1;

  return page >= 1 && page < UINT32_MAX ? (uint32_t)page : 1;
}

static void put_page(exchange_t *x, const envelope_page_t *page) {
  uint32_t number = page_of(x);
  unsigned long long total = page->total;

  if (page->has_total) buf_printf(&x->out, ",\"total_count\":%llu", total);
  buf_printf(&x->out, ",\"page\":%u,\"limit\":%u,\"meta\":{\"page\":%u,\"per_page\":%u", number,
             page->limit, number, page->limit);
  if (page->has_total) {
    unsigned long long pages = page->limit ? (total + page->limit - 1) / page->limit : 1;
    buf_printf(&x->out, ",\"total\":%llu,\"total_pages\":%llu", total, pages);
  }
  if (page->cursor && page->cursor[0]) {
    buf_put_text(&x->out, ",\"cursor\":");
    json_write_text(&x->out, page->cursor, strlen(page->cursor));
  }
  buf_put_byte(&x->out, '}');
  put_links(x, number, page->cursor);
}

void envelope_list_end(exchange_t *x, const envelope_page_t *page) {
  buf_put_byte(&x->out, ']');
  if (!is_bare(x)) put_page(x, page);
  envelope_close(x);
  exchange_finish(x, x->endpoint->status, "application/json");
}
