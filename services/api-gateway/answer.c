/* The one place that knows which headers every answer carries. */
#include "answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <messages.h>

static void put_number(answer_header_fn put, void *arg, const char *name, uint32_t value) {
  char text[11], *at = text + sizeof text - 1;

  *at = '\0';
  do
    *--at = (char)('0' + value % 10);
  while (value /= 10);
  put(arg, name, at);
}

/* Sixteen digits of base 16, as in the log. */
static void put_id(answer_header_fn put, void *arg, uint64_t id) {
  char text[17];

  for (size_t i = 16; i-- > 0; id >>= 4)
    text[i] = "0123456789abcdef"[id & 15];
  text[16] = '\0';
  put(arg, "X-Request-Id", text);
}

static void put_security(answer_header_fn put, void *arg) {
  put(arg, "X-Content-Type-Options", "nosniff");
  put(arg, "X-Frame-Options", "DENY");
  put(arg, "X-XSS-Protection", "1; mode=block");
  put(arg, "Referrer-Policy", "strict-origin-when-cross-origin");
  put(arg, "Permissions-Policy", "geolocation=(), camera=(), microphone=()");
}

static void put_cors(const answer_head_t *head, answer_header_fn put, void *arg) {
  /* What may be kept must not be handed to another origin's page. */
  if (head->origin || head->cacheable || head->revalidated) put(arg, "Vary", "Origin");
  if (!head->origin) return;
  put(arg, "Access-Control-Allow-Origin", head->origin);
  put(arg, "Access-Control-Allow-Credentials", "true");
  if (!head->preflight) {
    put(arg, "Access-Control-Expose-Headers",
        "ETag, Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, "
        "Content-Disposition, Content-Range");
    return;
  }
  put(arg, "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
  put(arg, "Access-Control-Allow-Headers",
      "authorization, content-type, x-api, if-match, if-none-match");
  put(arg, "Access-Control-Max-Age", "600");
}

/* Lines "Name: value", each ended by CRLF. */
static void put_lines(const char *lines, answer_header_fn put, void *arg) {
  char name[64], value[512];

  while (*lines) {
    size_t len = strcspn(lines, "\r\n"), name_len = strcspn(lines, ":");
    if (name_len + 2 <= len) {
      snprintf(name, sizeof name, "%.*s", (int)name_len, lines);
      snprintf(value, sizeof value, "%.*s", (int)(len - name_len - 2), lines + name_len + 2);
      put(arg, name, value);
    }
    lines += len;
    lines += strspn(lines, "\r\n");
  }
}

void answer_headers(const answer_head_t *head, answer_header_fn put, void *arg) {
  if (head->type) put(arg, "Content-Type", head->type);
  put_id(put, arg, head->request_id);
  put_security(put, arg);
  put_cors(head, put, arg);
  if (head->status == 401) put(arg, "WWW-Authenticate", "Bearer");
  if (head->allow) put(arg, "Allow", head->allow);
  if (head->retry_s) put_number(put, arg, "Retry-After", head->retry_s);
  if (head->limit) {
    put_number(put, arg, "X-RateLimit-Limit", head->limit);
    put_number(put, arg, "X-RateLimit-Remaining", head->remaining);
  }
  if (head->extra) put_lines(head->extra, put, arg);
  if (head->csp) put(arg, "Content-Security-Policy", head->csp);
  if (head->varies) put(arg, "Vary", "Accept-Encoding");
  if (head->packed) put(arg, "Content-Encoding", "gzip");
  if (head->secure) put(arg, "Strict-Transport-Security", "max-age=31536000");
  put(arg, "Cache-Control",
      head->cacheable     ? "max-age=3600"
      : head->revalidated ? "no-cache"
                          : "no-store");
  if (head->status == 426) put(arg, "Upgrade", "websocket");
  if (head->close) put(arg, "Connection", "close");
}

/* What was sent is told back, except secrets: answers are looked at by more people than bodies. */
static bool is_secret(const char *field) {
  return strstr(field, "password") || strstr(field, "token");
}

static void add_detail(http_error_t *error, const char *field, const char *message,
                       const char *value) {
  if (error->details_count == sizeof error->details / sizeof error->details[0]) return;
  http_detail_t *row = &error->details[error->details_count++];
  snprintf(row->field, sizeof row->field, "%s", field);
  snprintf(row->message, sizeof row->message, "%s", message);
  row->has_value = *value && !is_secret(field);
  if (row->has_value) snprintf(row->value, sizeof row->value, "%s", value);
}

void answer_error(const gantry_fault_t *fault, const json_fault_t *all, size_t count,
                  uint64_t now_wall_ns, uint64_t request_id, buf_t *out) {
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
  for (size_t i = 0; i < count; i++)
    if (all[i].fault.field[0])
      add_detail(&error, all[i].fault.field, all[i].fault.detail, all[i].value);
  if (count == 0 && fault->field[0]) add_detail(&error, fault->field, detail, "");
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
