/* From a request to a WebSocket (RFC 6455, 4.2). */
#include "http_internal.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "request_limits.h"
#include "ws_socket.h"

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */

enum { KEY_CHARS = 24, ACCEPT_CHARS = 28 };

typedef struct refusal {
  int status;
  const char *code, *detail;
} refusal_t;

static const refusal_t REFUSALS[] = {
    {401, "INVALID_TOKEN", "A valid token is needed to open a WebSocket."},
    {403, "FORBIDDEN",
     "No WebSocket for pages of this origin; cors_origins (bench_origins) names those that may."},
    {404, "NOT_FOUND", "No WebSocket lives here; see /ws."},
    {429, "RATE_LIMITED", "Too many connections of this user."},
    {503, "UNAVAILABLE", "No WebSocket can be opened now."},
};

/* Where the profile has said why, its words. */
static void refuse(exchange_t *x, int status) {
  const refusal_t *refusal = REFUSALS;
  gantry_fault_t fault = x->fault;

  while (refusal->status != status && refusal->status != 503)
    refusal++;
  metric_add(x->gateway->metrics.ws_refused, 1);
  x->head.close = true;
  if (status == 429 || status == 503) x->head.retry_s = 1;
  http_request_refuse(x, status, fault.code[0] ? fault.code : refusal->code,
                      fault.detail[0] ? fault.detail : refusal->detail);
}

static bool has_word(const char *list, const char *word) {
  size_t len = strlen(word);

  for (const char *at = list; *at; at += strcspn(at, ",")) {
    at += strspn(at, ", \t");
    if (!strncasecmp(at, word, len) && !at[len + strspn(at + len, " \t")]) return true;
    if (!strncasecmp(at, word, len) && at[len + strspn(at + len, " \t")] == ',') return true;
  }
  return false;
}

/* What is wrong with the handshake, or NULL. */
static const char *fault_of(const exchange_t *x, const http_head_t *head) {
  if (x->old_http) return "A WebSocket needs HTTP/1.1.";
  if (!has_word(head->connection, "upgrade")) return "Connection has to say Upgrade.";
  if (strlen(head->ws_key) != KEY_CHARS) return "Sec-WebSocket-Key has to be 16 bytes in base64.";
  return NULL;
}

static ws_upgrade_t *admit(http_conn_t *conn, exchange_t *x, const http_head_t *head, int *status) {
  ws_upgrade_t *upgrade = calloc(1, sizeof *upgrade);

  *status = 503;
  if (!upgrade) return NULL;
  *upgrade = (ws_upgrade_t){.path = (const char *)conn->path.data,
                            .authorization = head->authorization,
                            .protocols = head->ws_protocol,
                            .extensions = head->ws_extensions};
  *status = x->profile->ws_admit(x, upgrade);
  return upgrade;
}

void http_upgrade_judge(http_conn_t *conn, exchange_t *x, const http_head_t *head) {
  const char *wrong;
  int status;

  if (!has_word(head->upgrade, "websocket")) {
    http_request_refuse(x, x->profile->plain_ws_status, "UPGRADE_REQUIRED",
                        "This path speaks WebSocket.");
    return;
  }
  x->head.close = true;
  if ((wrong = fault_of(x, head)) != NULL) {
    http_request_refuse(x, 400, "BAD_REQUEST", wrong);
  } else if (strcmp(head->ws_version, "13") != 0) {
    x->head.extra = "Sec-WebSocket-Version: 13\r\n";
    http_request_refuse(x, 426, "UPGRADE_REQUIRED", "This is WebSocket of version 13.");
  } else if (conn->reserve) {
    refuse(x, conn->reserve == HTTP_OF_ADDRESS ? 429 : 503);
  } else if (!limits_pass_upgrade(x)) {
    metric_add(x->gateway->metrics.ws_refused, 1);
    http_request_refuse(x, 429, "RATE_LIMITED", x->fault.detail);
  } else {
    conn->upgrade = admit(conn, x, head, &status);
    if (!status) return;
    free(conn->upgrade);
    conn->upgrade = NULL;
    refuse(x, status);
  }
}

/* ---- handing over */

/* The WebSocket has ended. */
static void give_back(void *arg) {
  http_conn_t *conn = arg;

  if (conn->handle)
    (void)MHD_upgrade_action(conn->handle, MHD_UPGRADE_ACTION_CLOSE);
  else
    close(conn->fd);
  http_conn_release(conn);
}

/* Without encryption MHD has nothing more to do: the socket gets a descriptor of its own, and MHD's
   forty kilobytes of connection go. */
static int take_socket(http_conn_t *conn, int fd, struct MHD_UpgradeResponseHandle *handle) {
  int yes = 1;

  if (MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_PROTOCOL)) {
    conn->handle = handle;
    return fd;
  }
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own >= 0) (void)setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
  return own;
}

static void on_upgraded(void *arg, struct MHD_Connection *mhd, void *request, const char *early,
                        size_t early_len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle) {
  http_conn_t *conn = arg;
  exchange_t *x = request;

  (void)mhd;
  *conn->link = conn->next; /* its time is the WebSocket's matter from here on */
  if (conn->next) conn->next->link = conn->link;
  conn->link = NULL;
  conn->fd = take_socket(conn, fd, handle);
  if (conn->fd < 0) return;
  conn->holds++;
  ws_carrier_t carrier = {.fd = conn->fd,
                          .give_back = give_back,
                          .handle = conn,
                          .early = early,
                          .early_len = early_len};
  conn->upgrade->authorization = conn->upgrade->protocols = conn->upgrade->extensions = "";
  if (!conn->door->profile->ws_open(x, conn->upgrade, &carrier)) give_back(conn);
}

/* SHA-1 of the key and the protocol's own text, in base64. */
static bool write_accept(const char *key, char out[ACCEPT_CHARS + 1]) {
  char text[KEY_CHARS + sizeof GUID];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned len = 0;

  snprintf(text, sizeof text, "%s%s", key, GUID);
  if (!EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) || len != 20) return false;
  return EVP_EncodeBlock((unsigned char *)out, digest, (int)len) == ACCEPT_CHARS;
}

enum MHD_Result http_upgrade_answer(http_conn_t *conn) {
  char accept[ACCEPT_CHARS + 1];
  const char *key =
      MHD_lookup_connection_value(conn->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_SEC_WEBSOCKET_KEY);

  if (!key || !write_accept(key, accept)) return MHD_NO;
  struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, conn);
  if (!response) return MHD_NO;
  (void)MHD_add_response_header(response, "Upgrade", "websocket");
  (void)MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
  if (conn->upgrade->protocol[0])
    (void)MHD_add_response_header(response, "Sec-WebSocket-Protocol", conn->upgrade->protocol);
  if (conn->upgrade->extension[0])
    (void)MHD_add_response_header(response, "Sec-WebSocket-Extensions", conn->upgrade->extension);
  enum MHD_Result result = MHD_queue_response(conn->mhd, MHD_HTTP_SWITCHING_PROTOCOLS, response);
  MHD_destroy_response(response);
  return result;
}
