/* One worker thread, two mailboxes of jobs. A password is kept in its job alone, and wiped there
   once it has been hashed: the mailboxes' rings hold pointers. */
#include "password.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <crypt.h>

#include <gantry/clock.h>
#include <gantry/mailbox.h>

enum { QUEUE = 64 };

typedef struct job {
  bool verify;
  char password[PASSWORD_MAX + 1];
  char hash[PASSWORD_HASH_MAX + 1];
  password_fn fn;
  void *arg;
} job_t;

struct password {
  loop_t *loop;
  mailbox_t *jobs; /* of job_t *; NULL ends the thread */
  mailbox_t *results;
  pthread_t thread;
  struct crypt_data *data; /* the thread's */
  bool running;
  atomic_bool ending; /* jobs that wait are not begun any more */
  unsigned cost;
  uint32_t waiting;
};

static bool make_hash(const char *password, unsigned cost, struct crypt_data *data,
                      char out[PASSWORD_HASH_MAX + 1]) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];

  if (!crypt_gensalt_rn("$y$", cost, NULL, 0, setting, sizeof setting)) return false;
  const char *hash = crypt_rn(password, setting, data, sizeof *data);
  if (!hash || hash[0] == '*') return false;
  snprintf(out, PASSWORD_HASH_MAX + 1, "%s", hash);
  return true;
}

/* Equal without telling by its time where they differ. */
static bool same_text(const char *a, const char *b) {
  size_t len = strlen(a);
  unsigned difference = 0;

  if (len != strlen(b)) return false;
  for (size_t i = 0; i < len; i++)
    difference |= (unsigned)(a[i] ^ b[i]);
  return difference == 0;
}

static bool fits(const job_t *job, unsigned cost, struct crypt_data *data) {
  char spent[PASSWORD_HASH_MAX + 1];

  if (strncmp(job->hash, "$y$", 3) != 0 && strncmp(job->hash, "$2", 2) != 0) {
    (void)make_hash(job->password, cost, data, spent);
    return false;
  }
  const char *again = crypt_rn(job->password, job->hash, data, sizeof *data);
  return again && again[0] != '*' && same_text(again, job->hash);
}

/* Does one job and turns it into its own result: arg and fn stay, ok is left in `verify`. */
static void work_off(job_t *job, unsigned cost, struct crypt_data *data) {
  if (job->verify) {
    job->verify = fits(job, cost, data);
    job->hash[0] = '\0';
  } else {
    job->verify = make_hash(job->password, cost, data, job->hash);
  }
  explicit_bzero(job->password, sizeof job->password);
  explicit_bzero(data, sizeof *data);
}

static void drop(job_t *job) {
  explicit_bzero(job, sizeof *job);
  free(job);
}

static void *run_worker(void *arg) {
  password_t *self = arg;
  job_t *job;

  for (;;) {
    if (!mailbox_wait(self->jobs, &job, clock_mono_ns() + 3600ull * GANTRY_NS_PER_S)) continue;
    if (!job) return NULL;
    if (!atomic_load(&self->ending)) work_off(job, self->cost, self->data);
    (void)mailbox_send(self->results, &job); /* never full: it has room for every job */
  }
}

static void on_result(void *arg) {
  password_t *self = arg;
  job_t *job;

  while (mailbox_receive(self->results, &job)) {
    self->waiting--;
    job->fn(job->verify, job->hash, job->arg);
    drop(job);
  }
}

gantry_err_t password_new(loop_t *loop, unsigned cost, password_t **out) {
  password_t *self = calloc(1, sizeof *self);
  gantry_err_t err = GANTRY_E_INTERNAL;

  *out = self;
  if (!self) return err;
  self->loop = loop;
  self->cost = cost;
  self->data = calloc(1, sizeof *self->data);
  if (self->data) err = mailbox_new(sizeof(job_t *), QUEUE + 1, &self->jobs);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(job_t *), QUEUE, &self->results);
  if (err == GANTRY_OK) err = loop_watch(loop, mailbox_fd(self->results), on_result, self);
  if (err == GANTRY_OK) {
    self->running = pthread_create(&self->thread, NULL, run_worker, self) == 0;
    if (!self->running) err = GANTRY_E_INTERNAL;
  }
  if (err != GANTRY_OK) password_destroy(out);
  return err;
}

static void drop_results(password_t *self) {
  job_t *job;

  while (mailbox_receive(self->results, &job))
    drop(job);
}

void password_destroy(password_t **self) {
  password_t *password = *self;
  job_t *end = NULL;

  if (!password) return;
  if (password->running) {
    atomic_store(&password->ending, true);
    mailbox_send(password->jobs, &end);
    pthread_join(password->thread, NULL);
    drop_results(password);
  }
  if (password->results) loop_unwatch(password->loop, mailbox_fd(password->results));
  mailbox_destroy(&password->jobs);
  mailbox_destroy(&password->results);
  free(password->data);
  free(password);
  *self = NULL;
}

static gantry_err_t hand_over(password_t *self, const char *password, const char *hash,
                              password_fn fn, void *arg) {
  if (self->waiting == QUEUE) return GANTRY_E_UNAVAILABLE;
  job_t *job = calloc(1, sizeof *job);
  if (!job) return GANTRY_E_INTERNAL;
  job->verify = hash != NULL;
  job->fn = fn;
  job->arg = arg;
  snprintf(job->password, sizeof job->password, "%s", password);
  snprintf(job->hash, sizeof job->hash, "%s", hash ? hash : "");
  if (!mailbox_send(self->jobs, &job)) {
    drop(job);
    return GANTRY_E_UNAVAILABLE;
  }
  self->waiting++;
  return GANTRY_OK;
}

gantry_err_t password_hash(password_t *self, const char *password, password_fn fn, void *arg) {
  return hand_over(self, password, NULL, fn, arg);
}

gantry_err_t password_verify(password_t *self, const char *password, const char *hash,
                             password_fn fn, void *arg) {
  return hand_over(self, password, hash, fn, arg);
}

const char *password_weakness(const char *password) {
  bool upper = false, lower = false, digit = false;

  for (const char *at = password; *at; at++) {
    upper = upper || isupper((unsigned char)*at);
    lower = lower || islower((unsigned char)*at);
    digit = digit || isdigit((unsigned char)*at);
  }
  if (strlen(password) < 12) return "A password needs at least 12 characters.";
  if (!upper) return "A password needs an upper-case letter.";
  if (!lower) return "A password needs a lower-case letter.";
  return digit ? NULL : "A password needs a digit.";
}
