/* Requests of strangers against the route table: a byte for the method, then path, query and body,
   apart by line feeds. What a route takes is read as the gateway reads it; what is accepted must
   fit its own schema again.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_route build-fuzz/tests/fuzz/fuzz_route
   -max_total_time=20 -max_len=4096 -rss_limit_mb=1024 */
#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

#include "route.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The next line as text of its own; the rest stays in *bytes. */
static char *take_line(const uint8_t **bytes, size_t *len) {
  const uint8_t *end = memchr(*bytes, '\n', *len);
  size_t span = end ? (size_t)(end - *bytes) : *len;
  char *text = malloc(span + 2);

  memcpy(text, *bytes, span);
  text[span] = text[span + 1] = '\0';
  *bytes += span + (end != NULL);
  *len -= span + (end != NULL);
  return text;
}

static void read_into(const desc_t *desc, const char *text, size_t len, bool strict) {
  void *value = calloc(1, desc->size), *again = calloc(1, desc->size);
  gantry_fault_t fault;
  json_fault_t faults[4];
  buf_t written = {0};

  bool fits = json_read(desc, text, len, strict, value, &fault) == GANTRY_OK;
  if (fits != (json_read_all(desc, text, len, strict, again, faults, 4) == 0)) abort();
  if (fits) {
    if (json_write(desc, value, &written) != GANTRY_OK) abort();
    if (json_read(desc, buf_text(&written), written.len, true, again, &fault) != GANTRY_OK) abort();
  }
  buf_fini(&written);
  free(value);
  free(again);
}

static void read_query(const desc_t *params, const route_t *route, const char *query) {
  buf_t json = {.limit = 64u << 10};

  route_params_json(params, route, query, &json);
  if (buf_err(&json) == GANTRY_OK) read_into(params, buf_text(&json), json.len, true);
  buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  route_t route;

  if (!len) return 0;
  http_method_t method = (http_method_t)(bytes[0] % 5);
  bytes++;
  len--;
  char *path = take_line(&bytes, &len), *query = take_line(&bytes, &len);
  for (char *at = query; (at = strchr(at, '&'));)
    *at++ = '\0';
  route_match(method, path, &route);
  if (route.found) {
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[route.endpoint];
    if (!(route.allowed & 1u << method) || endpoint->method != method) abort();
    if (endpoint->params) read_query(endpoint->params, &route, query);
    if (endpoint->body) read_into(endpoint->body, (const char *)bytes, len, false);
  }
  free(path);
  free(query);
  return 0;
}
