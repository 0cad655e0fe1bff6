/* RFID tags and settings of localization. */
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

gantry_err_t store_check_room(stmt_t *statement, const char *name, size_t most) {
  db_bind_text(statement, 1, name);
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_OK) return store_broken(err);
  bool room = db_get_int(statement, 1) > 0 || db_get_int(statement, 0) < (int64_t)most;
  db_reset(statement);
  return room ? GANTRY_OK : GANTRY_E_CONFLICT;
}

static gantry_err_t check_tag_room(store_t *store, const store_call_t *call, const char *tag) {
  static const size_t MOST = sizeof((store_tags_t *)0)->tags / sizeof(store_tag_t);
  stmt_t *statement = db_use(store->db, "SELECT count(*), count(CASE WHEN tag_id = ?1 THEN 1 END)"
                                        " FROM tag");
  gantry_err_t err = store_check_room(statement, tag, MOST);
  if (err != GANTRY_E_CONFLICT) return err;
  return fault_set(call->fault, err, "tag", "%zu tags are kept, no more: delete one first", MOST);
}

static void read_tag(stmt_t *statement, store_tag_t *tag) {
  db_get_text(statement, 0, tag->tag, sizeof tag->tag);
  tag->x = db_get_real(statement, 1);
  tag->y = db_get_real(statement, 2);
  tag->z = db_get_real(statement, 3);
  tag->has_orientation = !db_is_null(statement, 4);
  tag->orientation = db_get_real(statement, 4);
  db_get_text(statement, 5, tag->type, sizeof tag->type);
  tag->active = db_get_bool(statement, 6);
  tag->has_description = db_get_text(statement, 7, tag->description, sizeof tag->description);
}

gantry_err_t store_tags(store_t *store, store_call_t *call) {
  store_tags_t *out = call->gives;
  stmt_t *statement =
      db_use(store->db, "SELECT tag_id, x, y, z, orientation, type, active, description"
                        " FROM tag ORDER BY id LIMIT ?1");
  gantry_err_t err;
  db_bind_int(statement, 1, sizeof out->tags / sizeof *out->tags);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_tag(statement, &out->tags[out->tags_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_tag_put(store_t *store, store_call_t *call) {
  const store_tag_t *tag = call->takes;
  GANTRY_TRY(check_tag_room(store, call, tag->tag));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO tag (tag_id, x, y, z, orientation, type, active,"
                        " description, created, updated, id) VALUES (?1, ?2, ?3, ?4, ?5,"
                        " ?6, ?7, ?8, ?9, ?9, ?10) ON CONFLICT (tag_id) DO UPDATE SET x ="
                        " ?2, y = ?3, z = ?4, orientation = ?5, type = ?6, active = ?7,"
                        " description = ?8, updated = ?9");
  db_bind_int(statement, 10, store_new_id(store, STORE_ID_TAG));
  db_bind_text(statement, 1, tag->tag);
  db_bind_real(statement, 2, tag->x);
  db_bind_real(statement, 3, tag->y);
  db_bind_real(statement, 4, tag->z);
  db_bind_opt_real(statement, 5, tag->has_orientation, tag->orientation);
  db_bind_text(statement, 6, tag->type);
  db_bind_int(statement, 7, tag->active);
  db_bind_opt_text(statement, 8, tag->has_description, tag->description);
  db_bind_time(statement, 9, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  memcpy(call->gives, tag, sizeof *tag);
  return GANTRY_OK;
}

gantry_err_t store_tag_delete(store_t *store, store_call_t *call) {
  const store_tag_key_t *key = call->takes;
  stmt_t *statement = db_use(store->db, "DELETE FROM tag WHERE tag_id = ?1");
  db_bind_text(statement, 1, key->tag);
  GANTRY_TRY(db_finish(statement));
  if (db_changes(store->db) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "tag", "no tag %s", key->tag);
  memcpy(call->gives, key, sizeof *key);
  return GANTRY_OK;
}

#define CONFIG_COLUMNS                                                                             \
  "SELECT key, value, type, description, active, created, updated FROM loc_config "

static void read_config(stmt_t *statement, loc_config_row_t *row) {
  char type[20];
  db_get_text(statement, 0, row->key, sizeof row->key);
  db_get_text(statement, 1, row->value, sizeof row->value);
  db_get_text(statement, 2, type, sizeof type);
  int value = desc_enum_value(&LOC_CONFIG_TYPE_ENUM, type, strlen(type));
  row->type = value < 0 ? LOC_CONFIG_TYPE_FUSION : (loc_config_type_t)value;
  row->has_description = db_get_text(statement, 3, row->description, sizeof row->description);
  row->active = db_get_bool(statement, 4);
  row->created = db_get_time(statement, 5);
  row->updated = db_get_time(statement, 6);
}

static gantry_err_t get_config(store_t *store, const char *key, bool only_active,
                               store_call_t *call) {
  stmt_t *statement = db_use(store->db, CONFIG_COLUMNS "WHERE key = ? AND active >= ?");
  db_bind_text(statement, 1, key);
  db_bind_int(statement, 2, only_active);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return fault_set(call->fault, err, "key", "no setting %s", key);
  if (err != GANTRY_OK) return err;
  read_config(statement, call->gives);
  db_reset(statement);
  return GANTRY_OK;
}

/* A deleted setting is kept, but takes no room in the list. */
static gantry_err_t check_config_room(store_t *store, const store_call_t *call, const char *key) {
  static const size_t MOST = sizeof((store_configs_t *)0)->configs / sizeof(loc_config_row_t);
  stmt_t *statement = db_use(store->db, "SELECT count(*), count(CASE WHEN key = ?1 THEN 1 END)"
                                        " FROM loc_config WHERE active = 1");
  gantry_err_t err = store_check_room(statement, key, MOST);
  if (err != GANTRY_E_CONFLICT) return err;
  return fault_set(call->fault, err, "key", "%zu settings are kept, no more: delete one first",
                   MOST);
}

gantry_err_t store_config_put(store_t *store, store_call_t *call) {
  const loc_config_set_t *set = call->takes;
  GANTRY_TRY(check_config_room(store, call, set->key));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO loc_config (key, value, type, description, active,"
                        " updated_by, created, updated, id) VALUES (?1, ?2, ?3, ?4, 1, ?5,"
                        " ?6, ?6, ?7) ON CONFLICT (key) DO UPDATE SET value = ?2, type ="
                        " ?3, description = coalesce(?4, loc_config.description), active = 1,"
                        " updated_by = ?5, updated = ?6");
  db_bind_int(statement, 7, store_new_id(store, STORE_ID_LOC_CONFIG));
  db_bind_text(statement, 1, set->key);
  db_bind_text(statement, 2, set->value);
  db_bind_text(statement, 3, desc_enum_text(&LOC_CONFIG_TYPE_ENUM, (int)set->type));
  db_bind_opt_text(statement, 4, set->has_description, set->description);
  db_bind_text(statement, 5, call->actor);
  db_bind_time(statement, 6, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  return get_config(store, set->key, true, call);
}

gantry_err_t store_config_get(store_t *store, store_call_t *call) {
  const loc_config_key_t *key = call->takes;
  return get_config(store, key->key, true, call);
}

gantry_err_t store_config_delete(store_t *store, store_call_t *call) {
  const loc_config_key_t *key = call->takes;
  stmt_t *statement =
      db_use(store->db, "UPDATE loc_config SET active = 0, updated_by = ?2, updated = ?3"
                        " WHERE key = ?1 AND active = 1");
  db_bind_text(statement, 1, key->key);
  db_bind_text(statement, 2, call->actor);
  db_bind_time(statement, 3, call->now_ns);
  GANTRY_TRY(db_finish(statement));
  if (db_changes(store->db) == 0)
    return fault_set(call->fault, GANTRY_E_NOT_FOUND, "key", "no setting %s", key->key);
  return get_config(store, key->key, false, call);
}

gantry_err_t store_config_list(store_t *store, store_call_t *call) {
  store_configs_t *out = call->gives;
  stmt_t *statement = db_use(store->db, CONFIG_COLUMNS "WHERE active = 1 ORDER BY key LIMIT ?");
  gantry_err_t err;
  db_bind_int(statement, 1, sizeof out->configs / sizeof *out->configs);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_config(statement, &out->configs[out->configs_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}
