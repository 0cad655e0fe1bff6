/* Exports piece by piece: what comes together is the same whatever the pieces were, and wherever
   they began. */
#include <criterion/criterion.h>
#include <gantry/buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "session_rows.h"
#include "store_compact.h"

static fixture_t fixture;
static session_exported_t piece;

static void set_up(void) {
  setenv("TZ", "UTC-7", 1); /* seven hours ahead of UTC */
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(export, .init = set_up, .fini = tear_down, .timeout = 120);

static session_export_t ask_for(session_format_t format, uint32_t bytes) {
  session_export_t get = {.session = "S", .format = format, .bytes = bytes};
  return get;
}

static gantry_err_t get_piece(const session_export_t *get) {
  arena_fini(&fixture.arena);
  return fixture_call(&fixture, REQUEST_SESSION_EXPORT, get, &piece);
}

/* Takes all that follows from get->offset on, piece by piece. */
static void take(session_export_t get, buf_t *out) {
  do {
    cr_assert_eq(get_piece(&get), GANTRY_OK, "%s", fixture.fault.detail);
    cr_assert_leq(piece.data.len, get.bytes);
    buf_put(out, piece.data.data, piece.data.len);
    get.offset += piece.data.len;
    get.has_tag = true;
    memcpy(get.tag, piece.tag, sizeof get.tag);
  } while (!piece.done);
  cr_assert(piece.has_size);
  cr_assert_eq(piece.size, get.offset);
}

static void assert_same(const buf_t *all, size_t offset, const buf_t *part) {
  cr_assert_eq(all->len - offset, part->len, "%zu bytes, not %zu", part->len, all->len - offset);
  if (part->len) cr_assert(memcmp(all->data + offset, part->data, part->len) == 0);
}

static const char *lines(session_format_t format) {
  static buf_t text;
  buf_reset(&text);
  take(ask_for(format, 4096), &text);
  return buf_text(&text);
}

Test(export, writes_the_benchs_csv) {
  session_rows_add(&fixture, "S", 0, 3);

  cr_assert_str_eq(
      lines(SESSION_FORMAT_CSV),
      "timestamp,sensor_type,value,datetime,session_time\r\n"
      "1767225600.0,force,0.0,2026-01-01T07:00:00.000000,0.0\r\n"
      "1767225600.0,motor,-0.25,2026-01-01T07:00:00.000000,0.0\r\n"
      "1767225600.0,camera,\"{\"\"image_id\"\": 1001, \"\"resolution\"\": \"\"640x480\"\", "
      "\"\"brightness\"\": 0}\",2026-01-01T07:00:00.000000,0.0\r\n"
      "1767225600.001,force,0.125,2026-01-01T07:00:00.001000,0.001\r\n"
      "1767225600.002,force,0.25,2026-01-01T07:00:00.002000,0.002\r\n"
      "1767225600.002,motor,-0.75,2026-01-01T07:00:00.002000,0.002\r\n");
}

Test(export, writes_a_row_a_time_with_a_column_a_field) {
  session_rows_add(&fixture, "S", 0, 3);

  cr_assert_str_eq(lines(SESSION_FORMAT_CSV_WIDE),
                   "time,camera-1,camera-1.image_id,camera-1.resolution,camera-1.brightness,"
                   "force-1,motor-1\r\n"
                   "2026-01-01T00:00:00.000000Z,,1001,640x480,0,0,-0.25\r\n"
                   "2026-01-01T00:00:00.001000Z,,,,,0.125,\r\n"
                   "2026-01-01T00:00:00.002000Z,,,,,0.25,-0.75\r\n");
}

Test(export, writes_an_object_a_reading) {
  session_rows_add(&fixture, "S", 10, 1);

  cr_assert_str_eq(
      lines(SESSION_FORMAT_JSONL),
      "{\"time\":\"2026-01-01T00:00:00.010000Z\",\"sensor\":\"force-1\",\"type\":\"force\","
      "\"unit\":"
      "\"N\",\"source\":\"simulated\",\"number\":30030,\"value\":1.25,\"quality\":0.98,"
      "\"validity\":"
      "\"valid\"}\n"
      "{\"time\":\"2026-01-01T00:00:00.010000Z\",\"sensor\":\"motor-1\",\"type\":\"motor\","
      "\"unit\":"
      "\"rpm\",\"source\":\"simulated\",\"number\":30031,\"value\":-2.75,\"quality\":0.98,"
      "\"validity\":"
      "\"valid\"}\n"
      "{\"time\":\"2026-01-01T00:00:00.010000Z\",\"sensor\":\"camera-1\",\"type\":\"camera\","
      "\"unit\":\"\",\"source\":\"simulated\",\"number\":30032,\"data\":{\"image_id\": 1002, "
      "\"resolution\": \"640x480\", \"brightness\": "
      "10},\"quality\":0.98,\"validity\":\"valid\"}\n");
}

Test(export, gives_the_same_bytes_by_any_pieces_in_every_format) {
  uint64_t rows = session_rows_add(&fixture, "S", 0, 12000);
  for (session_format_t format = 0; format <= SESSION_FORMAT_MCAP; format++) {
    buf_t all = {0}, part = {0};
    take(ask_for(format, 1 << 20), &all);
    cr_assert_eq(piece.rows, rows);
    cr_assert_eq(piece.total, rows);
    take(ask_for(format, 77777), &part);
    assert_same(&all, 0, &part);
    const size_t offsets[] = {all.len - 10, all.len / 2, all.len / 3 * 2, 1, all.len};

    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
      session_export_t get = ask_for(format, 1 << 18);
      get.offset = offsets[i];
      buf_reset(&part);
      take(get, &part);
      assert_same(&all, offsets[i], &part);
    }
    buf_fini(&all);
    buf_fini(&part);
  }
}

Test(export, jumps_to_its_marks_when_many_ask_at_once) {
  buf_t all = {0}, parts[6] = {{0}};
  session_export_t gets[6];
  session_rows_add(&fixture, "S", 0, 60000); /* some 6 MiB */
  take(ask_for(SESSION_FORMAT_CSV, 1 << 20), &all);
  for (size_t i = 0; i < 6; i++) {
    gets[i] = ask_for(SESSION_FORMAT_CSV, 300000);
    gets[i].offset = all.len / 6 * i;
  }

  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < 6; i++) {
      if (gets[i].offset == all.len) continue;
      cr_assert_eq(get_piece(&gets[i]), GANTRY_OK);
      buf_put(&parts[i], piece.data.data, piece.data.len);
      gets[i].offset += piece.data.len;
      more = true;
    }
  }
  for (size_t i = 0; i < 6; i++) {
    assert_same(&all, all.len / 6 * i, &parts[i]);
    buf_fini(&parts[i]);
  }
  buf_fini(&all);
}

Test(export, measures_what_it_will_be) {
  session_measured_t measured;
  session_export_t get = ask_for(SESSION_FORMAT_MCAP, 1);
  uint64_t rows = session_rows_add(&fixture, "S", 0, 20000);
  do
    cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_MEASURE, &get, &measured), GANTRY_OK);
  while (!measured.done);
  cr_assert_eq(measured.rows, rows);
  cr_assert_eq(measured.total, rows);

  buf_t all = {0};
  take(ask_for(SESSION_FORMAT_MCAP, 1 << 20), &all);
  cr_assert_eq(all.len, measured.size);
  cr_assert_str_eq(piece.tag, measured.tag);
  buf_fini(&all);
}

Test(export, goes_on_after_a_restart_and_is_the_same_from_packed_minutes) {
  buf_t all = {0}, part = {0};
  session_export_t get = ask_for(SESSION_FORMAT_CSV_WIDE, 1 << 20);
  session_rows_add(&fixture, "S", 0, 70000);
  take(get, &all);
  get.has_tag = true;
  memcpy(get.tag, piece.tag, sizeof get.tag);
  get.offset = all.len / 2;

  fixture_reopen(&fixture);
  take(get, &part);
  assert_same(&all, get.offset, &part);

  bool done = false;
  store_set_compaction(fixture.store, 1, 1);
  while (!done)
    cr_assert_eq(store_compact_step(fixture.store, SESSION_START_US + 400000000, 20000, &done),
                 GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 0);
  buf_reset(&part);
  get.offset = 0;
  take(get, &part);
  assert_same(&all, 0, &part);
  buf_fini(&all);
  buf_fini(&part);
}

Test(export, refuses_to_go_on_when_the_data_have_changed) {
  session_rows_add(&fixture, "S", 0, 100);
  session_export_t get = ask_for(SESSION_FORMAT_CSV, 100);
  cr_assert_eq(get_piece(&get), GANTRY_OK);
  get.has_tag = true;
  memcpy(get.tag, piece.tag, sizeof get.tag);
  get.offset = 100;
  cr_assert_eq(get_piece(&get), GANTRY_OK);

  session_rows_add(&fixture, "S", 100, 1); /* came late */
  cr_assert_eq(get_piece(&get), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.field, "tag");
  get.has_tag = false;
  cr_assert_eq(get_piece(&get), GANTRY_OK);
  cr_assert_str_neq(piece.tag, get.tag);
}

Test(export, gives_one_sensor_alone_and_names_what_it_does_not_know) {
  session_rows_add(&fixture, "S", 0, 100);
  session_export_t get = ask_for(SESSION_FORMAT_CSV, 1 << 20);
  get.has_sensor = true;
  snprintf(get.sensor, sizeof get.sensor, "motor-1");
  cr_assert_eq(get_piece(&get), GANTRY_OK);
  cr_assert_eq(piece.rows, 50);

  snprintf(get.sensor, sizeof get.sensor, "nobody");
  cr_assert_eq(get_piece(&get), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "sensor");
  snprintf(get.session, sizeof get.session, "nothing");
  cr_assert_eq(get_piece(&get), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "session");
}

Test(export, ends_beyond_its_end) {
  session_rows_add(&fixture, "S", 0, 10);
  session_export_t get = ask_for(SESSION_FORMAT_JSONL, 100);
  get.offset = 1u << 30;

  cr_assert_eq(get_piece(&get), GANTRY_OK);
  cr_assert(piece.done);
  cr_assert_eq(piece.data.len, 0);
  get.offset = UINT64_MAX - 1;
  cr_assert_eq(get_piece(&get), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "offset");
}

Test(export, holds_a_session_that_records_to_the_moment_of_its_first_piece) {
  buf_t all = {0}, again = {0};
  session_rows_add(&fixture, "S", -2000, 1500);
  session_rows_add(&fixture, "S", 1000, 500); /* later than now */
  fixture_exec(&fixture, "UPDATE session SET state = 'recording'");
  session_export_t get = ask_for(SESSION_FORMAT_CSV, 10000);
  cr_assert_eq(get_piece(&get), GANTRY_OK, "%s", fixture.fault.detail);
  buf_put(&all, piece.data.data, piece.data.len);
  get.has_tag = true;
  memcpy(get.tag, piece.tag, sizeof get.tag);

  session_rows_add(&fixture, "S", 1500, 100);
  for (get.offset = all.len; !piece.done; get.offset = all.len) {
    cr_assert_eq(get_piece(&get), GANTRY_OK, "%s", fixture.fault.detail);
    cr_assert(!piece.has_size);
    buf_put(&all, piece.data.data, piece.data.len);
  }
  cr_assert_eq(piece.rows, 1500 + 750 + 150);

  fixture_exec(&fixture, "UPDATE session SET state = 'stopped'"); /* changes nothing of it */
  fixture_reopen(&fixture);
  for (get.offset = 0; get.offset < all.len; get.offset = again.len) {
    cr_assert_eq(get_piece(&get), GANTRY_OK, "%s", fixture.fault.detail);
    buf_put(&again, piece.data.data, piece.data.len);
  }
  assert_same(&all, 0, &again);
  snprintf(get.tag, sizeof get.tag, "no-tag");
  cr_assert_eq(get_piece(&get), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "tag");
  buf_fini(&all);
  buf_fini(&again);
}

Test(export, tells_of_readings_that_went_by_age) {
  uint64_t rows = session_rows_add(&fixture, "S", 0, 1000);
  session_export_t get = ask_for(SESSION_FORMAT_CSV, 1000);
  cr_assert_eq(get_piece(&get), GANTRY_OK);
  get.has_tag = true;
  memcpy(get.tag, piece.tag, sizeof get.tag);
  fixture_exec(&fixture, "DELETE FROM reading WHERE ts < 1767225600500000");

  cr_assert_eq(get_piece(&get), GANTRY_E_CONFLICT);
  get = ask_for(SESSION_FORMAT_CSV, 1 << 20);
  cr_assert_eq(get_piece(&get), GANTRY_OK);
  cr_assert(piece.done);
  cr_assert_eq(piece.rows, rows / 2);
  cr_assert_eq(piece.total, rows);
}

Test(export, keeps_what_a_wide_row_has_no_column_for) {
  sensor_readings_t *batch = calloc(1, sizeof *batch);
  const char objects[] = "{\"a\":1,\"b\":\"x, \\\"y\\\"\",\"c\":null}\0{\"a\":[1,{\"d\":2}]}";
  const store_origin_t origin = {.robot = "r1"};
  uint32_t added;
  batch->series_count = 1;
  batch->series[0] = (sensor_series_key_t){.sensor = "o,1", .type = "thing", .session = "S"};
  batch->which_count = batch->time_count = batch->number_count = batch->value_count =
      batch->quality_count = batch->validity_count = batch->which_objects_count = 2;
  for (uint16_t i = 0; i < 2; i++) { /* of one time: two rows */
    batch->time[i] = SESSION_START_US * 1000;
    batch->number[i] = batch->which_objects[i] = i;
  }
  batch->objects = (blob_t){.data = (const uint8_t *)objects, .len = sizeof objects};
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_add_readings(fixture.store, &origin, batch, &added, &fixture.fault), GANTRY_OK,
               "%s", fixture.fault.detail);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);

  cr_assert_str_eq(lines(SESSION_FORMAT_CSV_WIDE),
                   "time,\"o,1\",\"o,1.a\",\"o,1.b\",\"o,1.c\"\r\n"
                   "2026-01-01T00:00:00.000000Z,,1,\"\"\"x, \\\"\"y\\\"\"\"\"\",\r\n"
                   "2026-01-01T00:00:00.000000Z,,\"[1,{\"\"d\"\":2}]\",,\r\n");
  free(batch);
}

Test(export, keeps_its_marks_few_and_evenly_far_apart) {
  form_head_t head = {0};
  buf_t index = {0}, out = {0};
  book_t book = {.mark_spacing = 100, .mark_count = 1, .marks = calloc(1024, sizeof *book.marks)};
  form_t *form = form_new(FORM_CSV, &head, &index);
  uint64_t offset = 0;
  for (int64_t i = 0; i < 10000; i++) { /* lines of 51 bytes */
    cursor_t after = {.ts_us = i};
    if (offset >= book.marks[book.mark_count - 1].form.offset + book.mark_spacing)
      cr_assert(book_add_mark(&book, form, &after));
    form_begin(form, &out);
    offset = out.len;
  }

  cr_assert_leq(book.mark_count, 1024);
  for (uint64_t at = 0; at < offset; at += 997) {
    const book_mark_t *mark = book_find_mark(&book, at);
    cr_assert_leq(mark->form.offset, at);
    cr_assert_geq(mark->form.offset + 2 * book.mark_spacing, at);
    if (mark->form.offset) cr_assert_eq((uint64_t)mark->after.ts_us * 51, mark->form.offset);
  }
  form_destroy(&form);
  book_fini(&book);
  buf_fini(&out);
}
