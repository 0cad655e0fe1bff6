/* Scout: what takes longer than the loop may wait, on a thread of its own. It turns a fetched map
   into a tracker, and keeps what is needed to search scans in it. Work goes in by value, reports
   come out through a descriptor for the loop to watch; nothing here blocks the caller. */
#ifndef LOC_SCOUT_H
#define LOC_SCOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/slam/points.h>
#include <gantry/slam/search.h>
#include <gantry/slam/tracker.h>

#define SCOUT_PLACES 4

typedef struct scout scout_t;

/* A stored map as it travels (map_codec.h). */
typedef struct scout_map {
  uint32_t ticket; /* the caller's name for this piece of work */
  double resolution_m;
  grid_box_t box;
  const uint8_t *bytes; /* copied */
  size_t len;
  bool searched; /* scans are to be searched in it; else the map before stays for that */
} scout_map_t;

typedef struct scout_place {
  pose2_t pose;
  double fit; /* share of the scan's points that fit there */
} scout_place_t;

typedef struct scout_report {
  uint32_t ticket;
  gantry_err_t err;   /* of a map: as tracking_prepare; of a search: as search_best */
  bool is_map;        /* the answer to scout_prepare, else to scout_search */
  tracker_t *tracker; /* of a map: the receiver's from here on; NULL after an error */
  uint32_t count;     /* of a search: places, best first */
  scout_place_t places[SCOUT_PLACES];
  double took_s;
} scout_report_t;

gantry_err_t scout_new(scout_t **out);
/* Waits for the work under way. */
void scout_destroy(scout_t **self);

/* Each of these returns false when too much waits already. */
bool scout_prepare(scout_t *scout, const scout_map_t *map);
/* A window that is not finite means all of the map. GANTRY_E_UNAVAILABLE is reported when no map
   was prepared for searching. */
bool scout_search(scout_t *scout, uint32_t ticket, const points_t *points,
                  const search_window_t *window, double score_min);
/* Frees a tracker where it does not matter how long that takes. */
void scout_discard(scout_t *scout, tracker_t *tracker);

/* Readable while there is a report. */
int scout_fd(const scout_t *scout);
bool scout_receive(scout_t *scout, scout_report_t *out);

#endif
