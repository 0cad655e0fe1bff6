/* Pinned sessions: their rows and chunks outlive every age. */
#include "store_internal.h"

/* A mapping session may have no readings yet, and so no row of its own. */
static gantry_err_t adopt(store_t *store, const store_pin_t *pin, store_call_t *call) {
  int64_t id;
  stmt_t *statement =
      db_use(store->db, "SELECT started FROM map_session WHERE session_id = ?1 UNION ALL"
                        " SELECT ts FROM pose WHERE session_id <> '' AND session_id = ?1 LIMIT 1");
  db_bind_text(statement, 1, pin->session);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND)
    return fault_set(call->fault, err, "session", "no session %s with stored data", pin->session);
  if (err != GANTRY_OK) return err;
  int64_t started_us = db_get_int(statement, 0);
  db_reset(statement);
  return store_session_of(store, pin->session, "map", started_us, &id);
}

static gantry_err_t set_pinned(store_t *store, const store_pin_t *pin) {
  stmt_t *statement = db_use(store->db, "UPDATE session SET pinned = ?2 WHERE session_id = ?1");
  db_bind_text(statement, 1, pin->session);
  db_bind_int(statement, 2, pin->pinned);
  GANTRY_TRY(db_finish(statement));
  return db_changes(store->db) ? GANTRY_OK : GANTRY_E_NOT_FOUND;
}

gantry_err_t store_pin(store_t *store, store_call_t *call) {
  const store_pin_t *pin = call->takes;
  gantry_err_t err = set_pinned(store, pin);
  if (err == GANTRY_E_NOT_FOUND) {
    GANTRY_TRY(adopt(store, pin, call));
    err = set_pinned(store, pin);
  }
  if (err != GANTRY_OK) return err;
  *(store_pin_t *)call->gives = *pin;
  return store_note_audit(store, call, pin->session, pin->pinned ? "pinned" : "let go");
}

void store_pin_sessions(store_t *store, bool pinned) {
  store->pin_sessions = pinned;
}
