/* Inside of the mapper's glue: what its files share. */
#ifndef MAPPER_MAPPER_INTERNAL_H
#define MAPPER_MAPPER_INTERNAL_H

#include <gantry/service.h>

#include "finisher.h"
#include "keeper.h"
#include "opening.h"
#include "pairing.h"
#include "scribe.h"
#include "session.h"

struct mapper;

/* A map on its way from storage. Outlives the mapper when the answer does. */
typedef struct loading {
  struct mapper *owner; /* NULL once the mapper is gone */
  rpc_context_t *call;  /* who waits; NULL: nobody */
  bool extend;          /* map.update: go on drawing it */
  bool outdated;        /* storage's maps have changed meanwhile */
  parcel_t *parcel;     /* once it has come; owned */
  opening_t *opening;   /* of it */
} loading_t;

/* Who waits until the map is stored, and what for. */
typedef enum waiter_kind { WAITER_STOP, WAITER_INFO, WAITER_SHAPES } waiter_kind_t;
typedef struct waiter {
  rpc_context_t *call; /* NULL: nobody */
  waiter_kind_t kind;
} waiter_t;

/* A correction that is in the cells, and not said yet: its patches go first. */
typedef struct unsaid {
  slam_correction_t correction; /* number 0: none */
  uint32_t ticks;               /* since it came */
} unsaid_t;

typedef struct mapper {
  service_t *service;
  slam_config_t config;
  session_t session;
  pairing_t *pairing;
  keeper_t *keeper;
  scribe_t *scribe;
  loading_t *loading; /* NULL: none */
  loading_t *naming;  /* the active map's name is asked for; NULL: it is not */
  waiter_t waiter;

  finisher_t *finisher;    /* NULL: nothing is being finished */
  parcel_t *still;         /* while it runs: the map as it was */
  map_closures_t closures; /* and its closures */

  map_shapes_t shapes; /* of the active map */
  uint32_t drawn;      /* counts their changes */
  bool inside[32];     /* zones the robot is in */
  buf_t path;          /* packed path of a loaded map; empty: the session's own holds */

  points_gate_t gate;
  pose2_t mount;                                          /* of the LiDAR, robot frame */
  double speed_mps, turn_radps;                           /* of the newest pose */
  float angles[POINTS_CAPACITY], ranges[POINTS_CAPACITY]; /* of the sweep at hand, straightened */
  points_t points;                                        /* of the sweep at hand */
  uint64_t last_scan_ns;                                  /* monotonic, 0: none yet */
  uint64_t unpaired;                                      /* as counted in the metric */
  bool grid_full;                                         /* said once a session */
  bool graph_full;                                        /* said once a map */
  buf_t cells;                                            /* scratch of patches */
  unsaid_t unsaid;
  uint32_t said;                                 /* newest correction that was said */
  slam_quality_t quality;                        /* as it was last looked at */
  slam_look_t look;                              /* begun, and not ended */
  gantry_err_t search_err;                       /* of the last search for loops */
  uint64_t quality_of;                           /* revision of the cells then; 0: not yet */
  uint64_t look_of;                              /* the same, of the look that was begun */
  bool looking;                                  /* at the quality */
  bool finish_due, remember_due, checkpoint_due; /* once slam searches no more */
  uint64_t checkpointed;                         /* sweeps of the session that storage has */
  uint64_t remembered;                           /* and that the memory has */
  uint64_t resume_until_ns;                      /* monotonic; 0: no session waits to go on */
  bool unkept;    /* the finished map is neither stored nor in a file */
  bool forgetful; /* the memory cannot be written */
  int patch_timer, status_timer, checkpoint_timer, memory_timer;
  metric_t *scans, *integrated, *unpaired_total, *foreign, *failed, *patches, *patch_bytes;
  metric_t *integrate_ms, *tick_ms, *snapshot_ms, *finish_ms, *corrections, *waiting;
} mapper_t;

/* ---- requests.c, ask.c, draw.c, import.c: map.* requests */

gantry_err_t mapper_serve(mapper_t *mapper);
gantry_err_t mapper_serve_questions(mapper_t *mapper);
gantry_err_t mapper_serve_drawing(mapper_t *mapper);
gantry_err_t mapper_serve_import(mapper_t *mapper);
/* False (and answered) when no map is active. */
bool mapper_has_map(const mapper_t *mapper, rpc_context_t *call);
/* Why nothing may be begun or changed now; NULL: it may. */
const char *mapper_busy_with(const mapper_t *mapper);
bool mapper_draw_random(uint32_t random[2]);
/* Asks storage how the active map is called now. */
void mapper_ask_name(mapper_t *mapper);

/* ---- told.c: what is said of the active map, also while it is being finished */

map_phase_t mapper_phase(const mapper_t *mapper);
/* Fills info; metadata carries the session's. */
void mapper_info(const mapper_t *mapper, map_info_t *info);
void mapper_publish_status(mapper_t *mapper);
/* Begins to look at the quality of the map again when its cells have changed since. */
void mapper_look(mapper_t *mapper);
/* Goes on with it for a moment. */
void mapper_look_on(mapper_t *mapper);
/* Candidates for closures, newest first. */
void mapper_closures(const mapper_t *mapper, map_closures_t *out);
void mapper_path(const mapper_t *mapper, map_trajectory_t *out);

/* ---- content.c: the active map with all that belongs to it, out */

typedef enum content {
  CONTENT_GRID,    /* cells and shapes */
  CONTENT_MAP,     /* graph and path too */
  CONTENT_SESSION, /* and the session that made it */
} content_t;

/* The caller drops it; at least what is asked for is in it. NULL when it is too large or memory ran
   out. Beyond the grid it waits for a search that runs: see mapper_do_due. */
parcel_t *mapper_parcel(mapper_t *mapper, content_t content);
/* What belonged to the map before goes: shapes, path, what was still to be said of it. */
void mapper_reset_told(mapper_t *mapper);

/* ---- opening.c, requests.c */

/* Makes an opened map the active one and leaves opened empty. Errors as session_take. */
gantry_err_t mapper_take_map(mapper_t *mapper, const store_map_put_t *put, opened_t *opened);
/* A map that is being opened comes to nobody any more. Waits for its thread. */
void mapper_give_up_loading(mapper_t *mapper);

/* ---- patches.c: changed cells, and corrections behind them */

void mapper_publish_changes(mapper_t *mapper);
/* The map has moved: to be said once its patches are. */
void mapper_moved(mapper_t *mapper, const slam_correction_t *correction);
/* Says a correction that waits, at once. */
void mapper_say_correction(mapper_t *mapper);
/* Five times a second. */
void mapper_patch_tick(void *arg);

/* ---- finishing.c */

/* Does what waited for slam to be at rest, if it is. */
void mapper_do_due(mapper_t *mapper);

/* The session has ended: finishes its map on a thread, stores it, answers waiter. */
void mapper_finish(mapper_t *mapper, waiter_t waiter);
/* Stores the active map and answers waiter. */
void mapper_store(mapper_t *mapper, waiter_t waiter, content_t content);
/* Offers a finished map again that neither storage nor the data folder took. */
void mapper_keep_again(mapper_t *mapper);
/* The end of the service: what is not stored goes to storage, or into its file; the next life
   finishes what this one could not. */
void mapper_save_at_end(mapper_t *mapper);

/* ---- recall.c */

/* Has the active map and its session written into the memory. */
void mapper_remember(mapper_t *mapper);
/* The same for a map whose finishing the next life has to do. */
void mapper_remember_unfinished(mapper_t *mapper, parcel_t *parcel);
/* Says when the memory cannot be written, and when it can again. */
void mapper_look_at_memory(mapper_t *mapper);
/* Removes the memory. */
void mapper_forget(const mapper_t *mapper);
gantry_err_t mapper_open_memory(mapper_t *mapper);
/* Takes up what the memory holds. A session waits until localization has said where it stands. */
void mapper_recall(mapper_t *mapper);
bool mapper_recalling(const mapper_t *mapper);
/* The first pose decides; without one, time does. */
void mapper_recall_pose(mapper_t *mapper, const loc_pose_t *pose);
void mapper_recall_tick(mapper_t *mapper);

/* ---- zones.c */

/* Raises and clears alerts as the robot enters and leaves zones. */
void mapper_zones(mapper_t *mapper, const loc_pose_t *pose);
/* Clears them all: other shapes come. */
void mapper_leave_zones(mapper_t *mapper);

#endif
