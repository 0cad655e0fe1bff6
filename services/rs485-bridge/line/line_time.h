/* How long a Modbus RTU transaction holds the line, from baud rate and frame sizes. Pure.
   Modbus over Serial Line 1.02, 2.5.1.1: frames are parted by 3.5 characters of silence, fixed at
   1.75 ms above 19200 baud. */
#ifndef BRIDGE_LINE_TIME_H
#define BRIDGE_LINE_TIME_H

#include <stdint.h>

#define LINE_READ_MAX 125 /* registers in one read */

typedef struct line_cfg {
  uint32_t baud;          /* 8N1: ten bits a byte */
  uint32_t turnaround_us; /* of a module, from the end of the silence to its first byte */
  uint32_t gap_us;        /* silence between frames; see line_gap_us */
} line_cfg_t;

typedef enum line_function {
  LINE_READ_HOLDING = 3,
  LINE_READ_INPUT = 4,
  LINE_WRITE_ONE = 6,
  LINE_WRITE_MANY = 16
} line_function_t;

/* The silence that the standard asks for at this rate, us. */
uint32_t line_gap_us(uint32_t baud);
/* Bytes of the request and of the good answer, CRC included. */
uint32_t line_request_bytes(line_function_t function, uint32_t count);
uint32_t line_answer_bytes(line_function_t function, uint32_t count);
/* Time of that many bytes on the wire, ns. */
uint64_t line_bytes_ns(const line_cfg_t *cfg, uint32_t bytes);
/* The whole transaction: request, silence, turnaround, answer, silence; us. */
uint32_t line_hold_us(const line_cfg_t *cfg, line_function_t function, uint32_t count);

#endif
