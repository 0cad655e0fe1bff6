/* Sessions of sensor-processor, without a storage: what they do they do alone. The witnesses are
   the file, the tap and the outbox. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "processor.h"
#include "processor_play.h"

static processor_play_t play;
static inbox_t *said; /* session.* and sensor.*, in order */
static inbox_t *events;
static gantry_fault_t fault;
static char folder[64], data[80], path[80], bad[90], fresh[90];

static void begin(void) {
  processor_play_begin(&play);
  said = harness_collect(play.h, "se");
  events = harness_collect(play.h, "event.");
}

static void setup(void) {
  snprintf(folder, sizeof folder, "/tmp/gantry_session_XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  snprintf(data, sizeof data, "data=%s", folder);
  snprintf(path, sizeof path, "%s/recording", folder);
  snprintf(bad, sizeof bad, "%s.bad", path);
  snprintf(fresh, sizeof fresh, "%s.new", path);
  begin();
}

static void teardown(void) {
  processor_play_end(&play);
  DIR *open_folder = opendir(folder);
  for (struct dirent *each; (each = readdir(open_folder)) != NULL;)
    unlinkat(dirfd(open_folder), each->d_name, 0);
  closedir(open_folder);
  rmdir(folder);
}

TestSuite(session, .init = setup, .fini = teardown, .timeout = 30);

static service_run_t *open_service(void) {
  return harness_open(play.h, &SENSOR_PROCESSOR, (const char *[]){data, "bench=off", NULL});
}

static void open_again(void) {
  processor_play_end(&play);
  begin();
  open_service();
}

static gantry_err_t start(const session_start_t *takes, session_session_t *gives) {
  return harness_call(play.h, REQUEST_SESSION_START, NULL, takes, gives, 5000, &fault);
}

static session_session_t started(const char *name) {
  session_start_t takes = {.has_name = true};
  session_session_t gives;
  snprintf(takes.name, sizeof takes.name, "%s", name);
  cr_assert_eq(start(&takes, &gives), GANTRY_OK, "%s", fault.detail);
  return gives;
}

static gantry_err_t ask(const request_t *request, session_status_t *gives) {
  sys_empty_t nothing = {0};
  return harness_call(play.h, request, NULL, &nothing, gives, 5000, &fault);
}

static session_status_t status_now(void) {
  session_status_t status;
  cr_assert_eq(ask(REQUEST_SESSION_STATUS, &status), GANTRY_OK);
  return status;
}

static void say_value(const char *sensor) {
  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_VALUE, sensor, "{\"value\":1}"), GANTRY_OK,
               "%s", play.fault.detail);
}

/* The i-th message of a topic, NULL without one. */
static const void *nth(const topic_t *topic, size_t i) {
  for (size_t at = 0; at < inbox_count(said); at++)
    if (catalogue_topic(inbox_frame(said, at)->topic) == topic && i-- == 0)
      return inbox_body(said, at);
  return NULL;
}

typedef struct waited {
  const topic_t *topic;
  size_t count;
} waited_t;

static bool has_come(void *arg) {
  const waited_t *waited = arg;
  return nth(waited->topic, waited->count - 1) != NULL;
}

static bool comes(const topic_t *topic, size_t count) {
  waited_t waited = {topic, count};
  return harness_until(play.h, has_come, &waited, 10000);
}

static const char *file_text(void) {
  static char text[4096];
  FILE *file = fopen(path, "r");
  text[file ? fread(text, 1, sizeof text - 1, file) : 0] = '\0';
  if (file) fclose(file);
  return text;
}

static void write_file(const char *text) {
  FILE *file = fopen(path, "w");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

Test(session, has_one_id_in_every_answer_in_the_file_and_on_the_bus) {
  regex_t uuid;
  open_service();
  cr_assert_eq(regcomp(&uuid,
                       "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
                       REG_EXTENDED | REG_NOSUB),
               0);

  session_session_t session = started("bench run");

  cr_assert_eq(regexec(&uuid, session.session, 0, NULL, 0), 0, "%s", session.session);
  regfree(&uuid);
  cr_assert_eq(session.state, SESSION_STATE_RECORDING);
  cr_assert_not_null(strstr(file_text(), session.session));
  cr_assert(comes(TOPIC_SESSION_CHANGED, 1));
  const session_session_t *changed = nth(TOPIC_SESSION_CHANGED, 0);
  cr_assert_str_eq(changed->session, session.session);
  cr_assert_str_eq(changed->name, "bench run");
  cr_assert_str_eq(status_now().session.session, session.session);
  session_status_t stopped;
  cr_assert_eq(ask(REQUEST_SESSION_STOP, &stopped), GANTRY_OK);
  cr_assert_str_eq(stopped.session.session, session.session);
  cr_assert_eq(stopped.session.state, SESSION_STATE_STOPPED);
  cr_assert_geq(stopped.session.stopped, session.started);
}

Test(session, stands_before_and_behind_its_readings) {
  session_status_t stopped;
  open_service();
  say_value("a");
  cr_assert(comes(TOPIC_SENSOR_READINGS, 1));
  session_session_t session = started("x");
  say_value("a");
  say_value("b");
  cr_assert_eq(ask(REQUEST_SESSION_STOP, &stopped), GANTRY_OK);
  say_value("c");
  cr_assert(comes(TOPIC_SESSION_CHANGED, 2));
  cr_assert(harness_until(play.h, has_come, &(waited_t){TOPIC_SENSOR_READINGS, 3}, 10000));

  int state = 0;
  uint32_t within = 0;
  for (size_t i = 0; i < inbox_count(said); i++) {
    const topic_t *topic = catalogue_topic(inbox_frame(said, i)->topic);
    if (topic == TOPIC_SESSION_CHANGED) state++;
    if (topic != TOPIC_SENSOR_READINGS) continue;
    const sensor_readings_t *batch = inbox_body(said, i);
    for (uint32_t series = 0; series < batch->series_count; series++)
      cr_assert_str_eq(batch->series[series].session, state == 1 ? session.session : "");
    within += state == 1 ? batch->which_count : 0;
  }
  cr_assert_eq(within, 2);
  cr_assert_eq(stopped.readings, 2);
  cr_assert_eq(stopped.types_count, 1);
  cr_assert_eq(stopped.types[0].count, 2);
}

Test(session, is_one_at_a_time) {
  session_start_t takes = {0};
  session_session_t gives;
  session_status_t status;
  open_service();
  cr_assert_eq(ask(REQUEST_SESSION_STOP, &status), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "start one first"));
  session_session_t session = started("x");

  cr_assert_eq(start(&takes, &gives), GANTRY_E_CONFLICT);

  cr_assert_not_null(strstr(fault.detail, session.session), "%s", fault.detail);
}

Test(session, names_an_empty_sensor) {
  session_start_t takes = {.has_sensors = true, .sensors_count = 2, .sensors = {"a", ""}};
  session_session_t gives;
  open_service();

  cr_assert_eq(start(&takes, &gives), GANTRY_E_INVALID);

  cr_assert_str_eq(fault.field, "sensors[1]");
}

Test(session, goes_on_after_a_restart) {
  open_service();
  session_session_t session = started("long");

  open_again();
  say_value("a");

  cr_assert(comes(TOPIC_SENSOR_READINGS, 1));
  const sensor_readings_t *batch = nth(TOPIC_SENSOR_READINGS, 0);
  cr_assert_str_eq(batch->series[0].session, session.session);
  session_status_t status = status_now();
  cr_assert_str_eq(status.session.name, "long");
  cr_assert_eq(status.session.state, SESSION_STATE_RECORDING);
  cr_assert_eq(status.session.started / 1000, session.started / 1000);
}

Test(session, stays_stopped_over_a_restart) {
  session_status_t status;
  open_service();
  session_session_t session = started("short");
  cr_assert_eq(ask(REQUEST_SESSION_STOP, &status), GANTRY_OK);

  open_again();
  say_value("a");

  status = status_now();
  cr_assert_eq(status.session.state, SESSION_STATE_STOPPED);
  cr_assert_str_eq(status.session.session, session.session);
  cr_assert_eq(status.readings, 0);
}

Test(session, sets_a_damaged_file_aside_and_says_so) {
  static const char *const BAD[] = {"{\"session\":\"x\",\"state\":\"recor", "\x01\x02",
                                    "{\"session\":\"\",\"name\":\"\",\"description\":\"\","
                                    "\"state\":\"recording\",\"started_by\":\"\",\"sensors\":[]}"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    write_file(BAD[i]);
    open_again();
    cr_assert(harness_collected(play.h, events, 1, 5000));

    const sys_event_t *event = inbox_body(events, 0);
    cr_assert_str_eq(event->id, "SESSION-FILE-BAD");
    cr_assert_eq(access(bad, F_OK), 0);
    cr_assert_eq(status_now().session.state, SESSION_STATE_IDLE);
    unlink(bad);
  }
}

Test(session, is_forgotten_by_a_reset_which_is_audited) {
  session_status_t status;
  inbox_t *audits = harness_collect(play.h, "audit.");
  open_service();
  session_session_t session = started("x");

  cr_assert_eq(ask(REQUEST_SESSION_RESET, &status), GANTRY_OK);

  cr_assert_eq(status.session.state, SESSION_STATE_IDLE);
  cr_assert_str_eq(status.session.session, "");
  cr_assert(comes(TOPIC_SESSION_CHANGED, 2));
  const session_session_t *changed = nth(TOPIC_SESSION_CHANGED, 1);
  cr_assert_eq(changed->state, SESSION_STATE_DISCARDED);
  cr_assert_str_eq(changed->session, session.session);
  cr_assert(harness_collected(play.h, audits, 1, 5000));
  const sys_audit_t *audit = inbox_body(audits, 0);
  cr_assert_str_eq(audit->action, "session.reset");
  cr_assert_str_eq(audit->resource, session.session);
  cr_assert_eq(ask(REQUEST_SESSION_RESET, &status), GANTRY_OK);
  open_again();
  cr_assert_eq(status_now().session.state, SESSION_STATE_IDLE);
}

Test(session, does_not_begin_on_a_disk_that_takes_nothing) {
  session_start_t takes = {0};
  session_session_t gives;
  open_service();
  cr_assert_eq(mkdir(fresh, 0700), 0);

  cr_assert_eq(start(&takes, &gives), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "make room"));
  cr_assert_eq(status_now().session.state, SESSION_STATE_IDLE);
  cr_assert_null(nth(TOPIC_SESSION_CHANGED, 0));

  cr_assert_eq(rmdir(fresh), 0);
  cr_assert_eq(start(&takes, &gives), GANTRY_OK, "%s", fault.detail);
}

static bool file_says_stopped(void *arg) {
  (void)arg;
  return strstr(file_text(), "\"stopped\"") != NULL && nth(TOPIC_SESSION_CHANGED, 1) != NULL;
}

Test(session, ends_on_a_disk_that_takes_nothing_and_is_written_later) {
  session_status_t status;
  open_service();
  started("x");
  cr_assert_eq(mkdir(fresh, 0700), 0);

  cr_assert_eq(ask(REQUEST_SESSION_STOP, &status), GANTRY_E_UNAVAILABLE);
  cr_assert_eq(status_now().session.state, SESSION_STATE_STOPPED);

  cr_assert_eq(rmdir(fresh), 0);
  cr_assert(harness_until(play.h, file_says_stopped, NULL, 10000));
}

Test(session, has_its_end_said_before_it_is_forgotten_or_followed) {
  session_start_t takes = {0};
  session_session_t gives;
  session_status_t status;
  harness_peer_t *peer = harness_peer(play.h, "mapper");
  harness_keep(play.h, peer, harness_folder(play.h));
  bus_t *bus = service_of(open_service())->bus;
  session_session_t session = started("x");
  bus_set_outbox(bus, NULL);

  cr_assert_eq(ask(REQUEST_SESSION_STOP, &status), GANTRY_E_UNAVAILABLE);
  cr_assert_eq(ask(REQUEST_SESSION_RESET, &status), GANTRY_E_UNAVAILABLE);
  cr_assert_eq(start(&takes, &gives), GANTRY_E_UNAVAILABLE);
  bus_set_outbox(bus, peer->outbox);

  cr_assert(comes(TOPIC_SESSION_CHANGED, 2));
  const session_session_t *changed = nth(TOPIC_SESSION_CHANGED, 1);
  cr_assert_str_eq(changed->session, session.session);
  cr_assert_eq(changed->state, SESSION_STATE_STOPPED);
  cr_assert_eq(start(&takes, &gives), GANTRY_OK, "%s", fault.detail);
}

static bool as_many_rows_have_come(void *arg) {
  uint32_t rows = 0;
  const sensor_readings_t *batch;
  for (size_t i = 0; (batch = nth(TOPIC_SENSOR_READINGS, i)) != NULL; i++)
    rows += batch->which_count;
  return rows == *(const uint32_t *)arg;
}

Test(session, leaves_out_no_sighting_of_a_tag) {
  uint32_t two = 2;
  inbox_t *tags = harness_collect(play.h, "sensor.tag.");
  processor_play_open(&play, (const char *[]){data, "bench=off", "tag_period_ms=60000", NULL});
  started("x");
  raw_tag_t raw = {.sensor = "R", .tag = "0A1B2C3D", .signal = 0.9, .first = true};

  bus_publish(play.bridge->bus, TOPIC_RAW_TAG, raw.sensor, &raw);
  bus_publish(play.bridge->bus, TOPIC_RAW_TAG, raw.sensor, &raw);

  cr_assert(harness_until(play.h, as_many_rows_have_come, &two, 5000));
  cr_assert_eq(inbox_count(tags), 1);
}

static bool tells_itself(void *arg) {
  const session_status_t *status = inbox_newest(said, "session.status");
  return status && strcmp(status->session.session, arg) == 0;
}

Test(session, tells_of_itself_each_second) {
  open_service();
  session_session_t session = started("x");

  cr_assert(harness_until(play.h, tells_itself, session.session, 5000));
}
