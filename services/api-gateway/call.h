/* From a request line to an endpoint's handler: limits, route, token, permission, parameters, body.
 */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "exchange.h"

#define CALL_BODY_MAX       (10u << 20)
#define CALL_SMALL_BODY_MAX (64u << 10)
#define CALL_BODIES_MAX     (64u << 20) /* of all at once, but for the first 64 KiB of each */

/* What the connection knows of a request. */
typedef struct call_request {
  const char *method;        /* "GET"; HEAD is handed over as GET with head_only */
  const char *path;          /* decoded */
  const char *authorization; /* the header's text, or "" */
  const char *accept;        /* the header's text, or "" */
} call_request_t;

/* Judges everything that stands before the body. What is refused is noted in x (late_fault) and
   answered by call_run, so that a body on its way is read first. */
void call_open(exchange_t *x, const call_request_t *request);
/* The emergency stop, by whatever path: exempt from limits, and from its body being readable. */
bool call_is_stop(const exchange_t *x);
/* Its path says that it ends a movement: an emergency stop, a stop or a pause. No limit counts. */
bool call_ends_movement(const exchange_t *x);
/* Refuses it for want of room, unless its body says stop or pause: then call_run goes on. */
void call_refuse_unless_stop(exchange_t *x, gantry_err_t err, const char *code, const char *detail);
/* Keeps the next bytes of a body. Refused, once it has ended, is one that is longer than
   call_body_max says, but for a stop; and one that has no room beside those of others. */
void call_take_body(exchange_t *x, const char *bytes, size_t len);
/* Most bytes that a body of this request may have: what text needs for all that the route
   describes; little where no token is asked for. */
uint64_t call_body_max(const exchange_t *x);
/* What is said of one that has more. */
void call_length_words(const exchange_t *x, char *out, size_t size);
/* Reads the body and runs the handler. x may be answered when this returns. */
void call_run(exchange_t *x);

/* Finds out whose token text is ("Bearer ..." or the bare token); fault says why not. */
gantry_err_t call_authenticate(gateway_t *gateway, const char *text, auth_subject_t *out,
                               uint64_t *expires_s, gantry_fault_t *fault);

/* Handler of an endpoint; NULL: not built, answered 501. One table a route file. */
typedef struct call_route {
  uint32_t endpoint;
  exchange_fn handler;
} call_route_t;

extern const call_route_t ROUTES_SYSTEM[], ROUTES_AUTH[], ROUTES_MAP[], ROUTES_SENSORS[],
    ROUTES_LOCALIZATION[], ROUTES_TAGS[], ROUTES_ROBOT[], ROUTES_COMMAND[], ROUTES_SETTINGS[],
    ROUTES_MODULES[], ROUTES_LINE[], ROUTES_REGISTERS[], ROUTES_READINGS[], ROUTES_TYPES[],
    ROUTES_CALIBRATION[], ROUTES_SESSIONS[], ROUTES_DRAWING[], ROUTES_PICTURE[], ROUTES_LOGS[],
    ROUTES_GRID[], ROUTES_ALERTS[], ROUTES_MONITORING[], ROUTES_CONFIG[], ROUTES_TELEMETRY[],
    ROUTES_DASHBOARD[], ROUTES_PASSWORD[], ROUTES_USERS[], ROUTES_TOKENS[], ROUTES_AUDIT[];
/* Each table ends with a row without handler. */
exchange_fn call_handler(uint32_t endpoint);

/* Answers GET path with a file under web_root, or 404. */
void files_answer(exchange_t *x, const char *path);
/* The file a path means: "/" is index.html, "/docs" docs.html. False when the path could leave the
   root: an empty, hidden or dotted segment, a backslash, anything but plain characters. Pure. */
bool files_resolve(const char *root, const char *path, char *out, size_t size);
/* Content type by ending; NULL for one that is not served. Pure. */
const char *files_type(const char *path);

#endif
