/* Maps as files of map_server's convention, out and in. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/slam/map_image.h>

#include "call.h"
#include "picture.h"
#include "routes_map.h"
#include "view.h"

#define OCCUPIED_THRESH 0.65
#define FREE_THRESH     0.196

static map_key_t named_map(const exchange_t *x) {
  const http_map_params_t *params = x->params;
  map_key_t key = {0};

  snprintf(key.map_id, sizeof key.map_id, "%s", params->map_id);
  return key;
}

/* The map's id as a file name; what could mean something to a shell or a header becomes "_". */
static void file_name(const char *map_id, const char *ending, char *out, size_t size) {
  char plain[64];

  snprintf(plain, sizeof plain, "%s", map_id);
  for (char *at = plain; *at; at++)
    if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_') *at = '_';
  snprintf(out, size, "%s.%s", plain, ending);
}

/* Says under which name the answer is to be kept. The text lives as long as the exchange. */
static void name_answer(exchange_t *x, const char *ending) {
  const http_map_params_t *params = x->params;
  char name[80];

  file_name(params->map_id, ending, name, sizeof name);
  buf_reset(&x->scratch);
  buf_printf(&x->scratch, "Content-Disposition: attachment; filename=\"%s\"\r\n", name);
  x->head.extra = buf_text(&x->scratch);
}

/* Before a job: the thread's hold keeps x alive until its function. */
static void begin_work(exchange_t *x) {
  x->holds++;
  x->working = true;
}

static void settle(exchange_t *x, gantry_err_t err) {
  if (err == GANTRY_OK) return;
  x->holds--;
  x->working = false;
  exchange_fail(x, err, NULL, "",
                err == GANTRY_E_UNAVAILABLE ? "Other maps are being drawn; try again in a second."
                                            : "Out of memory.");
}

/* ---- out */

static void on_drawn(picture_result_t *result, void *arg) {
  exchange_t *x = arg;

  x->working = false;
  if (result->fault.err != GANTRY_OK) {
    exchange_fail_fault(x, &result->fault);
  } else {
    name_answer(x, "png");
    shared_t *png = shared_take(&result->bytes);
    if (png)
      exchange_finish_shared(x, "image/png", png, NULL);
    else
      exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    shared_drop(&png);
  }
  exchange_release(x);
}

static void on_cells(exchange_t *x, const void *reply) {
  const map_grid_t *grid = reply;
  shared_t *cells = shared_copy(grid->cells.data, grid->cells.len);

  begin_work(x);
  settle(x, picture_write(x->gateway->pictures, &grid->info, cells, on_drawn, x));
  shared_drop(&cells);
}

static void on_image(exchange_t *x) {
  map_key_t key = named_map(x);

  exchange_call(x, REQUEST_STORE_MAP_GET, &key, on_cells, NULL);
}

static void on_yaml_cells(exchange_t *x, const void *reply) {
  const map_info_t *info = &((const map_grid_t *)reply)->info;
  map_image_t image = {.box = {.min_x = (int32_t)lround(info->origin_x / info->resolution),
                               .min_y = (int32_t)lround(info->origin_y / info->resolution),
                               .width = info->width,
                               .height = info->height},
                       .resolution_m = info->resolution};
  char name[80], text[512] = "";

  file_name(info->map_id, "png", name, sizeof name);
  FILE *file = fmemopen(text, sizeof text, "w");
  gantry_err_t err = file ? map_image_write_yaml(&image, name, file) : GANTRY_E_INTERNAL;
  if (file && fclose(file) != 0) err = GANTRY_E_INTERNAL;
  if (err != GANTRY_OK) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The YAML cannot be written.");
    return;
  }
  name_answer(x, "yaml");
  exchange_begin(x);
  buf_put_text(&x->out, text);
  exchange_finish(x, 200, "application/yaml");
}

static void on_yaml(exchange_t *x) {
  map_key_t key = named_map(x);

  exchange_call(x, REQUEST_STORE_MAP_GET, &key, on_yaml_cells, NULL);
}

/* ---- in */

static void on_stored(exchange_t *x, const void *reply) {
  map_answer(x, reply, "The map is stored; load it to use it.");
}

static void on_read(picture_result_t *result, void *arg) {
  exchange_t *x = arg;
  const http_map_import_params_t *params = x->params;
  map_import_t import = {.resolution = result->resolution_m,
                         .origin_x = result->box.min_x * result->resolution_m,
                         .origin_y = result->box.min_y * result->resolution_m,
                         .width = result->box.width,
                         .height = result->box.height,
                         .cells = {.data = result->bytes.data, .len = result->bytes.len}};

  x->working = false;
  if (result->fault.err != GANTRY_OK) {
    exchange_fail_fault(x, &result->fault);
  } else {
    snprintf(import.name, sizeof import.name, "%s", params->name);
    exchange_call(x, REQUEST_MAP_IMPORT, &import, on_stored, NULL);
  }
  exchange_release(x);
}

static void on_import(exchange_t *x) {
  const http_map_import_params_t *params = x->params;
  map_yaml_t yaml = {.image = "image",
                     .resolution_m = params->resolution,
                     .origin_x_m = params->has_origin_x ? params->origin_x : 0,
                     .origin_y_m = params->has_origin_y ? params->origin_y : 0,
                     .negate = params->has_negate && params->negate,
                     .occupied_thresh =
                         params->has_occupied_thresh ? params->occupied_thresh : OCCUPIED_THRESH,
                     .free_thresh = params->has_free_thresh ? params->free_thresh : FREE_THRESH};

  if (x->in.len == 0) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "image", "The body is the image: a PNG or a PGM.");
    return;
  }
  if (!(yaml.free_thresh < yaml.occupied_thresh)) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "free_thresh",
                  "free_thresh must be below occupied_thresh.");
    return;
  }
  shared_t *image = shared_take(&x->in);
  begin_work(x);
  settle(x, picture_read(x->gateway->pictures, image, &yaml, on_read, x));
  shared_drop(&image);
}

const call_route_t ROUTES_PICTURE[] = {
    {ENDPOINT_MAP_IMAGE, on_image},
    {ENDPOINT_MAP_YAML, on_yaml},
    {ENDPOINT_MAP_IMPORT, on_import},
    {0, NULL},
};
