/* Values from one thread to another: a ring under a mutex, and an eventfd that is readable from
   the first item sent until the ring is empty (it is written and read under the same mutex). */
#include <gantry/mailbox.h>

#include <gantry/clock.h>
#include <gantry/ring.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
  pthread_mutex_t mutex;
  ring_t ring;
  int fd;
  bool signalled; /* fd is readable */
};

gantry_err_t mailbox_new(size_t item_size, size_t capacity, mailbox_t **out) {
  *out = NULL;
  mailbox_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  pthread_mutex_init(&self->mutex, NULL);
  self->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  gantry_err_t err = self->fd < 0 ? GANTRY_E_INTERNAL : ring_init(&self->ring, item_size, capacity);
  if (err != GANTRY_OK) mailbox_destroy(&self);
  *out = self;
  return err;
}

void mailbox_destroy(mailbox_t **self) {
  if (!*self) return;
  ring_fini(&(*self)->ring);
  if ((*self)->fd >= 0) close((*self)->fd);
  pthread_mutex_destroy(&(*self)->mutex);
  free(*self);
  *self = NULL;
}

static void signal_receiver(mailbox_t *mailbox) {
  if (mailbox->signalled || mailbox->ring.count == 0) return;
  mailbox->signalled = eventfd_write(mailbox->fd, 1) == 0;
}

static bool push(mailbox_t *mailbox, const void *item, bool wake) {
  pthread_mutex_lock(&mailbox->mutex);
  bool sent = ring_push(&mailbox->ring, item);
  if (wake) signal_receiver(mailbox);
  pthread_mutex_unlock(&mailbox->mutex);
  return sent;
}

bool mailbox_send(mailbox_t *mailbox, const void *item) {
  return push(mailbox, item, true);
}

bool mailbox_put(mailbox_t *mailbox, const void *item) {
  return push(mailbox, item, false);
}

void mailbox_wake(mailbox_t *mailbox) {
  pthread_mutex_lock(&mailbox->mutex);
  signal_receiver(mailbox);
  pthread_mutex_unlock(&mailbox->mutex);
}

bool mailbox_receive(mailbox_t *mailbox, void *item) {
  pthread_mutex_lock(&mailbox->mutex);
  bool received = ring_pop(&mailbox->ring, item);
  eventfd_t ignored;
  if (mailbox->ring.count == 0 && mailbox->signalled)
    mailbox->signalled = eventfd_read(mailbox->fd, &ignored) != 0;
  pthread_mutex_unlock(&mailbox->mutex);
  return received;
}

bool mailbox_wait(mailbox_t *mailbox, void *item, uint64_t deadline_mono_ns) {
  while (!mailbox_receive(mailbox, item)) {
    uint64_t now_ns = clock_mono_ns();
    if (now_ns >= deadline_mono_ns) return false;
    uint64_t left_ns = deadline_mono_ns - now_ns;
    struct timespec left = {.tv_sec = (time_t)(left_ns / GANTRY_NS_PER_S),
                            .tv_nsec = (long)(left_ns % GANTRY_NS_PER_S)};
    struct pollfd poll_fd = {.fd = mailbox->fd, .events = POLLIN};
    ppoll(&poll_fd, 1, &left, NULL);
  }
  return true;
}

int mailbox_fd(const mailbox_t *mailbox) {
  return mailbox->fd;
}

uint64_t mailbox_dropped(const mailbox_t *mailbox) {
  mailbox_t *self = (mailbox_t *)mailbox;
  pthread_mutex_lock(&self->mutex);
  uint64_t dropped = self->ring.dropped;
  pthread_mutex_unlock(&self->mutex);
  return dropped;
}
