/* Line times against those of the bus's documents: 115200 8N1, 1.75 ms gaps, 1 ms turnaround. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "line_time.h"

static const line_cfg_t line = {.baud = 115200, .turnaround_us = 1000, .gap_us = 1750};

typedef struct known {
  line_function_t function;
  uint32_t count;
  double ms;
} known_t;

ParameterizedTestParameters(line_time, agrees_with_the_documents) {
  static known_t rows[] = {{LINE_READ_HOLDING, 125, 27.3},
                           {LINE_READ_HOLDING, 32, 11.2},
                           {LINE_READ_HOLDING, 8, 7.0},
                           {LINE_WRITE_MANY, 2, 6.3},
                           {LINE_WRITE_ONE, 1, 5.9}};
  return cr_make_param_array(known_t, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(known_t *row, line_time, agrees_with_the_documents) {
  double ms = line_hold_us(&line, row->function, row->count) / 1000.0;
  cr_assert_float_eq(ms, row->ms, 0.3, "%f", ms);
}

Test(line_time, the_gap_is_fixed_above_19200_baud) {
  cr_assert_eq(line_gap_us(115200), 1750);
  cr_assert_eq(line_gap_us(38400), 1750);
}

Test(line_time, the_gap_is_three_and_a_half_characters_below) {
  cr_assert_eq(line_gap_us(19200), 2005);
  cr_assert_eq(line_gap_us(9600), 4010);
}

Test(line_time, the_first_stop_frame_takes_1_1_ms) {
  uint64_t ns = line_bytes_ns(&line, line_request_bytes(LINE_WRITE_MANY, 2));
  cr_assert_float_eq((double)ns, 1.13e6, 1e4);
}
