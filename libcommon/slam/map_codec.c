/* Run-length coding of trinary cells. */
#include <gantry/slam/map_codec.h>

#include <string.h>

#define CODE_FREE     0
#define CODE_OCCUPIED 1
#define CODE_UNKNOWN  255
#define LEB_BITS      7
#define LEB_MORE      0x80u
#define LEB_BYTES_MAX 5

map_encoder_t map_encoder_begin(buf_t *out) {
  return (map_encoder_t){.out = out};
}

static void write_run(map_encoder_t *encoder) {
  if (encoder->run == 0) return;
  uint8_t bytes[1 + LEB_BYTES_MAX];
  size_t len = 0;
  uint32_t rest = encoder->run;
  bytes[len++] = encoder->value < 0 ? CODE_UNKNOWN : (uint8_t)encoder->value;
  do {
    uint8_t low = (uint8_t)(rest & (LEB_MORE - 1));
    rest >>= LEB_BITS;
    bytes[len++] = (uint8_t)(low | (rest ? LEB_MORE : 0));
  } while (rest);
  buf_put(encoder->out, bytes, len);
  encoder->run = 0;
}

void map_encoder_put(map_encoder_t *encoder, int8_t state, uint32_t count) {
  int8_t value = state < 0 ? -1 : state > 0 ? 1 : 0;
  if (encoder->run && (value != encoder->value || count > UINT32_MAX - encoder->run))
    write_run(encoder);
  encoder->value = value;
  encoder->run += count;
}

/* Where the run that begins at `from` ends: eight cells at a time, most of a map is alike. */
static size_t run_end(const int8_t *cells, size_t from, size_t count) {
  size_t end = from + 1;
  uint64_t alike, eight;
  memset(&alike, cells[from], sizeof alike);
  for (; end + sizeof eight <= count; end += sizeof eight) {
    memcpy(&eight, cells + end, sizeof eight);
    if (eight != alike) break;
  }
  while (end < count && cells[end] == cells[from])
    end++;
  return end;
}

void map_encoder_put_cells(map_encoder_t *encoder, const int8_t *cells, size_t count) {
  size_t i = 0;
  while (i < count) {
    size_t most = count - i < UINT32_MAX ? count : i + UINT32_MAX;
    size_t end = run_end(cells, i, most);
    map_encoder_put(encoder, cells[i], (uint32_t)(end - i));
    i = end;
  }
}

gantry_err_t map_encoder_end(map_encoder_t *encoder) {
  write_run(encoder);
  return buf_err(encoder->out);
}

map_decoder_t map_decoder_begin(const uint8_t *bytes, size_t len) {
  return (map_decoder_t){.bytes = bytes, .len = len};
}

static gantry_err_t read_length(map_decoder_t *decoder, uint32_t *out) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < LEB_BYTES_MAX; i++) {
    if (decoder->at == decoder->len) return GANTRY_E_SCHEMA;
    uint8_t byte = decoder->bytes[decoder->at++];
    value |= (uint64_t)(byte & (LEB_MORE - 1)) << (LEB_BITS * i);
    if (byte & LEB_MORE) continue;
    if (value == 0 || value > UINT32_MAX) return GANTRY_E_SCHEMA;
    *out = (uint32_t)value;
    return GANTRY_OK;
  }
  return GANTRY_E_SCHEMA;
}

gantry_err_t map_decoder_next(map_decoder_t *decoder, int8_t *state, uint32_t *run) {
  if (decoder->at == decoder->len) return GANTRY_E_NOT_FOUND;
  uint8_t code = decoder->bytes[decoder->at++];
  if (code != CODE_FREE && code != CODE_OCCUPIED && code != CODE_UNKNOWN) return GANTRY_E_SCHEMA;
  *state = code == CODE_UNKNOWN ? -1 : (int8_t)code;
  return read_length(decoder, run);
}

gantry_err_t map_codec_encode(const int8_t *cells, size_t count, buf_t *out) {
  map_encoder_t encoder = map_encoder_begin(out);
  map_encoder_put_cells(&encoder, cells, count);
  return map_encoder_end(&encoder);
}

gantry_err_t map_codec_count(const uint8_t *bytes, size_t len, uint64_t *known, uint64_t *unknown) {
  map_decoder_t decoder = map_decoder_begin(bytes, len);
  uint64_t counts[2] = {0}; /* by "is unknown" */
  int8_t state;
  uint32_t run;
  gantry_err_t err;
  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK)
    counts[state < 0] += run;
  *known = counts[0];
  *unknown = counts[1];
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t map_codec_decode(const uint8_t *bytes, size_t len, int8_t *cells, size_t count) {
  map_decoder_t decoder = map_decoder_begin(bytes, len);
  size_t filled = 0;
  int8_t state;
  uint32_t run;
  gantry_err_t err;
  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK) {
    if (run > count - filled) return GANTRY_E_SCHEMA;
    memset(cells + filled, state, run);
    filled += run;
  }
  if (err != GANTRY_E_NOT_FOUND) return err;
  return filled == count ? GANTRY_OK : GANTRY_E_SCHEMA;
}
