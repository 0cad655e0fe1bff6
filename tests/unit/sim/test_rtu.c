/* RTU frames, and the modules' answers to them. */
#include <string.h>

#include <criterion/criterion.h>

#include "rtu.h"

static const plant_cfg_t cfg = {.world = {.seed = 1}, .soc = 0.85};

static rtu_answer_t ask(plant_t *plant, const uint8_t *bytes, size_t len) {
  uint8_t request[RTU_FRAME_MAX];
  rtu_answer_t answer;
  memcpy(request, bytes, len);
  rtu_serve(plant, request, rtu_seal(request, len), &answer);
  return answer;
}

#define ASK(plant, ...) ask(plant, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void assert_exception(const rtu_answer_t *answer, uint8_t function, uint8_t code) {
  cr_assert_eq(answer->len, 5);
  cr_assert_eq(answer->bytes[1], function | 0x80);
  cr_assert_eq(answer->bytes[2], code);
  cr_assert(rtu_is_sound(answer->bytes, answer->len));
}

Test(rtu, computes_the_known_crc) {
  /* CRC-16/MODBUS check value of "123456789" */
  cr_assert_eq(rtu_crc((const uint8_t *)"123456789", 9), 0x4B37);
}

Test(rtu, tells_the_length_of_requests) {
  static const uint8_t read[] = {3, 3}, write[] = {3, 6}, many[] = {3, 0x10, 0, 1, 0, 2, 4};
  static const uint8_t unknown[] = {3, 0x2B}, huge[] = {3, 0x10, 0, 1, 0, 2, 255};

  cr_assert_eq(rtu_request_len(read, 1), 0);
  cr_assert_eq(rtu_request_len(read, 2), 8);
  cr_assert_eq(rtu_request_len(write, 2), 8);
  cr_assert_eq(rtu_request_len(many, 6), 0);
  cr_assert_eq(rtu_request_len(many, 7), 13);
  cr_assert_eq(rtu_request_len(unknown, 2), RTU_UNKNOWN_LEN);
  cr_assert_eq(rtu_request_len(huge, 7), RTU_UNKNOWN_LEN);
}

Test(rtu, reads_by_functions_three_and_four) {
  plant_t plant;
  plant_init(&plant, &cfg);
  for (uint8_t function = 3; function <= 4; function++) {
    rtu_answer_t answer = ASK(&plant, 4, function, 0x01, 0x00, 0, 7);
    cr_assert_eq(answer.len, 5 + 14);
    cr_assert_eq(answer.bytes[1], function);
    cr_assert_eq(answer.bytes[2], 14);
    cr_assert_eq(answer.bytes[4], 4);
    cr_assert(rtu_is_sound(answer.bytes, answer.len));
  }
}

Test(rtu, writes_one_register_and_echoes_it) {
  plant_t plant;
  plant_init(&plant, &cfg);
  rtu_answer_t answer = ASK(&plant, 4, 6, 0, 2, 0, 200);

  cr_assert_eq(answer.len, 8);
  cr_assert_arr_eq(answer.bytes, ((uint8_t[]){4, 6, 0, 2, 0, 200}), 6);
  cr_assert_eq(bank_get(&plant_module(&plant, 4)->bank, 2), 200);
}

Test(rtu, writes_many_registers) {
  plant_t plant;
  plant_init(&plant, &cfg);
  rtu_answer_t answer = ASK(&plant, 4, 0x10, 0, 1, 0, 2, 4, 0, 1, 0, 99);

  cr_assert_arr_eq(answer.bytes, ((uint8_t[]){4, 0x10, 0, 1, 0, 2}), 6);
  cr_assert_eq(bank_get(&plant_module(&plant, 4)->bank, 1), 1);
  cr_assert_eq(bank_get(&plant_module(&plant, 4)->bank, 2), 99);
}

Test(rtu, answers_exceptions) {
  plant_t plant;
  plant_init(&plant, &cfg);
  rtu_answer_t function = ASK(&plant, 4, 1, 0, 0, 0, 1);
  rtu_answer_t address = ASK(&plant, 4, 3, 0x02, 0, 0, 1);
  rtu_answer_t read_only = ASK(&plant, 4, 6, 0, 6, 0, 1);
  rtu_answer_t value = ASK(&plant, 4, 6, 0, 2, 1, 0);
  rtu_answer_t none = ASK(&plant, 4, 3, 0, 0, 0, 0);
  rtu_answer_t many = ASK(&plant, 4, 3, 0, 0, 0, 126);
  rtu_answer_t bytes = ASK(&plant, 4, 0x10, 0, 1, 0, 2, 2, 0, 1);

  assert_exception(&function, 1, 1);
  assert_exception(&address, 3, 2);
  assert_exception(&read_only, 6, 2);
  assert_exception(&value, 6, 3);
  assert_exception(&none, 3, 3);
  assert_exception(&many, 3, 3);
  assert_exception(&bytes, 0x10, 3);
}

Test(rtu, refuses_pdus_of_wrong_length) {
  plant_t plant;
  plant_init(&plant, &cfg);
  rtu_answer_t read = ASK(&plant, 4, 3, 0, 0);
  rtu_answer_t write = ASK(&plant, 4, 6, 0, 2, 0, 1, 9);
  rtu_answer_t many = ASK(&plant, 4, 0x10, 0, 1);

  assert_exception(&read, 3, 3);
  assert_exception(&write, 6, 3);
  assert_exception(&many, 0x10, 3);
}

Test(rtu, stays_silent_for_strangers) {
  plant_t plant;
  plant_init(&plant, &cfg);
  rtu_answer_t answer = ASK(&plant, 9, 3, 0, 0, 0, 1);

  cr_assert_eq(answer.len, 0);
}

Test(rtu, executes_a_broadcast_without_an_answer) {
  plant_t plant;
  plant_init(&plant, &cfg);
  rtu_answer_t answer = ASK(&plant, 0, 6, 0, 0x30, 0, 3);
  rtu_answer_t read = ASK(&plant, 0, 3, 0, 0, 0, 1);

  cr_assert_eq(answer.len, 0);
  cr_assert_eq(read.len, 0);
  cr_assert_eq(bank_get(&plant_module(&plant, 3)->bank, 0x0030), 3);
}

Test(rtu, injects_silence_and_exceptions) {
  plant_t plant;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->fault.silent = true;
  plant_module(&plant, 4)->fault.exception = 6;
  rtu_answer_t silent = ASK(&plant, 3, 3, 0, 0, 0, 1);
  rtu_answer_t busy = ASK(&plant, 4, 3, 0, 0, 0, 1);

  cr_assert_eq(silent.len, 0);
  assert_exception(&busy, 3, 6);
}

Test(rtu, damages_the_share_of_answers_asked_for) {
  plant_t plant;
  int damaged = 0;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->fault.crc_share = 0.25;
  for (int i = 0; i < 2000; i++) {
    rtu_answer_t answer = ASK(&plant, 3, 3, 0, 0, 0, 1);
    damaged += !rtu_is_sound(answer.bytes, answer.len);
  }

  cr_assert_float_eq(damaged, 500, 60);
}

Test(rtu, delays_answers_within_the_span_asked_for) {
  plant_t plant;
  uint32_t min = UINT32_MAX, max = 0;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->fault.late_min_us = 1000;
  plant_module(&plant, 3)->fault.late_max_us = 5000;
  plant_module(&plant, 3)->fault.late_share = 1.0;
  for (int i = 0; i < 1000; i++) {
    rtu_answer_t answer = ASK(&plant, 3, 3, 0, 0, 0, 1);
    if (answer.late_us < min) min = answer.late_us;
    if (answer.late_us > max) max = answer.late_us;
  }

  cr_assert(min >= 1000 && min < 1100);
  cr_assert(max <= 5000 && max > 4900);
}

Test(rtu, answers_garbage_of_the_right_length) {
  plant_t plant;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->fault.garbage = true;
  rtu_answer_t answer = ASK(&plant, 3, 3, 0, 0, 0, 8);

  cr_assert_eq(answer.len, 21);
  cr_assert_not(rtu_is_sound(answer.bytes, answer.len));
}

Test(rtu, keeps_short_frames_unsound) {
  cr_assert_not(rtu_is_sound((const uint8_t *)"ab", 2));
}

Test(rtu, loses_the_share_of_answers_asked_for) {
  plant_t plant;
  int lost = 0;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->fault.lost_share = 0.1;
  for (int i = 0; i < 2000; i++)
    lost += ASK(&plant, 3, 3, 0, 0, 0, 1).len == 0;

  cr_assert_float_eq(lost, 200, 50);
}

Test(rtu, answers_under_another_address_or_with_zeros) {
  plant_t plant;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->fault.has_alias = true;
  plant_module(&plant, 3)->fault.alias = 9;
  plant_module(&plant, 4)->fault.zeros = true;
  rtu_answer_t alias = ASK(&plant, 3, 3, 1, 0, 0, 1);
  rtu_answer_t zeros = ASK(&plant, 4, 3, 1, 0, 0, 1);

  cr_assert_arr_eq(alias.bytes, ((uint8_t[]){9, 3, 2, 0, 3}), 5);
  cr_assert(rtu_is_sound(alias.bytes, alias.len));
  cr_assert_arr_eq(zeros.bytes, ((uint8_t[]){4, 3, 2, 0, 0}), 5);
}

Test(rtu, stays_silent_for_modules_without_power) {
  plant_t plant;
  plant_init(&plant, &cfg);
  plant_module(&plant, 3)->present = false;

  cr_assert_eq(ASK(&plant, 3, 3, 0, 0, 0, 1).len, 0);
  cr_assert_eq(ASK(&plant, 6, 3, 0, 0, 0, 1).len, 0);
}
