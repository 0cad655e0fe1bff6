/* The active map's cells: rows, run lengths, a PNG, tiles. */
#include <stdio.h>

#include <gantry/clock.h>

#include "active_map.h"
#include "call.h"
#include "routes_map.h"
#include "stream.h"
#include "stream_cells.h"
#include "view.h"

enum {
  ROWS_KEPT = 2 << 20,    /* cells; of larger maps rows are written for each client, in pieces */
  WHOLE_CELLS = 64 << 10, /* answers of more are counted as downloads */
  WHOLE_BYTES = 64 << 10, /* the same, of tiles that changed */
};

static uint64_t cells_of(const map_info_t *info) {
  return (uint64_t)info->width * info->height;
}

static void answer_form(exchange_t *x, map_form_t form, const char *type) {
  const active_map_t *map = x->gateway->active_map;

  if (cells_of(active_map_info(map, form)) > WHOLE_CELLS && !stream_admit(x)) return;
  exchange_finish_shared(x, type, active_map_bytes(map, form), active_map_packed(map, form));
}

/* ---- JSON */

static void answer_rows(exchange_t *x) {
  answer_form(x, MAP_FORM_ROWS, "application/json");
}

static void answer_runs(exchange_t *x) {
  answer_form(x, MAP_FORM_RUNS, "application/json");
}

static void answer_by_size(exchange_t *x) {
  const active_map_t *map = x->gateway->active_map;
  const map_info_t *info = active_map_info(map, MAP_FORM_CELLS);

  if (cells_of(info) <= ROWS_KEPT) {
    active_map_then(x, MAP_FORM_ROWS, "rows", answer_rows);
    return;
  }
  http_occupancy_grid_t answer = {
      .success = true, .occupancy_grid = view_occupancy(info), .timestamp = clock_wall_ns()};
  stream_cells(x, &answer, &answer.occupancy_grid, info, active_map_bytes(map, MAP_FORM_CELLS));
}

static void on_occupancy_grid(exchange_t *x) {
  const http_grid_params_t *params = x->params;

  if (params->has_encoding && params->encoding == HTTP_GRID_ENCODING_RUNS)
    active_map_want(x, MAP_FORM_RUNS, "runs", answer_runs);
  else
    active_map_want(x, MAP_FORM_CELLS, "rows", answer_by_size);
}

/* ---- bytes */

static void answer_picture(exchange_t *x) {
  answer_form(x, MAP_FORM_PNG, "image/png");
}

static void on_picture(exchange_t *x) {
  active_map_want(x, MAP_FORM_PNG, "png", answer_picture);
}

static void answer_tiles(exchange_t *x) {
  const http_tiles_params_t *params = x->params;
  const tiles_t *tiles = active_map_tiles(x->gateway->active_map);

  if (!params->has_since || !tiles_follow(tiles, params->map_id, params->since)) {
    answer_form(x, MAP_FORM_TILES, "application/octet-stream");
    return;
  }
  exchange_begin(x);
  (void)tiles_write(tiles, params->map_id, params->since, &x->out);
  if (x->out.len > WHOLE_BYTES && !stream_admit(x)) return;
  exchange_finish(x, 200, "application/octet-stream");
}

static void on_tiles(exchange_t *x) {
  const http_tiles_params_t *params = x->params;
  char mark[24];

  if (params->has_since && !params->has_map_id) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "map_id",
                  "map_id has to say which map's revision `since` is.");
    return;
  }
  snprintf(mark, sizeof mark, "%llu", (unsigned long long)(params->has_since ? params->since : 0));
  active_map_want(x, MAP_FORM_TILES, mark, answer_tiles);
}

const call_route_t ROUTES_GRID[] = {
    {ENDPOINT_MAP_OCCUPANCY_GRID, on_occupancy_grid},
    {ENDPOINT_MAP_PICTURE, on_picture},
    {ENDPOINT_MAP_TILES, on_tiles},
    {0, NULL},
};
