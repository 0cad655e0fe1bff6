/* Counts what a tap sees; ages are kept as a ring of the newest. */
#include "tap_stats.h"

#include <stdlib.h>
#include <string.h>

bool tap_stats_init(tap_stats_t *stats) {
  *stats = (tap_stats_t){0};
  stats->topics = calloc(TAP_STATS_TOPICS, sizeof *stats->topics);
  return stats->topics != NULL;
}

void tap_stats_fini(tap_stats_t *stats) {
  free(stats->topics);
  *stats = (tap_stats_t){0};
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const tap_topic_t *)a)->name, ((const tap_topic_t *)b)->name);
}

static tap_topic_t *find(tap_stats_t *stats, const char *name) {
  for (size_t i = 0; i < stats->count; i++) {
    if (strcmp(stats->topics[i].name, name) == 0) return &stats->topics[i];
  }
  if (stats->count == TAP_STATS_TOPICS) return NULL;
  tap_topic_t *topic = &stats->topics[stats->count++];
  snprintf(topic->name, sizeof topic->name, "%s", name);
  return topic;
}

void tap_stats_add(tap_stats_t *stats, const char *name, uint64_t boot, uint64_t seq, size_t bytes,
                   double age_ms) {
  tap_topic_t *topic = find(stats, name);
  if (!topic) {
    stats->untracked++;
    return;
  }
  bool follows = topic->messages > 0 && topic->boot == boot && seq > topic->seq;
  if (follows) topic->gaps += seq - topic->seq - 1;
  topic->boot = boot;
  topic->seq = seq;
  topic->messages++;
  topic->bytes += bytes;
  topic->ages_ms[topic->age_count++ % TAP_STATS_AGES] = (float)age_ms;
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a;
  float y = *(const float *)b;
  return (x > y) - (x < y);
}

double tap_topic_age(const tap_topic_t *topic, double p) {
  float sorted[TAP_STATS_AGES];
  size_t count = topic->age_count < TAP_STATS_AGES ? topic->age_count : TAP_STATS_AGES;
  if (count == 0) return 0.0;
  memcpy(sorted, topic->ages_ms, count * sizeof sorted[0]);
  qsort(sorted, count, sizeof sorted[0], by_value);
  size_t index = (size_t)(p * (double)(count - 1) + 0.5);
  return (double)sorted[index];
}

void tap_stats_print(tap_stats_t *stats, double period_s, FILE *out) {
  qsort(stats->topics, stats->count, sizeof *stats->topics, by_name);
  fprintf(out, "%-34s %9s %8s %9s %6s %10s %10s\n", "TOPIC", "MESSAGES", "HZ", "KIB/S", "GAPS",
          "AGE P50 MS", "AGE P99 MS");
  for (size_t i = 0; i < stats->count; i++) {
    tap_topic_t *topic = &stats->topics[i];
    double hz = (double)(topic->messages - topic->since_messages) / period_s;
    double kib = (double)(topic->bytes - topic->since_bytes) / period_s / 1024.0;
    fprintf(out, "%-34s %9llu %8.2f %9.2f %6llu %10.3f %10.3f\n", topic->name,
            (unsigned long long)topic->messages, hz, kib, (unsigned long long)topic->gaps,
            tap_topic_age(topic, 0.5), tap_topic_age(topic, 0.99));
    topic->since_messages = topic->messages;
    topic->since_bytes = topic->bytes;
  }
  if (stats->untracked > 0) {
    fprintf(out, "%llu messages of further topics\n", (unsigned long long)stats->untracked);
  }
  fputc('\n', out);
  fflush(out);
}
