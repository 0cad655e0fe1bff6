/* Bytes from the line into sound frames. What is no frame (noise of a turning driver, the rest of a
   damaged answer, a babbling module) is passed over and never waited for longer than its header can
   claim. Pure. */
#ifndef BRIDGE_RTU_STREAM_H
#define BRIDGE_RTU_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTU_FRAME_MAX  256 /* with CRC */
#define RTU_STREAM_MAX 512

typedef struct rtu_stream {
  uint8_t bytes[RTU_STREAM_MAX]; /* not judged yet; fill behind len, then raise it */
  size_t len;
  size_t junk; /* bytes passed over since rtu_stream_clear */
} rtu_stream_t;

/* CRC-16 of Modbus: polynomial A001 reflected, initial FFFF. */
uint16_t rtu_crc(const uint8_t *bytes, size_t len);
void rtu_stream_clear(rtu_stream_t *stream);
/* Takes the next sound frame, without its CRC, into frame (RTU_FRAME_MAX). ended: nothing more
   comes, so what is not whole now is junk. Returns its length, 0 when there is none. */
size_t rtu_stream_take(rtu_stream_t *stream, bool ended, uint8_t *frame);
/* Bytes that the frame under way still misses, as its header says; one while the header itself is
   not whole, 0 when none is under way. */
size_t rtu_stream_missing(const rtu_stream_t *stream);

#endif
