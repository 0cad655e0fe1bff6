/* What the files of the HTTP transport share. */
#ifndef GATEWAY_HTTP_INTERNAL_H
#define GATEWAY_HTTP_INTERNAL_H

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include "exchange.h"
#include "http.h"
#include "profile.h"
#include "ws_upgrade.h"

typedef struct http_door http_door_t;
typedef struct http_conn http_conn_t;
typedef struct http_tls http_tls_t;

/* What a connection waits for, and so how long it may. */
typedef enum http_phase {
  HTTP_FRESH,  /* its first request */
  HTTP_IDLE,   /* another request */
  HTTP_HEAD,   /* the rest of a head */
  HTTP_BODY,   /* the rest of a body */
  HTTP_WORK,   /* services, which have their own deadlines */
  HTTP_ANSWER, /* the client, that it takes the answer */
} http_phase_t;

/* Why a connection is one too many, and only a stop is served in it. */
typedef enum http_reserve { HTTP_ADMITTED, HTTP_OF_ADDRESS, HTTP_OF_HOUSE } http_reserve_t;

struct http_conn {
  http_conn_t *next, **link; /* of door->conns while it speaks HTTP */
  http_door_t *door;
  struct MHD_Connection *mhd;
  struct MHD_UpgradeResponseHandle *handle; /* of a WebSocket that MHD encrypts */
  int fd;
  unsigned holds; /* MHD's and the WebSocket's */
  peer_address_t peer;
  char address[48];
  bool trusted; /* a proxy whose word on its client counts */
  http_reserve_t reserve;
  http_conn_t *younger, *older; /* of http->oldest, where it is of the reserve */
  bool evicted;                 /* its place is another's */
  bool in_lane;                 /* of door->lane */
  http_phase_t phase;
  uint32_t since;   /* http->second when the phase began */
  uint32_t most_s;  /* how long it may take to take the answer, or its next piece */
  exchange_t *stop; /* a stop whose body has not come yet */
  uint64_t stop_ns; /* since when it waits for it */
  bool suspended;
  bool gathered;         /* its answer is held back until the turn ends */
  bool judged;           /* the request at hand has been read up to its body */
  buf_t path;            /* of the request at hand */
  const char *wrong;     /* with its target, or NULL */
  ws_upgrade_t *upgrade; /* owned; the request asks for a WebSocket and may have it */
};

/* A connection that has been accepted while MHD was amid its turn. */
typedef struct http_guest {
  int fd;
  struct sockaddr_storage address;
  socklen_t len;
} http_guest_t;

#define HTTP_GUESTS   32
#define HTTP_GATHERED 64 /* answers held back at most */

/* A listener. */
struct http_door {
  http_door_t *next;
  gateway_t *gateway;
  const profile_t *profile;
  struct MHD_Daemon *daemon;
  struct MHD_Daemon *lane; /* of connections that ask for a stop at once; NULL where they can't be
                              told, behind TLS or in another profile */
  char host[64];           /* as it was asked for */
  int listen_fd;
  bool secure; /* TLS */
  bool full;   /* of descriptors or memory there are none: it is tried again each second */
  http_guest_t guests[HTTP_GUESTS];
  uint32_t guest_count, lane_count;
  uint32_t calls; /* of MHD, counted */
  http_conn_t *gathered[HTTP_GATHERED];
  uint32_t gathered_count, answers; /* of this turn */
  http_conn_t *conns;
};

struct http {
  http_door_t *doors;
  peers_t peers;
  uint32_t most, per_address, head_s; /* connections, those of an address; seconds */
  uint32_t house;                     /* connections beyond which only a stop is served */
  http_conn_t *oldest, *youngest;     /* of the reserve */
  loop_t *loop;
  int stop_alarm; /* for stops whose body is waited for */
  bool stop_armed;
  const char *allowed_hosts, *trusted_proxies; /* of the configuration */
  http_tls_t *tls;                             /* NULL: none */
  int timer;
  uint32_t second; /* counts them */
};

/* ---- http_call.c: MHD's callbacks of a request */

void *http_on_target(void *door, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_on_call(void *door, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *bytes,
                             size_t *len, void **request);
void http_on_completed(void *door, struct MHD_Connection *mhd, void **request,
                       enum MHD_RequestTerminationCode how);
void http_enter(http_conn_t *conn, http_phase_t phase);
/* The robot is stopped though the body has not come: only its reason is missing. */
void http_stop_now(http_conn_t *conn);
/* Gives one hold of the connection back. */
void http_conn_release(http_conn_t *conn);

/* ---- http.c */

/* A connection waits for the body of its stop: http_stop_now follows if it does not come. */
void http_await_stop(http_t *http);

/* The lane's turn; true while it has more to do. */
bool http_lane_turn(void *door);

/* ---- http_accept.c */

/* Begins to take connections in, of a door whose daemons run. */
gantry_err_t http_accept(http_door_t *door);
/* Ends it, before the daemons end; closes the listening socket. */
void http_accept_end(http_door_t *door);
/* Serves the stops that have come; to be called amid the requests of others, too. Who wants
   something else waits in door->guests. */
void http_look(http_door_t *door);
/* Hands those who wait to MHD, between its turns. */
void http_let_in(http_door_t *door);

/* ---- http_gather.c */

/* An answer of that many bytes is about to be handed to MHD: a small one is held back until
   http_send_gathered, but for the first of a turn and those of the lane. */
void http_gather(http_conn_t *conn, size_t body_len);
/* The turn ends: lets what is held back go. */
void http_send_gathered(http_door_t *door);

/* ---- http_reserve.c */

/* A connection of that address has been accepted: whether there is a place, and which one. When the
   reserve is full, too, the one in it that has waited longest is closed. */
bool http_reserve_admit(http_t *http, const peer_address_t *peer, bool trusted);
/* Says of a new connection, not entered in http->peers yet, whether it is of the reserve. */
void http_reserve_enter(http_t *http, http_conn_t *conn);
/* It ends. */
void http_reserve_leave(http_t *http, http_conn_t *conn);

/* ---- http_request.c */

/* Headers of a request, "" when absent; they live as long as it. */
typedef struct http_head {
  const char *authorization, *accept, *origin, *range, *if_range, *if_none_match, *host, *agent;
  const char *if_match;
  const char *length, *encoding, *upgrade, *connection;
  const char *accept_encoding, *forwarded_for, *forwarded_proto;
  const char *ws_key, *ws_version, *ws_protocol, *ws_extensions;
  const char *wrong; /* with them, or NULL */
} http_head_t;

void http_head_read(struct MHD_Connection *mhd, http_head_t *out);
/* Copies what handlers need into x and judges the request; x may be answered when this returns. */
void http_request_judge(http_conn_t *conn, exchange_t *x, const char *method, const char *version);
/* Answers with a status of its own. */
void http_request_refuse(exchange_t *x, int status, const char *code, const char *detail);

/* ---- http_tls.c */

/* Reads certificate and key; MHD is given http_tls_choose. */
gantry_err_t http_tls_open(http_t *http, const config_t *config, gantry_fault_t *fault);
void http_tls_close(http_t *http);
/* Each second: reads the files again when they have changed. What cannot be read is left alone. */
void http_tls_tick(http_t *http);
int http_tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                    const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                    gnutls_pcert_st **chain, unsigned *chain_len, gnutls_privkey_t *key);

/* ---- http_upgrade.c */

/* The request asks for a WebSocket: conn->upgrade is set when it may have it, else x is answered.
 */
void http_upgrade_judge(http_conn_t *conn, exchange_t *x, const http_head_t *head);
/* Answers 101 and hands the socket over. */
enum MHD_Result http_upgrade_answer(http_conn_t *conn);

#endif
