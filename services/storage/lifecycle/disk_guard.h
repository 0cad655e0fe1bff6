/* How full the disk may become: a warning, then the oldest stream data goes, then nothing is
   written any more. A level is left a little below its limit, so that none flickers. Pure; time is
   an argument. */
#ifndef STORAGE_DISK_GUARD_H
#define STORAGE_DISK_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_MARGIN   2.0         /* percent below a limit at which its level ends */
#define DISK_RETRY_NS 5000000000u /* after a write found no room */

typedef enum disk_level { DISK_OK, DISK_WARNING, DISK_PURGING, DISK_READ_ONLY } disk_level_t;

/* Percent of the file system, rising. */
typedef struct disk_limits {
  double warning;
  double purge;
  double read_only;
} disk_limits_t;

typedef struct disk_guard {
  disk_limits_t limits;
  disk_level_t level;
  uint64_t full_until_ns; /* monotonic; 0: the last write found room */
} disk_guard_t;

/* Notes how full the disk is, in percent, and gives the level from now on. */
disk_level_t disk_guard_note(disk_guard_t *guard, double used, uint64_t now_ns);
/* A write found no room, whatever was measured: read-only until DISK_RETRY_NS have passed and the
   measure allows it. */
void disk_guard_full(disk_guard_t *guard, uint64_t now_ns);
/* "ok", "warning", "purging", "read_only". */
const char *disk_level_name(disk_level_t level);

#endif
