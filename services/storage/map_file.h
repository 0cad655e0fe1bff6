/* A map on its way to another machine: one line of text that says what it is, how long and with
   which sum, then a packed store.map_stored. */
#ifndef STORAGE_MAP_FILE_H
#define STORAGE_MAP_FILE_H

#include <gantry/buf.h>
#include <messages.h>

/* Appends the file to out. */
gantry_err_t map_file_write(const store_map_stored_t *map, buf_t *out);
/* Blobs of map point into the bytes. GANTRY_E_INVALID, with a sentence that says why, for what is
   no map file, is cut, damaged, or newer than this program. */
gantry_err_t map_file_read(const uint8_t *bytes, size_t len, store_map_stored_t *map,
                           gantry_fault_t *fault);
/* Checks a map before it is kept: GANTRY_E_INVALID names the field when cells and size do not fit.
 */
gantry_err_t map_file_check(const map_grid_t *grid, gantry_fault_t *fault);

/* Shapes as a version keeps them, a packed map.shapes; out stays empty where there are none. */
gantry_err_t map_file_pack_shapes(const map_grid_t *grid, buf_t *out);
/* GANTRY_E_SCHEMA when they are damaged. */
gantry_err_t map_file_unpack_shapes(const uint8_t *bytes, size_t len, map_grid_t *grid);

#endif
