/* The event loop of a service: file descriptors, timers and drained sockets on one epoll. Its own
   descriptor can be watched by another loop. One thread
   only. */
#ifndef GANTRY_LOOP_H
#define GANTRY_LOOP_H

#include <gantry/err.h>
#include <stdint.h>

typedef struct loop loop_t;
typedef void (*loop_fn)(void *arg);
typedef bool (*loop_drain_fn)(void *arg);

gantry_err_t loop_new(loop_t **out);
void loop_destroy(loop_t **self);

/* Calls fn while fd is readable, or broken. The fd stays the caller's; who watched it before no
   longer does. */
gantry_err_t loop_watch(loop_t *loop, int fd, loop_fn fn, void *arg);
/* Also calls fn, with the argument of loop_watch, while the watched fd takes bytes; NULL: no more.
   For a socket that has refused some: one that takes them all wakes the loop without end. */
void loop_watch_write(loop_t *loop, int fd, loop_fn fn);
/* Before the fd is closed. */
void loop_unwatch(loop_t *loop, int fd);

/* For descriptors that are edge triggered and say only "look" (ZMQ_FD): drain is called when fd
   wakes and again after every round of callbacks, until it returns false (nothing was there). It
   handles a bounded share (say 64 items) a call. Without a descriptor (fd -1) it is work that is
   done in parts between all others: loop_wake says that there is some. */
gantry_err_t loop_drain(loop_t *loop, int fd, loop_drain_fn drain, void *arg);
void loop_undrain(loop_t *loop, loop_drain_fn drain, void *arg);
/* Asks every drain at the next step. To be called after a send on a drained socket from outside the
   loop's callbacks: the send may have swallowed the edge that announces what arrived. bus and rpc
   do so themselves. */
void loop_wake(loop_t *loop);

/* Calls fn each period_ms, first after one period. Missed ticks are skipped, not caught up. Returns
   an id > 0, or 0 when out of timers. */
int loop_every(loop_t *loop, uint32_t period_ms, loop_fn fn, void *arg);
/* Calls fn once after delay_ms. */
int loop_after(loop_t *loop, uint32_t delay_ms, loop_fn fn, void *arg);
/* A timer for deadlines that move: silent until it is set, and setting it needs no new descriptor,
   so that it cannot fail. Returns an id > 0, or 0 when out of timers. */
int loop_alarm(loop_t *loop, loop_fn fn, void *arg);
/* Calls the alarm's fn once after delay_ms, 0: with the next step; what it was set to before is
   forgotten. */
void loop_set(loop_t *loop, int alarm, uint32_t delay_ms);
void loop_cancel(loop_t *loop, int id);

/* Readable when loop_step(loop, 0) has work. */
int loop_fd(const loop_t *loop);
/* Handles what is ready; waits up to timeout_ms for something first (-1: as long as it takes). */
void loop_step(loop_t *loop, int timeout_ms);
/* Steps until loop_stop is called. */
void loop_run(loop_t *loop);
void loop_stop(loop_t *loop);
bool loop_stopped(const loop_t *loop);

#endif
