/* mcap: schemas and channels, then chunks with their message indexes, then a summary with the index
   of all. A chunk is written as a whole, so that a walk is taken up again between two; it is not
   compressed, so that a reader needs nothing but the format. */
#include "form_internal.h"

#include <stdlib.h>
#include <string.h>

#include "form_schema.h"
#include "mcap.h"

#define CHUNK_BYTES (1u << 20) /* of a chunk, more or less */

typedef struct mcap {
  form_t form;
  buf_t records;  /* the chunk under way */
  buf_t *indexes; /* owned; of each series: time and place of its messages in the chunk */
  uint64_t begin_ns, end_ns;
} mcap_t;

static bool init(form_t *form) {
  mcap_t *mcap = (mcap_t *)form;
  mcap->indexes = calloc(form->head->count + 1, sizeof *mcap->indexes);
  return mcap->indexes != NULL;
}

static void fini(form_t *form) {
  mcap_t *mcap = (mcap_t *)form;
  for (uint32_t i = 0; mcap->indexes && i < form->head->count; i++)
    buf_fini(&mcap->indexes[i]);
  free(mcap->indexes);
  mcap->indexes = NULL;
  buf_fini(&mcap->records);
}

static void put_schemas(const form_head_t *head, buf_t *out) {
  uint32_t next = 0;
  for (uint32_t i = 0; i < head->count; i++) {
    const char *type = head->series[i].type;
    buf_t schema = {0};
    if (head->series[i].schema != next) continue;
    form_schema_write(head, i, &schema);
    size_t place = mcap_begin(out, MCAP_SCHEMA);
    mcap_u16(out, (uint16_t)++next);
    mcap_text(out, type, strlen(type));
    mcap_text(out, "jsonschema", 10);
    mcap_text(out, buf_text(&schema), schema.len);
    mcap_end(out, place);
    if (schema.failed) out->failed = true;
    buf_fini(&schema);
  }
}

static void put_pair(buf_t *out, const char *key, const char *value) {
  mcap_text(out, key, strlen(key));
  mcap_text(out, value, strlen(value));
}

static void put_channels(const form_head_t *head, buf_t *out) {
  for (uint32_t i = 0; i < head->count; i++) {
    const form_series_t *series = &head->series[i];
    size_t place = mcap_begin(out, MCAP_CHANNEL);
    mcap_u16(out, (uint16_t)i);
    mcap_u16(out, (uint16_t)(series->schema + 1));
    mcap_text(out, series->sensor, strlen(series->sensor));
    mcap_text(out, "json", 4);
    size_t map = mcap_begin_list(out);
    put_pair(out, "robot", series->robot);
    put_pair(out, "session", head->session);
    put_pair(out, "unit", series->unit);
    mcap_end_list(out, map);
    mcap_end(out, place);
  }
}

static void begin(form_t *form, buf_t *out) {
  mcap_magic(out);
  size_t place = mcap_begin(out, MCAP_HEADER);
  mcap_text(out, "", 0);
  mcap_text(out, "gantry", 6);
  mcap_end(out, place);
  put_schemas(form->head, out);
  put_channels(form->head, out);
}

static bool is_clean(const form_t *form) {
  return ((const mcap_t *)form)->records.len == 0;
}

/* Where it has come to lie. */
static uint64_t put_chunk(mcap_t *mcap, buf_t *out) {
  uint64_t at = form_place(&mcap->form, out);
  size_t place = mcap_begin(out, MCAP_CHUNK);
  mcap_u64(out, mcap->begin_ns);
  mcap_u64(out, mcap->end_ns);
  mcap_u64(out, mcap->records.len);
  mcap_u32(out, mcap_crc(mcap->records.data, mcap->records.len));
  mcap_text(out, "", 0);
  mcap_u64(out, mcap->records.len);
  buf_put(out, mcap->records.data, mcap->records.len);
  mcap_end(out, place);
  return at;
}

/* The messages' indexes into out, and where they lie into the index of chunks. */
static void put_indexes(mcap_t *mcap, buf_t *out, buf_t *index) {
  for (uint32_t i = 0; i < mcap->form.head->count; i++) {
    buf_t *messages = &mcap->indexes[i];
    if (messages->failed) out->failed = true;
    if (messages->len == 0) continue;
    mcap_u16(index, (uint16_t)i);
    mcap_u64(index, form_place(&mcap->form, out));
    size_t place = mcap_begin(out, MCAP_MESSAGE_INDEX);
    mcap_u16(out, (uint16_t)i);
    mcap_text(out, (const char *)messages->data, messages->len);
    mcap_end(out, place);
    buf_reset(messages);
  }
}

/* Another walk may have written this chunk's entry before. */
static void keep_entry(form_t *form, const buf_t *entry, buf_t *out) {
  if (form->index->len == form->at.indexed) buf_put(form->index, entry->data, entry->len);
  form->at.indexed += entry->len;
  form->at.chunks++;
  if (entry->failed || form->index->len < form->at.indexed) out->failed = true;
}

static void close_chunk(mcap_t *mcap, buf_t *out) {
  buf_t entry = {0};
  uint64_t at = put_chunk(mcap, out), indexes_at = form_place(&mcap->form, out);
  size_t place = mcap_begin(&entry, MCAP_CHUNK_INDEX);
  mcap_u64(&entry, mcap->begin_ns);
  mcap_u64(&entry, mcap->end_ns);
  mcap_u64(&entry, at);
  mcap_u64(&entry, indexes_at - at);
  size_t map = mcap_begin_list(&entry);
  put_indexes(mcap, out, &entry);
  mcap_end_list(&entry, map);
  mcap_u64(&entry, form_place(&mcap->form, out) - indexes_at);
  mcap_text(&entry, "", 0);
  mcap_u64(&entry, mcap->records.len);
  mcap_u64(&entry, mcap->records.len);
  mcap_end(&entry, place);
  keep_entry(&mcap->form, &entry, out);
  buf_fini(&entry);
  buf_reset(&mcap->records);
}

static void put(form_t *form, uint32_t which, const db_reading_t *row, buf_t *out) {
  mcap_t *mcap = (mcap_t *)form;
  buf_t *records = &mcap->records;
  uint64_t time_ns = (uint64_t)row->ts_us * 1000;
  if (records->len == 0) mcap->begin_ns = time_ns;
  mcap->end_ns = time_ns;
  mcap_u64(&mcap->indexes[which], time_ns);
  mcap_u64(&mcap->indexes[which], records->len);
  size_t place = mcap_begin(records, MCAP_MESSAGE);
  mcap_u16(records, (uint16_t)which);
  mcap_u32(records, (uint32_t)row->seq);
  mcap_u64(records, time_ns);
  mcap_u64(records, time_ns);
  buf_put_byte(records, '{');
  form_put_fields(row, records);
  mcap_end(records, place);
  if (records->failed) out->failed = true;
  if (records->len >= CHUNK_BYTES) close_chunk(mcap, out);
}

static void put_statistics(const form_t *form, buf_t *out) {
  const form_head_t *head = form->head;
  uint64_t begin_ns = 0, end_ns = 0;
  if (form->at.chunks && !form->index->failed) { /* its first entry begins with the first time */
    begin_ns = mcap_read_u64(form->index->data + MCAP_RECORD_HEAD);
    end_ns = (uint64_t)form->at.last_us * 1000;
  }
  size_t place = mcap_begin(out, MCAP_STATISTICS);
  mcap_u64(out, form->at.rows);
  mcap_u16(out, (uint16_t)head->schema_count);
  mcap_u32(out, head->count);
  mcap_u32(out, 0); /* attachments */
  mcap_u32(out, 0); /* metadata */
  mcap_u32(out, form->at.chunks);
  mcap_u64(out, begin_ns);
  mcap_u64(out, end_ns);
  size_t map = mcap_begin_list(out);
  for (uint32_t i = 0; i < head->count; i++) {
    mcap_u16(out, (uint16_t)i);
    mcap_u64(out, form->at.counts[i]);
  }
  mcap_end_list(out, map);
  mcap_end(out, place);
}

/* A group of the summary: its records are written by the caller between the two. */
typedef struct group {
  mcap_op_t op;
  uint64_t at, len;
} group_t;

static void put_summary(const form_t *form, buf_t *out, group_t groups[4]) {
  groups[0] = (group_t){.op = MCAP_SCHEMA, .at = form_place(form, out)};
  put_schemas(form->head, out);
  groups[1] = (group_t){.op = MCAP_CHANNEL, .at = form_place(form, out)};
  put_channels(form->head, out);
  groups[2] = (group_t){.op = MCAP_STATISTICS, .at = form_place(form, out)};
  put_statistics(form, out);
  groups[3] = (group_t){.op = MCAP_CHUNK_INDEX, .at = form_place(form, out)};
  buf_put(out, form->index->data, form->at.indexed);
  for (int i = 0; i < 4; i++)
    groups[i].len = (i < 3 ? groups[i + 1].at : form_place(form, out)) - groups[i].at;
}

static void end(form_t *form, buf_t *out) {
  mcap_t *mcap = (mcap_t *)form;
  group_t groups[4];
  if (mcap->records.len) close_chunk(mcap, out);
  size_t place = mcap_begin(out, MCAP_DATA_END);
  mcap_u32(out, 0); /* no sum over the data: chunks have their own */
  mcap_end(out, place);
  size_t summary = out->len;
  uint64_t summary_at = form_place(form, out);
  put_summary(form, out, groups);
  uint64_t offsets_at = form_place(form, out);
  for (int i = 0; i < 4; i++) {
    if (groups[i].len == 0) continue;
    place = mcap_begin(out, MCAP_SUMMARY_OFFSET);
    buf_put_byte(out, (uint8_t)groups[i].op);
    mcap_u64(out, groups[i].at);
    mcap_u64(out, groups[i].len);
    mcap_end(out, place);
  }
  place = mcap_begin(out, MCAP_FOOTER);
  mcap_u64(out, summary_at);
  mcap_u64(out, offsets_at);
  mcap_u32(out, 0);
  mcap_end(out, place); /* the sum covers the length, too */
  if (out->failed) return;
  out->len -= 4;
  mcap_u32(out, mcap_crc(out->data + summary, out->len - summary));
  mcap_magic(out);
}

const form_ops_t FORM_MCAP_OPS = {.size = sizeof(mcap_t),
                                  .init = init,
                                  .fini = fini,
                                  .begin = begin,
                                  .put = put,
                                  .end = end,
                                  .is_clean = is_clean};
