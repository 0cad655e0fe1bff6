/* Maps with their cells, and the sessions that made them. */
#include <stdio.h>
#include <string.h>

#include "store_sqlite.h"

#define INFO_COLUMNS                                                                               \
  "SELECT map_id, name, resolution, width, height, origin_x, origin_y, metadata, revision,"        \
  " created, updated, cells FROM map "

static void read_info(sqlite3_stmt *statement, map_info_t *info) {
  sql_get_text(statement, 0, info->map_id, sizeof info->map_id);
  sql_get_text(statement, 1, info->name, sizeof info->name);
  info->resolution = sql_get_real(statement, 2);
  info->width = (uint32_t)sql_get_u64(statement, 3);
  info->height = (uint32_t)sql_get_u64(statement, 4);
  info->origin_x = sql_get_real(statement, 5);
  info->origin_y = sql_get_real(statement, 6);
  sql_get_text(statement, 7, info->metadata, sizeof info->metadata);
  info->revision = sql_get_u64(statement, 8);
  info->created = sql_get_time(statement, 9);
  info->updated = sql_get_time(statement, 10);
}

/* Reads one map; grid NULL: without its cells. */
static gantry_err_t get_map(store_sqlite_t *store, const char *map_id, map_info_t *info,
                            map_grid_t *grid, store_call_t *call) {
  sqlite3_stmt *statement = sql_use(&store->sql, INFO_COLUMNS "WHERE map_id = ?");
  sql_bind_text(statement, 1, map_id);
  gantry_err_t err = sql_next(&store->sql, statement);
  if (err == GANTRY_E_NOT_FOUND) return fault_set(call->fault, err, "map_id", "no map %s", map_id);
  if (err != GANTRY_OK) return err;
  read_info(statement, info);
  if (grid) {
    const void *bytes = sqlite3_column_blob(statement, 11);
    grid->cells.len = (size_t)sqlite3_column_bytes(statement, 11);
    grid->cells.data = arena_copy(call->arena, bytes, grid->cells.len);
    if (!grid->cells.data) err = GANTRY_E_INTERNAL;
  }
  sqlite3_reset(statement);
  return err;
}

static gantry_err_t put_session(store_sqlite_t *store, const store_map_put_t *put,
                                uint64_t now_ns) {
  if (put->session_id[0] == '\0') return GANTRY_OK;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO map_session (session_id, map_id, started, ended, scans, quality,"
                   " created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?4) ON CONFLICT (session_id)"
                   " DO UPDATE SET ended = ?4, scans = ?5, quality = ?6");
  sql_bind_text(statement, 1, put->session_id);
  sql_bind_text(statement, 2, put->grid.info.map_id);
  sql_bind_time(statement, 3, put->started);
  sql_bind_time(statement, 4, now_ns);
  sql_bind_u64(statement, 5, put->scans);
  sql_bind_real(statement, 6, put->quality);
  return sql_finish(&store->sql, statement);
}

gantry_err_t store_sqlite_map_put(store_sqlite_t *store, store_call_t *call) {
  const store_map_put_t *put = call->takes;
  const map_info_t *info = &put->grid.info;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO map (map_id, name, resolution, width, height, origin_x, origin_y,"
                   " cells, metadata, revision, version, created, updated)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12)"
                   " ON CONFLICT (map_id) DO UPDATE SET resolution = ?3, width = ?4,"
                   " height = ?5, origin_x = ?6, origin_y = ?7, cells = ?8, revision = ?10,"
                   " version = version + 1, updated = ?12");
  sql_bind_text(statement, 1, info->map_id);
  sql_bind_text(statement, 2, info->name);
  sql_bind_real(statement, 3, info->resolution);
  sql_bind_int(statement, 4, info->width);
  sql_bind_int(statement, 5, info->height);
  sql_bind_real(statement, 6, info->origin_x);
  sql_bind_real(statement, 7, info->origin_y);
  sql_bind_blob(statement, 8, put->grid.cells.data, put->grid.cells.len);
  sql_bind_text(statement, 9, info->metadata[0] ? info->metadata : "{}");
  sql_bind_u64(statement, 10, info->revision);
  sql_bind_time(statement, 11, info->created ? info->created : call->now_ns);
  sql_bind_time(statement, 12, call->now_ns);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  GANTRY_TRY(put_session(store, put, call->now_ns));
  return get_map(store, info->map_id, call->gives, NULL, call);
}

gantry_err_t store_sqlite_map_get(store_sqlite_t *store, store_call_t *call) {
  const map_key_t *key = call->takes;
  map_grid_t *out = call->gives;
  return get_map(store, key->map_id, &out->info, out, call);
}

gantry_err_t store_sqlite_map_list(store_sqlite_t *store, store_call_t *call) {
  store_maps_t *out = call->gives;
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement = sql_use(sql, INFO_COLUMNS "ORDER BY created DESC, id DESC LIMIT ?");
  gantry_err_t err;
  sql_bind_int(statement, 1, sizeof out->maps / sizeof *out->maps);
  while ((err = sql_next(sql, statement)) == GANTRY_OK)
    read_info(statement, &out->maps[out->maps_count++]);
  if (err != GANTRY_E_NOT_FOUND) return err;
  statement = sql_use(sql, "SELECT count(*) FROM map");
  GANTRY_TRY(sql_next(sql, statement));
  out->total = sql_get_u64(statement, 0);
  sqlite3_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_sqlite_map_update(store_sqlite_t *store, store_call_t *call) {
  const store_map_update_t *update = call->takes;
  sqlite3_stmt *statement = sql_use(
      &store->sql, "UPDATE map SET name = coalesce(?2, name), metadata = coalesce(?3, metadata),"
                   " updated = ?4 WHERE map_id = ?1");
  sql_bind_text(statement, 1, update->map_id);
  sql_bind_opt_text(statement, 2, update->has_name, update->name);
  sql_bind_opt_text(statement, 3, update->has_metadata, update->metadata);
  sql_bind_time(statement, 4, call->now_ns);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  return get_map(store, update->map_id, call->gives, NULL, call);
}

gantry_err_t store_sqlite_map_delete(store_sqlite_t *store, store_call_t *call) {
  const map_key_t *key = call->takes;
  map_key_t *out = call->gives;
  sqlite3_stmt *poses =
      sql_use(&store->sql, "DELETE FROM pose WHERE session_id <> '' AND session_id IN"
                           " (SELECT session_id FROM map_session WHERE map_id = ?)");
  sql_bind_text(poses, 1, key->map_id);
  GANTRY_TRY(sql_finish(&store->sql, poses));
  sqlite3_stmt *statement = sql_use(&store->sql, "DELETE FROM map WHERE map_id = ?");
  sql_bind_text(statement, 1, key->map_id);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  if (sql_changes(&store->sql) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "map_id", "no map %s", key->map_id);
  snprintf(out->map_id, sizeof out->map_id, "%s", key->map_id);
  return GANTRY_OK;
}
