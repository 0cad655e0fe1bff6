/* The gateway between played neighbours, with an HTTP client in front. One door a test (criterion
   runs each in a process of its own). */
#ifndef GANTRY_TEST_DOOR_H
#define GANTRY_TEST_DOOR_H

#include "harness.h"

#include "gateway.h"

/* A request that a played neighbour answers. */
typedef struct stub {
  const request_t *request;
  void *reply;       /* the struct of request->gives, zeroed; the test fills it */
  void *takes;       /* the struct of request->takes, as it came last */
  gantry_err_t fail; /* answer with this instead */
  char detail[64];
  bool silent;         /* answer never */
  rpc_handler_fn play; /* answers instead of all this; its arg is the stub */
  unsigned count;
  char actor[51];
} stub_t;

typedef struct answer {
  int status; /* 0: none came */
  char *head; /* owned by the door, until the next request */
  char *body;
  size_t body_len;
} answer_t;

typedef struct door {
  harness_t *harness;
  service_run_t *run;
  gateway_t *gateway;
  harness_peer_t *storage, *bridge, *sensors, *localization, *mapper;
  int port; /* of the door that is knocked at; 0: the native one */
  char folder[64];
  char token[1100];   /* access token of admin; filled by door_login */
  char refresh[1100]; /* and the refresh token */
  char password[64];  /* the first administrator's */
  store_user_t users[4];
  uint32_t user_count;
} door_t;

extern door_t door;

void door_open(void);
/* The same with settings of the test's own, "key=value" ended by NULL. */
void door_open_with(const char *const *settings);
/* The same before a real storage instead of a played one: door.storage is NULL then. */
void door_open_on(const service_def_t *storage, const char *const *settings);
void door_close(void);
stub_t *door_stub(const request_t *request);

/* Plays sensor.ingest_each: takes every reading in. The last one of it stands in the result. */
const sensor_ingest_t *door_takes_readings(void);

/* Waits until the first administrator is made, and logs in as he. */
void door_login(void);
/* Logs in; door.token and door.refresh are those of who came in last. */
answer_t door_login_as(const char *user, const char *password);
/* Changes the password of whom door.token is for. */
answer_t door_change_password(const char *from, const char *to);
/* Both: how most suites begin. */
void door_open_as_admin(void);
/* A token of another role, signed by the gateway's own secret; life_s may be 0. */
void door_token(store_role_t role, uint32_t life_s, char *out, size_t size);

/* One request on a connection of its own, with the bearer token of door.token ("" sends none). */
answer_t door_request(const char *method, const char *path, const char *body);
/* The same with any token. */
answer_t door_request_as(const char *token, const char *method, const char *path, const char *body);
/* Raw bytes on a new connection; the first answer to them. */
answer_t door_raw(const char *bytes, size_t len);

/* Asks, expects the route's own status, and reads the answer by the schema of the documentation. */
answer_t expect_route(const char *method, const char *path, const char *body, uint32_t endpoint);
void expect_text(const answer_t *answer, const char *text);

/* A connection that stays, for keep-alive and WebSocket. */
int door_connect(void);
void door_send(int fd, const void *bytes, size_t len);
answer_t door_answer(int fd);
/* Waits for an answer to HEAD: begins with `start`, ends with its head. */
bool door_head_only(int fd, const char *start);
/* The folder of the pages in the source tree. */
const char *door_web_root(void);
/* Opens a WebSocket; the descriptor, or -1 with *status set. */
int door_ws(const char *path, const char *token, int *status);
/* Sends one masked frame. */
void door_ws_send(int fd, uint8_t opcode, const char *text, size_t len);
/* The next frame whose text holds `word` (NULL: any); NULL when none came. *opcode may be NULL.
   Owned by the door, until the next call. A close frame ends the search: opcode 8, the text its two
   bytes of code. */
const char *door_ws_expect(int fd, const char *word, uint8_t *opcode, uint32_t deadline_ms);

/* Steps everything until predicate holds. */
bool door_until(harness_predicate_fn predicate, void *arg, uint32_t deadline_ms);

#endif
