/* Line time from baud rate and frame sizes. */
#include "line_time.h"

#define BITS_PER_BYTE 10 /* start, eight data, stop */
#define NS_PER_S      1000000000u

uint32_t line_gap_us(uint32_t baud) {
  if (baud > 19200) return 1750;
  return 38500000u / baud; /* 3.5 characters of 11 bits, as the standard counts */
}

uint32_t line_request_bytes(line_function_t function, uint32_t count) {
  return function == LINE_WRITE_MANY ? 9 + 2 * count : 8;
}

uint32_t line_answer_bytes(line_function_t function, uint32_t count) {
  return function == LINE_READ_HOLDING || function == LINE_READ_INPUT ? 5 + 2 * count : 8;
}

uint64_t line_bytes_ns(const line_cfg_t *cfg, uint32_t bytes) {
  return (uint64_t)bytes * BITS_PER_BYTE * NS_PER_S / cfg->baud;
}

uint32_t line_hold_us(const line_cfg_t *cfg, line_function_t function, uint32_t count) {
  uint32_t bytes = line_request_bytes(function, count) + line_answer_bytes(function, count);
  return (uint32_t)(line_bytes_ns(cfg, bytes) / 1000) + 2 * cfg->gap_us + cfg->turnaround_us;
}
