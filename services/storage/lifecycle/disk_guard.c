/* Levels with hysteresis. */
#include "disk_guard.h"

static disk_level_t level_of(const disk_limits_t *limits, double used) {
  if (used >= limits->read_only) return DISK_READ_ONLY;
  if (used >= limits->purge) return DISK_PURGING;
  return used >= limits->warning ? DISK_WARNING : DISK_OK;
}

disk_level_t disk_guard_note(disk_guard_t *guard, double used, uint64_t now_ns) {
  disk_level_t reached = level_of(&guard->limits, used);
  disk_level_t kept = level_of(&guard->limits, used + DISK_MARGIN);
  if (kept > guard->level) kept = guard->level;
  if (now_ns >= guard->full_until_ns) guard->full_until_ns = 0;
  guard->level = reached > kept ? reached : kept;
  if (guard->full_until_ns) guard->level = DISK_READ_ONLY;
  return guard->level;
}

void disk_guard_full(disk_guard_t *guard, uint64_t now_ns) {
  guard->full_until_ns = now_ns + DISK_RETRY_NS;
  guard->level = DISK_READ_ONLY;
}

const char *disk_level_name(disk_level_t level) {
  static const char *const NAMES[] = {"ok", "warning", "purging", "read_only"};
  return NAMES[level];
}
