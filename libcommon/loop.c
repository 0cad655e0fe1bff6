/* The event loop: one epoll over watched descriptors, timerfds, the wake-up descriptors of drained
   sockets, and an eventfd that keeps the loop's own descriptor readable while work is left. */
#include <gantry/loop.h>

#include <gantry/clock.h>

#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { LOOP_TIMERS_MAX = 256, LOOP_EVENTS = 32, LOOP_ROUNDS = 8 };

/* Drained sockets hold the loop no longer than this, then timers and descriptors have their turn.
 */
static const uint64_t LOOP_SHARE_NS = 2 * GANTRY_NS_PER_MS;

typedef enum source_kind { SOURCE_WATCH, SOURCE_TIMER, SOURCE_DRAIN, SOURCE_WAKE } source_kind_t;

typedef struct source {
  source_kind_t kind;
  int fd;
  int id;    /* timers */
  bool once; /* timers */
  bool dead; /* freed when no callback is on the stack */
  loop_fn fn;
  loop_drain_fn drain;
  void *arg;
  struct source *next;
} source_t;

struct loop {
  int epoll_fd;
  source_t wake;     /* its eventfd says: step again */
  source_t *sources; /* in the order they were added */
  int timers;
  int next_id;
  int depth;  /* nested steps */
  bool woken; /* drains must be asked (again) */
  bool signalled;
  bool stopped;
};

static gantry_err_t loop_register(loop_t *loop, source_t *source) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) != 0) return GANTRY_E_INTERNAL;
  return GANTRY_OK;
}

gantry_err_t loop_new(loop_t **out) {
  *out = NULL;
  loop_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  self->next_id = 1;
  self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  self->wake.kind = SOURCE_WAKE;
  self->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (self->epoll_fd < 0 || self->wake.fd < 0 || loop_register(self, &self->wake) != GANTRY_OK) {
    loop_destroy(&self);
    return GANTRY_E_INTERNAL;
  }
  *out = self;
  return GANTRY_OK;
}

static void source_free(source_t *source) {
  if (source->kind == SOURCE_TIMER) close(source->fd);
  free(source);
}

void loop_destroy(loop_t **self) {
  if (!*self) return;
  source_t *source = (*self)->sources;
  while (source) {
    source_t *next = source->next;
    source_free(source);
    source = next;
  }
  if ((*self)->wake.fd >= 0) close((*self)->wake.fd);
  if ((*self)->epoll_fd >= 0) close((*self)->epoll_fd);
  free(*self);
  *self = NULL;
}

static gantry_err_t loop_add(loop_t *loop, source_t source, source_t **out) {
  source_t *added = malloc(sizeof *added);
  if (!added) return GANTRY_E_INTERNAL;
  *added = source;
  gantry_err_t err = loop_register(loop, added);
  if (err != GANTRY_OK) {
    free(added);
    return err;
  }
  source_t **tail = &loop->sources;
  while (*tail)
    tail = &(*tail)->next;
  *tail = added;
  if (out) *out = added;
  return GANTRY_OK;
}

static void loop_sweep(loop_t *loop) {
  if (loop->depth > 0) return;
  source_t **link = &loop->sources;
  while (*link) {
    source_t *source = *link;
    if (source->dead) {
      *link = source->next;
      source_free(source);
    } else {
      link = &source->next;
    }
  }
}

/* Takes the source out of the epoll at once; its memory goes when nothing can still point to it. */
static void loop_kill(loop_t *loop, source_t *source) {
  epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
  source->dead = true;
  if (source->kind == SOURCE_TIMER) loop->timers--;
}

gantry_err_t loop_watch(loop_t *loop, int fd, loop_fn fn, void *arg) {
  return loop_add(loop, (source_t){.kind = SOURCE_WATCH, .fd = fd, .fn = fn, .arg = arg}, NULL);
}

void loop_unwatch(loop_t *loop, int fd) {
  for (source_t *source = loop->sources; source; source = source->next) {
    bool is_it = source->kind == SOURCE_WATCH && source->fd == fd && !source->dead;
    if (is_it) loop_kill(loop, source);
  }
  loop_sweep(loop);
}

gantry_err_t loop_drain(loop_t *loop, int fd, loop_drain_fn drain, void *arg) {
  source_t source = {.kind = SOURCE_DRAIN, .fd = fd, .drain = drain, .arg = arg};
  gantry_err_t err = loop_add(loop, source, NULL);
  loop_wake(loop);
  return err;
}

void loop_undrain(loop_t *loop, loop_drain_fn drain, void *arg) {
  for (source_t *source = loop->sources; source; source = source->next) {
    bool is_it = source->kind == SOURCE_DRAIN && source->drain == drain && source->arg == arg;
    if (is_it && !source->dead) loop_kill(loop, source);
  }
  loop_sweep(loop);
}

void loop_wake(loop_t *loop) {
  loop->woken = true;
  if (loop->depth > 0 || loop->signalled) return;
  loop->signalled = true;
  eventfd_write(loop->wake.fd, 1);
}

static struct timespec loop_span(uint64_t ns) {
  return (struct timespec){.tv_sec = (time_t)(ns / GANTRY_NS_PER_S),
                           .tv_nsec = (long)(ns % GANTRY_NS_PER_S)};
}

/* 0 would disarm it: at once is a nanosecond. */
static struct timespec loop_delay(uint32_t ms) {
  return loop_span(ms > 0 ? ms * GANTRY_NS_PER_MS : 1);
}

static int loop_timer(loop_t *loop, struct itimerspec spec, bool once, loop_fn fn, void *arg) {
  if (loop->timers >= LOOP_TIMERS_MAX) return 0;
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return 0;
  source_t timer = {.kind = SOURCE_TIMER, .fd = fd, .once = once, .fn = fn, .arg = arg};
  timer.id = loop->next_id;
  if (timerfd_settime(fd, 0, &spec, NULL) != 0 || loop_add(loop, timer, NULL) != GANTRY_OK) {
    close(fd);
    return 0;
  }
  loop->timers++;
  loop->next_id = timer.id == INT_MAX ? 1 : timer.id + 1;
  return timer.id;
}

int loop_every(loop_t *loop, uint32_t period_ms, loop_fn fn, void *arg) {
  struct timespec period = loop_delay(period_ms > 0 ? period_ms : 1);
  struct itimerspec spec = {.it_value = period, .it_interval = period};
  return loop_timer(loop, spec, false, fn, arg);
}

int loop_after(loop_t *loop, uint32_t delay_ms, loop_fn fn, void *arg) {
  return loop_timer(loop, (struct itimerspec){.it_value = loop_delay(delay_ms)}, true, fn, arg);
}

int loop_alarm(loop_t *loop, loop_fn fn, void *arg) {
  return loop_timer(loop, (struct itimerspec){0}, false, fn, arg);
}

static source_t *loop_find(const loop_t *loop, int id) {
  for (source_t *source = loop->sources; source; source = source->next) {
    if (source->kind == SOURCE_TIMER && source->id == id && !source->dead) return source;
  }
  return NULL;
}

void loop_set(loop_t *loop, int alarm, uint32_t delay_ms) {
  const source_t *source = loop_find(loop, alarm);
  struct itimerspec spec = {.it_value = loop_delay(delay_ms)};
  if (source) timerfd_settime(source->fd, 0, &spec, NULL);
}

void loop_cancel(loop_t *loop, int id) {
  source_t *source = loop_find(loop, id);
  if (source) loop_kill(loop, source);
  loop_sweep(loop);
}

int loop_fd(const loop_t *loop) {
  return loop->epoll_fd;
}

/* Reading a timerfd tells how many ticks have passed and forgets them: missed ones are skipped. */
static void loop_fire(loop_t *loop, source_t *timer) {
  uint64_t ticks;
  if (read(timer->fd, &ticks, sizeof ticks) != (ssize_t)sizeof ticks) return;
  if (timer->once) loop_kill(loop, timer);
  timer->fn(timer->arg);
}

static void loop_dispatch(loop_t *loop, source_t *source) {
  if (source->dead) return;
  switch (source->kind) {
  case SOURCE_WATCH:
    source->fn(source->arg);
    break;
  case SOURCE_TIMER:
    loop_fire(loop, source);
    break;
  case SOURCE_DRAIN:
    loop->woken = true;
    break;
  case SOURCE_WAKE: {
    eventfd_t ignored;
    eventfd_read(loop->wake.fd, &ignored);
    loop->signalled = false;
    loop->woken = true;
    break;
  }
  }
}

/* Asks every drained socket until a whole round finds nothing: a callback of one may have sent on
   another and so swallowed its edge. */
static void loop_drain_all(loop_t *loop) {
  uint64_t start_ns = clock_mono_ns();
  for (int round = 0; round < LOOP_ROUNDS; round++) {
    bool found = false;
    loop->woken = false;
    for (source_t *source = loop->sources; source; source = source->next) {
      if (source->kind == SOURCE_DRAIN && !source->dead && source->drain(source->arg)) found = true;
    }
    if (!found && !loop->woken) return;
    if (clock_mono_ns() - start_ns > LOOP_SHARE_NS) break;
  }
  loop->woken = true;
}

void loop_step(loop_t *loop, int timeout_ms) {
  struct epoll_event events[LOOP_EVENTS];
  int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS, loop->woken ? 0 : timeout_ms);
  loop->depth++;
  for (int i = 0; i < count; i++) {
    loop_dispatch(loop, events[i].data.ptr);
  }
  loop_drain_all(loop);
  loop->depth--;
  loop_sweep(loop);
  if (loop->woken) loop_wake(loop);
}

void loop_run(loop_t *loop) {
  while (!loop->stopped) {
    loop_step(loop, -1);
  }
}

void loop_stop(loop_t *loop) {
  loop->stopped = true;
  loop_wake(loop);
}

bool loop_stopped(const loop_t *loop) {
  return loop->stopped;
}
