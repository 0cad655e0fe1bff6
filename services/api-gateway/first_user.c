/* Making the first administrator: no default password exists anywhere. The file is written before
   the user, so that a password that nobody can read is never in force, and gets its name once the
   user is stored, so that whoever finds it can log in. */
#include "first_user.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gantry/clock.h>

enum { ASK_AGAIN_MS = 1000 };

/* Outlives the gateway while a request is under way: the rpc client answers that one at its end. */
typedef struct first_user {
  gateway_t *gateway; /* NULL once the service has stopped */
  bool asked;         /* a request is under way */
  bool unsure;        /* a put was not answered: the password in the file may be in force */
  int timer;
  char password[32];
} first_user_t;

static const char FILE_NAME[] = "first-password", NEW[] = ".new";

static void ask(void *arg);

static void ask_later(first_user_t *self) {
  self->timer = loop_after(self->gateway->service->loop, ASK_AGAIN_MS, ask, self);
}

/* Whether the service still runs; frees self when it does not. */
static bool is_alive(first_user_t *self) {
  self->asked = false;
  if (self->gateway) return true;
  free(self);
  return false;
}

static void name_file(const first_user_t *self, const char *ending, char *out, size_t size) {
  snprintf(out, size, "%s/%s%s", self->gateway->data, FILE_NAME, ending);
}

static bool write_password(const first_user_t *self) {
  char path[512];
  size_t len = strlen(self->password);

  name_file(self, NEW, path, sizeof path);
  (void)unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  bool done = write(fd, self->password, len) == (ssize_t)len && write(fd, "\n", 1) == 1;
  close(fd);
  return done;
}

/* There is an administrator: what was written last, now or before a restart, may be the password.
 */
static void show(first_user_t *self) {
  char from[512], to[512];

  explicit_bzero(self->password, sizeof self->password);
  name_file(self, NEW, from, sizeof from);
  name_file(self, "", to, sizeof to);
  (void)rename(from, to);
}

static void forget(first_user_t *self, bool remove_file) {
  char path[512];

  explicit_bzero(self->password, sizeof self->password);
  name_file(self, NEW, path, sizeof path);
  if (remove_file) (void)unlink(path);
}

/* What was not stored is of no use, unless an earlier put of the same may have worked. */
static void give_up(first_user_t *self, bool remove_file) {
  if (!self->unsure) forget(self, remove_file);
}

static void on_stored(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  first_user_t *self = arg;

  (void)reply;
  (void)header;
  if (!is_alive(self)) return;
  if (err == GANTRY_OK) {
    show(self);
    log_info("FIRST-USER", "user admin is made; its password is in %s/%s", self->gateway->data,
             FILE_NAME);
  } else {
    log_warn("FIRST-USER-FAILED", "user admin could not be stored: %s", fault ? fault->detail : "");
    if (err == GANTRY_E_CONFLICT)
      give_up(self, true);
    else
      self->unsure = true;
    ask_later(self);
  }
}

static void fill_user(store_user_t *user, const char *hash) {
  *user = (store_user_t){.role = STORE_ROLE_ADMIN, .active = true, .must_change = true};
  snprintf(user->username, sizeof user->username, "admin");
  snprintf(user->email, sizeof user->email, "admin@localhost");
  snprintf(user->full_name, sizeof user->full_name, "Administrator");
  snprintf(user->hash, sizeof user->hash, "%s", hash);
  user->created = user->updated = clock_wall_ns();
}

static void on_hashed(bool ok, const char *hash, void *arg) {
  first_user_t *self = arg;
  store_user_t user;

  if (!ok || !write_password(self)) {
    log_error("FIRST-USER-FAILED", "%s/%s cannot be written", self->gateway->data, FILE_NAME);
    give_up(self, false);
    ask_later(self);
    return;
  }
  fill_user(&user, hash);
  self->asked = rpc_call(self->gateway->service->client, REQUEST_STORE_USER_PUT, NULL, NULL, &user,
                         0, on_stored, self) == GANTRY_OK;
  if (self->asked) return;
  give_up(self, true);
  ask_later(self);
}

static void on_count(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                     const sys_header_t *header, void *arg) {
  first_user_t *self = arg;
  const store_count_t *count = reply;

  (void)fault;
  (void)header;
  if (!is_alive(self)) return;
  if (err != GANTRY_OK) {
    ask_later(self);
    return;
  }
  if (count->count > 0) {
    show(self);
    return;
  }
  if (!self->password[0]) err = auth_password(self->password, sizeof self->password);
  if (err == GANTRY_OK) {
    err = password_hash(self->gateway->passwords, self->password, on_hashed, self);
  }
  if (err != GANTRY_OK) ask_later(self);
}

static void ask(void *arg) {
  first_user_t *self = arg;
  sys_empty_t nothing = {0};

  self->timer = 0;
  self->asked = rpc_call(self->gateway->service->client, REQUEST_STORE_USER_COUNT, NULL, NULL,
                         &nothing, 0, on_count, self) == GANTRY_OK;
  if (!self->asked) ask_later(self);
}

gantry_err_t first_user_start(gateway_t *gateway) {
  first_user_t *self = calloc(1, sizeof *self);

  if (!self) return GANTRY_E_INTERNAL;
  gateway->first_user = self;
  self->gateway = gateway;
  ask(self);
  return GANTRY_OK;
}

void first_user_stop(gateway_t *gateway) {
  first_user_t *self = gateway->first_user;

  if (!self) return;
  if (self->timer) loop_cancel(gateway->service->loop, self->timer);
  gateway->first_user = NULL;
  self->gateway = NULL;
  explicit_bzero(self->password, sizeof self->password);
  if (!self->asked) free(self);
}
