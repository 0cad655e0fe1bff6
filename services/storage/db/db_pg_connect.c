/* Reaching a PostgreSQL server, losing it, and what its errors mean here. */
#include <gantry/clock.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_pg_internal.h"

#define CONNECT_MS   3000u
#define WAIT_MIN_MS  100u
#define WAIT_MAX_MS  5000u
#define STATE_LENGTH 5 /* of an SQLSTATE */

/* Durable whatever the server's default is; nobody waits for a lock for ever. */
static const char SESSION[] = "SET synchronous_commit = on; SET lock_timeout = '5s'";
/* One plan a statement, made without values: along an index in its order, where the estimate for
   the values of the day would read bits and sort. A server that does not know these, or what
   follows, goes on without. */
static const char PLANS[] = "SET plan_cache_mode = force_generic_plan; SET jit = off";
/* The disk gets the pages as they come, not at the next checkpoint all at once: for its length
   every other sync on that disk, an outbox's too, waited 200 ms. */
static const char WRITES[] = "SET backend_flush_after = '1MB'";
/* Held as long as the connection. The server finds out in half a minute when a robot has gone away
   without a word, for until then its next connection waits. A second's patience: a writer that has
   just ended holds it for a moment more. */
static const char CLAIM[] =
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;"
    " SET lock_timeout = '1s'; SELECT pg_advisory_lock(hashtext('gantry ' || current_schema()));"
    " SET lock_timeout = '5s'";

static bool in_class(const char *state, const char *class) {
  return strncmp(state, class, 2) == 0;
}

/* By SQLSTATE, appendix A of PostgreSQL's manual. */
static gantry_err_t err_of(const char *state) {
  static const struct {
    const char *class;
    gantry_err_t err;
  } CLASSES[] = {
      {"08", GANTRY_E_UNAVAILABLE}, /* connection */
      {"22", GANTRY_E_SCHEMA},      /* a value that the column does not take */
      {"23", GANTRY_E_CONFLICT},    /* constraint */
      {"25", GANTRY_E_UNAVAILABLE}, /* read-only, or in a failed transaction */
      {"28", GANTRY_E_INVALID},     /* authorisation */
      {"3D", GANTRY_E_INVALID},     /* no such database */
      {"40", GANTRY_E_UNAVAILABLE}, /* serialisation, deadlock: repeat */
      {"53", GANTRY_E_UNAVAILABLE}, /* disk full, out of memory, too many connections */
      {"54", GANTRY_E_TOO_LARGE},   /* a limit of the program */
      {"55", GANTRY_E_UNAVAILABLE}, /* locked */
      {"57", GANTRY_E_UNAVAILABLE}, /* shut down, cancelled */
      {"58", GANTRY_E_UNAVAILABLE}, /* input and output */
      {"XX", GANTRY_E_INVALID},     /* damaged data */
  };
  if (strcmp(state, "0A000") == 0) return GANTRY_E_NOT_IMPLEMENTED;
  if (strcmp(state, "42501") == 0) return GANTRY_E_INVALID; /* a right is missing */
  for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
    if (in_class(state, CLASSES[i].class)) return CLASSES[i].err;
  return GANTRY_E_INTERNAL;
}

/* The first line of the server's words. */
static void keep_message(db_pg_t *self, const char *text) {
  (void)snprintf(self->message, sizeof self->message, "%.*s", (int)strcspn(text, "\n"), text);
}

void pg_lose(db_pg_t *self) {
  PQfinish(self->conn);
  self->conn = NULL;
  self->queued = 0;
  self->offered = 0;
  self->retry_ns = 0;
  pg_forget_days(self);
  if (self->in_transaction) self->spoilt = true;
}

gantry_err_t pg_failed(db_pg_t *self, const PGresult *result) {
  const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
  const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  gantry_err_t err = state ? err_of(state) : GANTRY_E_UNAVAILABLE;
  keep_message(self, text ? text : PQerrorMessage(self->conn));
  if (self->in_transaction) self->spoilt = true;
  if (state && strcmp(state, "53100") == 0) self->base.full = true;
  /* 57P..: the server says good-bye, and hangs up a moment later. */
  bool gone = state && (strncmp(state, "57P", 3) == 0 || in_class(state, "08"));
  if (gone || PQstatus(self->conn) == CONNECTION_BAD) pg_lose(self);
  return err;
}

gantry_err_t pg_check(db_pg_t *self, const PGresult *result) {
  switch (PQresultStatus(result)) {
  case PGRES_COMMAND_OK:
  case PGRES_TUPLES_OK:
  case PGRES_EMPTY_QUERY:
  case PGRES_PIPELINE_SYNC:
    return GANTRY_OK;
  case PGRES_PIPELINE_ABORTED:
    return GANTRY_E_UNAVAILABLE; /* an earlier one failed, and has said so */
  default:
    return pg_failed(self, result);
  }
}

static void pass_over(void *arg, const PGresult *notice) {
  (void)arg;
  (void)notice;
}

/* Drives the hand-shake until it is over or the time is up. */
static PostgresPollingStatusType shake(PGconn *conn) {
  uint64_t end_ns = clock_mono_ns() + CONNECT_MS * GANTRY_NS_PER_MS;
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step == PGRES_POLLING_WRITING || step == PGRES_POLLING_READING) {
    uint64_t now_ns = clock_mono_ns();
    struct pollfd wait = {.fd = PQsocket(conn)};
    wait.events = step == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
    if (now_ns >= end_ns || poll(&wait, 1, (int)((end_ns - now_ns) / GANTRY_NS_PER_MS) + 1) == 0)
      return PGRES_POLLING_FAILED;
    step = PQconnectPoll(conn);
  }
  return step;
}

/* The words of a failed hand-shake carry the SQLSTATE ("FATAL:  28P01: ...") where a server spoke;
   libpq offers it nowhere else. */
static gantry_err_t refusal(const char *message) {
  char state[STATE_LENGTH + 1] = "";
  const char *found = strstr(message, ":  ");
  if (!found || strspn(found + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != STATE_LENGTH)
    return GANTRY_E_UNAVAILABLE;
  memcpy(state, found + 3, STATE_LENGTH);
  gantry_err_t err = err_of(state);
  return err == GANTRY_E_UNAVAILABLE ? err : GANTRY_E_INVALID;
}

/* A server that knows no such lock goes on without. */
static gantry_err_t claim(db_pg_t *self) {
  PGresult *result = PQexec(self->conn, CLAIM);
  gantry_err_t err = pg_check(self, result);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  bool taken = state && strcmp(state, "55P03") == 0; /* lock_not_available */
  PQclear(result);
  if (taken)
    keep_message(self, "another storage or `gantry migrate up` writes to this database: stop one");
  return taken || err == GANTRY_E_UNAVAILABLE ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
}

gantry_err_t db_claim(db_t *db, const char *place, gantry_fault_t *fault) {
  if (db->kind != DB_PG) return GANTRY_OK;
  db_pg_t *self = pg_of(db);
  GANTRY_TRY(pg_ready(self));
  gantry_err_t err = claim(self);
  self->claims = err == GANTRY_OK;
  return err == GANTRY_OK ? err : fault_set(fault, err, "dsn", "%s: %s", place, self->message);
}

/* A name in another script would fail each batch that holds it. A server that says nothing is
 * taken. */
static gantry_err_t check_encoding(db_pg_t *self) {
  const char *encoding = PQparameterStatus(self->conn, "server_encoding");
  if (!encoding || strcmp(encoding, "UTF8") == 0) return GANTRY_OK;
  (void)snprintf(self->message, sizeof self->message,
                 "the database's encoding is %s: make it with ENCODING 'UTF8' TEMPLATE template0",
                 encoding);
  return GANTRY_E_INVALID;
}

static gantry_err_t begin_session(db_pg_t *self) {
  GANTRY_TRY(check_encoding(self));
  PQsetErrorVerbosity(self->conn, PQERRORS_DEFAULT);
  PGresult *result = PQexec(self->conn, SESSION);
  gantry_err_t err = pg_check(self, result);
  PQclear(result);
  if (err == GANTRY_OK) PQclear(PQexec(self->conn, PLANS));
  if (err == GANTRY_OK) PQclear(PQexec(self->conn, WRITES));
  return err == GANTRY_OK && self->claims ? claim(self) : err;
}

gantry_err_t pg_connect(db_pg_t *self) {
  static const char *const KEYS[] = {"dbname", "client_encoding", "fallback_application_name",
                                     "tcp_user_timeout", NULL};
  const char *const values[] = {self->dsn, "UTF8", "gantry", "10000", NULL};
  self->conn = PQconnectStartParams(KEYS, values, 1);
  if (!self->conn) return GANTRY_E_INTERNAL;
  PQsetNoticeReceiver(self->conn, pass_over, NULL);
  PQsetErrorVerbosity(self->conn, PQERRORS_VERBOSE);
  gantry_err_t err = GANTRY_E_UNAVAILABLE;
  if (PQstatus(self->conn) != CONNECTION_BAD && shake(self->conn) == PGRES_POLLING_OK) {
    self->connection++;
    err = begin_session(self);
  } else {
    const char *message = PQerrorMessage(self->conn);
    err = refusal(message);
    keep_message(self, message[0] ? message : "no answer in 3 s");
  }
  if (err != GANTRY_OK) pg_lose(self);
  return err;
}

/* An idle connection whose server has hung up shows it without a question: its last words, then the
   end of the stream. */
static void notice_hangup(db_pg_t *self) {
  struct pollfd look = {.fd = PQsocket(self->conn), .events = POLLIN};
  while (poll(&look, 1, 0) > 0 && PQconsumeInput(self->conn))
    continue;
  if (look.revents == 0 || PQstatus(self->conn) == CONNECTION_OK) return;
  keep_message(self, PQerrorMessage(self->conn));
  pg_lose(self);
}

gantry_err_t pg_ready(db_pg_t *self) {
  pg_withdraw(self);
  if (self->in_transaction) return self->spoilt ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
  if (self->conn && !self->pipelined) notice_hangup(self);
  if (self->conn) return GANTRY_OK;
  uint64_t now_ns = clock_mono_ns();
  if (now_ns < self->retry_ns) return GANTRY_E_UNAVAILABLE;
  if (pg_connect(self) == GANTRY_OK) {
    self->wait_ms = 0;
    return GANTRY_OK;
  }
  self->wait_ms = self->wait_ms ? 2 * self->wait_ms : WAIT_MIN_MS;
  if (self->wait_ms > WAIT_MAX_MS) self->wait_ms = WAIT_MAX_MS;
  self->retry_ns = clock_mono_ns() + self->wait_ms * GANTRY_NS_PER_MS;
  /* Also a server that refuses now did accept us once: only waiting helps. */
  return GANTRY_E_UNAVAILABLE;
}
