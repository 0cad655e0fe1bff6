/* The outbox's thread: takes what has been gathered, writes it as one transaction, tells the loop,
   hands out what storage has room for. */
#include "outbox_internal.h"

#include <gantry/clock.h>

#include <stdlib.h>
#include <string.h>

/* Lost records are told one run at a time; where the mailbox is full, the span over all of them
   is told later: one that is called lost and is not is better than the other way round. */
static void tell_lost(outbox_t *outbox) {
  note_t note = {.kind = NOTE_LOST, .first = outbox->lost_first, .last = outbox->lost_last};
  if (note.last != 0 && mailbox_send(outbox->out, &note))
    outbox->lost_first = outbox->lost_last = 0;
}

static void on_lost(uint64_t first, uint64_t last, void *arg) {
  outbox_t *outbox = arg;
  bool more = outbox->lost_last != 0;
  outbox->lost_first = more && outbox->lost_first < first ? outbox->lost_first : first;
  outbox->lost_last = more && outbox->lost_last > last ? outbox->lost_last : last;
  tell_lost(outbox);
}

/* In order behind what was lost, so that nobody is told the wrong thing. */
static void tell_synced(outbox_t *outbox) {
  note_t note = {.kind = NOTE_SYNCED, .last = outbox->written};
  if (outbox->lost_last != 0) tell_lost(outbox);
  if (outbox->lost_last != 0 || outbox->tray.memory || outbox->told == outbox->written) return;
  if (mailbox_send(outbox->out, &note)) outbox->told = outbox->written;
}

static void publish_state(outbox_t *outbox) {
  box_totals_t totals = tray_totals(&outbox->tray);
  atomic_store(&outbox->bytes, totals.bytes);
  atomic_store(&outbox->kept_bytes, totals.kept_bytes);
  atomic_store(&outbox->records, totals.records);
  atomic_store(&outbox->dropped, outbox->tray.dropped);
  atomic_store(&outbox->limit_now, tray_limit(&outbox->tray));
  atomic_store(&outbox->opened, !outbox->tray.unread); /* last: what it lets be read is there */
  bool was = atomic_exchange(&outbox->in_memory, outbox->tray.memory != NULL);
  if (was || outbox->tray.memory) {
    pthread_mutex_lock(&outbox->mutex);
    memcpy(outbox->trouble, outbox->tray.trouble, sizeof outbox->trouble);
    pthread_mutex_unlock(&outbox->mutex);
  }
}

/* Takes the gathered group when it is time to write it. */
static bool take_group(outbox_t *outbox, uint64_t now_ns) {
  pthread_mutex_lock(&outbox->mutex);
  group_t *group = outbox->gathering;
  bool old = now_ns >= group->since_ns + (uint64_t)OUTBOX_LINGER_MS * GANTRY_NS_PER_MS;
  bool due = group->run_count > 0 &&
             (group->urgent || old || outbox->stopping || group->bytes.len >= OUTBOX_RUN_BYTES);
  if (due) {
    outbox->gathering = outbox->taken;
    outbox->taken = group;
  }
  pthread_mutex_unlock(&outbox->mutex);
  return due;
}

static void write_group(outbox_t *outbox) {
  group_t *group = outbox->taken;
  const uint8_t *bytes = group->bytes.data;
  uint64_t begun_ns = clock_mono_ns();
  for (uint32_t i = 0; i < group->run_count; i++) {
    group->runs[i].bytes = bytes;
    bytes += group->runs[i].len;
  }
  tray_put(&outbox->tray, group->runs, group->run_count, begun_ns);
  uint64_t took_us = (clock_mono_ns() - begun_ns) / 1000;
  if (took_us > atomic_load(&outbox->sync_max_us)) atomic_store(&outbox->sync_max_us, took_us);
  outbox->written = group->runs[group->run_count - 1].last;
  buf_reset(&group->bytes);
  group->run_count = 0;
  group->kept_bytes = 0;
  group->urgent = false;
}

/* Gathers batches of one boot after the cursor into a parcel; false when there are none now.
   Another boot has to wait until nothing of the last one is under way: storage keeps them in order
   by boot only, and what is delivered vouches for all before it. */
static bool fill_parcel(outbox_t *outbox, outbox_parcel_t *parcel) {
  buf_t bytes = {0};
  batch_t batch;
  gantry_err_t err;
  *parcel = (outbox_parcel_t){0};
  while ((err = tray_next(&outbox->tray, parcel->id ? parcel->id : outbox->cursor, &batch)) ==
         GANTRY_OK) {
    bool fits = bytes.len + batch.len <= OUTBOX_PARCEL_BYTES && batch.boot == parcel->boot;
    if (parcel->id != 0 && !fits) break;
    if (outbox->under_way > 0 && batch.boot != outbox->handed_boot) break;
    if (parcel->id == 0) *parcel = (outbox_parcel_t){.boot = batch.boot, .first = batch.first};
    buf_put(&bytes, batch.bytes, batch.len);
    parcel->id = batch.id;
    parcel->last = batch.last;
  }
  parcel->bytes = bytes.data;
  parcel->len = bytes.len;
  if (parcel->id != 0 && buf_err(&bytes) == GANTRY_OK) return true;
  outbox->hampered =
      buf_err(&bytes) != GANTRY_OK || (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND);
  buf_fini(&bytes);
  return false;
}

static void hand_out(outbox_t *outbox) {
  note_t note = {.kind = NOTE_PARCEL};
  outbox_parcel_t *parcel = &note.parcel;
  outbox->hampered = false;
  while (outbox->delivering && outbox->under_way < OUTBOX_WINDOW &&
         outbox->cursor + 1 < outbox->tray.next_id && fill_parcel(outbox, parcel)) {
    parcel->previous = outbox->under_way > 0 ? outbox->handed_last : 0;
    parcel->dropped = tray_dropped(&outbox->tray, parcel->boot);
    parcel->generation = outbox->generation;
    if (!mailbox_send(outbox->out, &note)) {
      free(parcel->bytes);
      outbox->hampered = true;
      return;
    }
    outbox->cursor = parcel->id;
    outbox->handed_boot = parcel->boot;
    outbox->handed_last = parcel->last;
    outbox->parcels[outbox->under_way++] = parcel->id;
  }
}

static void on_delivered(outbox_t *outbox, uint64_t id) {
  uint32_t done = 0;
  while (done < outbox->under_way && outbox->parcels[done] <= id)
    done++;
  outbox->under_way -= done;
  memmove(outbox->parcels, outbox->parcels + done, outbox->under_way * sizeof outbox->parcels[0]);
  tray_delivered(&outbox->tray, id);
}

static void follow(outbox_t *outbox, const order_t *order) {
  switch (order->kind) {
  case ORDER_LOOK:
    break;
  case ORDER_DELIVER:
    outbox->delivering = true;
    break;
  case ORDER_DELIVERED:
    on_delivered(outbox, order->number);
    break;
  case ORDER_REWIND:
    outbox->generation = (uint32_t)order->number;
    outbox->cursor = outbox->tray.delivered;
    outbox->under_way = 0;
    break;
  case ORDER_STOP:
    outbox->stopping = true;
    break;
  }
}

static uint64_t next_deadline_ns(outbox_t *outbox, uint64_t now_ns) {
  uint64_t due_ns = tray_due_ns(&outbox->tray, now_ns);
  uint64_t deadline_ns = due_ns ? due_ns : now_ns + 3600ull * GANTRY_NS_PER_S;
  pthread_mutex_lock(&outbox->mutex);
  const group_t *group = outbox->gathering;
  uint64_t linger_ns = group->since_ns + (uint64_t)OUTBOX_LINGER_MS * GANTRY_NS_PER_MS;
  if (group->run_count > 0 && linger_ns < deadline_ns) deadline_ns = linger_ns;
  pthread_mutex_unlock(&outbox->mutex);
  bool untold = outbox->lost_last != 0 || (!outbox->tray.memory && outbox->told != outbox->written);
  uint64_t soon_ns = now_ns + (uint64_t)OUTBOX_LINGER_MS * GANTRY_NS_PER_MS;
  if ((untold || outbox->hampered) && soon_ns < deadline_ns) deadline_ns = soon_ns;
  return deadline_ns;
}

void *outbox_run(void *arg) {
  outbox_t *outbox = arg;
  outbox_settings_t settings = {.folder = outbox->folder,
                                .service = outbox->service,
                                .boot = outbox->boot,
                                .limit_bytes = outbox->limit_bytes};
  tray_init(&outbox->tray, &settings, on_lost, outbox);
  publish_state(outbox);
  while (!outbox->stopping) {
    order_t order;
    bool told = mailbox_wait(outbox->in, &order, next_deadline_ns(outbox, clock_mono_ns()));
    bool idle = !told;
    while (told) {
      follow(outbox, &order);
      told = mailbox_receive(outbox->in, &order);
    }
    uint64_t now_ns = clock_mono_ns();
    if (take_group(outbox, now_ns))
      write_group(outbox);
    else if (idle)
      tray_tidy(&outbox->tray, now_ns);
    publish_state(outbox);
    tell_synced(outbox);
    hand_out(outbox);
    tray_checkpoint(&outbox->tray);
  }
  tray_tidy(&outbox->tray, clock_mono_ns());
  tell_synced(outbox);
  tray_fini(&outbox->tray);
  outbox_leave(outbox);
  return NULL;
}
