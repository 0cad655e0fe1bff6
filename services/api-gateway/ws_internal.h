/* What the files of the native WebSocket share. */
#ifndef GATEWAY_WS_INTERNAL_H
#define GATEWAY_WS_INTERNAL_H

#include "exchange.h"
#include "ws.h"
#include "ws_client.h"
#include "ws_command.h"

#define WS_ASKED       4 /* requests of one client under way */
#define WS_ASKED_STOPS 4 /* and places that only a stop or a pause takes */
#define WS_PAST        256
#define WS_ROUNDS      16 /* frames on their way to all */

typedef struct ws_client ws_client_t;

typedef struct ws_user {
  struct ws_user *next;
  char name[51];
  uint32_t connections;
} ws_user_t;

/* A request under way. */
typedef struct ws_asked {
  exchange_t *x;
  const char *type, *failed;
} ws_asked_t;

/* What every frame looks at stands first. */
struct ws_client {
  ws_client_t *next;
  ws_socket_t *socket;
  ws_queue_t queue;
  ws_client_t **link;
  ws_hub_t *hub;
  ws_user_t *user;
  auth_subject_t caller;
  uint64_t expires_s;
  char *token; /* what it does over the WebSocket it does with this */
  char address[48];
  uint64_t looked_s; /* wall time of its last turn */
  uint32_t messages; /* within this second */
  uint32_t seconds;
  sys_log_level_t log_level;
  ws_asked_t asked[WS_ASKED + WS_ASKED_STOPS];
};

/* A frame on its way to all. */
typedef struct ws_round {
  ws_frame_t *frame;
  ws_client_t *next;     /* whose turn it is; of the oldest round only */
  sys_log_level_t level; /* of a log line */
  uint64_t asked_ns;
} ws_round_t;

struct ws_hub {
  gateway_t *gateway;
  ws_settings_t settings;
  ws_deflate_t *deflate;
  uint64_t instance; /* numbers of frames mean something within one only */
  ws_client_t *clients, *cursor;
  ws_user_t *users;
  uint32_t count, paced;
  uint32_t heard[WS_TYPE_COUNT];
  uint64_t seq[WS_TYPE_COUNT];
  ws_frame_t *past[WS_PAST]; /* the last alerts, by seq */
  ws_round_t rounds[WS_ROUNDS];
  uint32_t oldest, rounds_count;
  ws_client_t *due; /* whose paced frames are looked at next; NULL: not their time */
};

/* ---- ws.c */

/* What waits for a client and may go now. */
void ws_drain(ws_client_t *client);
/* To one client, in its turn. */
void ws_put(ws_client_t *client, ws_frame_t *frame);
/* An answer to one client: at most 1000 bytes. */
void ws_say(ws_client_t *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ws_say_error(ws_client_t *client, const char *code, const char *message);

/* ---- ws_round.c */

gantry_err_t ws_rounds_start(ws_hub_t *hub);
/* The client has gone. */
void ws_rounds_leave(ws_hub_t *hub, const ws_client_t *client);
/* Paced frames whose time has come, between all else. */
void ws_serve_paced(ws_hub_t *hub);
/* Nobody is told any more. */
void ws_rounds_stop(ws_hub_t *hub);

/* ---- ws_talk.c */

void ws_hear(ws_client_t *client, const char *text, size_t len);
void ws_subscribe(ws_client_t *client, uint32_t types, bool on);
/* Subscribes, confirms, and tells what holds now; max_hz below 0: as it was. */
void ws_select(ws_client_t *client, uint32_t types, bool on, double max_hz);
/* Alerts behind seq of an instance ("": this one). */
void ws_resume(ws_client_t *client, uint32_t types, uint64_t seq, const char *instance);
/* What a path tells first. */
void ws_greet_path(ws_client_t *client, const char *path);
/* What was lost, if more than the client knows. */
void ws_say_dropped(ws_client_t *client);

/* ---- ws_ask.c */

typedef struct ws_errand {
  const char *method, *path;
  const char *query;  /* "a=1&b=2" of plain characters, or "" */
  const char *body;   /* or "" */
  const char *type;   /* of the frame with the answer's body; static */
  const char *failed; /* of that with an error's; static */
  bool ends_movement; /* a stop or a pause: there is room for it behind others that wait */
} ws_errand_t;

/* Does what a route does, in the client's name and with its rights. */
void ws_ask(ws_client_t *client, const ws_errand_t *errand);
/* The client has gone: nobody is told any more. */
void ws_forget_asked(ws_client_t *client);

#endif
