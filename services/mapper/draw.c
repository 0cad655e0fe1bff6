/* map.* requests that draw into the active map: cells and shapes. Each makes a new version. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <string.h>

#include "mapper_internal.h"
#include "shapes.h"

/* False (and answered) when the active map cannot be changed now. */
static bool may_draw(const mapper_t *mapper, rpc_context_t *call) {
  if (!mapper_has_map(mapper, call)) return false;
  const char *busy = mapper_busy_with(mapper);
  if (!busy && !mapper->unkept) return true;
  rpc_fail(call, GANTRY_E_REFUSED, "", "%s",
           busy ? busy : "the map could not be stored yet: free the disk first");
  return false;
}

static void store(mapper_t *mapper, rpc_context_t *call, waiter_kind_t kind) {
  mapper->session.updated_ns = clock_wall_ns();
  mapper_store(mapper, (waiter_t){.call = call, .kind = kind}, CONTENT_MAP);
}

/* ---- cells */

static gantry_err_t refuse_edit(rpc_context_t *call, gantry_err_t err, const char *why) {
  rpc_fail(call, err, "", "%s", why);
  return err;
}

static gantry_err_t check_edit(const overlay_t *overlay, const overlay_edit_t *edit, grid_box_t box,
                               rpc_context_t *call) {
  if (box.width == 0)
    return refuse_edit(call, GANTRY_E_INVALID, "the rectangle lies outside the map");
  if ((uint64_t)box.width * box.height > OVERLAY_CELLS_MAX)
    return refuse_edit(call, GANTRY_E_INVALID,
                       "the rectangle is too large: at most 1,000,000 cells at a time");
  if (!overlay_has_room(overlay, edit))
    return refuse_edit(call, GANTRY_E_REFUSED,
                       "the map has 256 edits, which is the most: one that covers others takes"
                       " their place, or export the picture and import it as a new map");
  return GANTRY_OK;
}

static void on_edit(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  session_t *session = &mapper->session;
  const map_edit_t *edit = takes;
  overlay_edit_t drawn = {edit->x, edit->y, edit->width, edit->height, (int8_t)edit->state};
  if (!may_draw(mapper, call)) return;
  grid_box_t box = overlay_cells(&drawn, session->resolution_m, session_box(session));
  if (check_edit(&session->overlay, &drawn, box, call) != GANTRY_OK) return;
  if (overlay_fill(session_grid(session), box, drawn.state) != GANTRY_OK) {
    rpc_fail(call, GANTRY_E_REFUSED, "", "the map has no room for it: it has all its tiles");
    return;
  }
  (void)overlay_add(&session->overlay, &drawn);
  log_info("MAP-EDITED", "%u x %u cells of map %s are set to %d", box.width, box.height,
           session->map_id, drawn.state);
  mapper_publish_changes(mapper);
  store(mapper, call, WAITER_INFO);
}

/* ---- shapes */

static void shapes_changed(mapper_t *mapper, rpc_context_t *call) {
  mapper->drawn++;
  store(mapper, call, WAITER_SHAPES);
}

static void on_shape_put(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  gantry_fault_t fault = {0};
  if (!may_draw(mapper, call)) return;
  if (shapes_check(&mapper->shapes, takes, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  mapper_leave_zones(mapper);
  (void)shapes_put(&mapper->shapes, takes, &fault);
  shapes_changed(mapper, call);
}

static void on_shape_delete(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  const map_shape_key_t *key = takes;
  if (!may_draw(mapper, call)) return;
  if (!shapes_has(&mapper->shapes, key->shape_id)) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "shape_id", "the active map has no shape %s", key->shape_id);
    return;
  }
  mapper_leave_zones(mapper);
  (void)shapes_remove(&mapper->shapes, key->shape_id);
  shapes_changed(mapper, call);
}

gantry_err_t mapper_serve_drawing(mapper_t *mapper) {
  rpc_server_t *server = mapper->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_MAP_EDIT, on_edit, mapper));
  GANTRY_TRY(rpc_serve(server, REQUEST_MAP_SHAPE_PUT, on_shape_put, mapper));
  return rpc_serve(server, REQUEST_MAP_SHAPE_DELETE, on_shape_delete, mapper);
}
