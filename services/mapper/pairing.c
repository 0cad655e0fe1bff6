/* Two small tables, searched from end to end: at 12 sweeps a second a few entries wait. */
#include "pairing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000u

typedef struct pair_key {
  char sensor[PAIRING_SENSOR_SIZE];
  uint64_t seq;
  uint64_t since_ns;
  bool taken;
} pair_key_t;

typedef struct waiting_scan {
  pair_key_t key;
  points_t points;
} waiting_scan_t;

typedef struct waiting_pose {
  pair_key_t key;
  placed_t placed;
} waiting_pose_t;

struct pairing {
  waiting_scan_t *scans;
  waiting_pose_t *poses;
  uint32_t capacity;
  uint64_t age_ns;
  uint64_t unpaired;
};

pairing_t *pairing_new(uint32_t capacity, uint32_t age_ms) {
  pairing_t *pairing = calloc(1, sizeof *pairing);
  if (!pairing) return NULL;
  pairing->capacity = capacity;
  pairing->age_ns = (uint64_t)age_ms * NS_PER_MS;
  pairing->scans = calloc(capacity, sizeof *pairing->scans);
  pairing->poses = calloc(capacity, sizeof *pairing->poses);
  if (!pairing->scans || !pairing->poses) pairing_destroy(&pairing);
  return pairing;
}

void pairing_destroy(pairing_t **self) {
  pairing_t *pairing = *self;
  if (!pairing) return;
  free(pairing->scans);
  free(pairing->poses);
  free(pairing);
  *self = NULL;
}

void pairing_clear(pairing_t *pairing) {
  for (uint32_t i = 0; i < pairing->capacity; i++) {
    pairing->scans[i].key.taken = false;
    pairing->poses[i].key.taken = false;
  }
}

static void drop_old(pairing_t *pairing, uint64_t now_ns) {
  for (uint32_t i = 0; i < pairing->capacity; i++) {
    pair_key_t *scan = &pairing->scans[i].key;
    pair_key_t *pose = &pairing->poses[i].key;
    if (scan->taken && now_ns - scan->since_ns > pairing->age_ns) {
      scan->taken = false;
      pairing->unpaired++;
    }
    if (pose->taken && now_ns - pose->since_ns > pairing->age_ns) pose->taken = false;
  }
}

static bool key_is(const pair_key_t *key, const char *sensor, uint64_t seq) {
  return key->taken && key->seq == seq && strcmp(key->sensor, sensor) == 0;
}

static pair_key_t key_of(const char *sensor, uint64_t seq, uint64_t now_ns) {
  pair_key_t key = {.seq = seq, .since_ns = now_ns, .taken = true};
  snprintf(key.sensor, sizeof key.sensor, "%s", sensor);
  return key;
}

/* A free place, or that of the oldest. */
static waiting_scan_t *scan_place(pairing_t *pairing) {
  waiting_scan_t *place = &pairing->scans[0];
  for (uint32_t i = 0; i < pairing->capacity; i++) {
    waiting_scan_t *scan = &pairing->scans[i];
    if (!scan->key.taken) return scan;
    if (scan->key.since_ns < place->key.since_ns) place = scan;
  }
  pairing->unpaired++;
  return place;
}

static waiting_pose_t *pose_place(pairing_t *pairing) {
  waiting_pose_t *place = &pairing->poses[0];
  for (uint32_t i = 0; i < pairing->capacity; i++) {
    waiting_pose_t *pose = &pairing->poses[i];
    if (!pose->key.taken) return pose;
    if (pose->key.since_ns < place->key.since_ns) place = pose;
  }
  return place;
}

bool pairing_scan(pairing_t *pairing, const char *sensor, uint64_t seq, const points_t *points,
                  uint64_t now_ns, placed_t *placed) {
  drop_old(pairing, now_ns);
  for (uint32_t i = 0; i < pairing->capacity; i++) {
    waiting_pose_t *waiting = &pairing->poses[i];
    if (!key_is(&waiting->key, sensor, seq)) continue;
    waiting->key.taken = false;
    *placed = waiting->placed;
    return true;
  }
  waiting_scan_t *place = scan_place(pairing);
  place->key = key_of(sensor, seq, now_ns);
  place->points = *points;
  return false;
}

bool pairing_pose(pairing_t *pairing, const char *sensor, uint64_t seq, placed_t placed,
                  uint64_t now_ns, const points_t **points) {
  drop_old(pairing, now_ns);
  for (uint32_t i = 0; i < pairing->capacity; i++) {
    waiting_scan_t *waiting = &pairing->scans[i];
    if (!key_is(&waiting->key, sensor, seq)) continue;
    waiting->key.taken = false;
    *points = &waiting->points;
    return true;
  }
  waiting_pose_t *place = pose_place(pairing);
  *place = (waiting_pose_t){.key = key_of(sensor, seq, now_ns), .placed = placed};
  return false;
}

uint64_t pairing_unpaired(const pairing_t *pairing) {
  return pairing->unpaired;
}
