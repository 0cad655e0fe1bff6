/* A session with readings of three sensors, put into a fixture's store: force at 1 kHz, motor at
   500 Hz, camera (objects) at 100 Hz, numbered in the order of their times. */
#ifndef TESTS_SESSION_ROWS_H
#define TESTS_SESSION_ROWS_H

#include "fixture.h"

/* 2026-01-01T00:00:00Z, µs. */
#define SESSION_START_US INT64_C(1767225600000000)

/* Readings of `ms` milliseconds, from `from_ms` after the start on (10,000 before it at most);
 * returns how many. */
uint64_t session_rows_add(fixture_t *fixture, const char *session, int64_t from_ms, int64_t ms);

#endif
