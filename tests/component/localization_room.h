/* The room of room.h as a LiDAR in it and a mapper tell it to localization. */
#ifndef LOCALIZATION_ROOM_H
#define LOCALIZATION_ROOM_H

#include "localization_play.h"
#include "room.h"

/* The map of the room that map.get answers; fields may be changed. */
extern map_grid_t room_map;

/* A mapper that serves the room as map `map_id`; its status is heard. Call before play_open. */
harness_peer_t *room_mapper(play_t *play, const char *map_id);
/* Publishes map.status for that map. */
map_status_t room_status(const char *map_id, bool mapping);
void room_say(harness_peer_t *mapper, const map_status_t *status);
/* Publishes map.status and waits until localization uses that map. */
bool room_loaded(play_t *play, harness_peer_t *mapper, const char *map_id, bool extending);
bool room_used(play_t *play, const char *map_id);
/* A scan from a pose; covered: no ray comes back. */
void room_scan_from(play_t *play, pose2_t pose, bool covered);
/* Odometry and a scan, 25 ms apart from the next, until the predicate holds or so many were sent.
 */
bool room_drive(play_t *play, pose2_t odometry, pose2_t truth, int scans,
                harness_predicate_fn predicate, void *arg);

#endif
