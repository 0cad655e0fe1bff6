/* Any bytes at any pace through the LiDAR's decoder. Run: fuzz_lidar -max_total_time=20
 * -max_len=4096 */
#include <stdint.h>
#include <stdlib.h>

#include "lidar_decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_turn(const lidar_turn_t *turn, void *arg) {
  (void)arg;
  if (turn->count < LIDAR_RAYS_MIN || turn->count > LIDAR_RAYS_MAX) abort();
  if (turn->last_ns < turn->first_ns) abort();
  for (uint32_t i = 0; i < turn->count; i++) {
    if (!(turn->angles_rad[i] >= -3.1416f && turn->angles_rad[i] < 3.1416f)) abort();
    if (!(turn->ranges_m[i] >= 0.0f && turn->ranges_m[i] < 16.4f)) abort();
  }
}

/* The first byte of each piece says its length and how long before it the line was silent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static lidar_decoder_t decoder;
  uint64_t now_ns = 0;
  lidar_decoder_init(&decoder, check_turn, NULL);
  for (size_t i = 0; i < size;) {
    size_t len = (size_t)(data[i] & 0x3F) + 1;
    now_ns += (uint64_t)(data[i] >> 6) * 15000000u;
    i++;
    if (len > size - i) len = size - i;
    lidar_decoder_feed(&decoder, data + i, len, now_ns);
    i += len;
  }
  lidar_decoder_idle(&decoder, now_ns + LIDAR_SILENCE_NS);
  return 0;
}
