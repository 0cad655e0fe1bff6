/* The one place that knows which headers every answer carries. */
#include "answer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>
#include <messages.h>

typedef struct reason {
  int status;
  const char *text;
} reason_t;

static const reason_t REASONS[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char SECURITY_HEADERS[] =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "X-XSS-Protection: 1; mode=block\r\n"
    "Referrer-Policy: strict-origin-when-cross-origin\r\n"
    "Permissions-Policy: geolocation=(), camera=(), microphone=()\r\n";

const char *answer_reason(int status) {
  for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
    if (REASONS[i].status == status) return REASONS[i].text;
  }
  return "Unknown";
}

void answer_begin(buf_t *out) {
  buf_reset(out);
  if (buf_reserve(out, ANSWER_ROOM)) out->len = ANSWER_ROOM;
}

/* Headers as they are written; a full text stays cut and is refused at the end. */
typedef struct head_text {
  char text[ANSWER_ROOM - 32];
  size_t len;
} head_text_t;

static void put(head_text_t *head, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(head_text_t *head, const char *format, ...) {
  va_list args;

  va_start(args, format);
  int len = vsnprintf(head->text + head->len, sizeof head->text - head->len, format, args);
  va_end(args);
  if (len > 0) head->len += (size_t)len;
  if (head->len > sizeof head->text) head->len = sizeof head->text;
}

static void put_cors(head_text_t *text, const answer_head_t *head) {
  if (!head->origin) return;
  put(text,
      "Access-Control-Allow-Origin: %s\r\nAccess-Control-Allow-Credentials: true\r\nVary: "
      "Origin\r\n",
      head->origin);
  if (!head->preflight) return;
  put(text, "Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
            "Access-Control-Allow-Headers: authorization, content-type, x-api\r\n"
            "Access-Control-Max-Age: 600\r\n");
}

static void put_length(head_text_t *text, const answer_head_t *head, size_t body_len) {
  if (head->status == 204 || head->status == 304) return;
  if (!head->streamed)
    put(text, "Content-Length: %zu\r\n", body_len);
  else if (head->has_length)
    put(text, "Content-Length: %llu\r\n", (unsigned long long)head->length);
  else if (head->chunked)
    put(text, "Transfer-Encoding: chunked\r\n");
}

static void put_extras(head_text_t *text, const answer_head_t *head) {
  if (head->status == 401) put(text, "WWW-Authenticate: Bearer\r\n");
  if (head->allow) put(text, "Allow: %s\r\n", head->allow);
  if (head->retry_s) put(text, "Retry-After: %u\r\n", head->retry_s);
  if (head->limit) {
    put(text, "X-RateLimit-Limit: %u\r\nX-RateLimit-Remaining: %u\r\n", head->limit,
        head->remaining);
  }
  if (head->extra) put(text, "%s", head->extra);
  if (head->csp) put(text, "Content-Security-Policy: %s\r\n", head->csp);
  put(text, "Cache-Control: %s\r\n", head->cacheable ? "max-age=3600" : "no-store");
  if (head->status == 426) put(text, "Upgrade: websocket\r\n");
  if (head->close) put(text, "Connection: close\r\n");
}

gantry_err_t answer_finish(buf_t *out, const answer_head_t *head, size_t *start) {
  head_text_t text = {.len = 0};

  *start = 0;
  GANTRY_TRY(buf_err(out));
  put(&text, "HTTP/1.1 %d %s\r\n", head->status, answer_reason(head->status));
  if (head->type) put(&text, "Content-Type: %s\r\n", head->type);
  put_length(&text, head, out->len - ANSWER_ROOM);
  put(&text, "X-Request-Id: %016llx\r\n%s", (unsigned long long)head->request_id, SECURITY_HEADERS);
  put_cors(&text, head);
  put_extras(&text, head);
  put(&text, "\r\n");
  if (text.len >= sizeof text.text) return GANTRY_E_TOO_LARGE;
  if (head->head_only) out->len = ANSWER_ROOM;
  *start = ANSWER_ROOM - text.len;
  memcpy(out->data + *start, text.text, text.len);
  return GANTRY_OK;
}

void answer_error(const gantry_fault_t *fault, uint64_t now_wall_ns, uint64_t request_id,
                  buf_t *out) {
  http_error_t error = {.success = false, .timestamp = now_wall_ns, .request_id = request_id};
  const char *detail = fault->detail[0] ? fault->detail : gantry_err_name(fault->err);
  const char *code = fault->code[0] ? fault->code : gantry_err_code(fault->err);

  /* A check's own words ("is missing") name no field; a sentence stands by itself. */
  bool fragment =
      fault->field[0] && islower((unsigned char)detail[0]) && !strstr(detail, fault->field);
  snprintf(error.error, sizeof error.error, "%s%s%.*s", fragment ? fault->field : "",
           fragment ? ": " : "", fragment ? 90 : 191, detail);
  snprintf(error.detail, sizeof error.detail, "%s", error.error);
  snprintf(error.code, sizeof error.code, "%s", code);
  if (fault->field[0]) {
    error.details_count = 1;
    snprintf(error.details[0].field, sizeof error.details[0].field, "%s", fault->field);
    snprintf(error.details[0].message, sizeof error.details[0].message, "%s", detail);
  }
  (void)json_write(&HTTP_ERROR_DESC, &error, out);
}

bool answer_origin_allowed(const char *list, const char *origin) {
  size_t len = strlen(origin);

  if (!len) return false;
  for (const char *at = list; *at;) {
    at += strspn(at, ", ");
    size_t span = strcspn(at, ", ");
    if (span == len && !memcmp(at, origin, len)) return true;
    at += span;
  }
  return false;
}
