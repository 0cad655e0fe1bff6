/* Session: the active map and the mapping session that draws it, if one runs. Integrates sweeps at
   known poses, counts, keeps the path. Pure: time and random numbers are arguments. */
#ifndef MAPPER_SESSION_H
#define MAPPER_SESSION_H

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/grid.h>
#include <gantry/slam/points.h>
#include <stdbool.h>
#include <stdint.h>

#include "trajectory.h"

#define SESSION_ID_SIZE       51
#define SESSION_NAME_SIZE     101
#define SESSION_METADATA_SIZE 4096

typedef struct session {
  grid_t *grid; /* owned; NULL: no map is active */
  char map_id[SESSION_ID_SIZE];
  char name[SESSION_NAME_SIZE];
  char metadata[SESSION_METADATA_SIZE]; /* JSON object */
  char session_id[SESSION_ID_SIZE];     /* running or last session, or "" */
  bool mapping;                         /* a session runs */
  bool extending;                       /* of a loaded map */
  grid_box_t expected;                  /* cells the map has at least */
  uint64_t revision;                    /* patches published, over all sessions of the map */
  uint64_t created_ns, updated_ns;      /* wall, of the map */
  uint64_t started_ns;                  /* wall, of the session */
  uint64_t scans, integrated;           /* of the session */
  bool inserted;                        /* a sweep of this session is in the grid */
  pose2_t last_insert;                  /* where */
  trajectory_t trajectory;              /* of the session */
} session_t;

typedef struct session_plan {
  const char *name;
  double resolution_m;
  uint32_t width, height; /* cells expected, world (0, 0) in their middle */
  uint32_t tile_limit;    /* most tiles of the grid */
} session_plan_t;

/* A loaded map, without its cells. */
typedef struct session_map {
  const char *map_id, *name, *metadata;
  double resolution_m, origin_x_m, origin_y_m;
  uint32_t width, height;
  uint64_t revision, created_ns, updated_ns;
  uint32_t tile_limit;
} session_map_t;

/* Begins a new map. GANTRY_E_REFUSED while a session runs, GANTRY_E_INVALID when the resolution is
   outside the grid's bounds, GANTRY_E_INTERNAL without memory; the map before stays then. random
   names map and session. */
gantry_err_t session_begin(session_t *session, const session_plan_t *plan, const uint32_t random[2],
                           uint64_t wall_ns);
/* Makes a stored map the active one; cells as map_codec. Errors as session_begin and patch_decode.
 */
gantry_err_t session_load(session_t *session, const session_map_t *map, const uint8_t *cells,
                          size_t cells_len);
/* Goes on drawing the active map in a new session. GANTRY_E_NOT_FOUND when none is active. */
gantry_err_t session_extend(session_t *session, uint32_t random, uint64_t wall_ns);
/* A session that was cut off, as it was. */
typedef struct session_resume {
  const char *session_id;
  uint64_t started_ns, scans, integrated;
  bool extending, has_pose;
  pose2_t pose; /* where the last sweep was drawn */
} session_resume_t;

/* Goes on with a session on the active map, just loaded. Its path begins anew at the pose. Errors
   as session_extend. */
gantry_err_t session_resume(session_t *session, const session_resume_t *resume, uint64_t wall_ns);
/* Ends the running session; the map stays active. GANTRY_E_REFUSED when none runs. */
gantry_err_t session_end(session_t *session, uint64_t wall_ns);
void session_fini(session_t *session);

/* Counts a sweep of a running session. */
void session_count_scan(session_t *session);
/* A sweep with its pose: on the path, and into the grid after 0.1 m or 0.1 rad of motion or as the
 *first. inserted says so. Errors as raycast_insert; the path keeps the pose. */
gantry_err_t session_integrate(session_t *session, pose2_t pose, const points_t *points,
                               uint64_t wall_ns, bool *inserted);

/* The map's rectangle: what was expected and what is known. Empty without a map. */
grid_box_t session_box(const session_t *session);
/* Explored share of the known cells' bounding box, 0 .. 1. */
double session_quality(const session_t *session);

#endif
