/* Maps and their versions, and the sessions that made them. The newest version stands in `map` too,
   which the published view shows. */
#include <stdio.h>
#include <string.h>

#include "map_file.h"
#include "store_internal.h"

#define INFO_COLUMNS                                                                               \
  "SELECT map_id, name, resolution, width, height, origin_x, origin_y, metadata, revision,"        \
  " created, updated, version FROM map "

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
  info->has_version = true;
  info->version = (uint32_t)db_get_u64(statement, 11);
}

/* One map without its cells. */
static gantry_err_t get_info(store_t *store, const char *map_id, map_info_t *info,
                             store_call_t *call) {
  stmt_t *statement = db_use(store->db, INFO_COLUMNS "WHERE map_id = ?1");
  db_bind_text(statement, 1, map_id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return fault_set(call->fault, err, "map_id", "no map %s", map_id);
  if (err != GANTRY_OK) return err;
  read_info(statement, info);
  db_reset(statement);
  return GANTRY_OK;
}

/* ---- storing */

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

static gantry_err_t next_version(store_t *store, const char *map_id, uint32_t *out) {
  stmt_t *statement =
      db_use(store->db, "SELECT coalesce(max(version), 0) + 1 FROM map WHERE map_id = ?1");
  db_bind_text(statement, 1, map_id);
  GANTRY_TRY(db_next(statement));
  *out = (uint32_t)db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t put_newest(store_t *store, const map_grid_t *grid, uint32_t version,
                               uint64_t now_ns) {
  const map_info_t *info = &grid->info;
  stmt_t *statement =
      db_use(store->db, "INSERT INTO map (map_id, name, resolution, width, height,"
                        " origin_x, origin_y, cells, metadata, revision, version, created,"
                        " updated, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?14,"
                        " ?11, ?12, ?13) ON CONFLICT (map_id) DO UPDATE SET resolution ="
                        " ?3, width = ?4, height = ?5, origin_x = ?6, origin_y = ?7, cells"
                        " = ?8, revision = ?10, version = ?14, updated = ?12");
  db_bind_int(statement, 13, store_new_id(store, STORE_ID_MAP));
  db_bind_text(statement, 1, info->map_id);
  db_bind_text(statement, 2, info->name);
  db_bind_real(statement, 3, info->resolution);
  db_bind_int(statement, 4, info->width);
  db_bind_int(statement, 5, info->height);
  db_bind_real(statement, 6, info->origin_x);
  db_bind_real(statement, 7, info->origin_y);
  db_bind_blob(statement, 8, grid->cells.data, grid->cells.len);
  db_bind_text(statement, 9, info->metadata[0] ? info->metadata : "{}");
  db_bind_u64(statement, 10, info->revision);
  db_bind_time(statement, 11, info->created ? info->created : now_ns);
  db_bind_time(statement, 12, now_ns);
  db_bind_int(statement, 14, version);
  return db_finish(statement);
}

static gantry_err_t insert_version(store_t *store, const store_map_stored_t *map,
                                   const buf_t *shapes, uint64_t now_ns) {
  const map_info_t *info = &map->grid.info;
  stmt_t *statement = db_use(
      store->db, "INSERT INTO map_version (map_id, version, resolution, width, height, origin_x,"
                 " origin_y, cells, metadata, revision, graph, trajectory, created, shapes) VALUES"
                 " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  db_bind_text(statement, 1, info->map_id);
  db_bind_int(statement, 2, map->version);
  db_bind_real(statement, 3, info->resolution);
  db_bind_int(statement, 4, info->width);
  db_bind_int(statement, 5, info->height);
  db_bind_real(statement, 6, info->origin_x);
  db_bind_real(statement, 7, info->origin_y);
  db_bind_blob(statement, 8, map->grid.cells.data, map->grid.cells.len);
  db_bind_text(statement, 9, info->metadata[0] ? info->metadata : "{}");
  db_bind_u64(statement, 10, info->revision);
  db_bind_opt_blob(statement, 11, map->has_graph, map->graph.data, map->graph.len);
  db_bind_opt_blob(statement, 12, map->has_trajectory, map->trajectory.data, map->trajectory.len);
  db_bind_time(statement, 13, now_ns);
  db_bind_opt_blob(statement, 14, shapes->len > 0, shapes->data, shapes->len);
  return db_finish(statement);
}

static gantry_err_t put_version(store_t *store, const store_map_stored_t *map, uint64_t now_ns) {
  buf_t shapes = {0};
  gantry_err_t err = map_file_pack_shapes(&map->grid, &shapes);
  if (err == GANTRY_OK) err = insert_version(store, map, &shapes, now_ns);
  buf_fini(&shapes);
  return err;
}

/* Old versions beyond the number that is kept go. */
static gantry_err_t drop_versions(store_t *store, const char *map_id, uint32_t newest) {
  stmt_t *statement =
      db_use(store->db, "DELETE FROM map_version WHERE map_id = ?1 AND version <= ?2");
  db_bind_text(statement, 1, map_id);
  db_bind_int(statement, 2, (int64_t)newest - store->map_versions_kept);
  return db_finish(statement);
}

/* Makes a new version of the map; its number is chosen here. */
static gantry_err_t add_version(store_t *store, store_map_stored_t *map, uint64_t now_ns) {
  const char *map_id = map->grid.info.map_id;
  GANTRY_TRY(next_version(store, map_id, &map->version));
  GANTRY_TRY(put_newest(store, &map->grid, map->version, now_ns));
  GANTRY_TRY(put_version(store, map, now_ns));
  return drop_versions(store, map_id, map->version);
}

gantry_err_t store_map_put(store_t *store, store_call_t *call) {
  const store_map_put_t *put = call->takes;
  store_map_stored_t map = {.grid = put->grid,
                            .has_graph = put->has_graph,
                            .graph = put->graph,
                            .has_trajectory = put->has_trajectory,
                            .trajectory = put->trajectory};
  GANTRY_TRY(map_file_check(&put->grid, call->fault));
  GANTRY_TRY(add_version(store, &map, call->now_ns));
  GANTRY_TRY(put_session(store, put, call->now_ns));
  return get_info(store, put->grid.info.map_id, call->gives, call);
}

/* ---- giving back */

static gantry_err_t copy_blob(stmt_t *statement, int column, store_call_t *call, blob_t *out) {
  const void *bytes = db_get_blob(statement, column, &out->len);
  out->data = arena_copy(call->arena, bytes, out->len);
  return out->data ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static gantry_err_t read_stored(stmt_t *statement, store_call_t *call, store_map_stored_t *out) {
  map_info_t *info = &out->grid.info;
  out->version = info->version = (uint32_t)db_get_u64(statement, 0);
  info->resolution = db_get_real(statement, 1);
  info->width = (uint32_t)db_get_u64(statement, 2);
  info->height = (uint32_t)db_get_u64(statement, 3);
  info->origin_x = db_get_real(statement, 4);
  info->origin_y = db_get_real(statement, 5);
  info->revision = db_get_u64(statement, 6);
  out->stored = db_get_time(statement, 7);
  out->has_graph = !db_is_null(statement, 9);
  out->has_trajectory = !db_is_null(statement, 10);
  size_t shapes_len = 0;
  const void *shapes = db_is_null(statement, 11) ? NULL : db_get_blob(statement, 11, &shapes_len);
  if (shapes) GANTRY_TRY(map_file_unpack_shapes(shapes, shapes_len, &out->grid));
  GANTRY_TRY(copy_blob(statement, 8, call, &out->grid.cells));
  if (out->has_graph) GANTRY_TRY(copy_blob(statement, 9, call, &out->graph));
  return out->has_trajectory ? copy_blob(statement, 10, call, &out->trajectory) : GANTRY_OK;
}

/* The name and the metadata are those of the map today, the rest is of the version. */
static gantry_err_t get_stored(store_t *store, const map_key_t *key, store_map_stored_t *out,
                               store_call_t *call) {
  GANTRY_TRY(get_info(store, key->map_id, &out->grid.info, call));
  uint32_t version = key->has_version ? key->version : out->grid.info.version;
  stmt_t *statement = db_use(
      store->db,
      "SELECT version, resolution, width, height, origin_x, origin_y, revision, created,"
      " cells, graph, trajectory, shapes FROM map_version WHERE map_id = ?1 AND version = ?2");
  db_bind_text(statement, 1, key->map_id);
  db_bind_int(statement, 2, version);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "version", "map %s has no version %u any more, or not yet",
                     key->map_id, version);
  if (err == GANTRY_OK) err = read_stored(statement, call, out);
  db_reset(statement);
  return err;
}

gantry_err_t store_map_load(store_t *store, store_call_t *call) {
  return get_stored(store, call->takes, call->gives, call);
}

gantry_err_t store_map_get(store_t *store, store_call_t *call) {
  store_map_stored_t map = {0};
  GANTRY_TRY(get_stored(store, call->takes, &map, call));
  memcpy(call->gives, &map.grid, sizeof map.grid);
  return GANTRY_OK;
}

gantry_err_t store_map_list(store_t *store, store_call_t *call) {
  store_maps_t *out = call->gives;
  stmt_t *statement = db_use(store->db, INFO_COLUMNS "ORDER BY created DESC, id DESC LIMIT ?1");
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

gantry_err_t store_map_versions(store_t *store, store_call_t *call) {
  const map_key_t *key = call->takes;
  store_map_versions_t *out = call->gives;
  map_info_t info;
  gantry_err_t err;
  GANTRY_TRY(get_info(store, key->map_id, &info, call));
  snprintf(out->map_id, sizeof out->map_id, "%s", key->map_id);
  stmt_t *statement = db_use(
      store->db,
      "SELECT version, created, resolution, width, height, revision, length(cells) +"
      " coalesce(length(graph), 0) + coalesce(length(trajectory), 0) + coalesce(length(shapes), 0),"
      " CASE WHEN graph IS NULL"
      " THEN 0 ELSE 1 END, CASE WHEN trajectory IS NULL THEN 0 ELSE 1 END FROM map_version"
      " WHERE map_id = ?1 ORDER BY version DESC LIMIT ?2");
  db_bind_text(statement, 1, key->map_id);
  db_bind_int(statement, 2, sizeof out->versions / sizeof *out->versions);
  while ((err = db_next(statement)) == GANTRY_OK) {
    out->versions[out->versions_count++] =
        (store_map_version_t){.version = (uint32_t)db_get_u64(statement, 0),
                              .stored = db_get_time(statement, 1),
                              .resolution = db_get_real(statement, 2),
                              .width = (uint32_t)db_get_u64(statement, 3),
                              .height = (uint32_t)db_get_u64(statement, 4),
                              .revision = db_get_u64(statement, 5),
                              .bytes = db_get_u64(statement, 6),
                              .graph = db_get_bool(statement, 7),
                              .trajectory = db_get_bool(statement, 8)};
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* ---- changing */

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
  return get_info(store, update->map_id, call->gives, call);
}

/* A pinned session keeps its trajectory, and so its map. */
static gantry_err_t check_unpinned(store_t *store, const map_key_t *key, gantry_fault_t *fault) {
  char session[64];
  stmt_t *statement =
      db_use(store->db, "SELECT session.session_id FROM session JOIN map_session ON"
                        " map_session.session_id = session.session_id WHERE pinned = 1"
                        " AND map_session.map_id = ?1 LIMIT 1");
  db_bind_text(statement, 1, key->map_id);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_OK) db_get_text(statement, 0, session, sizeof session);
  db_reset(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  return fault_set(fault, GANTRY_E_CONFLICT, "map_id",
                   "its session %s is pinned: let it go first (gantry storage unpin %s)", session,
                   session);
}

gantry_err_t store_map_delete(store_t *store, store_call_t *call) {
  const map_key_t *key = call->takes;
  map_key_t *out = call->gives;
  if (key->has_version)
    return fault_set(call->fault, GANTRY_E_INVALID, "version",
                     "a map is deleted with all its versions: leave the version out");
  GANTRY_TRY(check_unpinned(store, key, call->fault));
  stmt_t *poses =
      db_use(store->db, "DELETE FROM pose WHERE session_id <> '' AND session_id IN (SELECT"
                        " session_id FROM map_session WHERE map_id = ?1)");
  db_bind_text(poses, 1, key->map_id);
  GANTRY_TRY(db_finish(poses));
  /* Versions and sessions go with it. */
  stmt_t *statement = db_use(store->db, "DELETE FROM map WHERE map_id = ?1");
  db_bind_text(statement, 1, key->map_id);
  GANTRY_TRY(db_finish(statement));
  if (db_changes(store->db) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "map_id", "no map %s", key->map_id);
  snprintf(out->map_id, sizeof out->map_id, "%s", key->map_id);
  return GANTRY_OK;
}

/* ---- to and from another machine */

gantry_err_t store_map_export(store_t *store, store_call_t *call) {
  store_map_file_t *out = call->gives;
  store_map_stored_t map = {0};
  buf_t file = {0};
  GANTRY_TRY(get_stored(store, call->takes, &map, call));
  gantry_err_t err = map_file_write(&map, &file);
  if (err == GANTRY_OK) {
    out->data.len = file.len;
    out->data.data = arena_copy(call->arena, file.data, file.len);
    if (!out->data.data) err = GANTRY_E_INTERNAL;
  }
  buf_fini(&file);
  return err;
}

static gantry_err_t has_map(store_t *store, const char *map_id, bool *there) {
  stmt_t *statement = db_use(store->db, "SELECT 1 FROM map WHERE map_id = ?1");
  db_bind_text(statement, 1, map_id);
  gantry_err_t err = db_next(statement);
  *there = err == GANTRY_OK;
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* An id that no map has: the old one's first letters and a number. */
static gantry_err_t choose_id(store_t *store, char *map_id, size_t size) {
  char old[sizeof((map_info_t){0}.map_id)];
  bool there = true;
  snprintf(old, sizeof old, "%s", map_id);
  for (uint32_t i = 2; there; i++) {
    snprintf(map_id, size, "%.*s_%u", (int)(size - 12), old, i);
    GANTRY_TRY(has_map(store, map_id, &there));
  }
  return GANTRY_OK;
}

gantry_err_t store_map_import(store_t *store, store_call_t *call) {
  const store_map_import_t *file = call->takes;
  store_map_stored_t map = {0};
  map_info_t *info = &map.grid.info;
  bool there = false;
  GANTRY_TRY(map_file_read(file->data.data, file->data.len, &map, call->fault));
  GANTRY_TRY(has_map(store, info->map_id, &there));
  if (there && !file->new_id)
    return fault_set(call->fault, GANTRY_E_CONFLICT, "map_id",
                     "there is a map %s already: delete it first, or import under a new id",
                     info->map_id);
  if (there) GANTRY_TRY(choose_id(store, info->map_id, sizeof info->map_id));
  GANTRY_TRY(add_version(store, &map, call->now_ns));
  return get_info(store, info->map_id, call->gives, call);
}

void store_keep_map_versions(store_t *store, uint32_t count) {
  store->map_versions_kept = count;
}
