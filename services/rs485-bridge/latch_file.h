/* The latch on disk: a latched stop, or a drive that was under way, survives a crash. One small
 * text file in the data folder. */
#ifndef BRIDGE_LATCH_FILE_H
#define BRIDGE_LATCH_FILE_H

#include <gantry/err.h>

#include "robot_state.h"

/* Writes cause and detail (replaced as a whole; survives the process, not a power cut). */
gantry_err_t latch_file_write(const char *path, stop_cause_t cause, const char *detail);
/* Removes it; a missing file is fine. */
gantry_err_t latch_file_clear(const char *path);
/* STOP_NONE when there is no file. A file that cannot be read is STOP_RESTART: in doubt, stop. */
stop_cause_t latch_file_read(const char *path, char *detail, size_t size);

#endif
