/* The latch on disk: a latched stop, or a drive that was under way, survives a crash and a power
 * cut. One small
 * text file in the data folder. */
#ifndef BRIDGE_LATCH_FILE_H
#define BRIDGE_LATCH_FILE_H

#include <gantry/err.h>

#include "robot_state.h"

/* Writes cause and detail, replaced as a whole. Blocks until they are on the disk: they survive a
   power cut. */
gantry_err_t latch_file_write(const char *path, stop_cause_t cause, const char *detail);
/* Removes it, on the disk too; a missing file is fine. Blocks likewise. */
gantry_err_t latch_file_clear(const char *path);
/* STOP_NONE when there is no file. A file that cannot be read is STOP_RESTART: in doubt, stop. */
stop_cause_t latch_file_read(const char *path, char *detail, size_t size);

#endif
