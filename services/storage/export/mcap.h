/* Records of an MCAP file, version 0 (mcap.dev/spec): little-endian, a byte of opcode and eight of
   length before each. Pure. */
#ifndef STORAGE_MCAP_H
#define STORAGE_MCAP_H

#include <gantry/buf.h>

typedef enum mcap_op {
  MCAP_HEADER = 1,
  MCAP_FOOTER,
  MCAP_SCHEMA,
  MCAP_CHANNEL,
  MCAP_MESSAGE,
  MCAP_CHUNK,
  MCAP_MESSAGE_INDEX,
  MCAP_CHUNK_INDEX,
  MCAP_STATISTICS = 0x0b,
  MCAP_SUMMARY_OFFSET = 0x0e,
  MCAP_DATA_END
} mcap_op_t;

#define MCAP_RECORD_HEAD 9 /* bytes before a record's content */

void mcap_magic(buf_t *out);
/* Begins a record; the place is to be given to mcap_end, which fills in the length. */
size_t mcap_begin(buf_t *out, mcap_op_t op);
void mcap_end(buf_t *out, size_t place);
/* The same for an array or map within: four bytes of length. */
size_t mcap_begin_list(buf_t *out);
void mcap_end_list(buf_t *out, size_t place);
void mcap_u16(buf_t *out, uint16_t value);
void mcap_u32(buf_t *out, uint32_t value);
void mcap_u64(buf_t *out, uint64_t value);
void mcap_text(buf_t *out, const char *text, size_t len);
uint64_t mcap_read_u64(const uint8_t *at);
/* CRC-32 of IEEE 802.3. */
uint32_t mcap_crc(const uint8_t *bytes, size_t len);

#endif
