/* The latch on disk: a latched stop, or a drive that was under way, survives a crash and a power
   cut. One small file in the data folder, always there and always written in place: a disk that has
   become full still takes it. */
#ifndef BRIDGE_LATCH_FILE_H
#define BRIDGE_LATCH_FILE_H

#include <gantry/err.h>

#include "robot_state.h"

#define LATCH_RECORD_SIZE 512

typedef struct latch_file {
  char path[300];
  int fd; /* kept open: a stop needs no free descriptor; -1: could not be opened */
} latch_file_t;

/* Touches nothing yet. GANTRY_E_TOO_LARGE for a path that is too long. */
gantry_err_t latch_file_init(latch_file_t *file, const char *path);
void latch_file_fini(latch_file_t *file);
/* Hands cause and detail to the kernel; STOP_NONE: nothing is latched. They outlive the process at
   once, a power cut after latch_file_sync. The first time, and whenever somebody has taken the file
   away, it is made anew. May wait for the file system. GANTRY_E_UNAVAILABLE when it could not be
   written. */
gantry_err_t latch_file_write(latch_file_t *file, stop_cause_t cause, const char *detail);
/* Blocks until what was written there is on the disk. Its file may be another one on the same path
   than that which was written with, in another thread. GANTRY_E_UNAVAILABLE when it could not be
   kept. */
gantry_err_t latch_file_sync(latch_file_t *file);
/* STOP_NONE when the record says so or there is no file. A file that cannot be read, or whose
   record is not whole, is STOP_RESTART with a sentence in detail: in doubt, stop. */
stop_cause_t latch_file_read(const char *path, char *detail, size_t size);

#endif
