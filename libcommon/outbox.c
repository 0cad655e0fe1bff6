/* The outbox's side of the loop: numbers records, gathers them for the thread, tells who waits, and
   passes parcels on. */
#include "outbox_internal.h"

#include <gantry/clock.h>
#include <gantry/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLOSE_LIMIT_S = 1 };

static void put_number(uint8_t *out, uint64_t value, size_t len) {
  for (size_t i = 0; i < len; i++)
    out[i] = (uint8_t)(value >> (8 * i));
}

static bool is_full(const outbox_t *outbox, const group_t *group, const outbox_record_t *record,
                    size_t len) {
  if (group->run_count == OUTBOX_RUNS) return true;
  if (group->bytes.len + len > (record->kept ? OUTBOX_GROUP_BYTES : OUTBOX_STREAM_BYTES))
    return true;
  if (!record->kept) return false;
  return atomic_load(&outbox->kept_bytes) + group->kept_bytes + len >
         atomic_load(&outbox->limit_now);
}

/* The run the record belongs to: the last one, or a new one behind it. */
static batch_t *group_run(group_t *group, bool kept, uint64_t number, uint64_t boot) {
  batch_t *run = group->run_count > 0 ? &group->runs[group->run_count - 1] : NULL;
  if (run && run->kept == kept && run->len < OUTBOX_RUN_BYTES) return run;
  run = &group->runs[group->run_count++];
  *run = (batch_t){.boot = boot, .first = number, .kept = kept};
  return run;
}

static gantry_err_t group_add(outbox_t *outbox, const outbox_record_t *record, bool urgent,
                              bool *look) {
  group_t *group = outbox->gathering;
  size_t topic_len = strlen(record->topic);
  size_t len = OUTBOX_RECORD_HEAD + topic_len + record->header_len + record->body_len;
  if (is_full(outbox, group, record, len)) return GANTRY_E_UNAVAILABLE;
  uint8_t *out = buf_reserve(&group->bytes, len);
  if (!out) return GANTRY_E_UNAVAILABLE;
  put_number(out, outbox->next, 8);
  put_number(out + 8, topic_len, 2);
  put_number(out + 10, record->header_len, 4);
  put_number(out + 14, record->body_len, 4);
  out += OUTBOX_RECORD_HEAD;
  memcpy(out, record->topic, topic_len);
  memcpy(out + topic_len, record->header, record->header_len);
  memcpy(out + topic_len + record->header_len, record->body, record->body_len);
  group->bytes.len += len;
  bool began = group->run_count == 0;
  /* A few times a group, however slow the disk is: the mailbox has room for other orders, too. */
  bool grown = group->bytes.len >= OUTBOX_RUN_BYTES && group->bytes.len - len < OUTBOX_RUN_BYTES;
  *look = began || (urgent && !group->urgent) || grown;
  if (began) group->since_ns = clock_mono_ns();
  group->urgent |= urgent;
  batch_t *run = group_run(group, record->kept, outbox->next, outbox->boot);
  run->len += len;
  run->last = outbox->next;
  run->records++;
  if (record->kept) group->kept_bytes += len;
  return GANTRY_OK;
}

static void send_order(outbox_t *outbox, order_kind_t kind, uint64_t number) {
  order_t order = {.kind = kind, .number = number};
  (void)mailbox_send(outbox->in, &order);
}

gantry_err_t outbox_add(outbox_t *outbox, const outbox_record_t *record, outbox_done_fn fn,
                        void *arg) {
  bool look = false;
  gantry_err_t err = GANTRY_E_UNAVAILABLE;
  if (!fn || outbox->waiter_count < OUTBOX_WAITERS) {
    pthread_mutex_lock(&outbox->mutex);
    err = group_add(outbox, record, fn != NULL || record->kept, &look);
    pthread_mutex_unlock(&outbox->mutex);
  }
  if (err != GANTRY_OK) {
    outbox->refused++;
    return err;
  }
  if (fn) {
    uint32_t at = (outbox->waiter_head + outbox->waiter_count++) % OUTBOX_WAITERS;
    outbox->waiters[at] = (waiter_t){.number = outbox->next, .fn = fn, .arg = arg};
  }
  outbox->next++;
  if (look) send_order(outbox, ORDER_LOOK, 0);
  return GANTRY_OK;
}

/* Answers whoever waits for a record from first to last. */
static void settle(outbox_t *outbox, uint64_t first, uint64_t last, gantry_err_t err) {
  for (uint32_t i = 0; i < outbox->waiter_count; i++) {
    waiter_t *waiter = &outbox->waiters[(outbox->waiter_head + i) % OUTBOX_WAITERS];
    if (waiter->number > last) break;
    outbox_done_fn fn = waiter->fn;
    if (waiter->number < first || !fn) continue;
    waiter->fn = NULL;
    fn(err, waiter->arg);
  }
  while (outbox->waiter_count > 0 && !outbox->waiters[outbox->waiter_head].fn) {
    outbox->waiter_head = (outbox->waiter_head + 1) % OUTBOX_WAITERS;
    outbox->waiter_count--;
  }
}

static void on_note(outbox_t *outbox, note_t *note) {
  if (note->kind == NOTE_SYNCED) settle(outbox, 0, note->last, GANTRY_OK);
  if (note->kind == NOTE_LOST) settle(outbox, note->first, note->last, GANTRY_E_UNAVAILABLE);
  if (note->kind == NOTE_PARCEL) {
    if (outbox->fn) outbox->fn(&note->parcel, outbox->arg);
    free(note->parcel.bytes);
  }
}

static void on_notes(void *arg) {
  outbox_t *outbox = arg;
  note_t note;
  while (mailbox_receive(outbox->out, &note))
    on_note(outbox, &note);
}

static void outbox_free(outbox_t *outbox) {
  group_t *groups[] = {outbox->gathering, outbox->taken};
  note_t note;
  for (int i = 0; i < 2; i++) {
    if (groups[i]) buf_fini(&groups[i]->bytes);
    free(groups[i]);
  }
  while (outbox->out && mailbox_receive(outbox->out, &note))
    if (note.kind == NOTE_PARCEL) free(note.parcel.bytes);
  mailbox_destroy(&outbox->in);
  mailbox_destroy(&outbox->out);
  pthread_mutex_destroy(&outbox->mutex);
  free(outbox->waiters);
  free(outbox);
}

void outbox_leave(outbox_t *outbox) {
  if (atomic_exchange(&outbox->left, true)) outbox_free(outbox);
}

gantry_err_t outbox_open(const outbox_settings_t *settings, loop_t *loop, outbox_t **out) {
  outbox_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  snprintf(self->folder, sizeof self->folder, "%s", settings->folder);
  snprintf(self->service, sizeof self->service, "%s", settings->service);
  self->boot = settings->boot;
  self->limit_bytes = settings->limit_bytes;
  self->loop = loop;
  self->next = 1;
  atomic_store(&self->limit_now, settings->limit_bytes);
  pthread_mutex_init(&self->mutex, NULL);
  self->gathering = calloc(1, sizeof *self->gathering);
  self->taken = calloc(1, sizeof *self->taken);
  self->waiters = calloc(OUTBOX_WAITERS, sizeof *self->waiters);
  bool ready = self->gathering && self->taken && self->waiters &&
               mailbox_new(sizeof(order_t), OUTBOX_NOTES, &self->in) == GANTRY_OK &&
               mailbox_new(sizeof(note_t), OUTBOX_NOTES, &self->out) == GANTRY_OK &&
               loop_watch(loop, mailbox_fd(self->out), on_notes, self) == GANTRY_OK;
  if (ready && pthread_create(&self->thread, NULL, outbox_run, self) == 0) {
    *out = self;
    return GANTRY_OK;
  }
  if (self->out) loop_unwatch(loop, mailbox_fd(self->out));
  outbox_free(self);
  return GANTRY_E_INTERNAL;
}

void outbox_close(outbox_t **self) {
  outbox_t *outbox = *self;
  struct timespec limit;
  if (!outbox) return;
  *self = NULL;
  send_order(outbox, ORDER_STOP, 0);
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += CLOSE_LIMIT_S;
  bool ended = pthread_timedjoin_np(outbox->thread, NULL, &limit) == 0;
  loop_unwatch(outbox->loop, mailbox_fd(outbox->out));
  outbox->fn = NULL;
  on_notes(outbox);
  settle(outbox, 0, UINT64_MAX, GANTRY_E_UNAVAILABLE);
  if (!ended) {
    log_warn("OUTBOX-SLOW", "%s.outbox: the disk does not answer; what came last may be lost",
             outbox->service);
    pthread_detach(outbox->thread);
  }
  outbox_leave(outbox);
}

void outbox_deliver(outbox_t *outbox, outbox_parcel_fn fn, void *arg) {
  outbox->fn = fn;
  outbox->arg = arg;
  send_order(outbox, ORDER_DELIVER, 0);
}

void outbox_delivered(outbox_t *outbox, const outbox_parcel_t *parcel) {
  send_order(outbox, ORDER_DELIVERED, parcel->id);
  if (parcel->boot == outbox->boot) settle(outbox, 0, parcel->last, GANTRY_OK);
}

void outbox_rewind(outbox_t *outbox, uint32_t generation) {
  send_order(outbox, ORDER_REWIND, generation);
}

uint64_t outbox_waiting(const outbox_t *outbox) {
  return atomic_load(&outbox->records);
}

outbox_stats_t outbox_get_stats(outbox_t *outbox) {
  bool opened = atomic_load(&outbox->opened); /* first: see publish_state */
  outbox_stats_t stats = {.opened = opened,
                          .bytes = atomic_load(&outbox->bytes),
                          .records = atomic_load(&outbox->records),
                          .dropped = atomic_load(&outbox->dropped),
                          .refused = outbox->refused,
                          .sync_ms = (double)atomic_exchange(&outbox->sync_max_us, 0) / 1000.0,
                          .in_memory = atomic_load(&outbox->in_memory)};
  pthread_mutex_lock(&outbox->mutex);
  memcpy(stats.trouble, outbox->trouble, sizeof stats.trouble);
  pthread_mutex_unlock(&outbox->mutex);
  return stats;
}
