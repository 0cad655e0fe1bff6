/* Rates, bytes, gaps and ages of what a tap sees, per topic. Pure: time is an argument. */
#ifndef GANTRY_TAP_STATS_H
#define GANTRY_TAP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TAP_STATS_TOPICS = 256, TAP_STATS_AGES = 1024 };

typedef struct tap_topic {
  char name[121];
  uint64_t messages, bytes, gaps; /* since the tap began */
  uint64_t boot, seq;             /* of the newest message */
  uint64_t since_messages;        /* at the last print */
  uint64_t since_bytes;
  float ages_ms[TAP_STATS_AGES]; /* newest ages, a ring */
  size_t age_count;              /* ages seen */
} tap_topic_t;

typedef struct tap_stats {
  tap_topic_t *topics; /* owned, TAP_STATS_TOPICS of them */
  size_t count;
  uint64_t untracked; /* messages of topics beyond the table */
} tap_stats_t;

/* False when out of memory. */
bool tap_stats_init(tap_stats_t *stats);
void tap_stats_fini(tap_stats_t *stats);
/* One message: its topic, the producer's boot and seq, its length in bytes and its age since birth.
 */
void tap_stats_add(tap_stats_t *stats, const char *topic, uint64_t boot, uint64_t seq, size_t bytes,
                   double age_ms);
/* The p-th percentile (0 to 1) of the newest ages of a topic, ms; 0 without any. */
double tap_topic_age(const tap_topic_t *topic, double p);
/* A table, rates over the period_s since the last print. */
void tap_stats_print(tap_stats_t *stats, double period_s, FILE *out);

#endif
