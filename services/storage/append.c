/* Records of an outbox: walked, decoded by the catalogue, turned into rows. A record that cannot be
   stored is named in the log and passed over: it must not keep those behind it from their place. */
#include "append.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/unpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"
#include "records.h"

#define TRIES_MAX    3 /* of a record that fails for a reason of its own */
#define SUSPECTS_MAX 16
#define GIVEN_UP_MAX 64 /* records of one run that the database refuses */

/* A boot of a producer with records that make a transaction fail, although the database answers:
   they go one by one, until the one at fault is found. */
typedef struct suspect {
  uint64_t boot;   /* 0: none */
  uint64_t number; /* the record that failed last, by itself */
  uint32_t tries;  /* of it */
  uint32_t given_up_count;
  uint64_t given_up[GIVEN_UP_MAX]; /* numbers */
} suspect_t;

struct append {
  void *body; /* owned: the message being stored */
  size_t body_size;
  mapping_t mapping;
  bool has_safety;
  robot_safety_t safety; /* as last written */
  suspect_t suspects[SUSPECTS_MAX];
  uint32_t suspect_count; /* so far: the oldest makes room */
  suspect_t *suspect;     /* of the run being taken; NULL: none, readings are gathered */
  uint64_t gathered;      /* readings of this run of records that may still wait */
};

/* One record on its way. */
typedef struct entry {
  store_t *store;
  frame_t frame;
  void *body; /* borrowed: the struct of the topic's message */
  append_counts_t *counts;
  gantry_fault_t fault; /* of a record that cannot be stored */
} entry_t;

gantry_err_t append_new(append_t **out) {
  *out = calloc(1, sizeof **out);
  return *out ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void append_destroy(append_t **self) {
  if (!*self) return;
  free((*self)->body);
  free(*self);
  *self = NULL;
}

void append_set_mapping(append_t *append, const mapping_t *mapping) {
  append->mapping = *mapping;
}

void append_forget(append_t *append) {
  append->has_safety = false;
}

static gantry_err_t add_row(entry_t *entry, row_t *row) {
  row_from_frame(row, &entry->frame);
  gantry_err_t err = store_add(entry->store, row);
  if (err == GANTRY_OK) entry->counts->rows++;
  if (err == GANTRY_E_CONFLICT) entry->counts->repeated++;
  return err == GANTRY_E_CONFLICT ? GANTRY_OK : err;
}

/* The row borrows the body. */
static gantry_err_t add_body(entry_t *entry, row_kind_t kind) {
  row_t row = {.kind = kind, .data = entry->body};
  return add_row(entry, &row);
}

static bool safety_changed(const robot_safety_t *a, const robot_safety_t *b) {
  return a->state != b->state || a->latched != b->latched || a->cause != b->cause ||
         a->phase != b->phase || a->estop_input != b->estop_input || a->zone != b->zone ||
         a->motors_off != b->motors_off || strcmp(a->detail, b->detail) != 0;
}

static gantry_err_t add_safety(append_t *append, entry_t *entry) {
  const robot_safety_t *safety = entry->body;
  if (append->has_safety && !safety_changed(safety, &append->safety)) return GANTRY_OK;
  GANTRY_TRY(add_body(entry, ROW_SAFETY));
  append->has_safety = true;
  append->safety = *safety;
  return GANTRY_OK;
}

static gantry_err_t add_event(append_t *append, entry_t *entry) {
  (void)append;
  return add_body(entry, ROW_EVENT);
}

static gantry_err_t add_audit(append_t *append, entry_t *entry) {
  (void)append;
  return add_body(entry, ROW_AUDIT);
}

static gantry_err_t add_session(append_t *append, entry_t *entry) {
  (void)append;
  return add_body(entry, ROW_SESSION);
}

static gantry_err_t add_command(append_t *append, entry_t *entry) {
  (void)append;
  return add_body(entry, ROW_COMMAND);
}

static bool is_mapping_at(const mapping_t *mapping, uint64_t ts_us) {
  return mapping->session[0] && ts_us >= mapping->since_us && ts_us <= mapping->until_us;
}

/* Series that no session records belong to the mapping session that ran at their first row. */
static gantry_err_t mark_mapped(append_t *append, store_t *store, sensor_readings_t *batch) {
  bool seen[sizeof batch->series / sizeof batch->series[0]] = {false};
  bool marked = false;
  for (uint32_t i = 0; i < batch->which_count && i < batch->time_count; i++) {
    uint8_t which = batch->which[i];
    if (which >= batch->series_count || seen[which]) continue;
    seen[which] = true;
    sensor_series_key_t *key = &batch->series[which];
    if (key->session[0] || !is_mapping_at(&append->mapping, batch->time[i] / 1000)) continue;
    memcpy(key->session, append->mapping.session, sizeof key->session);
    marked = true;
  }
  if (!marked) return GANTRY_OK;
  return store_know_mapping(store, append->mapping.session, append->mapping.since_us);
}

static gantry_err_t add_readings(append_t *append, entry_t *entry) {
  sensor_readings_t *batch = entry->body;
  const sys_header_t *header = &entry->frame.header;
  const store_origin_t origin = {header->robot, header->from, header->trace};
  uint32_t added = 0;
  GANTRY_TRY(mark_mapped(append, entry->store, batch));
  if (!append->suspect) {
    GANTRY_TRY(store_gather_readings(entry->store, &origin, batch, &entry->fault));
    append->gathered += batch->which_count;
    return GANTRY_OK;
  }
  gantry_err_t err = store_add_readings(entry->store, &origin, batch, &added, &entry->fault);
  entry->counts->rows += added;
  if (err == GANTRY_OK) entry->counts->repeated += batch->which_count - added;
  return err;
}

typedef gantry_err_t (*add_fn)(append_t *append, entry_t *entry);

static add_fn find_add(const topic_t *topic) {
  static const struct {
    const topic_t *topic;
    add_fn add;
  } TAKEN[] = {
      {TOPIC_SENSOR_READINGS, add_readings}, {TOPIC_ROBOT_SAFETY, add_safety},
      {TOPIC_ROBOT_COMMANDED, add_command},  {TOPIC_EVENT, add_event},
      {TOPIC_SESSION_CHANGED, add_session},  {TOPIC_AUDIT, add_audit},
  };
  for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
    if (TAKEN[i].topic == topic) return TAKEN[i].add;
  return NULL;
}

static bool make_room(append_t *append, size_t size) {
  if (size <= append->body_size) return true;
  void *grown = realloc(append->body, size);
  if (!grown) return false;
  append->body = grown;
  append->body_size = size;
  return true;
}

/* Fills the entry's fault when the record is at fault; an error without a fault is the database's.
 */
static gantry_err_t take_record(append_t *append, entry_t *entry, const record_t *record,
                                const char *producer) {
  frame_t *frame = &entry->frame;
  const topic_t *topic = catalogue_topic(record->topic);
  add_fn add = topic ? find_add(topic) : NULL;
  if (!add)
    return fault_set(&entry->fault, GANTRY_E_SCHEMA, "topic", "nobody keeps %s", record->topic);
  if (!make_room(append, topic->message->size)) return GANTRY_E_UNAVAILABLE;
  GANTRY_TRY(unpack_message(&SYS_HEADER_DESC, record->header, record->header_len, &frame->header,
                            &entry->fault));
  if (strcmp(frame->header.from, producer) != 0)
    return fault_set(&entry->fault, GANTRY_E_SCHEMA, "from", "%s delivers what %s has said",
                     producer, frame->header.from);
  GANTRY_TRY(
      unpack_message(topic->message, record->body, record->body_len, append->body, &entry->fault));
  memcpy(frame->topic, record->topic, sizeof record->topic);
  frame->body = record->body;
  frame->body_len = record->body_len;
  entry->body = append->body;
  return add(append, entry);
}

static suspect_t *find_suspect(append_t *append, uint64_t boot) {
  for (uint32_t i = 0; i < SUSPECTS_MAX; i++)
    if (append->suspects[i].boot == boot) return &append->suspects[i];
  return NULL;
}

/* Whether an error may be a record's own: the database's trouble (away, full, damaged) is not. */
static bool may_be_its_own(gantry_err_t err) {
  return err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE && err != GANTRY_E_INVALID;
}

/* Whether the record is to be passed over at once: the transaction is as it was. */
static bool is_hopeless(entry_t *entry, gantry_err_t err) {
  if (err == GANTRY_E_REFUSED)
    fault_set(&entry->fault, err, "sensor",
              "the database has as many sensors as it takes: give sensors names that stay");
  return entry->fault.err != GANTRY_OK;
}

/* The record failed the transaction; when it comes alone, it is the one at fault. */
static void suspect_record(append_t *append, uint64_t number) {
  suspect_t *suspect = append->suspect;
  if (!suspect) return;
  if (suspect->number != number) suspect->tries = 0;
  suspect->number = number;
  if (++suspect->tries == TRIES_MAX) suspect->given_up[suspect->given_up_count++] = number;
}

static bool is_given_up(const append_t *append, uint64_t number) {
  const suspect_t *suspect = append->suspect;
  for (uint32_t i = 0; suspect && i < suspect->given_up_count; i++)
    if (suspect->given_up[i] == number) return true;
  return false;
}

static void log_refused(const record_t *record, const char *producer, const char *field,
                        const char *why) {
  log_error("STORE-REFUSED", "record %llu of %s (%s) cannot be stored: %s%s%s",
            (unsigned long long)record->number, producer, record->topic, field, field[0] ? " " : "",
            why);
}

/* All records are whole, their numbers rise, and are those the request names. */
static gantry_err_t check(const store_append_t *takes, gantry_fault_t *fault) {
  records_t records = {takes->records.data, takes->records.data + takes->records.len};
  record_t record;
  uint64_t last = 0, first = 0;
  gantry_err_t err;
  while ((err = records_next(&records, &record)) == GANTRY_OK) {
    if (record.number <= last)
      return fault_set(fault, GANTRY_E_SCHEMA, "records", "record %llu comes after %llu",
                       (unsigned long long)record.number, (unsigned long long)last);
    if (first == 0) first = record.number;
    last = record.number;
  }
  if (err != GANTRY_E_NOT_FOUND)
    return fault_set(fault, GANTRY_E_SCHEMA, "records", "the record after number %llu is torn",
                     (unsigned long long)last);
  if (last == 0) return fault_set(fault, GANTRY_E_SCHEMA, "records", "there are none");
  if (first == takes->first && last == takes->last && last <= INT64_MAX) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, "last", "the records are %llu to %llu",
                   (unsigned long long)first, (unsigned long long)last);
}

/* The readings, or all the others. */
static gantry_err_t take_some(append_t *append, store_t *store, const char *producer,
                              const store_append_t *takes, uint64_t mark, bool readings,
                              append_counts_t *counts) {
  records_t records = {takes->records.data, takes->records.data + takes->records.len};
  record_t record;
  while (records_next(&records, &record) == GANTRY_OK) {
    entry_t entry = {.store = store, .counts = counts};
    if ((catalogue_topic(record.topic) == TOPIC_SENSOR_READINGS) != readings) continue;
    if (record.number <= mark) {
      counts->repeated++;
      continue;
    }
    if (is_given_up(append, record.number)) {
      log_refused(&record, producer, "", "the database refuses it");
      counts->refused++;
      continue;
    }
    gantry_err_t err = take_record(append, &entry, &record, producer);
    if (err == GANTRY_OK) continue;
    if (!is_hopeless(&entry, err)) {
      if (may_be_its_own(err)) suspect_record(append, record.number);
      return err;
    }
    log_refused(&record, producer, entry.fault.field, entry.fault.detail);
    counts->refused++;
  }
  return GANTRY_OK;
}

/* The readings that were gathered go into the database. */
static gantry_err_t settle(append_t *append, store_t *store, append_counts_t *counts) {
  uint64_t added;
  gantry_err_t err = store_settle(store, &added);
  counts->rows += added;
  if (err == GANTRY_OK) counts->repeated += append->gathered - added;
  return err;
}

/* Readings first: an event between them would part what PostgreSQL takes at once. */
static gantry_err_t take_all(append_t *append, store_t *store, const char *producer,
                             const store_append_t *takes, uint64_t mark, append_counts_t *counts) {
  append->gathered = 0;
  GANTRY_TRY(take_some(append, store, producer, takes, mark, true, counts));
  GANTRY_TRY(settle(append, store, counts));
  return take_some(append, store, producer, takes, mark, false, counts);
}

/* A run that failed as a whole goes record by record the next time, whoever's come between; one
   that was taken is above suspicion. */
static void judge(append_t *append, uint64_t boot, gantry_err_t err) {
  if (err == GANTRY_OK && append->suspect) append->suspect->boot = 0;
  if (!may_be_its_own(err) || append->suspect) return;
  append->suspects[append->suspect_count++ % SUSPECTS_MAX] = (suspect_t){.boot = boot};
}

gantry_err_t append_take(append_t *append, store_t *store, const char *producer,
                         const store_append_t *takes, append_counts_t *counts,
                         gantry_fault_t *fault) {
  uint64_t mark;
  GANTRY_TRY(check(takes, fault));
  gantry_err_t err = store_mark(store, producer, takes->boot, &mark);
  if (err != GANTRY_OK) return err == GANTRY_E_CONFLICT ? GANTRY_E_INTERNAL : err;
  if (takes->previous > mark)
    return fault_set(fault, GANTRY_E_CONFLICT, "previous",
                     "records up to %llu are not here, only up to %llu: send those first",
                     (unsigned long long)takes->previous, (unsigned long long)mark);
  append->suspect = find_suspect(append, takes->boot);
  if (append->suspect && append->suspect->given_up_count == GIVEN_UP_MAX) {
    append->suspect->boot = 0;
    return fault_set(fault, GANTRY_E_SCHEMA, "records",
                     "the database refuses %d of them: the log of storage names those",
                     GIVEN_UP_MAX);
  }
  err = take_all(append, store, producer, takes, mark, counts);
  if (err == GANTRY_OK && takes->last > mark)
    err = store_set_mark(store, producer, takes->boot, takes->last, clock_wall_ns() / 1000);
  judge(append, takes->boot, err);
  if (err == GANTRY_OK) return err;
  /* What a caller could take for a fault of its own is none here. */
  return err == GANTRY_E_SCHEMA || err == GANTRY_E_CONFLICT ? GANTRY_E_INTERNAL : err;
}
