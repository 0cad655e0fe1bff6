/* What gateways hold in memory: users, sessions taken back and service tokens as rows of one log,
   numbered in the order of their changes. A row stands for the newest change of its thing. */
#include <string.h>

#include "store_internal.h"

/* Access tokens of a session or user that is gone live a day at most. */
#define TOKEN_LIFE_NS (25ull * 3600 * 1000000000ull)

gantry_err_t store_number_change(store_t *store, int64_t *out) {
  stmt_t *statement = db_use(
      store->db, "UPDATE identity_number SET number = number + 1 WHERE id = 1 RETURNING number");
  GANTRY_TRY(db_next(statement));
  *out = db_get_int(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

static void read_row(stmt_t *statement, store_identity_row_t *row) {
  row->number = db_get_u64(statement, 0);
  row->kind = (store_identity_kind_t)db_get_int(statement, 1);
  row->id = db_get_u64(statement, 2);
  db_get_text(statement, 3, row->name, sizeof row->name);
  row->role = store_read_role(statement, 4);
  row->active = db_get_bool(statement, 5);
  row->must_change = db_get_bool(statement, 6);
  db_get_text(statement, 7, row->hash, sizeof row->hash);
  row->until = db_get_time(statement, 8);
  bool ends = row->kind == STORE_IDENTITY_KIND_SESSION || row->kind == STORE_IDENTITY_KIND_GONE;
  if (ends) row->until += TOKEN_LIFE_NS;
}

static gantry_err_t read_newest(store_t *store, uint64_t *out) {
  stmt_t *statement = db_use(store->db, "SELECT number FROM identity_number WHERE id = 1");
  GANTRY_TRY(db_next(statement));
  *out = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_identity(store_t *store, store_call_t *call) {
  const store_identity_get_t *get = call->takes;
  store_identity_t *out = call->gives;
  gantry_err_t err;
  GANTRY_TRY(read_newest(store, &out->newest));
  stmt_t *statement = db_use(
      store->db,
      "SELECT changed, 0, id, username, role, active, must_change, '', 0 FROM users"
      " WHERE changed > ?1 UNION ALL"
      " SELECT changed, 1, id, '', '', 0, 0, '', expires FROM user_session"
      " WHERE changed > ?1 AND revoked IS NOT NULL UNION ALL"
      " SELECT changed, 2, id, name, role, active, 0, hash, coalesce(expires, 0)"
      " FROM service_token WHERE changed > ?1 UNION ALL"
      " SELECT changed, 3, id, username, '', 0, 0, '', deleted FROM user_gone WHERE changed > ?1"
      " ORDER BY 1 LIMIT ?2");
  db_bind_u64(statement, 1, get->since);
  db_bind_int(statement, 2, sizeof out->rows / sizeof *out->rows);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_row(statement, &out->rows[out->rows_count++]);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}
