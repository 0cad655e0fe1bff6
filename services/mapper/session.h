/* Session: the active map and the mapping session that draws it, if one runs. Gives sweeps at known
   poses to slam, counts, and keeps what slam does not know: names, shapes of the rectangle, what
   people have drawn. Pure: time and random numbers are arguments. */
#ifndef MAPPER_SESSION_H
#define MAPPER_SESSION_H

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/points.h>
#include <gantry/slam/slam.h>
#include <stdbool.h>
#include <stdint.h>

#include "overlay.h"

#define SESSION_ID_SIZE       51
#define SESSION_NAME_SIZE     101
#define SESSION_METADATA_SIZE 4096

/* What can be said of the cells. */
typedef struct session_extent {
  grid_box_t known;     /* box of the known cells */
  uint64_t known_cells; /* in it */
  double coverage;      /* their share of it */
} session_extent_t;

typedef struct session {
  slam_t *slam;                 /* owned; NULL: no map is active, or it is lent */
  overlay_t overlay;            /* with the slam: untouched while that is lent */
  session_extent_t extent;      /* while the slam is lent: as it was */
  double resolution_m;          /* of the active map */
  char map_id[SESSION_ID_SIZE]; /* "": no map is active */
  char name[SESSION_NAME_SIZE];
  char metadata[SESSION_METADATA_SIZE]; /* JSON object */
  char session_id[SESSION_ID_SIZE];     /* running or last session, or "" */
  bool mapping;                         /* a session runs */
  bool extending;                       /* of a loaded map */
  grid_box_t expected;                  /* cells the map has at least */
  uint64_t revision;                    /* counts patches published; never comes again */
  uint64_t created_ns, updated_ns;      /* wall, of the map */
  uint64_t started_ns;                  /* wall, of the session */
  uint64_t scans, integrated;           /* of the session */
  size_t first_scan;                    /* of the session, among those of slam */
  uint32_t correction;                  /* newest that is in the cells; counts on over sessions */
  uint32_t correction_base; /* what it was when the slam was made, which counts from 1 */
} session_t;

typedef struct session_plan {
  const char *name;
  double resolution_m;
  uint32_t width, height; /* cells expected, world (0, 0) in their middle */
} session_plan_t;

/* A stored map. Blobs are borrowed. */
typedef struct session_map {
  const char *map_id, *name, *metadata;
  double resolution_m, origin_x_m, origin_y_m;
  uint32_t width, height;
  uint64_t revision, created_ns, updated_ns;
  const uint8_t *cells; /* as map_codec */
  size_t cells_len;
  const uint8_t *slam; /* as slam_save; NULL: the map has no graph, its cells are the base */
  size_t slam_len;
  overlay_t *overlay;  /* taken over, emptied; NULL: none */
  uint32_t correction; /* that the cells have in them */
} session_map_t;

/* Begins a new map. GANTRY_E_REFUSED while a session runs or the map is lent, GANTRY_E_INVALID when
   the resolution is outside the grid's bounds, GANTRY_E_INTERNAL without memory; the map before
   stays then. random names map and session; of config the resolution is the plan's. */
gantry_err_t session_begin(session_t *session, const session_plan_t *plan,
                           const slam_config_t *config, const uint32_t random[2], uint64_t wall_ns);
/* A stored map made ready to be the active one, which takes seconds for a large one. Any thread;
   map is borrowed, its overlay taken over. Errors as session_begin, slam_load and patch_decode. */
typedef struct session_ready {
  slam_t *slam;
  overlay_t overlay;
  grid_box_t box; /* the map's rectangle */
} session_ready_t;
gantry_err_t session_prepare(const session_map_t *map, const slam_config_t *config,
                             session_ready_t *out);
/* Makes it the active one, at once, and leaves ready empty. Its revision is one that nobody was
   told of before: what was drawn into the map and not stored had revisions, too. GANTRY_E_REFUSED
   as session_begin. */
gantry_err_t session_take(session_t *session, const session_map_t *map, uint64_t wall_ns,
                          session_ready_t *ready);
/* Harmless on zeroed memory. */
void session_ready_fini(session_ready_t *ready);
/* Goes on drawing the active map in a new session. GANTRY_E_NOT_FOUND when none is active. */
gantry_err_t session_extend(session_t *session, uint32_t random, uint64_t wall_ns);
/* A session that was cut off, as it was. */
typedef struct session_resume {
  const char *session_id;
  uint64_t started_ns, scans, integrated;
  size_t first_scan;
  bool mapping; /* false: it had ended already */
  bool extending;
} session_resume_t;

/* Goes on with a session on the active map, just loaded. Errors as session_extend. */
gantry_err_t session_resume(session_t *session, const session_resume_t *resume);
/* Ends the running session; the map stays active. GANTRY_E_REFUSED when none runs. */
gantry_err_t session_end(session_t *session, uint64_t wall_ns);
void session_fini(session_t *session);

/* Whether a map is active, lent or not. */
bool session_has_map(const session_t *session);
/* The cells; NULL without a map, and while it is lent. */
grid_t *session_grid(const session_t *session);
/* Hands the slam out, to be finished elsewhere; NULL when there is none to give. */
slam_t *session_lend(session_t *session);
void session_take_back(session_t *session, slam_t *slam);

/* Counts a sweep of a running session. */
void session_count_scan(session_t *session);
/* A sweep with its pose, which has corrections up to `correction` in it. GANTRY_E_CONFLICT when
   that one is not known here; errors as slam_insert. drawn says whether it went into the cells. */
gantry_err_t session_insert(session_t *session, double time_s, pose2_t pose, uint32_t correction,
                            const points_t *points, bool *drawn);
/* A surveyed point that was seen at seen_x_m, seen_y_m of the map. A map that is extended lies
   where it belongs already: nothing happens. Errors as session_insert and slam_anchor. */
typedef struct session_anchor {
  double seen_x_m, seen_y_m, x_m, y_m, sigma_m;
  uint32_t correction; /* in what was seen */
} session_anchor_t;
gantry_err_t session_anchor(session_t *session, const session_anchor_t *anchor);
/* Takes over what slam has found since; true when the map moved, cells and overlay with it. */
bool session_poll(session_t *session, slam_correction_t *out);
/* Takes a correction of slam into account; its number becomes that of the session. False when it is
   none that is new. */
bool session_number(session_t *session, slam_correction_t *correction);

/* The map's rectangle: what was expected and what is known. Empty without a map. */
grid_box_t session_box(const session_t *session);
session_extent_t session_measure(const session_t *session);

#endif
