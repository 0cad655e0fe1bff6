/* Maps with their cells, and the sessions that made them. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

#define INFO_COLUMNS                                                                               \
  "SELECT map_id, name, resolution, width, height, origin_x, origin_y, metadata, revision,"        \
  " created, updated, cells FROM map "

static void read_info(stmt_t *statement, map_info_t *info) {
  db_get_text(statement, 0, info->map_id, sizeof info->map_id);
  db_get_text(statement, 1, info->name, sizeof info->name);
  info->resolution = db_get_real(statement, 2);
  info->width = (uint32_t)db_get_u64(statement, 3);
  info->height = (uint32_t)db_get_u64(statement, 4);
  info->origin_x = db_get_real(statement, 5);
  info->origin_y = db_get_real(statement, 6);
  db_get_text(statement, 7, info->metadata, sizeof info->metadata);
  info->revision = db_get_u64(statement, 8);
  info->created = db_get_time(statement, 9);
  info->updated = db_get_time(statement, 10);
}

/* Reads one map; grid NULL: without its cells. */
static gantry_err_t get_map(store_t *store, const char *map_id, map_info_t *info, map_grid_t *grid,
                            store_call_t *call) {
  stmt_t *statement = db_use(store->db, INFO_COLUMNS "WHERE map_id = ?");
  db_bind_text(statement, 1, map_id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return fault_set(call->fault, err, "map_id", "no map %s", map_id);
  if (err != GANTRY_OK) return err;
  read_info(statement, info);
  if (grid) {
    const void *bytes = db_get_blob(statement, 11, &grid->cells.len);
    grid->cells.data = arena_copy(call->arena, bytes, grid->cells.len);
    if (!grid->cells.data) err = GANTRY_E_INTERNAL;
  }
  db_reset(statement);
  return err;
}

static gantry_err_t put_session(store_t *store, const store_map_put_t *put, uint64_t now_ns) {
  if (put->session_id[0] == '\0') return GANTRY_OK;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO map_session (session_id, map_id, started, ended,"
                        " scans, quality, created, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?4,"
                        " ?7) ON CONFLICT (session_id) DO UPDATE SET ended = ?4, scans ="
                        " ?5, quality = ?6");
  db_bind_int(statement, 7, store_new_id(store, STORE_ID_MAP_SESSION));
  db_bind_text(statement, 1, put->session_id);
  db_bind_text(statement, 2, put->grid.info.map_id);
  db_bind_time(statement, 3, put->started);
  db_bind_time(statement, 4, now_ns);
  db_bind_u64(statement, 5, put->scans);
  db_bind_real(statement, 6, put->quality);
  return db_finish(statement);
}

gantry_err_t store_map_put(store_t *store, store_call_t *call) {
  const store_map_put_t *put = call->takes;
  const map_info_t *info = &put->grid.info;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO map (map_id, name, resolution, width, height,"
                        " origin_x, origin_y, cells, metadata, revision, version, created,"
                        " updated, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1,"
                        " ?11, ?12, ?13) ON CONFLICT (map_id) DO UPDATE SET resolution ="
                        " ?3, width = ?4, height = ?5, origin_x = ?6, origin_y = ?7, cells"
                        " = ?8, revision = ?10, version = version + 1, updated = ?12");
  db_bind_int(statement, 13, store_new_id(store, STORE_ID_MAP));
  db_bind_text(statement, 1, info->map_id);
  db_bind_text(statement, 2, info->name);
  db_bind_real(statement, 3, info->resolution);
  db_bind_int(statement, 4, info->width);
  db_bind_int(statement, 5, info->height);
  db_bind_real(statement, 6, info->origin_x);
  db_bind_real(statement, 7, info->origin_y);
  db_bind_blob(statement, 8, put->grid.cells.data, put->grid.cells.len);
  db_bind_text(statement, 9, info->metadata[0] ? info->metadata : "{}");
  db_bind_u64(statement, 10, info->revision);
  db_bind_time(statement, 11, info->created ? info->created : call->now_ns);
  db_bind_time(statement, 12, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  GANTRY_TRY(put_session(store, put, call->now_ns));
  return get_map(store, info->map_id, call->gives, NULL, call);
}

gantry_err_t store_map_get(store_t *store, store_call_t *call) {
  const map_key_t *key = call->takes;
  map_grid_t *out = call->gives;
  return get_map(store, key->map_id, &out->info, out, call);
}

gantry_err_t store_map_list(store_t *store, store_call_t *call) {
  store_maps_t *out = call->gives;
  stmt_t *statement = db_use(store->db, INFO_COLUMNS "ORDER BY created DESC, id DESC LIMIT ?");
  gantry_err_t err;
  db_bind_int(statement, 1, sizeof out->maps / sizeof *out->maps);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_info(statement, &out->maps[out->maps_count++]);
  if (err != GANTRY_E_NOT_FOUND) return err;
  statement = db_use(store->db, "SELECT count(*) FROM map");
  GANTRY_TRY(db_next(statement));
  out->total = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_map_update(store_t *store, store_call_t *call) {
  const store_map_update_t *update = call->takes;
  stmt_t *statement = db_use(
      store->db, "UPDATE map SET name = coalesce(?2, name), metadata = coalesce(?3, metadata),"
                 " updated = ?4 WHERE map_id = ?1");
  db_bind_text(statement, 1, update->map_id);
  db_bind_opt_text(statement, 2, update->has_name, update->name);
  db_bind_opt_text(statement, 3, update->has_metadata, update->metadata);
  db_bind_time(statement, 4, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  return get_map(store, update->map_id, call->gives, NULL, call);
}

gantry_err_t store_map_delete(store_t *store, store_call_t *call) {
  const map_key_t *key = call->takes;
  map_key_t *out = call->gives;
  stmt_t *poses =
      db_use(store->db, "DELETE FROM pose WHERE session_id <> '' AND session_id IN (SELECT"
                        " session_id FROM map_session WHERE map_id = ?1)");
  db_bind_text(poses, 1, key->map_id);
  GANTRY_TRY(db_finish(poses));
  stmt_t *statement = db_use(store->db, "DELETE FROM map WHERE map_id = ?1");
  db_bind_text(statement, 1, key->map_id);
  GANTRY_TRY(db_finish(statement));
  if (db_changes(store->db) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "map_id", "no map %s", key->map_id);
  snprintf(out->map_id, sizeof out->map_id, "%s", key->map_id);
  return GANTRY_OK;
}
