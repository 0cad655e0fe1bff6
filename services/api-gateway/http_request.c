/* Headers of a request. */
#include "http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "http.h"
#include "profile.h"
#include "ws_frames.h"

typedef struct method_row {
  enum lws_token_indexes token;
  const char *name;
} method_row_t;

static const method_row_t METHODS[] = {
    {WSI_TOKEN_GET_URI, "GET"},       {WSI_TOKEN_POST_URI, "POST"},
    {WSI_TOKEN_PUT_URI, "PUT"},       {WSI_TOKEN_PATCH_URI, "PATCH"},
    {WSI_TOKEN_DELETE_URI, "DELETE"}, {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
    {WSI_TOKEN_HEAD_URI, "HEAD"},
};

static const char *method_of(struct lws *wsi) {
  for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
    if (lws_hdr_total_length(wsi, METHODS[i].token) > 0) return METHODS[i].name;
  }
  return "?";
}

/* Copies a header; "" when absent or longer than size. */
static void copy_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size) {
  if (lws_hdr_copy(wsi, out, (int)size, token) <= 0) out[0] = '\0';
}

/* One that is too long to be compared is another's. */
static void copy_if_range(struct lws *wsi, exchange_t *x) {
  copy_header(wsi, WSI_TOKEN_HTTP_IF_RANGE, x->if_range, sizeof x->if_range);
  if (!x->if_range[0] && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_IF_RANGE) > 0)
    snprintf(x->if_range, sizeof x->if_range, "-");
}

static void read_query(struct lws *wsi, buf_t *out) {
  char item[512];

  out->limit = 16384;
  for (int i = 0; lws_hdr_copy_fragment(wsi, item, sizeof item, WSI_TOKEN_HTTP_URI_ARGS, i) > 0;
       i++) {
    buf_put(out, item, strlen(item) + 1);
  }
  buf_put_byte(out, '\0');
}

static bool is_ws_path(const char *path) {
  return !strncmp(path, "/ws", 3) && (path[3] == '\0' || path[3] == '/');
}

void http_request_refuse(exchange_t *x, int status, const char *code, const char *detail) {
  gantry_fault_t fault = {.err = GANTRY_E_REFUSED};

  x->head.close = x->head.close || status == 411 || status == 413;
  snprintf(fault.code, sizeof fault.code, "%s", code);
  snprintf(fault.detail, sizeof fault.detail, "%s", detail);
  exchange_fail_status(x, status, &fault);
}

void http_request_read(struct lws *wsi, const char *path, exchange_t *x) {
  char authorization[AUTH_TOKEN_MAX + 64], accept[512], origin[sizeof x->origin], version[16];
  call_request_t request = {
      .method = method_of(wsi), .path = path, .authorization = authorization, .accept = accept};

  copy_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, authorization, sizeof authorization);
  copy_header(wsi, WSI_TOKEN_HTTP_ACCEPT, accept, sizeof accept);
  copy_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof origin);
  copy_header(wsi, WSI_TOKEN_HTTP_RANGE, x->range, sizeof x->range);
  copy_if_range(wsi, x);
  copy_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, x->if_none_match, sizeof x->if_none_match);
  copy_header(wsi, WSI_TOKEN_HTTP, version, sizeof version);
  x->old_http = !strcmp(version, "HTTP/1.0");
  if (answer_origin_allowed(x->profile->origins(x->gateway), origin)) {
    snprintf(x->origin, sizeof x->origin, "%s", origin);
  }
  x->foreign = !x->origin[0] && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;
  lws_get_peer_simple(wsi, x->address, sizeof x->address);
  read_query(wsi, &x->query);
  if (!strcmp(request.method, "OPTIONS")) {
    x->profile->preflight(x, origin);
    return;
  }
  if (!strcmp(request.method, "HEAD")) {
    x->head.head_only = true;
    request.method = "GET";
  }
  if (is_ws_path(path)) {
    http_request_refuse(x, x->profile->plain_ws_status, "UPGRADE_REQUIRED",
                        "This path speaks WebSocket.");
    return;
  }
  x->profile->open(x, &request);
  explicit_bzero(authorization, sizeof authorization);
}

http_body_t http_request_body(struct lws *wsi, uint64_t most) {
  char text[24], *end;
  uint64_t length;

  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) return HTTP_BODY_CHUNKED;
  if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0) return HTTP_BODY_NONE;
  copy_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof text);
  length = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0') return HTTP_BODY_TOO_LONG;
  if (length > most) return HTTP_BODY_TOO_LONG;
  return length ? HTTP_BODY_COMING : HTTP_BODY_NONE;
}
