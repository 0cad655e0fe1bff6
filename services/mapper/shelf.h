/* Shelf: a folder of files that wait, one a map. Blocks on the disk. */
#ifndef MAPPER_SHELF_H
#define MAPPER_SHELF_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHELF_FOLDER_SIZE 512

typedef struct shelf {
  char folder[SHELF_FOLDER_SIZE];
  char newest_read[128]; /* name of the file shelf_read gave last */
  uint32_t count;        /* files that wait */
} shelf_t;

/* Counts what waits there from before. */
void shelf_init(shelf_t *shelf, const char *folder);
/* Writes, syncs and renames, so that a file is whole or not there. GANTRY_E_INTERNAL when that
 * fails. */
gantry_err_t shelf_write(shelf_t *shelf, const char *id, const uint8_t *bytes, size_t len);
/* Reads one file that waits into *bytes, malloc'd, the caller's. False when none waits or it cannot
 * be read. */
bool shelf_read(shelf_t *shelf, uint8_t **bytes, size_t *len);
/* Removes the file of that id, if there is one. */
void shelf_remove(shelf_t *shelf, const char *id);
/* Renames the file that was read last to .damaged, so that it is not read again. */
void shelf_set_aside(shelf_t *shelf);

#endif
