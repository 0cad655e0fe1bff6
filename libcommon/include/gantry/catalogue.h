/* The catalogue: every topic, request and endpoint, generated from schemas/. Data only. The
   generated <messages.h> declares the constants: TOPIC_SENSOR_SCAN, REQUEST_ROBOT_ESTOP,
   ENDPOINT_MAP_STATUS. */
#ifndef GANTRY_CATALOGUE_H
#define GANTRY_CATALOGUE_H

#include <gantry/desc.h>
#include <gantry/err.h>

/* Not TOPIC_...: those names belong to the topics, and one of them is "event". */
typedef enum topic_kind {
  KIND_STREAM, /* newest wins, per instance */
  KIND_STATE,  /* newest wins; the bus repeats it every second */
  KIND_EVENT,  /* all, in order */
} topic_kind_t;

typedef struct topic {
  const char *pattern; /* "sensor.scan.{sensor}" */
  const char *prefix;  /* "sensor.scan." with an instance; "loc.pose" without */
  bool instanced;      /* the pattern ends in a {parameter} */
  const desc_t *message;
  const char *producer;         /* service name; "*" means every service (instance = the service) */
  const char *const *consumers; /* service names; "*" means every service */
  uint32_t consumer_count;
  topic_kind_t kind;
  bool durable;
  double rate_hz; /* expected highest rate; 0 when irregular */
  const char *doc;
} topic_t;

typedef enum lane { LANE_NORMAL, LANE_SAFETY } lane_t;

typedef struct request {
  const char *name;   /* "robot.estop" */
  const char *server; /* service name; "*" means every service */
  const desc_t *takes;
  const desc_t *gives;
  const gantry_err_t *errors; /* beyond the common ones */
  uint32_t error_count;
  uint32_t timeout_ms;
  lane_t lane;
  const char *doc;
} request_t;

typedef enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE } http_method_t;

/* What stands around the answer of a route. */
typedef enum envelope {
  ENVELOPE_NONE,   /* nothing: `answer` is all of it */
  ENVELOPE_OBJECT, /* {success, data: the answer, timestamp, request_id} */
  ENVELOPE_ARRAY,  /* [answer, ...] and nothing else */
  ENVELOPE_LIST,   /* the same with data: [answer, ...], and what a page needs */
} envelope_t;

typedef struct endpoint {
  http_method_t method;
  const char *path;       /* "/api/v1/map/load/{map_id}" */
  const char *permission; /* "map:write"; "public": no token; "authenticated": any valid token */
  const desc_t *params;   /* path and query parameters, NULL when none */
  const desc_t *body;     /* request body, NULL when none */
  bool body_optional;
  const char *body_type; /* "application/json"; another: body is NULL and the bytes are the
                            handler's to read */
  const desc_t *answer;  /* success body; NULL when it is not a described JSON object */
  envelope_t envelope;
  int status;         /* of success: 200, 201 */
  bool rate_exempt;   /* the emergency stop */
  bool ends_movement; /* no limit counts it */
  bool built;         /* false: stands in the API, answered 501 */
  const char *id;     /* operationId: "map_start_mapping" */
  const char *tag;
  const char *doc;
} endpoint_t;

extern const desc_t *const CATALOGUE_MESSAGES[];
extern const uint32_t CATALOGUE_MESSAGE_COUNT;
/* Messages that storage keeps versions of, by name: marked `setting = true`. */
extern const desc_t *const CATALOGUE_SETTINGS[];
extern const uint32_t CATALOGUE_SETTING_COUNT;
extern const topic_t CATALOGUE_TOPICS[];
extern const uint32_t CATALOGUE_TOPIC_COUNT;
extern const request_t CATALOGUE_REQUESTS[];
extern const uint32_t CATALOGUE_REQUEST_COUNT;
extern const endpoint_t CATALOGUE_ENDPOINTS[];
extern const uint32_t CATALOGUE_ENDPOINT_COUNT;
/* Indices of those whose path has no parameter, in the order of strcmp over their paths. */
extern const uint16_t CATALOGUE_ENDPOINT_LITERALS[];
extern const uint32_t CATALOGUE_ENDPOINT_LITERAL_COUNT;
/* Those of the test-bench profile, on a listener of its own. */
extern const endpoint_t CATALOGUE_BENCH_ENDPOINTS[];
extern const uint32_t CATALOGUE_BENCH_ENDPOINT_COUNT;
extern const uint16_t CATALOGUE_BENCH_ENDPOINT_LITERALS[];
extern const uint32_t CATALOGUE_BENCH_ENDPOINT_LITERAL_COUNT;
/* The six, in start order; "gantry" tools are not in it. */
extern const char *const CATALOGUE_SERVICES[];
extern const uint32_t CATALOGUE_SERVICE_COUNT;

/* The topic that a full name belongs to ("sensor.scan.LIDAR_001"); NULL when none. */
const topic_t *catalogue_topic(const char *name);
/* The request of that name; NULL when none. */
const request_t *catalogue_request(const char *name);
/* The setting of that name; NULL when none. */
const desc_t *catalogue_setting(const char *name);
bool topic_has_consumer(const topic_t *topic, const char *service);
/* Largest packed body, bytes: over all topics, over what a service takes, over what it gives. */
size_t catalogue_max_published(void);
size_t catalogue_max_taken(const char *service);
size_t catalogue_max_given(const char *service);

#endif
