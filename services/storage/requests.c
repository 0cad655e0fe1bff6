/* Takes requests to the writer and its answers back, and says which tables changed. */
#include "requests.h"

#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup_serve.h"

/* The field that holds the key of the changed row: of what was asked, else of the answer. */
typedef struct change {
  const request_t *request;
  store_table_t table;
  const char *field;
} change_t;

typedef struct route {
  struct requests *owner;
  const request_t *request;
} route_t;

#define ROUTES_MAX 128

struct requests {
  service_t *service;
  writer_t *writer;
  requests_state_fn tell;
  void *tell_arg;
  route_t routes[ROUTES_MAX];
  uint32_t route_count;
  metric_t *served;
  metric_t *failed;
  metric_t *ms;
};

static const change_t *find_change(const request_t *request) {
  static const change_t CHANGES[] = {
      {REQUEST_STORE_USER_PUT, STORE_TABLE_USERS, "username"},
      {REQUEST_STORE_USER_CHANGE, STORE_TABLE_USERS, "username"},
      {REQUEST_STORE_USER_DELETE, STORE_TABLE_USERS, "username"},
      {REQUEST_STORE_LOGIN, STORE_TABLE_USERS, ""},
      {REQUEST_STORE_SESSION_REFRESH, STORE_TABLE_USERS, ""},
      {REQUEST_STORE_SESSION_REVOKE, STORE_TABLE_USERS, ""},
      {REQUEST_STORE_SERVICE_TOKEN_PUT, STORE_TABLE_USERS, "name"},
      {REQUEST_STORE_SERVICE_TOKEN_REVOKE, STORE_TABLE_USERS, "name"},
      {REQUEST_STORE_MAP_PUT, STORE_TABLE_MAPS, "map_id"},
      {REQUEST_STORE_MAP_UPDATE, STORE_TABLE_MAPS, "map_id"},
      {REQUEST_STORE_MAP_DELETE, STORE_TABLE_MAPS, "map_id"},
      {REQUEST_STORE_MAP_IMPORT, STORE_TABLE_MAPS, "map_id"},
      {REQUEST_STORE_TAG_PUT, STORE_TABLE_TAGS, "tag"},
      {REQUEST_STORE_TAG_DELETE, STORE_TABLE_TAGS, "tag"},
      {REQUEST_STORE_CONFIG_PUT, STORE_TABLE_CONFIGS, "key"},
      {REQUEST_STORE_CONFIG_DELETE, STORE_TABLE_CONFIGS, "key"},
      {REQUEST_STORE_CALIBRATION_PUT, STORE_TABLE_SENSORS, "sensor"},
      {REQUEST_STORE_SENSOR_PUT, STORE_TABLE_SENSORS, "sensor"},
      {REQUEST_STORE_SETTING_PUT, STORE_TABLE_SETTINGS, "kind"},
      {REQUEST_STORE_SETTING_ROLLBACK, STORE_TABLE_SETTINGS, "kind"},
      {REQUEST_STORE_ALERT_ACK, STORE_TABLE_ALERTS, "code"},
      {REQUEST_STORE_ALERT_RESOLVE, STORE_TABLE_ALERTS, "code"},
  };
  for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++)
    if (CHANGES[i].request == request) return &CHANGES[i];
  return NULL;
}

/* Whoever guesses passwords gives nobody anything to read again. */
static bool is_refused_login(const job_t *job) {
  const store_login_judged_t *judged = job->gives;
  return job->request == REQUEST_STORE_LOGIN && judged->verdict != STORE_LOGIN_VERDICT_OPEN;
}

static void publish_change(requests_t *requests, const job_t *job, cause_t cause) {
  const change_t *change = find_change(job->request);
  store_changed_t changed = {0};
  if (!change || is_refused_login(job)) return;
  changed.table = change->table;
  const uint8_t *value = job->takes;
  const desc_field_t *field = desc_find(job->request->takes, change->field, strlen(change->field));
  if (!field) {
    value = job->gives;
    field = desc_find(job->request->gives, change->field, strlen(change->field));
  }
  const char *key = field ? (const char *)value + field->offset : NULL;
  snprintf(changed.key, sizeof changed.key, "%s", key ? key : "");
  (void)bus_publish_from(requests->service->bus, &cause, TOPIC_STORE_CHANGED, NULL, &changed);
}

static void publish_marked(requests_t *requests, const job_t *job, cause_t cause) {
  bool resolved = job->request == REQUEST_STORE_ALERT_RESOLVE;
  store_alert_marked_t marked = {.resolved = resolved};
  if (!resolved && job->request != REQUEST_STORE_ALERT_ACK) return;
  marked.alert = *(const store_alert_row_t *)job->gives;
  (void)bus_publish_from(requests->service->bus, &cause, TOPIC_STORE_ALERT_MARKED, NULL, &marked);
}

static void answer(requests_t *requests, job_t *job) {
  rpc_context_t *call = job->token;
  cause_t cause = rpc_cause(call);
  if (job->request == REQUEST_STORE_STATE) requests->tell(requests->tell_arg, job->gives);
  metric_observe(requests->ms, clock_age_ms(clock_mono_ns(), rpc_arrived_ns(call)));
  if (job->err == GANTRY_OK) {
    metric_add(requests->served, 1);
    rpc_reply(call, job->gives);
    publish_change(requests, job, cause);
    publish_marked(requests, job, cause);
  } else {
    metric_add(requests->failed, 1);
    rpc_fail_fault(call, &job->fault);
  }
}

static void on_answered(void *arg) {
  requests_t *requests = arg;
  job_t *job;
  while ((job = writer_answered(requests->writer)) != NULL) {
    answer(requests, job);
    job_destroy(&job);
  }
}

static void on_request(rpc_context_t *call, const void *takes, void *arg) {
  const route_t *route = arg;
  requests_t *self = route->owner;
  job_t *job = job_new(route->request, takes, rpc_actor(call), clock_wall_ns(), call);
  if (job) snprintf(job->producer, sizeof job->producer, "%s", rpc_from(call));
  if (!job) {
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  if (writer_call(self->writer, job)) return;
  job_destroy(&job);
  metric_add(self->failed, 1);
  rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "storage is busy: too many requests at once");
}

static gantry_err_t serve_all(requests_t *requests) {
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    if (strcmp(request->server, "storage") != 0 || backup_serves(request)) continue;
    if (requests->route_count == ROUTES_MAX) return GANTRY_E_TOO_LARGE;
    route_t *route = &requests->routes[requests->route_count++];
    *route = (route_t){.owner = requests, .request = request};
    GANTRY_TRY(rpc_serve(requests->service->server, request, on_request, route));
  }
  return GANTRY_OK;
}

gantry_err_t requests_new(service_t *service, writer_t *writer, requests_state_fn tell, void *arg,
                          requests_t **out) {
  *out = NULL;
  requests_t *requests = calloc(1, sizeof *requests);
  if (!requests) return GANTRY_E_INTERNAL;
  requests->service = service;
  requests->writer = writer;
  requests->tell = tell;
  requests->tell_arg = arg;
  requests->served = metrics_counter(service->metrics, "gantry_store_requests_total",
                                     "result=\"ok\"", "Requests answered.");
  requests->failed = metrics_counter(service->metrics, "gantry_store_requests_total",
                                     "result=\"error\"", "Requests answered.");
  requests->ms = metrics_summary(service->metrics, "gantry_store_request_ms", "",
                                 "From a request's arrival to its answer, ms.");
  gantry_err_t err = serve_all(requests);
  if (err == GANTRY_OK) err = loop_watch(service->loop, writer_fd(writer), on_answered, requests);
  if (err == GANTRY_OK)
    *out = requests;
  else
    free(requests);
  return err;
}

void requests_destroy(requests_t **self) {
  requests_t *requests = *self;
  if (!requests) return;
  loop_unwatch(requests->service->loop, writer_fd(requests->writer));
  on_answered(requests);
  free(requests);
  *self = NULL;
}
