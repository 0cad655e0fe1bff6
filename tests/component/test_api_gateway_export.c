/* Downloads of sessions: pieces of a played storage, followed on the wire byte by byte. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/rpc_server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 16 << 20, PAUSES = 7 };

/* What the played storage does. Byte i of the export is a letter that i decides. */
static struct {
  bool knows_size;
  uint64_t size, fails_at; /* fails_at: the piece that holds this byte fails; 0: none */
  unsigned measured, tagless;
} store;

static uint8_t content[1 << 20];

static uint8_t byte_at(uint64_t i) {
  return (uint8_t)('a' + (i * 31 + i / 977) % 26);
}

static void play_export(rpc_context_t *call, const void *takes, void *arg) {
  const session_export_t *ask = takes;
  static session_exported_t reply;
  uint64_t left = store.size > ask->offset ? store.size - ask->offset : 0;
  uint64_t len = left < ask->bytes ? left : ask->bytes;

  (void)arg;
  if (!strcmp(ask->session, "none")) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "session", "no session none");
    return;
  }
  if (store.fails_at && ask->offset + len > store.fails_at) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "the data have changed");
    return;
  }
  if (ask->offset && !ask->has_tag) store.tagless++;
  if (door_stub(REQUEST_SESSION_EXPORT)->count % PAUSES == 1) len = 0; /* its time was up */
  for (uint64_t i = 0; i < len; i++)
    content[i] = byte_at(ask->offset + i);
  reply = (session_exported_t){.data = {.data = content, .len = (size_t)len},
                               .done = len == left,
                               .has_size = store.knows_size,
                               .size = store.size,
                               .tag = "tag-1"};
  rpc_reply(call, &reply);
}

static void play_measure(rpc_context_t *call, const void *takes, void *arg) {
  session_measured_t reply = {.size = store.size, .tag = "tag-1"};

  (void)takes;
  (void)arg;
  reply.done = ++store.measured % 3 == 0;
  rpc_reply(call, &reply);
}

static void set_up(void) {
  door_open();
  door_token(STORE_ROLE_VIEWER, 600, door.token, sizeof door.token);
  door_stub(REQUEST_SESSION_EXPORT)->play = play_export;
  door_stub(REQUEST_SESSION_MEASURE)->play = play_measure;
  store.size = 700000;
}

TestSuite(api_gateway_export, .init = set_up, .fini = door_close, .timeout = 40);

/* ---- a client that follows the bytes as they come */

typedef struct client {
  int fd;
  buf_t head;
  bool in_body, chunked, ended, whole, wrong;
  uint64_t length, from, body; /* promised; first byte of the export; received */
  uint64_t chunk;              /* bytes left of this chunk, with its end */
  char line[32];
  size_t line_len;
} client_t;

static client_t client_open(const char *method, const char *query, const char *headers) {
  client_t client = {.fd = door_connect()};
  char request[2048];

  int len = snprintf(request, sizeof request,
                     "%s /api/v1/sessions/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     "Authorization: Bearer %s\r\n%s\r\n",
                     method, query, door.token, headers);
  door_send(client.fd, request, (size_t)len);
  return client;
}

static void client_close(client_t *client) {
  close(client->fd);
  buf_fini(&client->head);
}

static void take_byte(client_t *client, uint8_t byte) {
  if (byte != byte_at(client->from + client->body)) client->wrong = true;
  client->body++;
}

/* A chunk is a length line, its bytes and an empty line. */
static void take_chunked(client_t *client, uint8_t byte) {
  if (client->chunk > 2) {
    take_byte(client, byte);
    client->chunk--;
    return;
  }
  if (client->chunk) {
    client->chunk--;
    return;
  }
  if (byte != '\n') {
    if (client->line_len + 1 < sizeof client->line) client->line[client->line_len++] = (char)byte;
    return;
  }
  client->line[client->line_len] = '\0';
  client->line_len = 0;
  client->chunk = strtoull(client->line, NULL, 16) + 2;
  if (client->chunk == 2) client->whole = true;
}

static void take_head(client_t *client, uint8_t byte) {
  buf_put_byte(&client->head, byte);
  const char *text = buf_text(&client->head);
  size_t len = client->head.len;
  if (len < 4 || strcmp(text + len - 4, "\r\n\r\n") != 0) return;
  const char *length = strcasestr(text, "\r\nContent-Length:");
  const char *range = strcasestr(text, "\r\nContent-Range: bytes ");
  client->in_body = true;
  client->chunked = strcasestr(text, "\r\nTransfer-Encoding: chunked") != NULL;
  client->length = length ? strtoull(length + 17, NULL, 10) : 0;
  if (range) client->from = strtoull(range + 23, NULL, 10);
}

/* Reads at most `most` bytes that are there. */
static void client_read(client_t *client, size_t most) {
  static uint8_t bytes[65536];

  while (most && !client->ended) {
    ssize_t got = recv(client->fd, bytes, most < sizeof bytes ? most : sizeof bytes, MSG_DONTWAIT);
    if (got < 0) return;
    if (got == 0) client->ended = true;
    for (ssize_t i = 0; i < got; i++) {
      if (!client->in_body)
        take_head(client, bytes[i]);
      else if (client->chunked)
        take_chunked(client, bytes[i]);
      else
        take_byte(client, bytes[i]);
    }
    most -= (size_t)got;
  }
}

static bool has_ended(void *arg) {
  client_t *client = arg;

  client_read(client, SIZE_MAX);
  if (client->ended && client->in_body && !client->chunked)
    client->whole = client->body == client->length;
  return client->ended;
}

static int status_of(client_t *client) {
  int status = 0;

  sscanf(buf_text(&client->head), "HTTP/1.1 %d", &status);
  return status;
}

static void expect_whole(client_t *client, int status, uint64_t bytes) {
  cr_assert(door_until(has_ended, client, 20000), "%s", buf_text(&client->head));
  cr_expect_eq(status_of(client), status, "%s", buf_text(&client->head));
  cr_expect(client->whole, "%s", buf_text(&client->head));
  cr_expect_not(client->wrong, "a byte is not the export's");
  cr_expect_eq(client->body, bytes);
}

static void expect_header(client_t *client, const char *line) {
  cr_expect_not_null(strstr(buf_text(&client->head), line), "%s in %s", line,
                     buf_text(&client->head));
}

static void fetch(const char *headers, int status, uint64_t bytes) {
  client_t client = client_open("GET", "s1/export", headers);

  expect_whole(&client, status, bytes);
  client_close(&client);
}

/* ---- */

Test(api_gateway_export, goes_out_in_chunks_where_its_length_is_not_known) {
  client_t client = client_open("GET", "s1/export?format=csv_wide", "");

  expect_whole(&client, 200, store.size);

  cr_expect(client.chunked);
  expect_header(&client, "ETag: \"tag-1\"\r\n");
  expect_header(&client, "Content-Type: text/csv");
  expect_header(&client, "Content-Disposition: attachment; filename=\"session-s1-wide.csv\"\r\n");
  cr_expect_eq(store.tagless, 0, "each piece holds to the state of the first");
  cr_expect_eq(store.measured, 0, "nobody asked how long it is");
  client_close(&client);
}

Test(api_gateway_export, tells_its_length_where_storage_knows_it) {
  store.knows_size = true;
  client_t client = client_open("GET", "s1/export?format=mcap", "");

  expect_whole(&client, 200, store.size);

  cr_expect_not(client.chunked);
  cr_expect_eq(client.length, store.size);
  client_close(&client);
}

Test(api_gateway_export, can_be_empty) {
  store.size = 0;
  fetch("", 200, 0);
}

Test(api_gateway_export, tells_its_length_to_who_knows_no_chunks) {
  client_t client = {.fd = door_connect()};
  char request[2048];
  int len = snprintf(request, sizeof request,
                     "GET /api/v1/sessions/s1/export HTTP/1.0\r\nAuthorization: Bearer %s\r\n\r\n",
                     door.token);

  door_send(client.fd, request, (size_t)len);
  cr_assert(door_until(has_ended, &client, 8000));

  cr_expect_not(client.chunked);
  cr_expect_not(client.wrong);
  cr_expect_eq(client.body, store.size);
  cr_expect_eq(client.length, store.size, "a cut would look like the end");
  client_close(&client);
}

Test(api_gateway_export, goes_on_where_a_client_left_off) {
  client_t client =
      client_open("GET", "s1/export", "Range: bytes=300001-\r\nIf-Range: \"tag-1\"\r\n");

  expect_whole(&client, 206, store.size - 300001);

  expect_header(&client, "Content-Range: bytes 300001-699999/700000\r\n");
  cr_expect_eq(store.measured, 3, "until the length was known");
  client_close(&client);
  fetch("Range: bytes=-10\r\n", 206, 10);
  fetch("Range: bytes=5-5\r\n", 206, 1);
}

Test(api_gateway_export, begins_anew_when_the_data_are_others_now) {
  fetch("Range: bytes=300001-\r\nIf-Range: \"old\"\r\n", 200, store.size);
  fetch("Range: bytes=9-\r\nIf-Range: "
        "\"one-that-is-longer-than-any-tag-of-ours-and-so-cannot-be-that-of-"
        "these-data\"\r\n",
        200, store.size);
}

Test(api_gateway_export, says_where_it_ends_to_who_asks_behind_it) {
  client_t client = client_open("GET", "s1/export", "Range: bytes=700000-\r\n");

  cr_assert(door_until(has_ended, &client, 8000));

  cr_expect_eq(status_of(&client), 416);
  expect_header(&client, "Content-Range: bytes */700000\r\n");
  client_close(&client);
}

Test(api_gateway_export, tells_its_length_to_head_without_a_byte_of_it) {
  client_t client = client_open("HEAD", "s1/export", "");

  cr_assert(door_until(has_ended, &client, 8000));

  cr_expect_eq(status_of(&client), 200);
  cr_expect_eq(client.length, store.size);
  cr_expect_eq(client.body, 0);
  expect_header(&client, "Accept-Ranges: bytes\r\n");
  cr_expect_eq(door_stub(REQUEST_SESSION_EXPORT)->count, 0);
  client_close(&client);
}

Test(api_gateway_export, is_not_sent_to_who_has_it) {
  client_t client = client_open("GET", "s1/export", "If-None-Match: \"x\", \"tag-1\"\r\n");

  cr_assert(door_until(has_ended, &client, 8000));

  cr_expect_eq(status_of(&client), 304);
  cr_expect_eq(client.body, 0);
  client_close(&client);
}

Test(api_gateway_export, answers_a_fault_before_the_first_byte) {
  answer_t answer = door_request("GET", "/api/v1/sessions/none/export", NULL);

  cr_expect_eq(answer.status, 404);
  cr_expect_not_null(strstr(answer.body, "no session none"));
  cr_expect_eq(door_request("GET", "/api/v1/sessions/s1/export?format=xls", NULL).status, 422);
}

Test(api_gateway_export, is_given_up_when_storage_gets_no_further) {
  door_stub(REQUEST_SESSION_EXPORT)->play = NULL; /* empty, never done */
  door_stub(REQUEST_SESSION_MEASURE)->play = NULL;

  cr_expect_eq(door_request("GET", "/api/v1/sessions/s1/export", NULL).status, 503);
  client_t client = client_open("HEAD", "s1/export", "");
  cr_assert(door_until(has_ended, &client, 8000));
  cr_expect_eq(status_of(&client), 503);
  client_close(&client);
}

Test(api_gateway_export, is_cut_off_when_it_cannot_be_finished) {
  store.fails_at = 500000;
  client_t client = client_open("GET", "s1/export", "");

  cr_assert(door_until(has_ended, &client, 8000));

  cr_expect_eq(status_of(&client), 200);
  cr_expect_not(client.whole, "a client has to see that bytes are missing");
  client_close(&client);
}

#define LONG_ID "a23456789-123456789-123456789-123456789-123456789-"
Test(api_gateway_export, names_its_file_with_plain_characters) {
  client_t client = client_open("GET", "a%22%3B%20b/export?format=jsonl&sensor_id=F%201", "");

  expect_whole(&client, 200, store.size);

  expect_header(&client, "filename=\"session-a___b-F_1.jsonl\"\r\n");
  client_close(&client);
  client = client_open("GET", LONG_ID "/export?format=csv_wide&sensor_id=" LONG_ID, "");
  expect_whole(&client, 200, store.size);
  expect_header(&client, LONG_ID "-" LONG_ID "-wide.csv\"\r\n");
  client_close(&client);
}

static bool has_started(void *arg) {
  client_t *client = arg;

  client_read(client, 4096);
  return client->in_body;
}

Test(api_gateway_export, waits_for_slow_clients_beside_quick_ones) {
  enum { SLOW = 7 };
  client_t slow[SLOW];
  store.size = SIZE;
  store.knows_size = true;
  for (int i = 0; i < SLOW; i++) {
    slow[i] = client_open("GET", "s1/export", "");
    cr_assert(door_until(has_started, &slow[i], 8000));
  }
  unsigned asked = 0;
  for (int i = 0; i < 40 && door_stub(REQUEST_SESSION_EXPORT)->count != asked; i++) {
    asked = door_stub(REQUEST_SESSION_EXPORT)->count;
    harness_for(door.harness, 300); /* until the sockets are full */
  }
  harness_for(door.harness, 300);

  cr_expect_eq(door_stub(REQUEST_SESSION_EXPORT)->count, asked, "nobody reads, nothing is asked");
  cr_expect_lt(asked, SLOW * (SIZE >> 18), "what sockets take, and a piece each");
  client_t quick = client_open("GET", "s1/export", "");
  expect_whole(&quick, 200, SIZE);
  client_close(&quick);
  expect_whole(&slow[0], 200, SIZE);
  for (int i = 0; i < SLOW; i++)
    client_close(&slow[i]);
}
