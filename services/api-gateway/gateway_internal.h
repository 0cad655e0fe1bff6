/* What the gateway's files share. Included by glue files of this folder only. */
#ifndef GATEWAY_INTERNAL_H
#define GATEWAY_INTERNAL_H

#include <gantry/service.h>

#include "alarms.h"
#include "auth.h"
#include "health_view.h"
#include "identity.h"
#include "latest.h"
#include "limit.h"
#include "log_ring.h"
#include "monitor.h"
#include "password.h"
#include "peers.h"
#include "picture.h"
#include "token_cache.h"
#include "traffic.h"

struct http;
struct limits;
struct ws_hub;
struct feed;
struct exchange;
struct bench;
struct audit_trail;

typedef struct gateway_metrics {
  metric_t *requests, *unadmitted, *client_errors, *server_errors, *limited;
  metric_t *ws_clients, *ws_frames, *ws_dropped, *ws_refused, *pose_age_ms, *stop_ms;
} gateway_metrics_t;

/* robot.settings as storage keeps it. */
typedef struct settings_copy {
  robot_settings_t given;
  store_setting_info_t info; /* version 0: none was ever made, or storage has not answered yet */
  bool asked, stale;
  int alarm;
} settings_copy_t;

/* What only storage knows of the dashboard's figures, as it said last. */
typedef struct books {
  uint64_t asked_ns;
  bool known, has_state, has_backup, has_users, has_alerts;
  uint64_t database_bytes, backup_ns, users, active, alerts;
} books_t;

struct gateway {
  service_t *service;
  struct http *http;
  int port;
  uint64_t started_ns, started_wall_ns;
  latest_t *latest;
  alarms_t *alarms; /* what people did about the alerts that hold */
  log_ring_t *logs;
  settings_copy_t settings;
  books_t books;
  auth_t *auth;
  token_cache_t *tokens; /* verified ones */
  identity_t *identity;  /* who may come in */
  struct identity_feed *identity_feed;
  uint32_t sessions_max, password_days, lock_after, lock_s, grace_s;
  password_t *passwords;
  picture_t *pictures;
  struct ingest_pool *readings; /* handed in, on their way to sensor-processor */
  struct active_map *active_map;
  struct limits *limits;
  struct audit_trail *audit_trail;
  uint32_t body_s; /* longest a body may take to arrive */
  struct ws_hub *hub;
  struct feed *feed;
  struct bench *bench;        /* the test bench, NULL when it has no listener */
  struct exchange *exchanges; /* those alive, newest first */
  uint32_t streams;           /* of those, answers in pieces */
  uint64_t bodies;            /* bytes of theirs that count towards CALL_BODIES_MAX */
  gateway_metrics_t metrics;
  traffic_t traffic; /* requests answered, by route */
  monitor_t *monitor;
  http_system_load_t system; /* sampled once a second */
  uint32_t access_s, refresh_s;
  uint32_t burst;
  bool extended_types; /* POST /sensors/data takes registered types */
  const char *origins; /* of the configuration */
  const char *web_root;
  const char *data;
  const char *robot;
  struct first_user *first_user;
  uint64_t stops, stops_confirmed;
};
typedef struct gateway gateway_t;

#endif
