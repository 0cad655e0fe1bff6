/* Map codec: trinary cells as they travel and rest: pairs of a value byte (0 free, 1 occupied, 255
   unknown) and a run length of at least 1 as LEB128 (DWARF 5, section 7.6), at most 5 bytes.
   Row-major, as the grid exports. Pure. */
#ifndef GANTRY_SLAM_MAP_CODEC_H
#define GANTRY_SLAM_MAP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <gantry/err.h>

/* Writes runs one after another; neighbours of one value become one run. */
typedef struct map_encoder {
  buf_t *out;   /* borrowed */
  int8_t value; /* of the open run */
  uint32_t run; /* its length so far */
} map_encoder_t;

map_encoder_t map_encoder_begin(buf_t *out);
/* Appends count cells of one state: -1 (any value below 0), 0, or 1 (any above). */
void map_encoder_put(map_encoder_t *encoder, int8_t state, uint32_t count);
void map_encoder_put_cells(map_encoder_t *encoder, const int8_t *cells, size_t count);
/* Writes the last run. GANTRY_E_TOO_LARGE when out had no room. */
gantry_err_t map_encoder_end(map_encoder_t *encoder);

/* Reads runs. The caller keeps count of the cells. */
typedef struct map_decoder {
  const uint8_t *bytes; /* borrowed */
  size_t len, at;
} map_decoder_t;

map_decoder_t map_decoder_begin(const uint8_t *bytes, size_t len);
/* The next run: GANTRY_OK, GANTRY_E_NOT_FOUND at the end, GANTRY_E_SCHEMA for a value that is none,
   a run of 0, a length that is cut off or beyond 32 bits. */
gantry_err_t map_decoder_next(map_decoder_t *decoder, int8_t *state, uint32_t *run);

/* Whole arrays. Decoding wants exactly count cells: GANTRY_E_SCHEMA otherwise. */
gantry_err_t map_codec_encode(const int8_t *cells, size_t count, buf_t *out);
gantry_err_t map_codec_decode(const uint8_t *bytes, size_t len, int8_t *cells, size_t count);
/* How many cells are known and how many unknown. GANTRY_E_SCHEMA for damaged bytes. */
gantry_err_t map_codec_count(const uint8_t *bytes, size_t len, uint64_t *known, uint64_t *unknown);

#endif
