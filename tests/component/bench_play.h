/* A door on the test bench's listener, and what sensor-processor says to it. */
#ifndef GANTRY_TEST_BENCH_PLAY_H
#define GANTRY_TEST_BENCH_PLAY_H

#include "door.h"

extern const char BENCH_PLAY_ID[]; /* of the session */

/* In a zone seven hours ahead, so that local times show; door_close closes it. */
void bench_play_open(void);
/* A session of 2.5 s, begun at 1,700,000,000 s. */
void bench_play_session(session_session_t *session, session_state_t state);
/* session.changed */
void bench_play_say(session_state_t state);
/* A force of 10, a lidar's row, a force of 81.5 that a rule has met, 1 ms later, and an image, 2 ms
   later. */
void bench_play_readings(uint64_t time_ns);

#endif
