/* Values from one thread to another: a bounded queue with an eventfd, so that the receiver's loop
   can watch it. Any thread may send; one receives. A full mailbox refuses and counts, it never
   blocks. */
#ifndef GANTRY_MAILBOX_H
#define GANTRY_MAILBOX_H

#include <gantry/err.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mailbox mailbox_t;

gantry_err_t mailbox_new(size_t item_size, size_t capacity, mailbox_t **out);
void mailbox_destroy(mailbox_t **self);
/* Copies item in. False, counted, when full. */
bool mailbox_send(mailbox_t *mailbox, const void *item);
/* The same, but does not make the eventfd readable: for what may wait until the receiver looks, or
   mailbox_wake or the next mailbox_send. */
bool mailbox_put(mailbox_t *mailbox, const void *item);
/* Makes the eventfd readable when something is there. */
void mailbox_wake(mailbox_t *mailbox);
/* Copies the oldest out without blocking; false when empty (then the eventfd is clear). */
bool mailbox_receive(mailbox_t *mailbox, void *item);
/* Waits until something is there or deadline_mono_ns has passed (0: does not wait). */
bool mailbox_wait(mailbox_t *mailbox, void *item, uint64_t deadline_mono_ns);
/* Readable while something is there that was sent, not only put. Owned by the mailbox. */
int mailbox_fd(const mailbox_t *mailbox);
uint64_t mailbox_dropped(const mailbox_t *mailbox);

#endif
