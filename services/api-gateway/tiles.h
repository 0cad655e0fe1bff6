/* The cells of a map cut into squares, each with the revision that surely holds it as it is: a
   client that has revision N is sent the squares that are newer. The mapper's cells run ahead of
   the patches that count revisions, so what came with revision N may only be promised from N + 1.
   Pure.

   As bytes, all little-endian: a head of 104 bytes,
      0  "GMT1"
      4  u32     cells along the side of a tile: 64
      8  u64     revision of the cells
     16  u64     revision that the client has; 0: these are all tiles that hold known cells
     24  f64     side of a cell, mm
     32  i32 x 2 column and row of the map's first cell, counted from the map frame's origin
     40  u32 x 2 columns and rows of the map
     48  u32     tiles that follow
     52  52 bytes: the map's id, ended by zeros
   and for each tile
      0  i32 x 2 column and row of its first cell
      8  u64     revision that surely holds it so
     16  u32     bytes of cells that follow: pairs of a value byte (0 free, 1 occupied, 255 unknown)
                 and a run length as LEB128, row by row from the lowest y. */
#ifndef GATEWAY_TILES_H
#define GATEWAY_TILES_H

#include <gantry/buf.h>
#include <gantry/err.h>
#include <messages.h>

enum { TILES_SIDE = 64, TILES_HEAD = 104 };

typedef struct tile {
  int32_t column, row; /* of the tile, in tiles */
  uint64_t revision;
  uint32_t len;
  uint8_t *cells; /* owned */
} tile_t;

/* What patches told of the tiles: one may change and change back between two cuts, which the cells
   do not show, but a client that heard the first patch alone has to hear of it. A place stands for
   all tiles a multiple of TILES_TOLD apart: at worst one is sent that its client had. */
enum { TILES_TOLD = 256 };
typedef struct tiles_told {
  char map_id[sizeof((map_patch_t){0}.map_id)];
  uint64_t from, upto;                        /* every patch between these revisions was heard */
  uint64_t revisions[TILES_TOLD][TILES_TOLD]; /* of the newest patch over it: row, column */
} tiles_told_t;

typedef struct tiles {
  map_info_t info;     /* of the cells */
  uint64_t from;       /* revision since which it is known what changed */
  int32_t column, row; /* of the first cell */
  tile_t *tiles;       /* by row, then column */
  uint32_t count;
} tiles_t;

/* Notes the tiles that a patch covers. */
void tiles_tell(tiles_told_t *told, const map_patch_t *patch);
/* Cuts cells (as map.grid has them) of that map. Squares that are as they were, and of which no
   patch told, keep their revision; another map or another size of cells begins anew.
   GANTRY_E_SCHEMA when the cells do not fill the rectangle, GANTRY_E_INTERNAL without memory: then
   nothing has changed. */
gantry_err_t tiles_update(tiles_t *self, const map_info_t *info, const blob_t *cells,
                          const tiles_told_t *told);
/* Whether it can be said what changed after revision `since` of map_id: not of another map, not
   when it lies ahead of the cells or before patches that were missed, nor of 0. */
bool tiles_follow(const tiles_t *self, const char *map_id, uint64_t since);
/* Appends what changed after revision `since` of map_id, nothing when that is the present one;
   everything when that cannot be said. */
gantry_err_t tiles_write(const tiles_t *self, const char *map_id, uint64_t since, buf_t *out);
/* Frees; harmless on zeroed memory. */
void tiles_fini(tiles_t *self);

#endif
