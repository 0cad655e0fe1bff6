/* Little-endian numbers in and out of a run of bytes, for what slam_save writes. */
#ifndef GANTRY_SLAM_SLAM_BYTES_H
#define GANTRY_SLAM_SLAM_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <gantry/buf.h>
#include <gantry/geom.h>

typedef struct slam_reader {
  const uint8_t *bytes;
  size_t len, at;
  bool failed; /* beyond the end; everything read is 0 from then on */
} slam_reader_t;

static inline void put_number(buf_t *out, uint64_t value, size_t size) {
  uint8_t bytes[sizeof value];
  for (size_t i = 0; i < sizeof value; i++)
    bytes[i] = (uint8_t)(value >> (8 * i));
  buf_put(out, bytes, size);
}

/* Most of what is saved. */
static inline void put_shorts(buf_t *out, const int16_t *values, size_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  buf_put(out, values, count * sizeof *values);
#else
  for (size_t i = 0; i < count; i++)
    put_number(out, (uint16_t)values[i], sizeof *values);
#endif
}

static inline void put_real(buf_t *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_number(out, bits, sizeof bits);
}

static inline void put_single(buf_t *out, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_number(out, bits, sizeof bits);
}

static inline void put_pose(buf_t *out, pose2_t pose) {
  put_real(out, pose.x);
  put_real(out, pose.y);
  put_real(out, pose.theta);
}

static inline uint64_t get_number(slam_reader_t *in, size_t size) {
  uint64_t value = 0;
  if (in->failed || in->len - in->at < size) {
    in->failed = true;
    return 0;
  }
  for (size_t i = 0; i < size; i++)
    value |= (uint64_t)in->bytes[in->at++] << (8 * i);
  return value;
}

static inline double get_real(slam_reader_t *in) {
  uint64_t bits = get_number(in, sizeof bits);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline float get_single(slam_reader_t *in) {
  uint32_t bits = (uint32_t)get_number(in, sizeof bits);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline pose2_t get_pose(slam_reader_t *in) {
  pose2_t pose;
  pose.x = get_real(in);
  pose.y = get_real(in);
  pose.theta = get_real(in);
  return pose;
}

/* FNV-1a (Fowler, Noll, Vo 1991) on words of eight bytes, the rest on bytes: finds what broke on
   the way, not what was forged. */
static inline uint64_t checksum_of(const uint8_t *bytes, size_t len) {
  const uint64_t prime = 0x100000001B3u;
  uint64_t hash = 0xCBF29CE484222325u;
  slam_reader_t in = {.bytes = bytes, .len = len};
  while (len - in.at >= 8)
    hash = (hash ^ get_number(&in, 8)) * prime;
  while (in.at < len)
    hash = (hash ^ bytes[in.at++]) * prime;
  return hash;
}

#endif
