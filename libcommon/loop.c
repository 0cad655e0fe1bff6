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
  int id;               /* timers */
  bool once;            /* timers */
  bool armed, due, now; /* alarms: timerfd set; to be called at the next step; at this one */
  bool dead;            /* freed when no callback is on the stack */
  loop_fn fn, write_fn;
  loop_drain_fn drain;
  void *arg;
  struct source *next, **link; /* of the loop's list it stands in; only timers need link */
} source_t;

struct loop {
  int epoll_fd;
  source_t wake;    /* its eventfd says: step again */
  source_t *drains; /* in the order they were added; dead ones stay until the sweep */
  source_t *timers, *dead;
  source_t **watches; /* by descriptor: a gateway has thousands */
  int watch_room, timer_count;
  int next_id;
  int depth;    /* nested steps */
  bool woken;   /* drains must be asked (again) */
  bool due;     /* an alarm is */
  bool running; /* by loop_run, which needs no descriptor to be told that work is left */
  bool signalled;
  bool stopped;
};

static gantry_err_t loop_register(loop_t *loop, source_t *source) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  if (source->kind == SOURCE_DRAIN && source->fd < 0) return GANTRY_OK;
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

static void loop_free_all(source_t *source) {
  while (source) {
    source_t *next = source->next;
    if (source->kind == SOURCE_TIMER) close(source->fd);
    free(source);
    source = next;
  }
}

void loop_destroy(loop_t **self) {
  loop_t *loop = *self;

  if (!loop) return;
  loop_free_all(loop->drains);
  loop_free_all(loop->timers);
  loop_free_all(loop->dead);
  for (int fd = 0; fd < loop->watch_room; fd++)
    free(loop->watches[fd]);
  free(loop->watches);
  if (loop->wake.fd >= 0) close(loop->wake.fd);
  if (loop->epoll_fd >= 0) close(loop->epoll_fd);
  free(loop);
  *self = NULL;
}

/* A copy of source, registered; it stands in no list yet. */
static gantry_err_t loop_add(loop_t *loop, source_t source, source_t **out) {
  source_t *added = malloc(sizeof *added);
  if (!added) return GANTRY_E_INTERNAL;
  *added = source;
  gantry_err_t err = loop_register(loop, added);
  if (err != GANTRY_OK) {
    free(added);
    return err;
  }
  *out = added;
  return GANTRY_OK;
}

static void source_link(source_t **at, source_t *source) {
  source->next = *at;
  source->link = at;
  if (*at) (*at)->link = &source->next;
  *at = source;
}

static void source_unlink(source_t *source) {
  *source->link = source->next;
  if (source->next) source->next->link = source->link;
}

static void loop_sweep(loop_t *loop) {
  if (loop->depth > 0) return;
  loop_free_all(loop->dead);
  loop->dead = NULL;
  source_t **link = &loop->drains;
  while (*link) {
    source_t *drain = *link;
    if (drain->dead) {
      *link = drain->next;
      free(drain);
    } else {
      link = &drain->next;
    }
  }
}

/* Takes the source out of the epoll at once; its memory goes when nothing can still point to it. */
static void loop_kill(loop_t *loop, source_t *source) {
  epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
  source->dead = true;
  if (source->kind == SOURCE_DRAIN) return;
  if (source->kind == SOURCE_TIMER) {
    loop->timer_count--;
    source_unlink(source);
  }
  source_link(&loop->dead, source);
}

static gantry_err_t loop_make_room(loop_t *loop, int fd) {
  int room = loop->watch_room ? loop->watch_room : 64;

  if (fd < loop->watch_room) return GANTRY_OK;
  while (room <= fd)
    room *= 2;
  source_t **watches = reallocarray(loop->watches, (size_t)room, sizeof(void *));
  if (!watches) return GANTRY_E_INTERNAL;
  for (int i = loop->watch_room; i < room; i++)
    watches[i] = NULL;
  loop->watches = watches;
  loop->watch_room = room;
  return GANTRY_OK;
}

static source_t *loop_watched(const loop_t *loop, int fd) {
  return fd >= 0 && fd < loop->watch_room ? loop->watches[fd] : NULL;
}

void loop_unwatch(loop_t *loop, int fd) {
  source_t *source = loop_watched(loop, fd);

  if (!source) return;
  loop->watches[fd] = NULL;
  loop_kill(loop, source);
  loop_sweep(loop);
}

gantry_err_t loop_watch(loop_t *loop, int fd, loop_fn fn, void *arg) {
  source_t *added;

  if (fd < 0) return GANTRY_E_INTERNAL;
  GANTRY_TRY(loop_make_room(loop, fd));
  loop_unwatch(loop, fd); /* whoever closed it without a word */
  GANTRY_TRY(
      loop_add(loop, (source_t){.kind = SOURCE_WATCH, .fd = fd, .fn = fn, .arg = arg}, &added));
  loop->watches[fd] = added;
  return GANTRY_OK;
}

void loop_watch_write(loop_t *loop, int fd, loop_fn fn) {
  source_t *source = loop_watched(loop, fd);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

  if (!source || source->write_fn == fn) return;
  source->write_fn = fn;
  if (fn) event.events |= EPOLLOUT;
  epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

gantry_err_t loop_drain(loop_t *loop, int fd, loop_drain_fn drain, void *arg) {
  source_t source = {.kind = SOURCE_DRAIN, .fd = fd, .drain = drain, .arg = arg}, *added;
  source_t **tail = &loop->drains;

  GANTRY_TRY(loop_add(loop, source, &added));
  while (*tail)
    tail = &(*tail)->next;
  *tail = added;
  loop_wake(loop);
  return GANTRY_OK;
}

void loop_undrain(loop_t *loop, loop_drain_fn drain, void *arg) {
  for (source_t *source = loop->drains; source; source = source->next) {
    bool is_it = source->drain == drain && source->arg == arg;
    if (is_it && !source->dead) loop_kill(loop, source);
  }
  loop_sweep(loop);
}

static void loop_signal(loop_t *loop) {
  if (loop->depth > 0 || loop->running || loop->signalled) return;
  loop->signalled = true;
  eventfd_write(loop->wake.fd, 1);
}

void loop_wake(loop_t *loop) {
  loop->woken = true;
  loop_signal(loop);
}

/* 0 would disarm it: at once is a nanosecond. */
static struct timespec loop_delay(uint32_t ms) {
  return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms > 0 ? ms % 1000 * 1000000L : 1};
}

static int loop_timer(loop_t *loop, struct itimerspec spec, bool once, loop_fn fn, void *arg) {
  if (loop->timer_count >= LOOP_TIMERS_MAX) return 0;
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return 0;
  source_t timer = {.kind = SOURCE_TIMER, .fd = fd, .once = once, .fn = fn, .arg = arg}, *added;
  timer.id = loop->next_id;
  if (timerfd_settime(fd, 0, &spec, NULL) != 0 || loop_add(loop, timer, &added) != GANTRY_OK) {
    close(fd);
    return 0;
  }
  source_link(&loop->timers, added);
  loop->timer_count++;
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
  for (source_t *source = loop->timers; source; source = source->next) {
    if (source->id == id) return source;
  }
  return NULL;
}

/* At once needs no timer, which would interrupt the processor to say so. */
void loop_set(loop_t *loop, int alarm, uint32_t delay_ms) {
  source_t *source = loop_find(loop, alarm);
  struct itimerspec spec = {0};
  if (!source) return;
  if (delay_ms > 0) spec.it_value = loop_delay(delay_ms);
  if (delay_ms > 0 || source->armed) timerfd_settime(source->fd, 0, &spec, NULL);
  source->armed = delay_ms > 0;
  source->due = delay_ms == 0;
  source->now = false;
  if (!source->due) return;
  loop->due = true;
  loop_signal(loop);
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
  timer->armed = false;
  if (timer->once) loop_kill(loop, timer);
  timer->fn(timer->arg);
}

static void loop_dispatch(loop_t *loop, source_t *source, uint32_t events) {
  if (source->dead) return;
  switch (source->kind) {
  case SOURCE_WATCH:
    if (events & ~(uint32_t)EPOLLOUT) source->fn(source->arg);
    if (events & EPOLLOUT && source->write_fn && !source->dead) source->write_fn(source->arg);
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

static source_t *loop_next_due(const loop_t *loop) {
  for (source_t *timer = loop->timers; timer; timer = timer->next)
    if (timer->now) return timer;
  return NULL;
}

/* Those that were due before the first of them is called: one that sets itself waits its turn. */
static void loop_call_due(loop_t *loop) {
  source_t *alarm;
  if (!loop->due) return;
  loop->due = false;
  for (alarm = loop->timers; alarm; alarm = alarm->next) {
    alarm->now = alarm->now || alarm->due;
    alarm->due = false;
  }
  while ((alarm = loop_next_due(loop)) != NULL) {
    alarm->now = false;
    alarm->fn(alarm->arg);
  }
}

/* Asks every drained socket until a whole round finds nothing: a callback of one may have sent on
   another and so swallowed its edge. */
static void loop_drain_all(loop_t *loop) {
  uint64_t start_ns = clock_mono_ns();
  for (int round = 0; round < LOOP_ROUNDS; round++) {
    bool found = false;
    loop->woken = false;
    for (source_t *source = loop->drains; source; source = source->next) {
      if (!source->dead && source->drain(source->arg)) found = true;
    }
    if (!found && !loop->woken) return;
    if (clock_mono_ns() - start_ns > LOOP_SHARE_NS) break;
  }
  loop->woken = true;
}

void loop_step(loop_t *loop, int timeout_ms) {
  struct epoll_event events[LOOP_EVENTS];
  bool busy = loop->woken || loop->due;
  int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS, busy ? 0 : timeout_ms);
  loop->depth++;
  for (int i = 0; i < count; i++)
    loop_dispatch(loop, events[i].data.ptr, events[i].events);
  loop_call_due(loop);
  loop_drain_all(loop);
  loop->depth--;
  loop_sweep(loop);
  if (loop->woken || loop->due) loop_signal(loop);
}

void loop_run(loop_t *loop) {
  loop->running = true;
  while (!loop->stopped)
    loop_step(loop, -1);
  loop->running = false;
}

void loop_stop(loop_t *loop) {
  loop->stopped = true;
  loop_wake(loop);
}

bool loop_stopped(const loop_t *loop) {
  return loop->stopped;
}
