/* An RPLIDAR C1: its request parser, answers and sample stream (the vendor's interface protocol,
   standard scan). 5,000 samples/s, 500 a turn. Pure; times are nanoseconds of one clock. */
#ifndef GANTRY_SIM_LIDAR_H
#define GANTRY_SIM_LIDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIDAR_SAMPLE_LEN     5
#define LIDAR_SAMPLE_NS      INT64_C(200000)
#define LIDAR_TURN_SAMPLES   500
#define LIDAR_CHUNK_SAMPLES  25 /* samples leave in chunks of 5 ms */
#define LIDAR_ANSWER_MAX     96
#define LIDAR_DISTANCE_MAX_M 16.38 /* end of the distance field */

typedef struct lidar {
  uint64_t seed; /* fixes the serial number */
  bool scanning;
  int64_t scan_ns; /* moment of sample 0 */
  uint64_t sample; /* next sample to produce */
  int64_t mute_ns; /* after a reset: deaf until then */
  uint8_t request[4];
  size_t request_len;
  uint64_t bad_requests;
} lidar_t;

/* What single samples do wrong; all zero is healthy. */
typedef struct lidar_fault {
  double spike_share; /* of samples whose range is anywhere, 0 to 1 */
  double weak_share;  /* of samples that return weakly */
  bool shadow;        /* a sample at an edge lies between the thing and what stands behind it */
  double before_m;    /* range of the sample before */
} lidar_fault_t;

void lidar_init(lidar_t *lidar, uint64_t seed);
/* One byte from the host at now_ns. Writes the answer, if it completes a request that has one, to
   out (LIDAR_ANSWER_MAX bytes) and returns its length. A single request ends a running scan. */
size_t lidar_receive(lidar_t *lidar, int64_t now_ns, uint8_t byte, uint8_t *out);
/* When the next chunk is complete; INT64_MAX while not scanning. */
int64_t lidar_next_ns(const lidar_t *lidar);
/* The next sample that was taken by now_ns: its moment, angle (clockwise from ahead) and whether
   it starts a turn. Samples come out in whole chunks. False when none is due. */
bool lidar_next_sample(lidar_t *lidar, int64_t now_ns, int64_t *at_ns, double *angle_rad,
                       bool *start);
/* Passes over samples older than oldest_ns, as when the device was held up. */
void lidar_skip(lidar_t *lidar, int64_t oldest_ns);
/* The range of sample `index` as its faults make it, and whether it returns weakly. */
double lidar_fault_range(lidar_fault_t *fault, uint64_t seed, uint64_t index, double range_m,
                         bool *weak);
/* A sample, encoded, returns weakly. */
void lidar_weaken(uint8_t sample[LIDAR_SAMPLE_LEN]);
/* The 5 bytes of one sample. angle_rad is brought into one turn; range_m 0, or beyond
   LIDAR_DISTANCE_MAX_M, is no return and has quality 0. */
void lidar_encode(bool start, double angle_rad, double range_m, uint8_t out[LIDAR_SAMPLE_LEN]);

#endif
