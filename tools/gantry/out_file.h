/* Files that a command leaves in a folder of the user's choice. */
#ifndef GANTRY_TOOL_OUT_FILE_H
#define GANTRY_TOOL_OUT_FILE_H

#include <stdio.h>

#include <gantry/err.h>

typedef gantry_err_t (*out_file_writer_t)(FILE *file, const void *arg);

/* Makes the folder when it is missing. GANTRY_E_UNAVAILABLE with the reason, also for a path that
   is no folder. */
gantry_err_t out_folder_make(const char *folder, gantry_fault_t *fault);
/* Lets write fill folder/name. GANTRY_E_UNAVAILABLE with file and reason when it cannot be written
   whole, else what write returned. */
gantry_err_t out_file_write(const char *folder, const char *name, out_file_writer_t write,
                            const void *arg, gantry_fault_t *fault);
/* Sends off what was printed; GANTRY_E_UNAVAILABLE when it does not arrive, as on a full disk. */
gantry_err_t out_printed(gantry_fault_t *fault);

#endif
