/* The mapper among neighbours that the test plays: sensor-processor and localization say what a
   robot in a rectangular room would see, storage keeps one map. One room at a time. */
#ifndef GANTRY_MAPPER_ROOM_H
#define GANTRY_MAPPER_ROOM_H

#include "harness.h"

#include <gantry/geom.h>

/* The room: x from -4 to 4, y from -3 to 3, metres. */
#define ROOM_X 4.0
#define ROOM_Y 3.0

/* What the storage of the test has been given. */
typedef struct room_kept {
  bool refuses;
  bool holds; /* answers no map_put until it is let go: room_let_go */
  unsigned puts;
  store_map_put_t put; /* the newest; its blobs are owned */
  char session_id[51]; /* of the newest that has one */
} room_kept_t;

extern harness_t *harness;
extern harness_peer_t *storage; /* NULL when it is away */
extern inbox_t *patches;        /* map.patch */
extern room_kept_t kept;

void room_open(void);
void room_close(void);
/* Ends everything and begins anew over the same folder; storage is there. Sockets over inproc do
   not find a neighbour that comes back. */
void room_restart(void);

/* The same after a crash in the midst of a session that has drawn. */
void room_crash(void);

/* The memory says that session was in that phase when the mapper was killed; everything begins
   anew. */
void room_kill_in(map_phase_t phase);
/* Answers the map_put that storage holds. */
void room_let_go(void);

/* Nothing more can be written into the mapper's folder, which a plain file stands in for. */
void room_block_folder(bool blocked);

/* A sweep of the sensor "front" at a pose, and a pose that names it; map_id NULL: it names no map.
 */
void room_say_scan(uint64_t seq, pose2_t pose);
void room_say_pose(uint64_t seq, pose2_t pose, const char *map_id);
/* Six sweeps along a straight line from (-1, 0.5) to (0, 0.5), drawn. */
void room_draw(void);

/* map.start of a map of 200 x 100 cells of 50 mm named "hall"; must work. */
map_started_t room_start(void);
gantry_err_t room_stop(map_stopped_t *stopped, gantry_fault_t *fault);
/* A map of six sweeps, stored and active. */
map_stopped_t room_make_map(void);
/* map.stop without waiting for the answer. */
void room_begin_stop(void);
/* A cell of a map: at a place in metres. */
int8_t room_cell(const map_info_t *info, const int8_t *cells, double x_m, double y_m);
/* map.get, unpacked; *cells is the caller's. */
void room_get_map(map_info_t *info, int8_t **cells);

#endif
