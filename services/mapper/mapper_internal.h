/* Inside of the mapper's glue: what its files share. */
#ifndef MAPPER_MAPPER_INTERNAL_H
#define MAPPER_MAPPER_INTERNAL_H

#include <gantry/service.h>

#include "keeper.h"
#include "pairing.h"
#include "session.h"

struct mapper;

/* A map on its way from storage. Outlives the mapper when the answer does. */
typedef struct loading {
  struct mapper *owner; /* NULL once the mapper is gone */
  rpc_context_t *call;  /* who waits; NULL: nobody, the active map's name was changed */
  bool extend;          /* map.update: go on drawing it */
} loading_t;

typedef struct mapper {
  service_t *service;
  session_t session;
  pairing_t *pairing;
  keeper_t *keeper;
  loading_t *loading;  /* NULL: none */
  rpc_context_t *stop; /* a map.stop that waits for storage */
  points_gate_t gate;
  pose2_t mount; /* of the LiDAR, robot frame */
  uint32_t tile_limit;
  double speed_mps, turn_radps;                           /* of the newest pose */
  float angles[POINTS_CAPACITY], ranges[POINTS_CAPACITY]; /* of the sweep at hand, straightened */
  points_t points;                                        /* of the sweep at hand */
  uint64_t last_scan_ns;                                  /* monotonic, 0: none yet */
  uint64_t unpaired;                                      /* as counted in the metric */
  bool grid_full;                                         /* said once a session */
  buf_t cells;                                            /* scratch of patches and grids */
  buf_t path;                                             /* and of the packed trajectory */
  uint64_t checkpointed;    /* sweeps of the session that storage has */
  uint64_t remembered;      /* and that the memory has */
  uint64_t resume_until_ns; /* monotonic; 0: no session waits to go on */
  bool unkept;              /* the finished map is neither stored nor in a file */
  bool forgetful;           /* the memory cannot be written */
  int patch_timer, status_timer, checkpoint_timer, memory_timer;
  metric_t *scans, *integrated, *unpaired_total, *foreign, *failed, *patches, *patch_bytes;
  metric_t *integrate_ms, *waiting;
} mapper_t;

/* map.* requests. */
gantry_err_t mapper_serve(mapper_t *mapper);
/* Publishes what the mapper does. */
void mapper_publish_status(mapper_t *mapper);
/* Fills info; metadata carries the session's. */
void mapper_info(const mapper_t *mapper, map_info_t *info);
/* The active map with its cells, as storage takes it. Cells and trajectory are borrowed from the
   mapper. */
gantry_err_t mapper_fill_put(mapper_t *mapper, store_map_put_t *put);
/* Makes a map with its cells the active one. Errors as session_load. */
gantry_err_t mapper_take_map(mapper_t *mapper, const map_grid_t *grid);
/* Writes the active map and its session into the memory; a failure is said and shows in health. */
void mapper_remember(mapper_t *mapper);
/* Offers a finished map again that neither storage nor the data folder took. */
void mapper_keep_again(mapper_t *mapper);
/* Removes the memory. */
void mapper_forget(const mapper_t *mapper);
/* Takes up what the memory holds. A session waits until localization has said where it stands. */
void mapper_recall(mapper_t *mapper);
bool mapper_recalling(const mapper_t *mapper);
/* The first pose decides; without one, time does. */
void mapper_recall_pose(mapper_t *mapper, const loc_pose_t *pose);
void mapper_recall_tick(mapper_t *mapper);
/* Asks storage for a map. call as in loading_t. GANTRY_E_CONFLICT when one is on its way. */
gantry_err_t mapper_load(mapper_t *mapper, const char *map_id, rpc_context_t *call, bool extend);

#endif
