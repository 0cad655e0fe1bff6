/* Replay of a recorded log: the robot's odometry at any log time, and each logged scan as one turn
   of the LiDAR's wire format. Pure; the caller reads the log and offers record by record. Log time
   is seconds since the log's first record. */
#ifndef GANTRY_SIM_REPLAY_H
#define GANTRY_SIM_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <gantry/slam/carmen.h>

#include "lidar.h"

/* A scan's samples and the one that closes its turn. */
#define REPLAY_TURN_MAX ((CARMEN_RANGES_MAX + 1) * LIDAR_SAMPLE_LEN)

typedef struct replay {
  bool started, ended;
  bool has_beam;
  carmen_beam_t beam; /* as the log says, or what it means without saying */
  double epoch_s;     /* log stamp of the first record */
  pose2_t first;      /* its odometry */
  double at_s;        /* the last record taken: log time, */
  pose2_t at;         /* odometry from the first, theta unwrapped */
  pose2_t at_logged;  /* and as logged */
  bool has_next;
  carmen_record_t next; /* not yet taken */
  double next_s;
} replay_t;

void replay_init(replay_t *replay);
/* Gives the next record of the log, or NULL at its end. Beam headers are noted and not kept:
   while replay_wants says so, another record is to be offered. */
void replay_offer(replay_t *replay, const carmen_record_t *record);
bool replay_wants(const replay_t *replay);
/* Takes the next record when its time has come by log_s. True with *scan set when it was one
   (valid until the next offer), NULL when it was odometry. */
bool replay_take(replay_t *replay, double log_s, const carmen_record_t **scan);
/* Odometry at log_s: interpolated between records, held at the log's end. First pose subtracted;
   theta unwrapped. */
pose2_t replay_odometry(const replay_t *replay, double log_s);
/* Speed between the two records around log_s in log seconds, m/s; 0 at the end. */
double replay_speed_mps(const replay_t *replay);
/* Encodes a scan as one turn: samples in clockwise order from ahead, S on the first, then one
   sample with S and distance 0. No return, and anything beyond the distance field, is 0. Returns
   the bytes written to out (REPLAY_TURN_MAX), 0 for an empty scan. */
size_t replay_encode(const replay_t *replay, const carmen_record_t *scan, uint8_t *out);

#endif
