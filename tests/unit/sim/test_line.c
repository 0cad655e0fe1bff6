/* The half-duplex line's clock, byte by byte. */
#include <string.h>

#include <criterion/criterion.h>

#include "line.h"

#define MS 1000000
#define T0 (INT64_C(1000) * MS)

static const line_cfg_t paced = {.baud = 115200, .paced = true};

/* Frames that left the line. */
typedef struct log {
  line_frame_t frames[8];
  size_t count;
} log_t;

static void note(void *context, const line_frame_t *frame) {
  log_t *log = context;
  if (log->count < 8) log->frames[log->count++] = *frame;
}

static size_t read_request(uint8_t *out, uint8_t unit) {
  memcpy(out, ((uint8_t[]){unit, 3, 0, 0, 0, 8}), 6);
  return rtu_seal(out, 6);
}

static rtu_answer_t answer_of(size_t len, uint32_t late_us) {
  rtu_answer_t answer = {.len = len, .late_us = late_us};
  answer.bytes[0] = 3;
  answer.bytes[1] = 3;
  (void)rtu_seal(answer.bytes, len - 2);
  return answer;
}

/* Sends a request at now_ns and takes it at its moment. */
static int64_t exchange(line_t *line, int64_t now_ns, const rtu_answer_t *answer) {
  uint8_t bytes[8];
  line_frame_t request;
  int64_t execute_ns = 0;
  line_receive(line, now_ns, bytes, read_request(bytes, 3));
  cr_assert(line_take(line, line_next_ns(line), &request, &execute_ns));
  line_answer(line, execute_ns, answer);
  return execute_ns;
}

Test(line, gives_every_byte_its_time) {
  line_t line;
  log_t log = {0};
  uint8_t out[64];
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &paced, note, &log);

  int64_t execute_ns = exchange(&line, T0, &answer);
  while (line_next_ns(&line) < INT64_MAX)
    (void)line_release(&line, line_next_ns(&line), out, sizeof out);

  cr_assert_eq(log.count, 2);
  cr_assert_eq(log.frames[0].start_ns, T0);
  cr_assert_eq(log.frames[0].end_ns, T0 + 8 * 86805);
  cr_assert_eq(execute_ns, T0 + 8 * 86805 + 1750000);
  cr_assert_eq(log.frames[1].start_ns, execute_ns + 1000000);
  cr_assert_eq(log.frames[1].end_ns, execute_ns + 1000000 + 21 * 86805);
  cr_assert_eq(line.stats.collisions, 0);
}

Test(line, takes_seven_milliseconds_for_eight_registers) {
  line_t line;
  uint8_t out[64];
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &paced, NULL, NULL);
  (void)exchange(&line, T0, &answer);
  while (line_next_ns(&line) < INT64_MAX)
    (void)line_release(&line, line_next_ns(&line), out, sizeof out);

  cr_assert_float_eq((double)line.stats.occupied_ns, 7.0 * MS, 0.05 * MS);
}

Test(line, does_not_execute_before_the_silence) {
  line_t line;
  line_frame_t request;
  int64_t execute_ns = 0;
  uint8_t bytes[8];
  line_init(&line, &paced, NULL, NULL);
  line_receive(&line, T0, bytes, read_request(bytes, 3));

  cr_assert_not(line_take(&line, line_next_ns(&line) - 1, &request, &execute_ns));
  cr_assert(line_take(&line, line_next_ns(&line), &request, &execute_ns));
}

Test(line, releases_the_first_byte_then_pieces_then_the_last) {
  line_t line;
  uint8_t out[256];
  rtu_answer_t answer = answer_of(60, 0);
  line_init(&line, &paced, NULL, NULL);
  int64_t start_ns = exchange(&line, T0, &answer) + 1000000;

  cr_assert_eq(line_release(&line, start_ns + 86804, out, sizeof out), 0);
  cr_assert_eq(line_next_ns(&line), start_ns + 86805);
  cr_assert_eq(line_release(&line, start_ns + 86805, out, sizeof out), 1);
  cr_assert_eq(line_next_ns(&line), start_ns + 26 * 86805);
  cr_assert_eq(line_release(&line, start_ns + 26 * 86805, out, sizeof out), 25);
  cr_assert_eq(line_release(&line, start_ns + 60 * 86805 - 1, out, sizeof out), 25);
  cr_assert_eq(line_next_ns(&line), start_ns + 60 * 86805);
  cr_assert_eq(line_release(&line, start_ns + 60 * 86805, out, sizeof out), 9);
  cr_assert_eq(line_next_ns(&line), INT64_MAX);
}

Test(line, releases_into_small_buffers) {
  line_t line;
  uint8_t out[60];
  size_t len = 0, count = 0;
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &paced, NULL, NULL);
  (void)exchange(&line, T0, &answer);

  while ((count = line_release(&line, T0 + 100 * (int64_t)MS, out + len, 4)) > 0)
    len += count;

  cr_assert_eq(len, 21);
  cr_assert_arr_eq(out, answer.bytes, 21);
}

Test(line, starts_the_next_request_after_the_gap) {
  line_t line;
  log_t log = {0};
  uint8_t out[64], bytes[8];
  rtu_answer_t answer = answer_of(21, 0);
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, note, &log);
  int64_t end_ns = exchange(&line, T0, &answer) + 1000000 + 21 * 86805;
  (void)line_release(&line, end_ns, out, sizeof out);

  line_receive(&line, end_ns + 10000, bytes, read_request(bytes, 4));
  cr_assert(line_take(&line, line_next_ns(&line), &request, &execute_ns));

  cr_assert_eq(request.start_ns, end_ns + 1750000);
  cr_assert_eq(line.stats.collisions, 0);
}

Test(line, queues_requests_written_in_one_go) {
  line_t line;
  uint8_t bytes[16];
  line_frame_t one, other;
  int64_t execute_ns = 0;
  line_init(&line, &paced, NULL, NULL);
  size_t len = read_request(bytes, 3);
  len += read_request(bytes + len, 4);

  line_receive(&line, T0, bytes, len);
  cr_assert(line_take(&line, T0 + 100 * (int64_t)MS, &one, &execute_ns));
  cr_assert(line_take(&line, T0 + 100 * (int64_t)MS, &other, &execute_ns));

  cr_assert_eq(other.bytes[0], 4);
  cr_assert_eq(other.start_ns, one.end_ns + 1750000);
}

Test(line, garbles_both_when_the_master_talks_into_an_answer) {
  line_t line;
  log_t log = {0};
  uint8_t out[64], bytes[8];
  rtu_answer_t answer = answer_of(21, 0);
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, note, &log);
  int64_t start_ns = exchange(&line, T0, &answer) + 1000000;
  (void)line_release(&line, start_ns + 86805, out, sizeof out);

  line_receive(&line, start_ns + 5 * 86805, bytes, read_request(bytes, 4));
  cr_assert_not(line_take(&line, T0 + 100 * (int64_t)MS, &request, &execute_ns));
  (void)line_release(&line, T0 + 100 * (int64_t)MS, out, sizeof out);

  cr_assert_eq(line.stats.collisions, 1);
  cr_assert_eq(line.stats.collision_bytes, 8);
  cr_assert_eq(line.stats.crc_errors, 0);
  cr_assert(log.frames[1].collided && log.frames[2].collided);
  cr_assert_not(rtu_is_sound(log.frames[2].bytes, log.frames[2].len));
}

Test(line, counts_collisions_with_late_answers_apart) {
  line_t line;
  uint8_t bytes[8];
  rtu_answer_t answer = answer_of(21, 20000);
  line_init(&line, &paced, NULL, NULL);
  int64_t start_ns = exchange(&line, T0, &answer) + 21000000;

  line_receive(&line, start_ns - 100000, bytes, read_request(bytes, 4));

  cr_assert_eq(line.stats.collisions, 0);
  cr_assert_eq(line.stats.collisions_late, 1);
}

Test(line, lets_two_late_answers_collide) {
  line_t line;
  rtu_answer_t late = answer_of(21, 20000), later = answer_of(21, 10000);
  line_init(&line, &paced, NULL, NULL);
  (void)exchange(&line, T0, &late);
  (void)exchange(&line, T0 + 10 * (int64_t)MS, &later);

  cr_assert_eq(line.stats.collisions_late, 1);
}

Test(line, garbles_a_request_that_is_on_the_line_when_an_answer_begins) {
  line_t line;
  uint8_t bytes[8];
  rtu_answer_t answer = answer_of(21, 0);
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, NULL, NULL);
  line_receive(&line, T0, bytes, read_request(bytes, 3));
  cr_assert(line_take(&line, line_next_ns(&line), &request, &execute_ns));
  line_receive(&line, execute_ns + 900000, bytes, read_request(bytes, 4));

  line_answer(&line, execute_ns, &answer);

  cr_assert_eq(line.stats.collisions, 1);
  cr_assert_not(line_take(&line, T0 + 100 * (int64_t)MS, &request, &execute_ns));
}

Test(line, releases_answers_in_the_order_of_their_times) {
  line_t line;
  line_cfg_t unpaced = {.baud = 115200, .paced = false};
  uint8_t out[64];
  rtu_answer_t late = answer_of(21, 20000), soon = answer_of(9, 1000);
  line_init(&line, &unpaced, NULL, NULL);
  line_answer(&line, T0, &late);
  line_answer(&line, T0, &soon);

  cr_assert_eq(line_release(&line, T0 + 30 * (int64_t)MS, out, sizeof out), 9);
  cr_assert_eq(line_release(&line, T0 + 30 * (int64_t)MS, out, sizeof out), 21);
}

Test(line, counts_and_ignores_damaged_requests) {
  line_t line;
  uint8_t bytes[8];
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, NULL, NULL);
  size_t len = read_request(bytes, 3);
  bytes[3] ^= 1;

  line_receive(&line, T0, bytes, len);
  cr_assert_not(line_take(&line, T0 + 100 * (int64_t)MS, &request, &execute_ns));

  cr_assert_eq(line.stats.crc_errors, 1);
}

Test(line, ends_an_incomplete_request_by_silence) {
  line_t line;
  uint8_t bytes[8];
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, NULL, NULL);
  size_t len = read_request(bytes, 3);
  line_receive(&line, T0, bytes, 5);

  line_receive(&line, T0 + 50 * (int64_t)MS, bytes, len);
  cr_assert(line_take(&line, T0 + 100 * (int64_t)MS, &request, &execute_ns));

  cr_assert_eq(line.stats.crc_errors, 1);
  cr_assert_eq(request.start_ns, T0 + 50 * (int64_t)MS);
}

Test(line, joins_a_request_that_arrives_in_parts) {
  line_t line;
  uint8_t bytes[8];
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, NULL, NULL);
  size_t len = read_request(bytes, 3);

  line_receive(&line, T0, bytes, 3);
  line_receive(&line, T0 + MS, bytes + 3, len - 3);
  cr_assert(line_take(&line, T0 + 100 * (int64_t)MS, &request, &execute_ns));

  cr_assert_eq(request.end_ns, T0 + MS + 5 * 86805);
}

Test(line, answers_at_once_when_unpaced) {
  line_t line;
  line_cfg_t unpaced = {.baud = 115200, .paced = false};
  uint8_t bytes[8], out[64];
  line_frame_t request;
  int64_t execute_ns = 0;
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &unpaced, NULL, NULL);
  line_receive(&line, T0, bytes, read_request(bytes, 3));
  cr_assert(line_take(&line, T0, &request, &execute_ns));

  line_answer(&line, execute_ns, &answer);

  cr_assert_eq(line_release(&line, T0, out, sizeof out), 21);
}

Test(line, waits_longer_between_frames_at_low_speed) {
  line_t line;
  line_cfg_t slow = {.baud = 9600, .paced = true};
  line_init(&line, &slow, NULL, NULL);

  cr_assert_eq(line.byte_ns, 1041666);
  cr_assert_eq(line.gap_ns, 4010416);
}

Test(line, drops_and_counts_what_it_cannot_hold) {
  line_t line;
  uint8_t bytes[8];
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &paced, NULL, NULL);
  size_t len = read_request(bytes, 3);
  for (int i = 0; i < LINE_FRAMES + 2; i++)
    line_receive(&line, T0, bytes, len);
  for (int i = 0; i < LINE_FRAMES + 1; i++)
    line_answer(&line, T0 + i * 100 * (int64_t)MS, &answer);

  cr_assert_eq(line.stats.dropped, 3);
}

Test(line, forgets_everything_when_cut) {
  line_t line;
  uint8_t bytes[8];
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &paced, NULL, NULL);
  (void)exchange(&line, T0, &answer);
  line_receive(&line, T0 + 50 * (int64_t)MS, bytes, 3);

  line_cut(&line);

  cr_assert_eq(line_next_ns(&line), INT64_MAX);
}

Test(line, tells_noise_from_answers_and_counts_its_collisions_apart) {
  line_t line;
  log_t log = {0};
  uint8_t out[64], bytes[8];
  line_frame_t request;
  int64_t execute_ns = 0;
  line_init(&line, &paced, note, &log);

  line_receive(&line, T0, bytes, read_request(bytes, 3));
  line_babble(&line, T0 + 100000, bytes, 3);
  while (line_release(&line, T0 + 2 * MS, out, sizeof out) > 0) {
  }
  cr_assert_not(line_take(&line, T0 + 10 * MS, &request, &execute_ns));

  cr_assert_eq(log.count, 2);
  cr_assert(log.frames[0].noise && log.frames[0].collided);
  cr_assert_not(log.frames[1].sound);
  cr_assert_eq(line.stats.collisions, 0);
  cr_assert_eq(line.stats.collisions_late, 1);
  cr_assert_eq(line.stats.answers, 0);
}

Test(line, counts_collisions_apart_when_requests_were_held_back) {
  line_t line;
  uint8_t bytes[32];
  line_frame_t request;
  int64_t execute_ns = 0;
  rtu_answer_t answer = answer_of(21, 0);
  line_init(&line, &paced, NULL, NULL);
  size_t len = read_request(bytes, 3);
  memcpy(bytes + len, ((uint8_t[]){4, 16, 0, 1, 0, 2, 4, 0, 0, 0, 0}), 11);
  len += rtu_seal(bytes + len, 11);
  line_receive(&line, T0, bytes, len);
  cr_assert(line_take(&line, line_next_ns(&line), &request, &execute_ns));
  line_answer(&line, execute_ns, &answer);
  cr_assert_eq(line.stats.collisions, 0);
  cr_assert_eq(line.stats.collisions_held, 1);
}
