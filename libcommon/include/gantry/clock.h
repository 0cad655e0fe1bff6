/* Clocks. Intervals and ages come from the monotonic clock; wall time is for people and databases.
 */
#ifndef GANTRY_CLOCK_H
#define GANTRY_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64 bits wide, so that a product with them does not wrap at 4.29 s. */
#define GANTRY_NS_PER_MS UINT64_C(1000000)
#define GANTRY_NS_PER_S  UINT64_C(1000000000)

/* CLOCK_MONOTONIC, ns. The same clock for every process of one host. */
uint64_t clock_mono_ns(void);
/* CLOCK_REALTIME, ns since 1970-01-01 UTC. */
uint64_t clock_wall_ns(void);
/* Writes e.g. "2026-01-31T09:05:07.123456Z" (27 characters and NUL) for a wall time; text holds
   at least 28 bytes. Returns text. */
char *clock_iso(uint64_t wall_ns, char *text, size_t size);
/* The wall time of an RFC 3339 text ("2026-01-31T09:05:07.123Z", "…+07:00"), from 1970 on; false
   when it is none. Digits behind the ninth of a second are passed over. */
bool clock_parse_iso(const char *text, uint64_t *wall_ns);
/* Milliseconds from then to now on the monotonic clock, 0 when then lies ahead. */
double clock_age_ms(uint64_t now_ns, uint64_t then_ns);

#endif
